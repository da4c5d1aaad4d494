//! Reads what somebody says of a discovered operation.

use serde_json::Value;

use crate::http::error::Defect;

/// Whether it is to be ignored; none if the body leaves it as it is.
pub(super) fn ignored(value: &Value, pointer: &str) -> Result<Option<bool>, Defect> {
    let Value::Object(members) = value else {
        return Err(Defect::at(pointer, "The value must be an object with the member state."));
    };
    let state = match members.get("state") {
        None => return Ok(None),
        Some(state) => state.as_str().map(str::to_ascii_lowercase),
    };
    match state.as_deref() {
        Some("review") => Ok(Some(false)),
        Some("ignored") => Ok(Some(true)),
        Some("saved") => Err(Defect::at(
            format!("{pointer}/state"),
            "The state saved follows from the inventory: add the operation to have it saved.",
        )),
        _ => Err(Defect::at(format!("{pointer}/state"), "The state must be one of the texts review and ignored.")),
    }
}
