//! `GET …/configuration`: a zone's session identifiers (contract 6.1).

use axum::extract::State;
use demilune_policy::rule::SessionIdentifier;

use super::wire::{ConfigurationAnswer, ConfigurationBody};
use crate::http::{
    SharedState,
    auth::ReadableZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    query::{self, Query},
};

/// The session identifiers of a zone, in the order in which they are looked for; none until some were set.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/configuration", tag = "Configuration", operation_id = "configuration_get",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("normalize" = Option<bool>, Query, description = "Show the names of headers in lower case, as they are compared."),
        ("properties" = Option<Vec<String>>, Query, description = "Only `auth_id_characteristics`, which is shown anyway; older clients send it."),
    ),
    responses(
        (status = 200, description = "The configuration.", body = ConfigurationAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<ConfigurationBody>, ApiError> {
    let normalize = query.value("normalize", query::boolean).unwrap_or(false);
    query.values("properties", property);
    query.finish()?;
    let mut identifiers =
        state.store.session_identifiers_get(&zone).await?.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    if normalize {
        identifiers = identifiers.iter().map(SessionIdentifier::normalized).collect();
    }
    Ok(Envelope::new(ConfigurationBody::from(identifiers.as_slice())))
}

fn property(text: &str) -> Result<(), &'static str> {
    match text {
        "auth_id_characteristics" => Ok(()),
        _ => Err("The only property is auth_id_characteristics."),
    }
}
