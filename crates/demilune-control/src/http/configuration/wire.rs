//! The configuration as it looks on the wire (contract 6.1).

use demilune_policy::rule::SessionIdentifier;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::envelope::Message;

/// What tells the clients of a zone apart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Configuration)]
pub(crate) struct ConfigurationBody {
    /// The first that a request has is the one that counts.
    #[schema(max_items = 10)]
    auth_id_characteristics: Vec<Characteristic>,
}

/// One session identifier.
#[derive(Debug, Serialize, ToSchema)]
struct Characteristic {
    /// The header's or cookie's name.
    #[schema(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
    name: String,
    /// `header` or `cookie`. The documented third, `jwt`, is refused.
    #[serde(rename = "type")]
    #[schema(value_type = String, pattern = "^(header|cookie)$")]
    kind: &'static str,
}

impl From<&[SessionIdentifier]> for ConfigurationBody {
    fn from(identifiers: &[SessionIdentifier]) -> Self {
        let shown = identifiers
            .iter()
            .map(|identifier| Characteristic { name: identifier.name().to_owned(), kind: identifier.kind().as_str() });
        Self { auth_id_characteristics: shown.collect() }
    }
}

/// The envelope around a configuration, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<ConfigurationBody>` prints")]
pub(crate) struct ConfigurationAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: ConfigurationBody,
}
