//! Discovered operations as they look on the wire (contract 6.12).

use std::collections::BTreeMap;

use demilune_store::DiscoveredOperation;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    discovery::{Discovered, DiscoveredState},
    export::Document,
    http::envelope::{Message, ResultInfo},
};

/// An operation that was found among requests.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DiscoveredOperation)]
pub(crate) struct DiscoveredBody {
    /// The same each time it is found.
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    id: String,
    #[schema(pattern = "^(GET|POST|HEAD|OPTIONS|PUT|DELETE|CONNECT|PATCH|TRACE)$")]
    method: &'static str,
    #[schema(max_length = 255)]
    host: String,
    #[schema(max_length = 4096, pattern = "^/")]
    endpoint: String,
    /// When it was last found.
    #[schema(format = DateTime)]
    last_updated: String,
    /// What speaks for it: `ML`, the statistical rule of this gateway; `SessionIdentifier`, enough requests in sessions.
    origin: Vec<String>,
    /// `review`, `ignored`, or `saved` when a saved operation matches its requests.
    #[schema(pattern = "^(review|ignored|saved)$")]
    state: &'static str,
    features: DiscoveredFeatures,
}

#[derive(Debug, Serialize, ToSchema)]
struct DiscoveredFeatures {
    traffic_stats: TrafficStats,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DiscoveredTrafficStats)]
struct TrafficStats {
    #[schema(format = DateTime)]
    last_updated: String,
    /// The length of the period that was looked at.
    period_seconds: u64,
    /// Requests with success in the period.
    requests: u64,
}

impl From<Discovered> for DiscoveredBody {
    fn from(Discovered { operation, state }: Discovered) -> Self {
        let DiscoveredOperation { id, key, origins, requests, period_seconds, computed_at, .. } = operation;
        let last_updated = computed_at.to_string();
        Self {
            id: id.to_string(),
            method: key.method.as_str(),
            host: key.host.to_string(),
            endpoint: key.endpoint.to_string(),
            last_updated: last_updated.clone(),
            origin: origins,
            state: state.as_str(),
            features: DiscoveredFeatures { traffic_stats: TrafficStats { last_updated, period_seconds, requests } },
        }
    }
}

/// What was discovered, as documents.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Discovery)]
pub(crate) struct DiscoveryBody {
    /// One OpenAPI 3.0.0 document for each host, by host.
    #[schema(value_type = Vec<Object>)]
    pub(super) schemas: Vec<Document>,
    /// When it was found.
    #[schema(format = DateTime)]
    pub(super) timestamp: String,
}

/// The state of a discovered operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DiscoveredState)]
pub(crate) struct DiscoveredStateBody {
    #[schema(pattern = "^(review|ignored|saved)$")]
    state: &'static str,
}

impl From<DiscoveredState> for DiscoveredStateBody {
    fn from(state: DiscoveredState) -> Self {
        Self { state: state.as_str() }
    }
}

/// What somebody says of a discovered operation.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body; `input` reads it to name every defect")]
pub(crate) struct DiscoveredStateInput {
    /// `review` or `ignored`; absent to leave it as it is.
    #[schema(pattern = "^(review|ignored)$")]
    state: Option<String>,
}

/// The same of several, by id.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body; `update_many` reads it to name every defect")]
pub(crate) struct DiscoveredStatesInput(BTreeMap<String, DiscoveredStateInput>);

/// What a discovered operation rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DiscoveredExplanation)]
pub(crate) struct DiscoveredExplanationBody {
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    id: String,
    method: &'static str,
    host: String,
    endpoint: String,
    #[schema(format = DateTime)]
    last_updated: String,
    /// Counts, and for each segment what was seen there and why it is, or is not, a variable.
    #[schema(value_type = Object)]
    explanation: Value,
}

impl DiscoveredExplanationBody {
    pub(super) fn new(operation: &DiscoveredOperation, explanation: Value) -> Self {
        Self {
            id: operation.id.to_string(),
            method: operation.key.method.as_str(),
            host: operation.key.host.to_string(),
            endpoint: operation.key.endpoint.to_string(),
            last_updated: operation.computed_at.to_string(),
            explanation,
        }
    }
}

/// The envelope around it, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope` prints")]
pub(crate) struct DiscoveryAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: DiscoveryBody,
}

/// The envelope around it, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope` prints")]
pub(crate) struct DiscoveredPageAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<DiscoveredBody>,
    result_info: ResultInfo,
}

/// The envelope around it, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope` prints")]
pub(crate) struct DiscoveredStateAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: DiscoveredStateBody,
}

/// The envelope around it, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope` prints")]
pub(crate) struct DiscoveredStatesAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: BTreeMap<String, DiscoveredStateBody>,
}

/// The envelope around it, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope` prints")]
pub(crate) struct DiscoveredExplanationAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: DiscoveredExplanationBody,
}
