//! Origins as they look on the wire.

use demilune_policy::rule::HostHeader;
use demilune_store::OriginRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::envelope::Message;

/// The origin to set.
#[derive(ToSchema)]
#[schema(as = OriginInput)]
#[expect(dead_code, reason = "describes the body; `set` reads it member by member to name every defect")]
pub(crate) struct OriginInput {
    /// A host name, or a pattern whose variables fill whole labels. Requests for it belong to the zone.
    #[schema(example = "{tenant}.example.com", min_length = 1, max_length = 255)]
    host: String,
    /// A server: `http://` or `https://`, a name or an address, and a port if it is not the usual one. No path.
    #[schema(example = "http://10.0.0.7:8080")]
    url: String,
    /// The `Host` that the server gets; what the client sent when null or left out.
    #[schema(example = "api.internal")]
    host_header: Option<String>,
}

/// One origin.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Origin)]
pub(crate) struct OriginBody {
    /// Canonical: lower case, variables named `{hostVarN}` from the right.
    #[schema(max_length = 255)]
    host: String,
    /// Canonical: the port is left out where it is the scheme's own.
    url: String,
    /// The `Host` that the server gets; null for what the client sent.
    #[schema(required)]
    host_header: Option<String>,
    /// When the origin was last set.
    #[schema(format = DateTime)]
    last_updated: String,
}

impl From<&OriginRecord> for OriginBody {
    fn from(record: &OriginRecord) -> Self {
        let origin = &record.origin;
        Self {
            host: origin.host.to_string(),
            url: origin.url.to_string(),
            host_header: match &origin.host_header {
                HostHeader::Client => None,
                HostHeader::Fixed(text) => Some(text.to_string()),
            },
            last_updated: record.last_updated.to_string(),
        }
    }
}

/// The envelope around one origin, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<OriginBody>` prints")]
pub(crate) struct OriginAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: OriginBody,
}

/// The envelope around every origin of a zone, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<Vec<OriginBody>>` prints")]
pub(crate) struct OriginsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<OriginBody>,
}
