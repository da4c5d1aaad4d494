//! `GET /demilune/v1/zones/{zone_id}/analytics`: what a zone saw, in all and by operation.

use std::cmp::Reverse;

use axum::extract::State;
use demilune_inventory::{OperationId, ZoneId};
use demilune_store::TrafficScope;
use demilune_traffic::Record;

use super::{
    window,
    wire::{self, AnalyticsAnswer, AnalyticsBody, OperationBody},
};
use crate::{
    clock,
    http::{
        SharedState, State as Shared,
        auth::ReadableZone,
        envelope::Envelope,
        error::{ApiError, FailureBody},
        query::Query,
    },
};

/// What a zone saw.
#[utoipa::path(get, path = "/zones/{zone_id}/analytics", tag = "Gateway", operation_id = "zone_analytics",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("since" = Option<String>, Query, description = "RFC 3339, seconds since 1970, or before now as in -24h, which is the default."),
        ("until" = Option<String>, Query, description = "The same; now by default."),
        ("page" = Option<u64>, Query, description = "The page of operations, from 1."),
        ("per_page" = Option<u64>, Query, description = "Operations on a page."),
    ),
    responses(
        (status = 200, description = "What was counted.", body = AnalyticsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn zone(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<AnalyticsBody>, ApiError> {
    let window = window::read(&mut query, clock::now());
    let page = query.page();
    query.finish()?;
    if state.store.zone_get(&zone).await?.is_none() {
        return Err(ApiError::zone_unknown(zone.as_str()));
    }
    let series = state.store.traffic_series(&zone, TrafficScope::Zone, window.since, window.until).await?;
    let mut by_operation = state.store.traffic_totals(&zone, window.since, window.until).await?;
    by_operation.sort_by_key(|(operation, record)| (Reverse(record.requests()), *operation));
    let count = by_operation.len() as u64;
    let first = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let on_page = by_operation.into_iter().skip(first).take(page.limit() as usize);
    let mut operations = Vec::new();
    for (operation, record) in on_page {
        operations.extend(body(&state, &zone, operation, &record).await?);
    }
    let totals: Record = series.points.iter().map(|point| &point.record).sum();
    let shown = operations.len();
    let body = AnalyticsBody {
        since: window.since.to_string(),
        until: window.until.to_string(),
        totals: (&totals).into(),
        series: series.points.iter().map(Into::into).collect(),
        operations: Some(operations),
    };
    Ok(Envelope::new(body).with_page(page.info(shown, count)).with_messages(wire::damaged(series.damaged)))
}

/// An operation's part; none where the operation has been removed and its records not yet.
async fn body(
    state: &Shared,
    zone: &ZoneId,
    operation: Option<OperationId>,
    record: &Record,
) -> Result<Option<OperationBody>, ApiError> {
    let Some(id) = operation else { return Ok(Some(OperationBody::new(None, record))) };
    let stored = state.store.operation_get(zone, id).await?;
    Ok(stored.map(|stored| OperationBody::new(Some(&stored.operation), record)))
}
