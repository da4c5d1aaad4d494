//! Reads operations out of a body, naming every defect at its place.

use demilune_inventory::{Method, OperationKey};
use serde_json::Value;

use crate::http::{error::Defect, input::member};

/// The operation that a JSON value describes. `pointer` is the place of the value in the body.
pub(super) fn operation(value: &Value, pointer: &str) -> Result<OperationKey, Vec<Defect>> {
    let Value::Object(_) = value else {
        let message = "An operation must be a JSON object with the members endpoint, host and method.";
        return Err(vec![Defect::at(pointer, message)]);
    };
    let mut defects = Vec::new();
    let endpoint = member(value, "endpoint", pointer, &mut defects);
    let host = member(value, "host", pointer, &mut defects);
    let method = member::<Method>(value, "method", pointer, &mut defects);
    match (endpoint, host, method) {
        (Some(endpoint), Some(host), Some(method)) => Ok(OperationKey { host, endpoint, method }),
        _ => Err(defects),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
    fn check_pointers(value: Value, expected: &[&str]) {
        let defects = operation(&value, "/3").unwrap_err();
        let pointers: Vec<_> = defects.iter().map(|defect| defect.pointer.as_deref().unwrap()).collect();
        assert_eq!(pointers, expected, "{value}");
    }

    #[test]
    fn each_defect_points_at_its_member() {
        check_pointers(json!({}), &["/3/endpoint", "/3/host", "/3/method"]);
        check_pointers(json!({"endpoint": 1, "host": "a.example", "method": null}), &["/3/endpoint", "/3/method"]);
        check_pointers(json!({"endpoint": "/", "host": "a.example", "method": "FETCH"}), &["/3/method"]);
        check_pointers(json!([]), &["/3"]);
        check_pointers(json!("/"), &["/3"]);
    }

    #[test]
    fn members_beside_the_three_are_ignored() {
        let value = json!({"endpoint": "/", "host": "a.example", "method": "get", "features": 1});
        assert_eq!(operation(&value, "").unwrap().method, Method::Get);
    }
}
