//! `PUT …/settings/schema_validation`: replaces what a zone says of validation (contract 6.6).

use axum::extract::State;

use super::wire::{OlderSettingsAnswer, OlderSettingsBody, OlderSettingsInput, OpenEnvelope};
use crate::http::{
    SharedState,
    auth::WritableZone,
    body::JsonBody,
    error::{ApiError, FailureBody},
    schema_validation::settings::{Dialect, SettingsChange},
};

/// Replaces what a zone says of validation: the default must be named, and an override that is not is taken back.
#[utoipa::path(put, path = "/zones/{zone_id}/api_gateway/settings/schema_validation", tag = "Validation", operation_id = "older_settings_replace",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = OlderSettingsInput,
    responses(
        (status = 200, description = "The settings as they are now.", body = OlderSettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn settings_replace(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<OpenEnvelope<OlderSettingsBody>, ApiError> {
    let change = SettingsChange::read_whole(&body, Dialect::Older)?;
    let settings = state.store.validation_settings_change(&zone, move |before| change.apply(before)).await?;
    Ok(OpenEnvelope::new(settings.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?.into()))
}
