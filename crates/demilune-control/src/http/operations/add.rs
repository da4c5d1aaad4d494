//! `POST …/operations/item`: adds one operation (contract 2).

use axum::extract::State;

use super::{
    SchemaInfos,
    feature::Feature,
    input,
    wire::{OperationAnswer, OperationBody, OperationInput},
};
use crate::{
    clock,
    http::{
        SharedState,
        auth::WritableZone,
        body::JsonBody,
        envelope::Envelope,
        error::{ApiError, Defect, FailureBody, OPERATIONS_FULL},
        query::Query,
    },
};
use demilune_store::OperationUpsertError;

/// Adds one operation to a zone. Adding one that is there already answers with it, and moves its `last_updated`.
#[utoipa::path(post, path = "/zones/{zone_id}/api_gateway/operations/item", tag = "Operations", operation_id = "operation_add",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("feature" = Option<Vec<String>>, Query, description = "Show these features, empty or not. Without it, those that have data are shown."),
    ),
    request_body = OperationInput,
    responses(
        (status = 200, description = "The operation is there.", body = OperationAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn add(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    mut query: Query,
    JsonBody(body): JsonBody,
) -> Result<Envelope<OperationBody>, ApiError> {
    let features = query.values("feature", Feature::parse);
    query.finish()?;
    let key = match input::operation(&body, "") {
        Ok(key) => key,
        Err(defects) => return ApiError::collect(defects).and(Err(ApiError::internal())),
    };
    let added = state.store.operation_upsert(&zone, vec![key], clock::now()).await.map_err(upsert_error)?;
    let upserted = added.first().ok_or_else(ApiError::internal)?;
    let operation = &upserted.operation;
    if !features.is_empty() {
        let infos = SchemaInfos::read(&state, &zone, &features, [operation]).await?;
        return Ok(Envelope::new(OperationBody::new(operation, &features, &infos)?));
    }
    // The one call that shows what it was not asked for (contract 2.4), except of a new operation.
    let mut features = Feature::filled(&operation.features);
    let mut infos = SchemaInfos::default();
    if !upserted.added {
        infos = SchemaInfos::read(&state, &zone, &[Feature::SchemaInfo], [operation]).await?;
        features.extend(infos.is_filled(operation.operation.id).then_some(Feature::SchemaInfo));
    }
    Ok(Envelope::new(OperationBody::new(operation, &features, &infos)?))
}

/// What a refused insert says.
pub(super) fn upsert_error(error: OperationUpsertError) -> ApiError {
    match error {
        OperationUpsertError::ZoneNotFound(zone) => ApiError::zone_unknown(zone.as_str()),
        OperationUpsertError::LimitReached { max } => {
            let message = format!(
                "The zone may hold {max} operations, and this call would exceed that; nothing was added. \
                 Delete operations, or have the limit raised."
            );
            Defect::new(&OPERATIONS_FULL, message).into()
        }
        OperationUpsertError::Store(failure) => failure.into(),
    }
}
