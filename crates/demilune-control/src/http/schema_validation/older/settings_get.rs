//! `GET …/settings/schema_validation`: what a zone says of validation (contract 6.6).

use axum::extract::State;

use super::wire::{OlderSettingsAnswer, OlderSettingsBody, OpenEnvelope};
use crate::http::{
    SharedState,
    auth::ReadableZone,
    error::{ApiError, FailureBody},
};

/// What a zone says of validation.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/settings/schema_validation", tag = "Validation", operation_id = "older_settings_get",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "The settings.", body = OlderSettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn settings_get(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
) -> Result<OpenEnvelope<OlderSettingsBody>, ApiError> {
    let settings = state.store.validation_settings_get(&zone).await?;
    Ok(OpenEnvelope::new(settings.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?.into()))
}
