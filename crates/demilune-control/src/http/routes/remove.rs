//! `DELETE …/operations/{operation_id}/route`: sends an operation's requests to the origin again (contract 6.2).

use axum::extract::State;

use crate::http::{
    SharedState,
    auth::{OperationInPath, WritableZone},
    envelope::{Empty, EmptyAnswer, Envelope},
    error::{ApiError, FailureBody},
};

/// Removes the route of an operation; 404 if it has none, as for everything else that is deleted.
#[utoipa::path(delete, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}/route", tag = "Routes", operation_id = "route_remove",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The route is gone.", body = EmptyAnswer),
        (status = "4XX", description = "The request is at fault, or there is no route.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn remove(
    WritableZone(zone): WritableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<Empty>, ApiError> {
    if state.store.route_delete(&zone, id).await? {
        return Ok(Envelope::new(Empty {}));
    }
    // Which of the two is missing decides the sentence.
    state.operation(&zone, id).await.and(Err(ApiError::route_absent()))
}
