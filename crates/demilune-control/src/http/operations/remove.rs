//! `DELETE …/operations/{operation_id}`: removes one operation (contract 3.3).

use axum::extract::State;

use crate::http::{
    SharedState,
    auth::{OperationInPath, WritableZone},
    envelope::{Empty, EmptyAnswer, Envelope},
    error::{ApiError, FailureBody},
};

/// Removes an operation and everything known about it. Adding it again starts afresh, with a new id.
#[utoipa::path(delete, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}", tag = "Operations", operation_id = "operation_remove",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The operation is gone.", body = EmptyAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn remove(
    WritableZone(zone): WritableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<Empty>, ApiError> {
    let removed = state.store.operation_delete(&zone, vec![id]).await?;
    if !removed.is_empty() {
        return Ok(Envelope::new(Empty {}));
    }
    match state.store.zone_get(&zone).await? {
        Some(_) => Err(ApiError::operation_unknown()),
        None => Err(ApiError::zone_unknown(zone.as_str())),
    }
}
