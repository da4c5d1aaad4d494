//! `GET /demilune/v1/zones/{zone_id}/operations/{operation_id}/analytics`: what one operation saw.

use axum::extract::State;
use demilune_store::TrafficScope;
use demilune_traffic::Record;

use super::{
    window,
    wire::{self, AnalyticsAnswer, AnalyticsBody},
};
use crate::{
    clock,
    http::{
        SharedState,
        auth::{OperationInPath, ReadableZone},
        envelope::Envelope,
        error::{ApiError, FailureBody},
        query::Query,
    },
};

/// What one operation saw.
#[utoipa::path(get, path = "/zones/{zone_id}/operations/{operation_id}/analytics", tag = "Gateway", operation_id = "operation_analytics",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
        ("since" = Option<String>, Query, description = "RFC 3339, seconds since 1970, or before now as in -24h, which is the default."),
        ("until" = Option<String>, Query, description = "The same; now by default."),
    ),
    responses(
        (status = 200, description = "What was counted.", body = AnalyticsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn operation(
    ReadableZone(zone): ReadableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<AnalyticsBody>, ApiError> {
    let window = window::read(&mut query, clock::now());
    query.finish()?;
    state.operation(&zone, id).await?;
    let scope = TrafficScope::Operation(id);
    let series = state.store.traffic_series(&zone, scope, window.since, window.until).await?;
    let totals: Record = series.points.iter().map(|point| &point.record).sum();
    let body = AnalyticsBody {
        since: window.since.to_string(),
        until: window.until.to_string(),
        totals: (&totals).into(),
        series: series.points.iter().map(Into::into).collect(),
        operations: None,
    };
    Ok(Envelope::new(body).with_messages(wire::damaged(series.damaged)))
}
