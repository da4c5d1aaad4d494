//! `POST …/drift`: compares a document with the requests of a zone, and changes nothing.

use axum::extract::State;

use super::wire::{DriftAnswer, DriftInput};
use crate::{
    clock,
    drift::{DriftError, DriftReport, compare},
    http::{
        SharedState,
        auth::ReadableZone,
        envelope::Envelope,
        error::{ApiError, Defect, FailureBody},
        input::check_members,
        schema_validation::schemas::{UploadBody, source},
    },
};

/// Where a document and the requests of the zone disagree: what the document describes and nobody sent, what was sent and it
/// does not describe, where it is looser than what was sent, and where it is tighter. Nothing changes.
#[utoipa::path(post, path = "/zones/{zone_id}/drift", tag = "Discovery", operation_id = "drift_find",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = DriftInput,
    responses(
        (status = 200, description = "What was found.", body = DriftAnswer),
        (status = "4XX", description = "The request is at fault, or the document cannot be used.", body = FailureBody),
        (status = 503, description = "The store is away, or too many uploads are in progress.", body = FailureBody),
    ))]
pub(crate) async fn find(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    UploadBody { mut body, permit }: UploadBody,
) -> Result<Envelope<DriftReport>, ApiError> {
    let mut defects = check_members(&body, &["source"])?;
    let source = source(&mut body).map_err(|message| defects.push(Defect::at("/source", message)));
    ApiError::collect(defects)?;
    // Without a defect it was there.
    let source = source.unwrap_or_default();
    // On the heap: what it waits for is large.
    let report = Box::pin(compare(&state.store, &zone, source, clock::now())).await?;
    // The document was held up to here, also while it waited for its turn.
    drop(permit);
    Ok(Envelope::new(report))
}

impl From<DriftError> for ApiError {
    fn from(error: DriftError) -> Self {
        match error {
            DriftError::ZoneGone(zone) => Self::zone_unknown(zone.as_str()),
            DriftError::Rejected(sentences) => Self::document_rejected(sentences),
            DriftError::Store(failure) => failure.into(),
        }
    }
}
