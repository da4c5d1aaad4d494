//! A zone's settings of validation as the current calls show them (contract 6.9).

use demilune_store::{MitigationAction, ValidationSettings};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::envelope::Message;

/// What a zone says of validation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ValidationSettings)]
pub(crate) struct SettingsBody {
    /// What happens to requests that do not fit the schema of their operation, where that has no action of its own.
    #[schema(value_type = String, pattern = "^(none|log|block)$")]
    validation_default_mitigation_action: &'static str,
    /// `none` while no request is looked at, whatever the actions are; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^none$")]
    validation_override_mitigation_action: Option<&'static str>,
}

impl From<ValidationSettings> for SettingsBody {
    fn from(settings: ValidationSettings) -> Self {
        Self {
            validation_default_mitigation_action: settings.default_action.as_str(),
            validation_override_mitigation_action: settings.is_off.then_some(MitigationAction::None.as_str()),
        }
    }
}

/// The settings to change; the others stay as they are.
#[derive(ToSchema)]
#[schema(as = ValidationSettingsChange)]
#[expect(dead_code, reason = "describes the body; `change` reads it member by member to name every defect")]
pub(super) struct SettingsInput {
    /// `none`, `log` or `block`.
    #[schema(value_type = String, required = false, pattern = "^(none|log|block)$")]
    validation_default_mitigation_action: String,
    /// `none`; null takes the override back.
    #[schema(required = false, pattern = "^none$")]
    validation_override_mitigation_action: Option<String>,
}

/// The envelope around a zone's settings, for the API description.
#[derive(ToSchema)]
#[schema(as = ValidationSettingsAnswer)]
#[expect(dead_code, reason = "describes what `Envelope<SettingsBody>` prints")]
pub(super) struct SettingsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: SettingsBody,
}
