//! `PUT …/configuration`: replaces a zone's session identifiers (contract 6.1).

use axum::extract::State;
use demilune_policy::rule::SessionIdentifier;

use super::{
    input,
    wire::{ConfigurationAnswer, ConfigurationBody},
};
use crate::http::{
    SharedState,
    auth::WritableZone,
    body::JsonBody,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    query::{self, Query},
};

/// Replaces the session identifiers of a zone; an empty array removes them all. Names are kept as they were given
/// unless `normalize` is set.
#[utoipa::path(put, path = "/zones/{zone_id}/api_gateway/configuration", tag = "Configuration", operation_id = "configuration_replace",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("normalize" = Option<bool>, Query, description = "Keep the names of headers in lower case, as they are compared."),
    ),
    request_body = ConfigurationBody,
    responses(
        (status = 200, description = "The configuration as it is now.", body = ConfigurationAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn replace(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    mut query: Query,
    JsonBody(body): JsonBody,
) -> Result<Envelope<ConfigurationBody>, ApiError> {
    let normalize = query.value("normalize", query::boolean).unwrap_or(false);
    query.finish()?;
    let mut identifiers = input::identifiers(&body)?;
    if normalize {
        identifiers = identifiers.iter().map(SessionIdentifier::normalized).collect();
    }
    let answer = ConfigurationBody::from(identifiers.as_slice());
    if state.store.session_identifiers_set(&zone, identifiers).await? {
        Ok(Envelope::new(answer))
    } else {
        Err(ApiError::zone_unknown(zone.as_str()))
    }
}
