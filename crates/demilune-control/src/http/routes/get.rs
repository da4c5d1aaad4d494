//! `GET …/operations/{operation_id}/route`: where an operation's requests are sent (contract 6.2).

use axum::extract::State;

use super::wire::{RouteAnswer, RouteBody};
use crate::http::{
    SharedState,
    auth::{OperationInPath, ReadableZone},
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// The route of an operation; 404 while it has none.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}/route", tag = "Routes", operation_id = "route_get",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The route.", body = RouteAnswer),
        (status = "4XX", description = "The request is at fault, or there is no route.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    ReadableZone(zone): ReadableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<RouteBody>, ApiError> {
    let operation = state.operation(&zone, id).await?;
    let route = operation.features.route.ok_or_else(ApiError::route_absent)?;
    Ok(Envelope::new(RouteBody::from(&route.target)))
}
