//! `DELETE …/operations`: removes the operations that the body names (contract 3.5).

use std::collections::BTreeSet;

use axum::extract::State;
use demilune_inventory::OperationId;
use serde_json::Value;

use crate::http::{
    SharedState,
    auth::WritableZone,
    body::OptionalJsonBody,
    envelope::{Empty, EmptyAnswer, Envelope, Message},
    error::{ApiError, Defect, FailureBody, INPUT_INVALID, NOT_FOUND},
    input::sentence,
};

/// Most defects answered for one call: a body of a mebibyte can hold tens of thousands.
const DEFECTS_MAX: usize = 100;

/// One operation to remove.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the body")]
pub(crate) struct OperationReference {
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    operation_id: String,
}

/// Removes operations by id. Ids that the zone does not have are named in `messages`. A call without a body, which
/// some SDKs make, is refused: it must not empty a zone.
#[utoipa::path(delete, path = "/zones/{zone_id}/api_gateway/operations", tag = "Operations", operation_id = "operation_remove_many",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = Vec<OperationReference>,
    responses(
        (status = 200, description = "The operations are gone.", body = EmptyAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn remove_many(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Envelope<Empty>, ApiError> {
    let body = body.ok_or_else(|| {
        let message = "The call has no body, so nothing was deleted; send a JSON array of objects with the member \
                       operation_id. Some SDKs drop the body of this call: delete the operations one by one with them.";
        Defect::new(&INPUT_INVALID, message)
    })?;
    let ids = operation_ids(&body)?;
    let removed: BTreeSet<_> = state.store.operation_delete(&zone, ids.clone()).await?.into_iter().collect();
    if removed.is_empty() && state.store.zone_get(&zone).await?.is_none() {
        return Err(ApiError::zone_unknown(zone.as_str()));
    }
    let unknown = ids.iter().filter(|id| !removed.contains(id)).map(|id| Message {
        code: NOT_FOUND.code,
        message: format!("There is no operation {id} in the zone; it was left out."),
    });
    Ok(Envelope::new(Empty {}).with_messages(unknown.collect()))
}

fn operation_ids(body: &Value) -> Result<Vec<OperationId>, ApiError> {
    let Value::Array(values) = body else {
        return Err(Defect::at("", "The body must be a JSON array of objects with the member operation_id.").into());
    };
    if values.is_empty() {
        return Err(Defect::at("", "The array is empty; name the operations to delete.").into());
    }
    let mut seen = BTreeSet::new();
    let mut ids = Vec::with_capacity(values.len());
    let mut defects = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match value.get("operation_id") {
            Some(Value::String(text)) => match text.parse() {
                Ok(id) if seen.insert(id) => ids.push(id),
                Ok(_repeated) => {}
                Err(error) => defects.push(Defect::at(format!("/{index}/operation_id"), sentence(&error))),
            },
            Some(_) => {
                let message = "The member operation_id must be a string.";
                defects.push(Defect::at(format!("/{index}/operation_id"), message));
            }
            None => {
                let message = "The element must be an object with the member operation_id.";
                defects.push(Defect::at(format!("/{index}"), message));
            }
        }
        if defects.len() == DEFECTS_MAX {
            break;
        }
    }
    ApiError::collect(defects)?;
    Ok(ids)
}
