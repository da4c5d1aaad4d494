//! `PUT …/operations/{operation_id}/route`: sends an operation's requests elsewhere (contract 6.2).

use axum::extract::State;

use super::{
    target,
    wire::{RouteAnswer, RouteBody},
};
use crate::{
    clock,
    http::{
        SharedState,
        auth::{OperationInPath, WritableZone},
        body::JsonBody,
        envelope::Envelope,
        error::{ApiError, Defect, FailureBody},
        input::text,
    },
};

/// Sets the route of an operation, or replaces it.
#[utoipa::path(put, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}/route", tag = "Routes", operation_id = "route_set",
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
pub(crate) async fn set(
    WritableZone(zone): WritableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<RouteBody>, ApiError> {
    // An operation keeps its endpoint as long as it exists, so that what is parsed for it now fits when it is stored.
    let operation = state.operation(&zone, id).await?.operation;
    let target = text(&body, "route")
        .and_then(|text| target::parse(text, &operation.key.endpoint, state.options.allow_private_targets))
        .map_err(|message| Defect::at("/route", message))?;
    let route = state.store.route_set(&zone, id, target, clock::now()).await?;
    let route = route.ok_or_else(ApiError::operation_unknown)?;
    Ok(Envelope::new(RouteBody::from(&route.target)))
}
