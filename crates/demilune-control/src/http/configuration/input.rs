//! Reads session identifiers out of a body, naming every defect at its place.

use demilune_policy::rule::{SessionIdentifier, SessionIdentifierError};
use serde_json::Value;

use crate::http::{
    error::{ApiError, Defect},
    input::{sentence, text},
};

const MEMBER: &str = "auth_id_characteristics";

/// The identifiers that the body names, in its order.
pub(super) fn identifiers(body: &Value) -> Result<Vec<SessionIdentifier>, ApiError> {
    let Some(Value::Array(values)) = body.get(MEMBER) else {
        let message = format!("The body must be an object whose member {MEMBER} is an array; [] removes all.");
        return Err(Defect::at(format!("/{MEMBER}"), message).into());
    };
    let max = SessionIdentifier::PER_ZONE_MAX;
    if values.len() > max {
        let message = format!("The array may hold {max} elements; it holds {}.", values.len());
        return Err(Defect::at(format!("/{MEMBER}"), message).into());
    }
    let mut identifiers: Vec<SessionIdentifier> = Vec::with_capacity(values.len());
    let mut defects = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let pointer = format!("/{MEMBER}/{index}");
        match identifier(value, &pointer) {
            Ok(found) if identifiers.iter().any(|other| other.normalized() == found.normalized()) => {
                let message = format!("The {found} stands before already; name each only once.");
                defects.push(Defect::at(pointer, message));
            }
            Ok(found) => identifiers.push(found),
            Err(found) => defects.extend(found),
        }
    }
    ApiError::collect(defects)?;
    Ok(identifiers)
}

fn identifier(value: &Value, pointer: &str) -> Result<SessionIdentifier, Vec<Defect>> {
    let at = |name: &str, message: String| Defect::at(format!("{pointer}/{name}"), message);
    let (kind, name) = match (text(value, "type"), text(value, "name")) {
        (Ok(kind), Ok(name)) => (kind, name),
        (kind, name) => {
            let kind = kind.err().map(|message| at("type", message));
            let name = name.err().map(|message| at("name", message));
            return Err(kind.into_iter().chain(name).collect());
        }
    };
    SessionIdentifier::parse(kind, name).map_err(|error| {
        let member = match error {
            SessionIdentifierError::Name(_) => "name",
            SessionIdentifierError::Jwt | SessionIdentifierError::Kind(_) => "type",
        };
        vec![at(member, sentence(&error))]
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
    fn check_pointers(elements: Value, expected: &[&str]) {
        let error = identifiers(&json!({ MEMBER: elements })).unwrap_err();
        let body = serde_json::to_value(error.body("")).unwrap();
        let pointers: Vec<_> = body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["source"]["pointer"].as_str().unwrap().strip_prefix("/auth_id_characteristics").unwrap())
            .collect();
        assert_eq!(pointers, expected, "{elements}");
    }

    #[test]
    fn each_defect_points_at_its_member() {
        check_pointers(json!("x"), &[""]);
        check_pointers(json!(null), &[""]);
        check_pointers(json!([5]), &["/0/type", "/0/name"]);
        check_pointers(json!([{"type": "header"}]), &["/0/name"]);
        check_pointers(json!([{"type": 1, "name": "a"}]), &["/0/type"]);
        check_pointers(json!([{"type": "header", "name": "a b"}]), &["/0/name"]);
        check_pointers(json!([{"type": "Header", "name": "a"}]), &["/0/type"]);
        check_pointers(json!([{"type": "cookie", "name": "a"}, {"type": "jwt", "name": "id:$.sub"}]), &["/1/type"]);
    }

    #[test]
    fn an_identifier_stands_once_whatever_the_letter_case_of_a_header() {
        let header = |name: &str| json!({"type": "header", "name": name});
        let cookie = |name: &str| json!({"type": "cookie", "name": name});
        check_pointers(json!([header("X-Key"), cookie("x-key"), header("x-KEY")]), &["/2"]);
        check_pointers(json!([cookie("sid"), cookie("sid")]), &["/1"]);
        assert_eq!(identifiers(&json!({ MEMBER: [cookie("sid"), cookie("SID")] })).unwrap().len(), 2);
    }

    #[test]
    fn ten_identifiers_are_the_most() {
        let many = |count: usize| {
            let one = |number: usize| json!({"type": "cookie", "name": format!("c{number}")});
            Value::Array((0..count).map(one).collect())
        };
        assert_eq!(identifiers(&json!({ MEMBER: many(10) })).unwrap().len(), 10);
        check_pointers(many(11), &[""]);
    }
}
