//! A route as it looks on the wire (contract 6.2).

use demilune_policy::rule::RouteTarget;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::envelope::Message;

/// Where an operation's requests are sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Route)]
pub(crate) struct RouteBody {
    /// A URL whose path holds every variable of the operation's endpoint, in any order; or an IP address alone, which
    /// is spoken to over TLS with the operation's own path. Answers show the URL.
    #[schema(example = "https://api.example.com/v2/users/{var1}", min_length = 1, max_length = 8192)]
    route: String,
}

impl From<&RouteTarget> for RouteBody {
    fn from(target: &RouteTarget) -> Self {
        Self { route: target.to_string() }
    }
}

/// The envelope around a route, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<RouteBody>` prints")]
pub(crate) struct RouteAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: RouteBody,
}
