//! `GET …/discovery`: what was discovered, as OpenAPI documents (contract 6.12).

use axum::extract::State;

use super::wire::{DiscoveryAnswer, DiscoveryBody};
use crate::{
    clock,
    discovery::Discovered,
    export::of_keys,
    http::{
        SharedState,
        auth::ReadableZone,
        envelope::Envelope,
        error::{ApiError, FailureBody},
    },
};

/// The operations that were found among the zone's requests, as OpenAPI documents, one for each host.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/discovery", tag = "Discovery", operation_id = "discovery_get",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "The documents; none where nothing was found.", body = DiscoveryAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn documents(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
) -> Result<Envelope<DiscoveryBody>, ApiError> {
    let found = Discovered::all(&state.store, &zone).await?.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    let computed = found.iter().map(|found| found.operation.computed_at).max();
    let timestamp = computed.unwrap_or_else(clock::now).to_string();
    let schemas = of_keys(found.into_iter().map(|found| found.operation.key));
    Ok(Envelope::new(DiscoveryBody { schemas, timestamp }))
}
