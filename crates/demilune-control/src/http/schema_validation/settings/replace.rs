//! `PUT …/schema_validation/settings`: replaces what a zone says of validation (contract 6.9).

use axum::extract::State;

use super::{
    Dialect, SettingsChange,
    wire::{SettingsAnswer, SettingsBody},
};
use crate::http::{
    SharedState,
    auth::WritableZone,
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, FailureBody},
};

/// Replaces what a zone says of validation: the default must be named, and an override that is not is taken back.
#[utoipa::path(put, path = "/zones/{zone_id}/schema_validation/settings", tag = "Validation", operation_id = "validation_settings_replace",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = SettingsBody,
    responses(
        (status = 200, description = "The settings as they are now.", body = SettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn replace(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<SettingsBody>, ApiError> {
    let change = SettingsChange::read_whole(&body, Dialect::Current)?;
    let settings = state.store.validation_settings_change(&zone, move |before| change.apply(before)).await?;
    Ok(Envelope::new(settings.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?.into()))
}
