//! Bodies of the older calls (contract 6.4 to 6.6).

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use demilune_store::{MitigationAction, OperationAction, ValidationSettings};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    envelope::{Message, json},
    schema_validation::actions::ActionBody,
};

/// A successful answer whose members stand in `result` and beside it.
#[derive(Debug, Serialize)]
pub(crate) struct OpenEnvelope<T> {
    success: bool,
    errors: [(); 0],
    messages: [(); 0],
    result: T,
    #[serde(flatten)]
    members: T,
}

impl<T: Clone> OpenEnvelope<T> {
    /// An answer with these members.
    pub(super) fn new(members: T) -> Self {
        Self { success: true, errors: [], messages: [], result: members.clone(), members }
    }
}

impl<T: Serialize> IntoResponse for OpenEnvelope<T> {
    fn into_response(self) -> Response {
        json(&self)
    }
}

/// What a zone says of validation.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = OlderValidationSettings)]
pub(crate) struct OlderSettingsBody {
    /// What happens to requests that do not fit the schema of their operation, where that has no action of its own.
    #[schema(value_type = String, pattern = "^(none|log|block)$")]
    validation_default_mitigation_action: &'static str,
    /// `none` while no request is looked at, whatever the actions are; null otherwise.
    #[schema(value_type = Option<String>, pattern = "^none$")]
    validation_override_mitigation_action: Option<&'static str>,
}

impl From<ValidationSettings> for OlderSettingsBody {
    fn from(settings: ValidationSettings) -> Self {
        Self {
            validation_default_mitigation_action: settings.default_action.as_str(),
            validation_override_mitigation_action: settings.is_off.then_some(MitigationAction::None.as_str()),
        }
    }
}

/// The settings that replace those of a zone.
#[derive(ToSchema)]
#[schema(as = OlderValidationSettingsInput)]
#[expect(dead_code, reason = "describes the body; `settings` reads it member by member to name every defect")]
pub(super) struct OlderSettingsInput {
    /// `none`, `log` or `block`.
    #[schema(pattern = "^(none|log|block)$")]
    validation_default_mitigation_action: String,
    /// `none`; null or `disable_override` takes the override back.
    #[schema(required = false, pattern = "^(none|disable_override)$")]
    validation_override_mitigation_action: Option<String>,
}

/// The settings to change; null and what is absent change nothing.
#[derive(ToSchema)]
#[schema(as = OlderValidationSettingsChange)]
#[expect(dead_code, reason = "describes the body; `settings` reads it member by member to name every defect")]
pub(super) struct OlderSettingsChange {
    /// `none`, `log` or `block`.
    #[schema(required = false, pattern = "^(none|log|block)$")]
    validation_default_mitigation_action: Option<String>,
    /// `none`; `disable_override` takes the override back.
    #[schema(required = false, pattern = "^(none|disable_override)$")]
    validation_override_mitigation_action: Option<String>,
}

/// The action of an operation; absent is null.
#[derive(ToSchema)]
#[schema(as = OlderOperationActionInput)]
#[expect(dead_code, reason = "describes the body; `input` reads it")]
pub(super) struct OlderActionInput {
    /// `none`, `log` or `block`; null has the zone's default hold.
    #[schema(required = false, pattern = "^(none|log|block)$")]
    mitigation_action: Option<String>,
}

/// An action among several, whose operation is its name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NamedAction)]
pub(crate) struct NamedActionBody {
    /// Null where the zone's default holds.
    #[schema(value_type = Option<String>, pattern = "^(none|log|block)$")]
    mitigation_action: Option<&'static str>,
}

impl From<OperationAction> for NamedActionBody {
    fn from(action: OperationAction) -> Self {
        Self { mitigation_action: action.action.map(MitigationAction::as_str) }
    }
}

/// The open envelope around settings, for the API description.
#[derive(ToSchema)]
#[schema(as = OlderValidationSettingsAnswer)]
#[expect(dead_code, reason = "describes what `OpenEnvelope<OlderSettingsBody>` prints")]
pub(super) struct OlderSettingsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: OlderSettingsBody,
    #[schema(pattern = "^(none|log|block)$")]
    validation_default_mitigation_action: String,
    #[schema(pattern = "^none$")]
    validation_override_mitigation_action: Option<String>,
}

/// The open envelope around an action, for the API description.
#[derive(ToSchema)]
#[schema(as = OlderOperationActionAnswer)]
#[expect(dead_code, reason = "describes what `OpenEnvelope<ActionBody>` prints")]
pub(super) struct OlderActionAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: ActionBody,
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    operation_id: String,
    #[schema(pattern = "^(none|log|block)$")]
    mitigation_action: Option<String>,
}

/// The envelope around actions by operation ids, for the API description.
#[derive(ToSchema)]
#[schema(as = NamedActionsAnswer)]
#[expect(dead_code, reason = "describes what `Envelope<BTreeMap<String, NamedActionBody>>` prints")]
pub(super) struct NamedActionsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: BTreeMap<String, NamedActionBody>,
}
