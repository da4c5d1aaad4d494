//! Reads members out of bodies, and turns what the domain says about them into sentences.

use std::{fmt::Display, str::FromStr};

use serde_json::Value;

use super::error::{ApiError, Defect};

/// A member that must be there, a string, and of its type.
pub(crate) fn member<T: FromStr<Err: Display>>(
    value: &Value,
    name: &str,
    pointer: &str,
    defects: &mut Vec<Defect>,
) -> Option<T> {
    let parsed = text(value, name).and_then(|text| text.parse().map_err(|error: T::Err| sentence(&error)));
    parsed.map_err(|message| defects.push(Defect::at(format!("{pointer}/{name}"), message))).ok()
}

/// A member that must be there and a string, or a sentence about why it is not.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, String> {
    match value.get(name) {
        None => Err(format!("The member {name} is missing; add it as a string.")),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("The member {name} must be a string.")),
    }
}

/// Checks that a body of a call of our own is an object without members that the call does not take: one that is
/// spelled wrong would be left out in silence. Answers with the defects so far.
pub(crate) fn check_members(body: &Value, known: &[&str]) -> Result<Vec<Defect>, ApiError> {
    let taken = known.join(", ");
    let Value::Object(members) = body else {
        return Err(Defect::at("", format!("The body must be a JSON object; its members are {taken}.")).into());
    };
    // One is named, since a body can hold very many.
    let unknown = members.keys().find(|name| !known.contains(&name.as_str()));
    let defect = unknown.map(|name| {
        let message = format!("There is no such member; the members are {taken}.");
        Defect::at(member_pointer(name), message)
    });
    Ok(defect.into_iter().collect())
}

/// A JSON Pointer to a member of the body (RFC 6901).
pub(crate) fn member_pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A domain error as a sentence of its own.
pub(crate) fn sentence(error: &impl Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let mut sentence: String = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    sentence.push_str(letters.as_str());
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}
