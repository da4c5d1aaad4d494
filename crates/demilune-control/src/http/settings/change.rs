//! Reads settings out of a body, naming every defect at its place.

use demilune_policy::rule::{ForwardPath, Unmatched, ZoneSettings};
use serde_json::Value;

use crate::http::{
    error::{ApiError, Defect},
    input::{check_members, member},
};

/// The settings that a body names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SettingsChange {
    unmatched: Option<Unmatched>,
    forward_path: Option<ForwardPath>,
    head_as_get: Option<bool>,
}

impl SettingsChange {
    /// Reads a body that names all of them.
    pub(super) fn read_whole(body: &Value) -> Result<Self, ApiError> {
        Self::read(body, |_| true)
    }

    /// Reads a body that names some of them.
    pub(super) fn read_part(body: &Value) -> Result<Self, ApiError> {
        Self::read(body, |name| body.get(name).is_some())
    }

    fn read(body: &Value, is_wanted: impl Fn(&str) -> bool) -> Result<Self, ApiError> {
        let mut defects = check_members(body, &["unmatched", "forward_path", "head_as_get"])?;
        let unmatched = is_wanted("unmatched").then(|| member(body, "unmatched", "", &mut defects));
        let forward_path = is_wanted("forward_path").then(|| member(body, "forward_path", "", &mut defects));
        let head_as_get = is_wanted("head_as_get").then(|| flag(body, "head_as_get", &mut defects));
        ApiError::collect(defects)?;
        Ok(Self {
            unmatched: unmatched.flatten(),
            forward_path: forward_path.flatten(),
            head_as_get: head_as_get.flatten(),
        })
    }

    /// The settings after the change.
    pub(super) fn apply(self, before: ZoneSettings) -> ZoneSettings {
        ZoneSettings {
            unmatched: self.unmatched.unwrap_or(before.unmatched),
            forward_path: self.forward_path.unwrap_or(before.forward_path),
            head_as_get: self.head_as_get.unwrap_or(before.head_as_get),
        }
    }
}

fn flag(body: &Value, name: &str, defects: &mut Vec<Defect>) -> Option<bool> {
    let found = body.get(name).and_then(Value::as_bool);
    if found.is_none() {
        defects.push(Defect::at(format!("/{name}"), format!("The member {name} must be true or false.")));
    }
    found
}
