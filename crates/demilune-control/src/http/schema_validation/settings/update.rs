//! `PATCH …/schema_validation/settings`: changes some of what a zone says of validation (contract 6.9).

use axum::extract::State;

use super::{
    Dialect, SettingsChange,
    wire::{SettingsAnswer, SettingsBody, SettingsInput},
};
use crate::http::{
    SharedState,
    auth::WritableZone,
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// Changes the settings that the body names; the others stay as they are. Null takes the override back.
#[utoipa::path(patch, path = "/zones/{zone_id}/schema_validation/settings", tag = "Validation", operation_id = "validation_settings_update",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = SettingsInput,
    responses(
        (status = 200, description = "The settings as they are now.", body = SettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn update(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<SettingsBody>, ApiError> {
    let change = SettingsChange::read_part(&body, Dialect::Current)?;
    let settings = state.store.validation_settings_change(&zone, move |before| change.apply(before)).await?;
    Ok(Envelope::new(settings.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?.into()))
}
