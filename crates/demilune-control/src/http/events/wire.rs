//! Events as they look on the wire.

use demilune_inventory::Operation;
use demilune_store::{EventViolation, ValidationEvent};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    envelope::{Message, ResultInfo},
    error::INTERNAL,
};

/// A request that did not fit the schema of its operation; nothing of what it held.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ValidationEvent)]
pub(crate) struct EventBody {
    /// When the request arrived.
    #[schema(format = DateTime)]
    time: String,
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    operation_id: String,
    /// Null if the operation is gone, like host and endpoint.
    method: Option<&'static str>,
    host: Option<String>,
    endpoint: Option<String>,
    /// What was done.
    #[schema(value_type = String, pattern = "^(log|block)$")]
    action: &'static str,
    /// The schema that the request did not fit; it may be gone.
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    schema_id: String,
    /// A hash of the session identifier; null for a request without one.
    #[schema(pattern = "^[0-9a-f]{11}$")]
    session: Option<String>,
    /// The id that the answer and the access log have, too.
    #[schema(max_length = 128)]
    request_id: String,
    #[schema(min_items = 1, max_items = 16)]
    violations: Vec<ViolationBody>,
    /// Whether more did not fit than is listed.
    has_more: bool,
}

/// One thing that did not fit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventViolation)]
pub(crate) struct ViolationBody {
    /// The keyword of the schema, or what stands in its place.
    #[schema(max_length = 64)]
    keyword: String,
    /// Where in the request, as a JSON Pointer; `*` for a name that no schema knows.
    request_place: String,
    /// Where in the document, as a JSON Pointer.
    document_place: String,
}

/// The envelope around a page of events, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<Vec<EventBody>>` prints")]
pub(crate) struct EventPageAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<EventBody>,
    result_info: ResultInfo,
}

impl EventBody {
    /// An event, and its operation if there still is one.
    pub(super) fn new(operation: Option<&Operation>, event: ValidationEvent) -> Self {
        Self {
            time: event.time.to_string(),
            operation_id: event.operation.to_string(),
            method: operation.map(|operation| operation.key.method.as_str()),
            host: operation.map(|operation| operation.key.host.to_string()),
            endpoint: operation.map(|operation| operation.key.endpoint.to_string()),
            action: event.action.as_str(),
            schema_id: event.schema.to_string(),
            session: event.session.map(|session| session.to_string()),
            request_id: event.request_id,
            violations: event.violations.into_iter().map(ViolationBody::from).collect(),
            has_more: event.has_more,
        }
    }
}

impl From<EventViolation> for ViolationBody {
    fn from(EventViolation { keyword, request_place, document_place }: EventViolation) -> Self {
        Self { keyword, request_place, document_place }
    }
}

/// Says that something is missing from the page.
pub(super) fn damaged(events: u64) -> Vec<Message> {
    let message = || Message {
        code: INTERNAL.code,
        message: format!("{events} stored events cannot be read and are left out; the server's log names them."),
    };
    if events == 0 { Vec::new() } else { vec![message()] }
}
