//! `PATCH …/discovery/operations/{operation_id}`: has a discovered operation be reviewed or ignored (contract 6.12).

use std::collections::BTreeMap;

use axum::extract::State;

use super::{
    input::ignored,
    update_many::apply,
    wire::{DiscoveredStateAnswer, DiscoveredStateBody, DiscoveredStateInput},
};
use crate::http::{
    SharedState,
    auth::{DiscoveredInPath, WritableZone},
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// Has a discovered operation be reviewed or ignored. What is saved stays saved while its operation is.
#[utoipa::path(patch, path = "/zones/{zone_id}/api_gateway/discovery/operations/{operation_id}", tag = "Discovery", operation_id = "discovered_update",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The discovered operation.", min_length = 36, max_length = 36),
    ),
    request_body = DiscoveredStateInput,
    responses(
        (status = 200, description = "The state as it is now.", body = DiscoveredStateAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn update(
    WritableZone(zone): WritableZone,
    DiscoveredInPath(id): DiscoveredInPath,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<DiscoveredStateBody>, ApiError> {
    let change = ignored(&body, "")?;
    let mut states = apply(&state, &zone, BTreeMap::from([(id.clone(), change)])).await?;
    // The operation is in the answer, since it is in the question.
    states.remove(&id.to_string()).map(Envelope::new).ok_or_else(ApiError::discovered_unknown)
}
