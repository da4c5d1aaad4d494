//! Trials as they look on the wire.

use demilune_store::Trial;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{http::envelope::Message, trial::TrialReport};

/// A document that is tried on requests, and what came of it so far.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemaTrial)]
pub(crate) struct TrialBody {
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    trial_id: String,
    name: String,
    #[schema(format = DateTime)]
    started_at: String,
    /// Operations of the document that the zone does not have, so that their requests are not looked at.
    not_saved: u64,
    report: TrialReport,
}

impl TrialBody {
    pub(super) fn new(trial: &Trial, report: TrialReport, not_saved: u64) -> Self {
        Self {
            trial_id: trial.id.to_string(),
            name: trial.name.clone(),
            started_at: trial.started_at.to_string(),
            not_saved,
            report,
        }
    }
}

/// What to try: a document, or what was learned about an operation.
#[derive(ToSchema)]
#[schema(as = SchemaTrialInput)]
#[expect(dead_code, reason = "describes the body; `begin` reads it member by member to name every defect")]
pub(crate) struct TrialInput {
    /// What to call it.
    #[schema(value_type = String, required = false, max_length = 255)]
    name: String,
    /// The `OpenAPI` document, JSON or YAML.
    #[schema(value_type = String, required = false)]
    source: String,
    /// The operation whose learned schema to try, in place of a document.
    #[schema(value_type = String, required = false, format = "uuid", min_length = 36, max_length = 36)]
    learned_from: String,
}

/// The envelope around a trial, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<TrialBody>` prints")]
pub(crate) struct TrialAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: TrialBody,
}
