//! `PATCH …/settings/schema_validation`: changes some of what a zone says of validation (contract 6.6).

use axum::extract::State;

use super::wire::{OlderSettingsAnswer, OlderSettingsBody, OlderSettingsChange, OpenEnvelope};
use crate::http::{
    SharedState,
    auth::WritableZone,
    body::JsonBody,
    error::{ApiError, FailureBody},
    schema_validation::settings::{Dialect, SettingsChange},
};

/// Changes the settings that the body names. Null changes nothing; `disable_override` takes the override back.
#[utoipa::path(patch, path = "/zones/{zone_id}/api_gateway/settings/schema_validation", tag = "Validation", operation_id = "older_settings_update",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = OlderSettingsChange,
    responses(
        (status = 200, description = "The settings as they are now.", body = OlderSettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn settings_update(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<OpenEnvelope<OlderSettingsBody>, ApiError> {
    let change = SettingsChange::read_part(&body, Dialect::Older)?;
    let settings = state.store.validation_settings_change(&zone, move |before| change.apply(before)).await?;
    Ok(OpenEnvelope::new(settings.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?.into()))
}
