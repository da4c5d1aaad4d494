//! What a schema rests on as it looks on the wire.

use demilune_inventory::{OperationId, Timestamp};
use demilune_store::{StoreFailure, StoredSchema};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    clock::hour_text,
    http::envelope::Message,
    learning::age_hours,
    schemas::{EvidenceWindow, Progress, explanation},
};

/// What a learned schema rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParameterSchemasExplanation)]
pub(crate) struct SchemaExplanationBody {
    operation_id: String,
    /// `learned`; `kept`, when there is too little evidence since and the older schema stays; `learning`, when there is
    /// none yet.
    state: &'static str,
    /// What there is to know, in a sentence.
    summary: String,
    /// The hours that the schema rests on, or that are looked at for one.
    window: SchemaWindowBody,
    /// The schema's reasons; null while there is none.
    result: Option<SchemaResultBody>,
    /// How far the learning has come; null once there is a schema.
    progress: Option<ProgressBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParameterSchemasWindow)]
struct SchemaWindowBody {
    #[schema(format = DateTime)]
    since: String,
    #[schema(format = DateTime)]
    until: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParameterSchemasResult)]
struct SchemaResultBody {
    /// When the schema last changed: the end of the window that first gave it.
    #[schema(format = DateTime)]
    last_updated: String,
    /// For each parameter and member what its keywords rest on, and what was not said and why.
    #[schema(value_type = Object)]
    explanation: Value,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParameterSchemasProgress)]
struct ProgressBody {
    /// Requests that were answered with 2xx.
    requests: u64,
    /// How many a schema needs.
    requests_needed: u64,
    /// How many are missing.
    requests_missing: u64,
    /// Bodies that were read; a schema of bodies needs as many.
    bodies: u64,
}

/// The envelope around it, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<SchemaExplanationBody>` prints")]
pub(crate) struct SchemaExplanationAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: SchemaExplanationBody,
}

impl SchemaExplanationBody {
    pub(super) fn learned(operation: OperationId, stored: &StoredSchema, now: Timestamp) -> Result<Self, StoreFailure> {
        let window = EvidenceWindow::ending_at(stored.window_end);
        let learned = format!(
            "The schema rests on what was seen from {} to {}, and last changed at {}.",
            hour_text(window.since),
            hour_text(window.until),
            stored.last_updated
        );
        let (state, summary) = match age_hours(stored.window_end, now) {
            age @ 2.. => {
                ("kept", format!("{learned} It is kept: in the {age} hours since, there was too little for another."))
            }
            _ => ("learned", learned),
        };
        let last_updated = stored.last_updated.to_string();
        let result = SchemaResultBody { last_updated, explanation: explanation(operation, stored)? };
        let operation_id = operation.to_string();
        Ok(Self { operation_id, state, summary, window: window.into(), result: Some(result), progress: None })
    }

    pub(super) fn learning(operation: OperationId, progress: Progress, now: Timestamp) -> Self {
        Self {
            operation_id: operation.to_string(),
            state: "learning",
            summary: progress.sentence(),
            window: Progress::window(now).into(),
            result: None,
            progress: Some(ProgressBody {
                requests: progress.requests,
                requests_needed: Progress::NEEDED,
                requests_missing: progress.missing(),
                bodies: progress.bodies,
            }),
        }
    }
}

impl From<EvidenceWindow> for SchemaWindowBody {
    fn from(window: EvidenceWindow) -> Self {
        Self { since: hour_text(window.since), until: hour_text(window.until) }
    }
}
