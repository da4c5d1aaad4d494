//! `GET …/user_schemas/hosts`: which schema speaks of which hosts (contract 6.7).

use axum::extract::State;

use super::wire::{HostsBody, HostsPageAnswer};
use crate::http::{
    SharedState,
    auth::ReadableZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    query::Query,
};

/// The schemas of a zone with the hosts of what they describe, the newest first.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/user_schemas/hosts", tag = "Validation", operation_id = "user_schema_hosts",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("page" = Option<i64>, Query, description = "The page, counted from 1."),
        ("per_page" = Option<i64>, Query, description = "Items on a page: 5 to 50, 20 unless told."),
    ),
    responses(
        (status = 200, description = "A page; empty past the last one.", body = HostsPageAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn hosts(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<Vec<HostsBody>>, ApiError> {
    let page = query.page();
    query.finish()?;
    let found = state.store.user_schema_hosts(&zone, page.offset(), page.limit()).await?;
    let found = found.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    let info = page.info(found.schemas.len(), found.total_count);
    Ok(Envelope::new(found.schemas.into_iter().map(HostsBody::from).collect()).with_page(info))
}
