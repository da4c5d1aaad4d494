//! Reads what a body says of a zone's settings. The older and the current calls differ in what null means and in how
//! an override is taken back (contract 6.6, 6.9).

use demilune_store::{MitigationAction, ValidationSettings};
use serde_json::Value;

use crate::http::{
    error::{ApiError, Defect},
    schema_validation::input::{action, members},
};

const DEFAULT_ACTION: &str = "validation_default_mitigation_action";
const OVERRIDE_ACTION: &str = "validation_override_mitigation_action";
/// What the older calls write to take an override back.
const DISABLE_OVERRIDE: &str = "disable_override";

/// Which family of calls a body was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http::schema_validation) enum Dialect {
    /// `disable_override` takes an override back; a null of PATCH changes nothing.
    Older,
    /// Null takes an override back.
    Current,
}

/// The settings that a body names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http::schema_validation) struct SettingsChange {
    default_action: Option<MitigationAction>,
    is_off: Option<bool>,
}

impl SettingsChange {
    /// Reads a body that replaces the settings: the default must be there, and an absent override is taken back.
    pub(in crate::http::schema_validation) fn read_whole(body: &Value, dialect: Dialect) -> Result<Self, ApiError> {
        let members = members(body)?;
        let default_action = match members.get(DEFAULT_ACTION) {
            Some(value) => default(value).map(Some),
            None => Err(Defect::at(pointer(DEFAULT_ACTION), format!("The member {DEFAULT_ACTION} is missing."))),
        };
        let is_off = match members.get(OVERRIDE_ACTION) {
            None | Some(Value::Null) => Ok(Some(false)),
            Some(value) => is_off(value, dialect).map(Some),
        };
        Self::collect(default_action, is_off)
    }

    /// Reads a body that changes some of the settings.
    pub(in crate::http::schema_validation) fn read_part(body: &Value, dialect: Dialect) -> Result<Self, ApiError> {
        let members = members(body)?;
        let default_action = match members.get(DEFAULT_ACTION) {
            Some(Value::Null) if dialect == Dialect::Older => Ok(None),
            value => value.map(default).transpose(),
        };
        let is_off = match (members.get(OVERRIDE_ACTION), dialect) {
            (Some(Value::Null), Dialect::Current) => Ok(Some(false)),
            (None | Some(Value::Null), _) => Ok(None),
            (Some(value), _) => is_off(value, dialect).map(Some),
        };
        Self::collect(default_action, is_off)
    }

    fn collect(
        default_action: Result<Option<MitigationAction>, Defect>,
        is_off: Result<Option<bool>, Defect>,
    ) -> Result<Self, ApiError> {
        match (default_action, is_off) {
            (Ok(default_action), Ok(is_off)) => Ok(Self { default_action, is_off }),
            (first, second) => Err(ApiError::of([first.err(), second.err()].into_iter().flatten())),
        }
    }

    /// The settings after the change.
    pub(in crate::http::schema_validation) fn apply(self, before: ValidationSettings) -> ValidationSettings {
        ValidationSettings {
            default_action: self.default_action.unwrap_or(before.default_action),
            is_off: self.is_off.unwrap_or(before.is_off),
        }
    }
}

fn default(value: &Value) -> Result<MitigationAction, Defect> {
    action(value, pointer(DEFAULT_ACTION))
}

/// Whether an override that is there switches validation off, or is taken back.
fn is_off(value: &Value, dialect: Dialect) -> Result<bool, Defect> {
    let text = value.as_str().unwrap_or_default();
    if text.eq_ignore_ascii_case(MitigationAction::None.as_str()) {
        return Ok(true);
    }
    match dialect {
        Dialect::Older if text.eq_ignore_ascii_case(DISABLE_OVERRIDE) => Ok(false),
        // A text that clients know.
        Dialect::Older => Err(Defect::at(
            pointer(OVERRIDE_ACTION),
            "Bad override mitigation action: Only 'disable_override' and 'none' are accepted.",
        )),
        Dialect::Current => {
            Err(Defect::at(pointer(OVERRIDE_ACTION), "The override must be none, or null to take it back."))
        }
    }
}

fn pointer(name: &str) -> String {
    format!("/{name}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SET: ValidationSettings = ValidationSettings { default_action: MitigationAction::Block, is_off: true };

    /// `default override` after a change of settings that say `block` and are off, or the places of the defects.
    fn outcome(change: Result<SettingsChange, ApiError>) -> String {
        match change {
            Ok(change) => {
                let settings = change.apply(SET);
                format!("{} {}", settings.default_action.as_str(), if settings.is_off { "none" } else { "null" })
            }
            Err(error) => format!("{}", error.status().as_u16()),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
    fn check(body: Value, whole: [&str; 2], part: [&str; 2]) {
        for (place, dialect) in [Dialect::Older, Dialect::Current].into_iter().enumerate() {
            assert_eq!(outcome(SettingsChange::read_whole(&body, dialect)), whole[place], "PUT {dialect:?} {body}");
            assert_eq!(outcome(SettingsChange::read_part(&body, dialect)), part[place], "PATCH {dialect:?} {body}");
        }
    }

    #[test]
    fn each_family_of_calls_has_its_own_rules_of_null() {
        let (action, over) = (DEFAULT_ACTION, OVERRIDE_ACTION);
        check(json!({action: "log"}), ["log null", "log null"], ["log none", "log none"]);
        check(json!({action: "log", over: null}), ["log null", "log null"], ["log none", "log null"]);
        check(json!({action: "log", over: "none"}), ["log none", "log none"], ["log none", "log none"]);
        check(json!({action: "LOG", over: "None"}), ["log none", "log none"], ["log none", "log none"]);
        check(json!({action: "log", over: "disable_override"}), ["log null", "400"], ["log null", "400"]);
        check(json!({action: "log", over: "block"}), ["400", "400"], ["400", "400"]);
        check(json!({action: "log", over: 1}), ["400", "400"], ["400", "400"]);
        check(json!({action: null, over: null}), ["400", "400"], ["block none", "400"]);
        check(json!({}), ["400", "400"], ["block none", "block none"]);
        check(json!({over: "disable_override"}), ["400", "400"], ["block null", "400"]);
        check(json!({action: "drop"}), ["400", "400"], ["400", "400"]);
        check(json!([]), ["400", "400"], ["400", "400"]);
    }
}
