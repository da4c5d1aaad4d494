//! A zone's settings as they look on the wire.

use demilune_policy::rule::ZoneSettings;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::envelope::Message;

/// How a zone's gateway behaves where no operation says so.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct SettingsBody {
    /// What happens to requests that no operation fits: `pass` forwards them, `log` names each in the log as well,
    /// `block` answers 403.
    #[schema(value_type = String, pattern = "^(pass|log|block)$")]
    unmatched: &'static str,
    /// Which form of the path the origin gets: `normalized`, the form that was matched, or `raw`, what the client sent.
    #[schema(value_type = String, pattern = "^(normalized|raw)$")]
    forward_path: &'static str,
    /// Whether HEAD is taken for GET where no HEAD operation fits.
    head_as_get: bool,
    /// Most bytes of a body that are held to be checked against a schema; null for what the gateway itself says.
    #[schema(required = true, minimum = 1, maximum = 67_108_864)]
    validated_bytes_max: Option<u32>,
    /// Most uploaded schemas of the zone.
    #[schema(maximum = 1000)]
    schemas_max: u32,
    /// Most bytes of them together.
    #[schema(maximum = 1_073_741_824)]
    schemas_bytes_max: u32,
}

impl From<ZoneSettings> for SettingsBody {
    fn from(settings: ZoneSettings) -> Self {
        Self {
            unmatched: settings.unmatched.as_str(),
            forward_path: settings.forward_path.as_str(),
            head_as_get: settings.head_as_get,
            validated_bytes_max: settings.limits.validated_bytes_max,
            schemas_max: settings.limits.schemas_max,
            schemas_bytes_max: settings.limits.schemas_bytes_max,
        }
    }
}

/// The settings to change; the others stay as they are.
#[derive(ToSchema)]
#[schema(as = SettingsChange)]
#[expect(dead_code, reason = "describes the body; `change` reads it member by member to name every defect")]
pub(crate) struct SettingsInput {
    /// `pass`, `log` or `block`.
    #[schema(value_type = String, required = false, pattern = "^(pass|log|block)$")]
    unmatched: String,
    /// `normalized` or `raw`.
    #[schema(value_type = String, required = false, pattern = "^(normalized|raw)$")]
    forward_path: String,
    /// Whether HEAD is taken for GET where no HEAD operation fits.
    #[schema(required = false)]
    head_as_get: bool,
    /// Most bytes of a body that are held to be checked against a schema; null for what the gateway itself says.
    #[schema(required = false, minimum = 1, maximum = 67_108_864)]
    validated_bytes_max: Option<u32>,
    /// Most uploaded schemas of the zone.
    #[schema(required = false, maximum = 1000)]
    schemas_max: u32,
    /// Most bytes of them together.
    #[schema(required = false, maximum = 1_073_741_824)]
    schemas_bytes_max: u32,
}

/// The envelope around a zone's settings, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<SettingsBody>` prints")]
pub(crate) struct SettingsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: SettingsBody,
}
