//! Reads settings out of a body, naming every defect at its place.

use std::ops::RangeInclusive;

use demilune_policy::rule::{ForwardPath, Unmatched, ValidationLimits, ZoneSettings};
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
    /// 0 is the member `null`.
    validated_bytes_max: Option<u32>,
    schemas_max: Option<u32>,
    schemas_bytes_max: Option<u32>,
}

const MEMBERS: [&str; 6] =
    ["unmatched", "forward_path", "head_as_get", "validated_bytes_max", "schemas_max", "schemas_bytes_max"];

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
        let mut defects = check_members(body, &MEMBERS)?;
        let unmatched = is_wanted("unmatched").then(|| member(body, "unmatched", "", &mut defects));
        let forward_path = is_wanted("forward_path").then(|| member(body, "forward_path", "", &mut defects));
        let head_as_get = is_wanted("head_as_get").then(|| flag(body, "head_as_get", &mut defects));
        let validated_bytes_max = is_wanted("validated_bytes_max").then(|| match body.get("validated_bytes_max") {
            Some(Value::Null) => Some(0),
            _ => number(body, "validated_bytes_max", ValidationLimits::VALIDATED_BYTES, &mut defects),
        });
        let mut limit = |name, range| is_wanted(name).then(|| number(body, name, range, &mut defects)).flatten();
        let schemas_max = limit("schemas_max", ValidationLimits::SCHEMAS);
        let schemas_bytes_max = limit("schemas_bytes_max", ValidationLimits::SCHEMAS_BYTES);
        ApiError::collect(defects)?;
        Ok(Self {
            unmatched: unmatched.flatten(),
            forward_path: forward_path.flatten(),
            head_as_get: head_as_get.flatten(),
            validated_bytes_max: validated_bytes_max.flatten(),
            schemas_max,
            schemas_bytes_max,
        })
    }

    /// The settings after the change.
    pub(super) fn apply(self, before: ZoneSettings) -> ZoneSettings {
        ZoneSettings {
            unmatched: self.unmatched.unwrap_or(before.unmatched),
            forward_path: self.forward_path.unwrap_or(before.forward_path),
            head_as_get: self.head_as_get.unwrap_or(before.head_as_get),
            limits: ValidationLimits {
                validated_bytes_max: self
                    .validated_bytes_max
                    .map_or(before.limits.validated_bytes_max, |most| Some(most).filter(|most| *most > 0)),
                schemas_max: self.schemas_max.unwrap_or(before.limits.schemas_max),
                schemas_bytes_max: self.schemas_bytes_max.unwrap_or(before.limits.schemas_bytes_max),
            },
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

fn number(body: &Value, name: &str, range: RangeInclusive<u32>, defects: &mut Vec<Defect>) -> Option<u32> {
    let found = body.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let found = found.filter(|number| range.contains(number));
    if found.is_none() {
        let (least, most) = (range.start(), range.end());
        let message = format!("The member {name} must be a whole number from {least} to {most}.");
        defects.push(Defect::at(format!("/{name}"), message));
    }
    found
}
