//! `PATCH …/settings`: changes some of a zone's settings.

use axum::extract::State;

use super::{
    change::SettingsChange,
    wire::{SettingsAnswer, SettingsBody, SettingsInput},
};
use crate::http::{
    SharedState,
    auth::OperatedZone,
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// Changes the settings that the body names; the others stay as they are.
#[utoipa::path(patch, path = "/zones/{zone_id}/settings", tag = "Gateway", operation_id = "settings_update",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = SettingsInput,
    responses(
        (status = 200, description = "The settings as they are now.", body = SettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn update(
    OperatedZone(zone): OperatedZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<SettingsBody>, ApiError> {
    let zone_unknown = || ApiError::zone_unknown(zone.as_str());
    let change = SettingsChange::read_part(&body)?;
    let changed = state.store.zone_settings_change(&zone, move |before| change.apply(before)).await?;
    Ok(Envelope::new(SettingsBody::from(changed.ok_or_else(zone_unknown)?)))
}
