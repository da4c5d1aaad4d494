//! `GET /demilune/v1/zones/{zone_id}/operations/{operation_id}/thresholds/explain`: what a suggestion rests on.

use axum::extract::State;

use super::wire::{ExplanationAnswer, ExplanationBody, LearningBody};
use crate::{
    clock,
    http::{
        SharedState,
        auth::{OperationInPath, ReadableZone},
        envelope::Envelope,
        error::{ApiError, FailureBody},
    },
    jobs::thresholds::session_by,
    learning::{Learning, nothing_seen},
};

/// What an operation's suggested threshold rests on, or what is missing for one.
#[utoipa::path(get, path = "/zones/{zone_id}/operations/{operation_id}/thresholds/explain", tag = "Gateway", operation_id = "thresholds_explain",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
    ),
    responses(
        (status = 200, description = "The figures behind the suggestion.", body = ExplanationAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn explain(
    ReadableZone(zone): ReadableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<ExplanationBody>, ApiError> {
    let operation = state.operation(&zone, id).await?;
    let now = clock::now();
    let identifiers = state.store.session_identifiers_get(&zone).await?.is_some_and(|found| !found.is_empty());
    let seen = Learning::of(&state.store, &zone, vec![id], now).await?.pop();
    let learning = match &seen {
        Some(seen) => {
            let by = session_by(&state.store, &zone, &seen.sources).await?;
            LearningBody::new(seen, by, identifiers)
        }
        None => LearningBody::nothing(nothing_seen(identifiers)),
    };
    Ok(Envelope::new(ExplanationBody::new(id, operation.features.thresholds.as_ref(), learning, now)))
}
