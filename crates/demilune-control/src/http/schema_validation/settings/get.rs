//! `GET …/schema_validation/settings`: what a zone says of validation (contract 6.9).

use axum::extract::State;

use super::wire::{SettingsAnswer, SettingsBody};
use crate::http::{
    SharedState,
    auth::ReadableZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// What a zone says of validation.
#[utoipa::path(get, path = "/zones/{zone_id}/schema_validation/settings", tag = "Validation", operation_id = "validation_settings_get",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "The settings.", body = SettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
) -> Result<Envelope<SettingsBody>, ApiError> {
    let settings = state.store.validation_settings_get(&zone).await?;
    Ok(Envelope::new(settings.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?.into()))
}
