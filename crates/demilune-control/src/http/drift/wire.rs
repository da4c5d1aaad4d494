//! Comparisons as they look on the wire.

use utoipa::ToSchema;

use crate::{drift::DriftReport, http::envelope::Message};

/// What to compare with the requests of the zone.
#[derive(ToSchema)]
#[schema(as = DriftInput)]
#[expect(dead_code, reason = "describes the body; `find` reads it to name every defect")]
pub(crate) struct DriftInput {
    /// The `OpenAPI` document, JSON or YAML.
    source: String,
}

/// The envelope around it, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<DriftReport>` prints")]
pub(crate) struct DriftAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: DriftReport,
}
