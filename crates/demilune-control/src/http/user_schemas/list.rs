//! `GET …/user_schemas`, and the same page for the calls after it (contract 6.7, 6.8).

use axum::extract::State;
use demilune_inventory::ZoneId;
use demilune_store::UserSchemaQuery;

use super::wire::{SchemaBody, SchemaPageAnswer};
use crate::http::{
    SharedState,
    auth::ReadableZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    query::{Query, boolean},
};

/// The schemas of a zone, the newest first: what was uploaded by either family of calls.
#[utoipa::path(get, path = "/zones/{zone_id}/api_gateway/user_schemas", tag = "Validation", operation_id = "user_schema_list",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("page" = Option<i64>, Query, description = "The page, counted from 1."),
        ("per_page" = Option<i64>, Query, description = "Items on a page: 5 to 50, 20 unless told."),
        ("omit_source" = Option<bool>, Query, description = "Leave the documents out."),
        ("validation_enabled" = Option<bool>, Query, description = "Keep those that requests are checked against, or the others."),
    ),
    responses(
        (status = 200, description = "A page; empty past the last one.", body = SchemaPageAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn list(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    query: Query,
) -> Result<Envelope<Vec<SchemaBody>>, ApiError> {
    page(&state, &zone, query).await
}

/// A page of schemas.
pub(crate) async fn page(
    state: &SharedState,
    zone: &ZoneId,
    mut query: Query,
) -> Result<Envelope<Vec<SchemaBody>>, ApiError> {
    let with_source = !query.value("omit_source", boolean).unwrap_or(false);
    let validation_enabled = query.value("validation_enabled", boolean);
    let page = query.page();
    query.finish()?;
    let wanted = UserSchemaQuery { validation_enabled, with_source, offset: page.offset(), limit: page.limit() };
    let found = state.store.user_schema_list(zone, wanted).await?;
    let found = found.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    let info = page.info(found.schemas.len(), found.total_count);
    Ok(Envelope::new(found.schemas.into_iter().map(SchemaBody::from).collect()).with_page(info))
}
