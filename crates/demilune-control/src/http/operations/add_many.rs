//! `POST …/operations`: adds up to twenty operations, all or none (contract 3.4).

use axum::extract::State;
use serde_json::Value;

use super::{
    SchemaInfos,
    add::upsert_error,
    input,
    wire::{OperationBody, OperationInput, OperationsAnswer},
};
use crate::{
    clock,
    http::{
        SharedState,
        auth::WritableZone,
        body::JsonBody,
        envelope::Envelope,
        error::{ApiError, Defect, FailureBody},
    },
};

/// Most operations in one call (contract 3.4).
const OPERATIONS_MAX: usize = 20;

/// Adds operations to a zone: all of them, or none when one is defective. Answers in the order of the request.
#[utoipa::path(post, path = "/zones/{zone_id}/api_gateway/operations", tag = "Operations", operation_id = "operation_add_many",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body(content = inline(OperationInputs)),
    responses(
        (status = 200, description = "The operations are there.", body = OperationsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn add_many(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<Vec<OperationBody>>, ApiError> {
    let Value::Array(values) = &body else {
        return Err(Defect::at("", "The body must be a JSON array of operations.").into());
    };
    if values.is_empty() || values.len() > OPERATIONS_MAX {
        let message = format!("The array must hold 1 to {OPERATIONS_MAX} operations; it holds {}.", values.len());
        return Err(Defect::at("", message).into());
    }
    let mut keys = Vec::with_capacity(values.len());
    let mut defects = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match input::operation(value, &format!("/{index}")) {
            Ok(key) => keys.push(key),
            Err(found) => defects.extend(found),
        }
    }
    ApiError::collect(defects)?;
    let added = state.store.operation_upsert(&zone, keys, clock::now()).await.map_err(upsert_error)?;
    let infos = SchemaInfos::default();
    let bodies = added.iter().map(|upserted| OperationBody::new(&upserted.operation, &[], &infos));
    Ok(Envelope::new(bodies.collect::<Result<_, _>>()?))
}

/// The body, for the API description.
#[derive(utoipa::ToSchema)]
#[schema(min_items = 1, max_items = 20)]
#[expect(dead_code, reason = "describes the body")]
struct OperationInputs(Vec<OperationInput>);
