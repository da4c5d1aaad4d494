//! `GET …/schema_validation/settings/operations`: a page of actions (contract 6.10).

use axum::extract::State;

use super::wire::{ActionBody, ActionPageAnswer};
use crate::http::{
    SharedState,
    auth::ReadableZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    query::Query,
};

/// The operations of a zone that have an action of their own, by id.
#[utoipa::path(get, path = "/zones/{zone_id}/schema_validation/settings/operations", tag = "Validation", operation_id = "action_list",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("page" = Option<i64>, Query, description = "The page, counted from 1."),
        ("per_page" = Option<i64>, Query, description = "Items on a page: 5 to 50, 20 unless told."),
    ),
    responses(
        (status = 200, description = "A page; empty past the last one.", body = ActionPageAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn list(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<Vec<ActionBody>>, ApiError> {
    let page = query.page();
    query.finish()?;
    let found = state.store.operation_action_list(&zone, page.offset(), page.limit()).await?;
    let found = found.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    let info = page.info(found.actions.len(), found.total_count);
    Ok(Envelope::new(found.actions.into_iter().map(ActionBody::from).collect()).with_page(info))
}
