//! `PUT …/schema_trial`: tries a document on the requests of a zone.

use axum::extract::State;
use serde_json::Value;

use super::{
    show::body as shown,
    wire::{TrialAnswer, TrialBody, TrialInput},
};
use crate::{
    clock,
    http::{
        SharedState,
        auth::WritableZone,
        envelope::Envelope,
        error::{ApiError, Defect, FailureBody, SCHEMA_NOT_LEARNED},
        input::{check_members, member, text},
        schema_validation::schemas::{UploadBody, source},
        user_schemas::check_name,
    },
    schemas::ApplyError,
    trial::{self, Candidate, TrialError},
};

/// What a document is called whose owner does not say.
const NAME_DEFAULT: &str = "candidate";

/// Tries a document, or what was learned about an operation, on the requests of the zone, in the place of what was tried
/// before. Gateways count what does not fit, and do nothing about it.
#[utoipa::path(put, path = "/zones/{zone_id}/schema_trial", tag = "Validation", operation_id = "schema_trial_begin",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = TrialInput,
    responses(
        (status = 200, description = "The trial, which has counted nothing yet.", body = TrialAnswer),
        (status = "4XX", description = "The request is at fault, or the document cannot be used.", body = FailureBody),
        (status = 503, description = "The store is away, or too many uploads are in progress.", body = FailureBody),
    ))]
pub(crate) async fn begin(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    UploadBody { body, permit }: UploadBody,
) -> Result<Envelope<TrialBody>, ApiError> {
    let candidate = candidate(body)?;
    trial::begin(&state.store, &zone, candidate, clock::now()).await?;
    // The document is not held any more.
    drop(permit);
    Ok(Envelope::new(shown(&state, &zone).await?))
}

fn candidate(mut body: Value) -> Result<Candidate, ApiError> {
    let mut defects = check_members(&body, &["name", "source", "learned_from"])?;
    if body.get("learned_from").is_some() {
        let id = member(&body, "learned_from", "", &mut defects);
        for name in ["name", "source"].into_iter().filter(|name| body.get(name).is_some()) {
            let message = format!("The member {name} goes with a document; leave it out beside learned_from.");
            defects.push(Defect::at(format!("/{name}"), message));
        }
        ApiError::collect(defects)?;
        return id.map(Candidate::Learned).ok_or_else(ApiError::internal);
    }
    let name = match body.get("name") {
        None => Ok(NAME_DEFAULT.to_owned()),
        Some(_) => text(&body, "name").and_then(|name| check_name(name).map(|()| name.to_owned())),
    };
    let source = source(&mut body);
    match (name, source) {
        (Ok(name), Ok(source)) => ApiError::collect(defects).map(|()| Candidate::Document { name, source }),
        (name, source) => {
            let missing = [("name", name.err()), ("source", source.err())];
            let missing = missing.into_iter().filter_map(|(name, message)| Some((name, message?)));
            defects.extend(missing.map(|(name, message)| Defect::at(format!("/{name}"), message)));
            Err(ApiError::of(defects))
        }
    }
}

impl From<TrialError> for ApiError {
    fn from(error: TrialError) -> Self {
        match error {
            TrialError::ZoneGone(zone) => Self::zone_unknown(zone.as_str()),
            TrialError::Rejected(sentences) => Self::document_rejected(sentences),
            TrialError::NotLearned(ApplyError::Gone) => {
                Defect::at("/learned_from", "The zone has no such operation; list its operations to find it.").into()
            }
            TrialError::NotLearned(error) => {
                let defect = Defect::new(&SCHEMA_NOT_LEARNED, crate::http::input::sentence(&error));
                Defect { pointer: Some("/learned_from".to_owned()), ..defect }.into()
            }
            TrialError::Store(failure) => failure.into(),
        }
    }
}
