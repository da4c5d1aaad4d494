//! `PATCH …/operations/schema_validation`: changes actions of several operations (contract 6.5).

use std::collections::BTreeMap;

use axum::extract::State;

use super::wire::{NamedActionBody, NamedActionsAnswer};
use crate::http::{
    SharedState,
    auth::WritableZone,
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    schema_validation::actions::{ActionsInput, change_many},
};

/// Changes the actions of operations, all or none; null has the zone's default hold.
#[utoipa::path(patch, path = "/zones/{zone_id}/api_gateway/operations/schema_validation", tag = "Validation", operation_id = "older_actions_update",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = ActionsInput,
    responses(
        (status = 200, description = "The actions as they are now.", body = NamedActionsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn actions_update(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<BTreeMap<String, NamedActionBody>>, ApiError> {
    let actions = change_many(&state, &zone, &body).await?.into_iter();
    Ok(Envelope::new(actions.map(|action| (action.operation.to_string(), action.into())).collect()))
}
