//! Reads actions out of bodies, naming every defect at its place.

use demilune_inventory::OperationId;
use demilune_store::{ActionChange, ActionsChangeError, MitigationAction};
use serde_json::{Map, Value};

use crate::http::{
    error::{ApiError, Defect, NOT_FOUND},
    input::{member_pointer, sentence},
};

/// The member that names an action.
pub(super) const ACTION: &str = "mitigation_action";
/// Most defects answered for one call: a body of a mebibyte can hold tens of thousands.
const DEFECTS_MAX: usize = 100;

/// The members of a body that must be an object.
pub(super) fn members(body: &Value) -> Result<&Map<String, Value>, Defect> {
    body.as_object().ok_or_else(|| Defect::at("", "The body must be a JSON object."))
}

/// An action as a body writes it.
pub(super) fn action(value: &Value, pointer: impl Into<String>) -> Result<MitigationAction, Defect> {
    let parsed = value.as_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| Defect::at(pointer, "The action must be one of the texts none, log and block."))
}

/// What an object asks to be done about an operation's action: null takes it away.
pub(super) fn change(value: &Value, pointer: &str) -> Result<ActionChange, Defect> {
    let Value::Object(members) = value else {
        let message = "The value must be an object with the member mitigation_action.";
        return Err(Defect::at(pointer, message));
    };
    match members.get(ACTION) {
        None => Ok(ActionChange::Keep),
        Some(Value::Null) => Ok(ActionChange::Inherit),
        Some(value) => action(value, format!("{pointer}/{ACTION}")).map(ActionChange::Set),
    }
}

/// What a body asks to be done about the actions of several operations, by their ids.
pub(super) fn changes(body: &Value) -> Result<Vec<(OperationId, ActionChange)>, ApiError> {
    let mut changes = Vec::new();
    let mut defects = Vec::new();
    for (name, value) in members(body)? {
        let pointer = member_pointer(name);
        let id = name.parse::<OperationId>().map_err(|error| Defect::at(&pointer, sentence(&error)));
        match (id, change(value, &pointer)) {
            (Ok(id), Ok(change)) => changes.push((id, change)),
            (id, change) => defects.extend([id.err(), change.err()].into_iter().flatten()),
        }
        if defects.len() >= DEFECTS_MAX {
            break;
        }
    }
    ApiError::collect(defects)?;
    Ok(changes)
}

/// What a refused change of several actions says.
pub(super) fn changes_error(error: ActionsChangeError) -> ApiError {
    match error {
        ActionsChangeError::OperationsUnknown(ids) => {
            let defect = |id: OperationId| Defect {
                code: &NOT_FOUND,
                message: format!("There is no operation {id} in the zone; nothing was changed."),
                pointer: Some(format!("/{id}")),
                chain: &[],
            };
            ApiError::of(ids.into_iter().take(DEFECTS_MAX).map(defect))
        }
        ActionsChangeError::Store(failure) => failure.into(),
    }
}
