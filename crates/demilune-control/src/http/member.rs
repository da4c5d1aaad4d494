//! Reads members out of JSON bodies, naming every defect at its place.

use std::{fmt::Display, str::FromStr};

use serde_json::Value;

use super::error::Defect;

/// A member that must be there, a string, and of its type. `pointer` is the place of `value` in the body.
pub(crate) fn required<T: FromStr<Err: Display>>(
    value: &Value,
    name: &str,
    pointer: &str,
    defects: &mut Vec<Defect>,
) -> Option<T> {
    let parsed = match value.get(name) {
        None => Err(format!("The member {name} is missing; add it as a string.")),
        Some(given) => parse(name, given),
    };
    parsed.map_err(|message| defects.push(Defect::at(format!("{pointer}/{name}"), message))).ok()
}

/// A member that may be absent or null, or is a string of its type.
pub(crate) fn optional<T: FromStr<Err: Display>>(
    value: &Value,
    name: &str,
    pointer: &str,
    defects: &mut Vec<Defect>,
) -> Option<T> {
    let given = value.get(name).filter(|given| !given.is_null())?;
    parse(name, given).map_err(|message| defects.push(Defect::at(format!("{pointer}/{name}"), message))).ok()
}

fn parse<T: FromStr<Err: Display>>(name: &str, given: &Value) -> Result<T, String> {
    let Value::String(text) = given else { return Err(format!("The member {name} must be a string.")) };
    text.parse().map_err(|error: T::Err| sentence(&error))
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
