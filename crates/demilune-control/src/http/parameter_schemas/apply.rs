//! `PUT …/operations/{operation_id}/cloudflare_learned_schema`: puts what was learned in force (contract 6.11).

use axum::extract::State;
use demilune_inventory::Timestamp;
use demilune_store::StoredOperation;

use crate::{
    clock,
    http::{
        SharedState,
        auth::{OperationInPath, WritableZone},
        envelope::{Envelope, NullAnswer},
        error::{ApiError, Defect, FailureBody, SCHEMA_NOT_LEARNED},
        query::Query,
    },
    schemas::{self, ApplyError, Blocks},
};

/// Puts the schema that was learned from an operation's requests in force. It is learned anew, from the last seven days
/// and with wider bounds than the one that is shown, replaces the one that this call added before, and logs what it
/// would block for its first 24 hours.
#[utoipa::path(put, path = "/zones/{zone_id}/api_gateway/operations/{operation_id}/cloudflare_learned_schema", tag = "Validation", operation_id = "learned_schema_apply",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = String, Path, description = "The operation.", min_length = 36, max_length = 36),
        ("timestamp" = Option<String>, Query, description = "The `last_updated` of the feature `parameter_schemas`: if it is another by now, nothing is put in force."),
    ),
    responses(
        (status = 200, description = "The schema is in force.", body = NullAnswer),
        (status = "4XX", description = "The request is at fault, or too little was learned.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn apply(
    WritableZone(zone): WritableZone,
    OperationInPath(id): OperationInPath,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<()>, ApiError> {
    let seen = query.value("timestamp", |text| {
        text.parse::<Timestamp>().map_err(|_| "The value must be a time such as 2026-11-23T10:00:00Z.")
    });
    query.finish()?;
    let stored = state.operation(&zone, id).await?;
    if let Some(seen) = seen {
        check_unchanged(&stored, seen)?;
    }
    schemas::apply(&state.store, &zone, &stored.operation, Blocks::AfterADay, clock::now()).await?;
    Ok(Envelope::new(()))
}

/// Holds that the schema that is shown is still the one that the caller has seen.
fn check_unchanged(stored: &StoredOperation, seen: Timestamp) -> Result<(), ApiError> {
    let message = match stored.features.parameter_schemas.as_ref().map(|shown| shown.last_updated) {
        Some(last_updated) if last_updated == seen => return Ok(()),
        Some(last_updated) => format!(
            "The learned schema is of {last_updated}; look at the feature parameter_schemas again, and send its \
             last_updated."
        ),
        None => "The operation shows no learned schema yet, whose last_updated this could be.".to_owned(),
    };
    Err(Defect::at("/timestamp", message).into())
}

impl From<ApplyError> for ApiError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Gone => Self::operation_unknown(),
            ApplyError::Store(failure) => failure.into(),
            error => Defect::new(&SCHEMA_NOT_LEARNED, sentence(&error.to_string())).into(),
        }
    }
}

/// With a capital letter and a full stop, as messages have them.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
