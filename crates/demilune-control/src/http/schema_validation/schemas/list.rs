//! `GET …/schema_validation/schemas`: a page of schemas (contract 6.8).

use axum::extract::State;

use crate::http::{
    SharedState,
    auth::ReadableZone,
    envelope::Envelope,
    error::{ApiError, FailureBody},
    query::Query,
    user_schemas::{SchemaBody, SchemaPageAnswer, page},
};

/// The schemas of a zone, the newest first: what was uploaded by either family of calls.
#[utoipa::path(get, path = "/zones/{zone_id}/schema_validation/schemas", tag = "Validation", operation_id = "schema_list_uploaded",
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
