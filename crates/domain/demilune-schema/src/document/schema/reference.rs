//! References within a document: JSON Pointers in the fragment of a URI (RFC 6901 section 6).

use std::borrow::Cow;

use serde_json::Value;

use super::super::{Version, problem::Code};
use crate::validate::percent_decode;

/// Most references to follow from one to the next.
const CHAIN_MAX: usize = 32;

/// Where a reference leads.
#[derive(Debug, PartialEq)]
pub(in crate::document) enum Resolved<'d> {
    /// To this pointer, where something stands that refers no further.
    At(String, &'d Value),
    /// Nowhere, and why.
    Problem(Code, String),
}

/// Follows a reference, and the references that it leads to.
pub(in crate::document) fn resolve<'d>(source: &'d Value, reference: &str, version: Version) -> Resolved<'d> {
    let mut reference = Cow::Borrowed(reference);
    for _ in 0..CHAIN_MAX {
        let Some(pointer) = pointer(&reference) else {
            let message = format!("{reference} is not in this document: bundle the documents into one first");
            return Resolved::Problem(Code::Reference, message);
        };
        let Some(target) = source.pointer(&pointer) else {
            return Resolved::Problem(Code::Reference, format!("{reference} is not there"));
        };
        match of(target, version) {
            Some(next) => reference = Cow::Owned(next.to_owned()),
            None => return Resolved::At(pointer, target),
        }
    }
    Resolved::Problem(Code::Circle, "the reference leads back to itself".to_owned())
}

/// The reference that an object is: nothing else in it counts, or nothing else is in it.
pub(super) fn of(value: &Value, version: Version) -> Option<&str> {
    let object = value.as_object()?;
    let reference = object.get("$ref")?.as_str()?;
    let is_alone = object.keys().all(|name| matches!(name.as_str(), "$ref" | "summary" | "description"));
    (is_alone || version == Version::V30).then_some(reference)
}

fn pointer(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    String::from_utf8(percent_decode(fragment.as_bytes()).into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_followed_to_their_end() {
        let source =
            json!({"a": {"$ref": "#/b~1c"}, "b/c": {"$ref": "#/d%20e", "description": "x"}, "d e": {"type": "string"}});
        let expected = Resolved::At("/d e".to_owned(), &source["d e"]);
        assert_eq!(resolve(&source, "#/a", Version::V31), expected);
    }

    #[test]
    fn references_that_lead_nowhere_are_problems() {
        let source = json!({"a": {"$ref": "#/a"}, "b": {"$ref": "other.yaml#/x"}});
        let check = |reference: &str, expected: Code| {
            let Resolved::Problem(code, _) = resolve(&source, reference, Version::V30) else { panic!("{reference}") };
            assert_eq!(code, expected, "{reference}");
        };
        check("#/a", Code::Circle);
        check("#/b", Code::Reference);
        check("#/nowhere", Code::Reference);
        check("https://example.com/x", Code::Reference);
        check("#anchor", Code::Reference);
    }
}
