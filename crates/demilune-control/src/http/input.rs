//! Reads members out of bodies, and turns what the domain says about them into sentences.

use std::{fmt::Display, str::FromStr};

use serde_json::Value;

use super::error::Defect;

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
