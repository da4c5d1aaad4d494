//! `GET`, `PUT` and `DELETE …/operations/{operation_id}/route`: where an operation is sent (contract 6.2).

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::State;
use demilune_inventory::{Operation, OperationId, ZoneId};
use demilune_policy::rule::{RouteTarget, check_address};
use demilune_store::StoredOperation;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::wire::{Empty, EmptyAnswer};
use crate::{
    clock,
    http::{
        SharedState, State as Shared,
        auth::{OperationInPath, ReadableZone, WritableZone},
        body::JsonBody,
        envelope::{Envelope, Message},
        error::{ApiError, Defect, FailureBody, OPERATION_NOT_FOUND},
        member::sentence,
    },
};

/// Where an operation is sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Route)]
pub(crate) struct RouteBody {
    /// A URL whose path holds every variable of the operation's endpoint by its name; or an IP address.
    #[schema(example = "https://api.internal.example/v2/users/{var1}", max_length = 8192)]
    route: String,
}

/// The envelope around a route, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<RouteBody>` prints")]
pub(crate) struct RouteAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: RouteBody,
}

/// Where an operation is sent instead of its host's origin.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}/route", tag = "Operations", operation_id = "route_get",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The route.", body = RouteAnswer),
        (status = "4XX", description = "The request is at fault, or there is no route.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn route_get(
    ReadableZone(zone): ReadableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<RouteBody>, ApiError> {
    let route = operation(&state, &zone, id).await?.features.route.ok_or_else(no_route)?;
    Ok(Envelope::new(RouteBody { route: route.target.to_string() }))
}

/// Sends an operation somewhere else than to its host's origin.
#[utoipa::path(put, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}/route", tag = "Operations", operation_id = "route_put",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    request_body = RouteBody,
    responses(
        (status = 200, description = "The route as it is now.", body = RouteAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn route_put(
    WritableZone(zone): WritableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<RouteBody>, ApiError> {
    let found = operation(&state, &zone, id).await?.operation;
    let target = read(&body, &found, state.options.allow_private_targets)?;
    let route = state.store.route_set(&zone, id, target, clock::now()).await?;
    let route = route.ok_or_else(ApiError::operation_unknown)?;
    Ok(Envelope::new(RouteBody { route: route.target.to_string() }))
}

/// Takes an operation's route away: its requests go to the origin of their host again.
#[utoipa::path(delete, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}/route", tag = "Operations", operation_id = "route_delete",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "There is no route any more.", body = EmptyAnswer),
        (status = "4XX", description = "The request is at fault, or there was no route.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn route_delete(
    WritableZone(zone): WritableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<Empty>, ApiError> {
    if state.store.route_delete(&zone, id).await? {
        return Ok(Envelope::new(Empty {}));
    }
    operation(&state, &zone, id).await?;
    Err(no_route())
}

async fn operation(state: &Shared, zone: &ZoneId, id: OperationId) -> Result<StoredOperation, ApiError> {
    match state.store.operation_get(zone, id).await? {
        Some(operation) => Ok(operation),
        None if state.store.zone_get(zone).await?.is_none() => Err(ApiError::zone_unknown(zone.as_str())),
        None => Err(ApiError::operation_unknown()),
    }
}

fn no_route() -> ApiError {
    Defect::new(&OPERATION_NOT_FOUND, "The operation has no route; its requests go to the origin of their host.").into()
}

fn read(body: &Value, operation: &Operation, allow_private: bool) -> Result<RouteTarget, ApiError> {
    let Some(Value::String(text)) = body.get("route") else {
        return Err(Defect::at("/route", "The member route must be a string: a URL, or an IP address.").into());
    };
    let target = RouteTarget::parse(text, &operation.key.endpoint);
    let target = target.map_err(|error| Defect::at("/route", sentence(&error)))?;
    if let Some(address) = known_address(&target) {
        check_address(address, allow_private).map_err(|refusal| Defect::at("/route", sentence(&refusal)))?;
    }
    Ok(target)
}

/// The address that a target leads to, where that is known without asking. Names are resolved, and checked, by the
/// gateway each time it connects; `localhost` means this machine everywhere (RFC 6761 section 6.3).
fn known_address(target: &RouteTarget) -> Option<IpAddr> {
    let server = target.server();
    let loopback = server.name() == "localhost" || server.name().ends_with(".localhost");
    server.address().or_else(|| loopback.then_some(IpAddr::V4(Ipv4Addr::LOCALHOST)))
}
