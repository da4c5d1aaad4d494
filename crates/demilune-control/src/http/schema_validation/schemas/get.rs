//! `GET …/schema_validation/schemas/{schema_id}`: one schema (contract 6.8).

use axum::extract::State;

use crate::http::{
    SharedState,
    auth::{ReadableZone, SchemaInPath},
    envelope::Envelope,
    error::{ApiError, FailureBody},
    query::Query,
    user_schemas::{SchemaAnswer, SchemaBody, one},
};

/// One schema of a zone.
#[utoipa::path(get, path = "/zones/{zone_id}/schema_validation/schemas/{schema_id}", tag = "Validation", operation_id = "schema_get",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("schema_id" = String, Path, description = "The schema.", min_length = 36, max_length = 36),
        ("omit_source" = Option<bool>, Query, description = "Leave the document out."),
    ),
    responses(
        (status = 200, description = "The schema.", body = SchemaAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn get(
    ReadableZone(zone): ReadableZone,
    SchemaInPath(id): SchemaInPath,
    State(state): State<SharedState>,
    query: Query,
) -> Result<Envelope<SchemaBody>, ApiError> {
    one(&state, &zone, id, query).await
}
