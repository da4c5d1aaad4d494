//! `DELETE …/origins/{host}`: removes the origin of a host.

use axum::extract::State;

use crate::http::{
    SharedState,
    auth::{HostInPath, OperatedZone},
    envelope::{Empty, EmptyAnswer, Envelope},
    error::{ApiError, FailureBody},
};

/// Removes the origin of a host. Requests for it belong to no zone then, unless they fit another pattern.
#[utoipa::path(delete, path = "/zones/{zone_id}/origins/{host}", tag = "Gateway", operation_id = "origin_remove",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("host" = String, Path, description = "The host or host pattern, percent-encoded.", max_length = 255),
    ),
    responses(
        (status = 200, description = "The origin is gone.", body = EmptyAnswer),
        (status = "4XX", description = "The request is at fault, or there is no such origin.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn remove(
    OperatedZone(zone): OperatedZone,
    HostInPath(host): HostInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<Empty>, ApiError> {
    if state.store.origin_delete(&zone, &host).await? {
        return Ok(Envelope::new(Empty {}));
    }
    match state.store.zone_get(&zone).await? {
        Some(_) => Err(ApiError::origin_unknown()),
        None => Err(ApiError::zone_unknown(zone.as_str())),
    }
}
