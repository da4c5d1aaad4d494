//! The text of a document, JSON or YAML, as a value, within bounds that hold for any text.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Limits;
use crate::validate::json::{self, JsonErrorKind};

/// Deepest nesting of a document. Reading and compiling it recurse; real ones nest to a third of it.
pub(super) const DEPTH_MAX: usize = 80;

/// Why a text is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TextError {
    TooLarge,
    TooMany,
    Unreadable(String),
}

/// Reads a document. What begins with a brace is tried as JSON first; YAML takes braces too.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Value, TextError> {
    if bytes.len() > limits.bytes_max {
        return Err(TextError::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(TextError::Unreadable("the document is not UTF-8".to_owned()));
    };
    if !text.trim_start().starts_with('{') {
        return yaml(text, limits);
    }
    match json::read(text.trim().as_bytes(), DEPTH_MAX) {
        Ok(tape) if tape.len() > limits.values_max => Err(TextError::TooMany),
        Ok(tape) => Ok(tape.to_value(0)),
        Err(error) if error.kind == JsonErrorKind::Syntax => {
            yaml(text, limits).map_err(|_| TextError::Unreadable("the document is neither JSON nor YAML".to_owned()))
        }
        Err(error) => Err(TextError::Unreadable(format!("the document is not used: {}{}", error.kind, error.place()))),
    }
}

fn yaml(text: &str, limits: &Limits) -> Result<Value, TextError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: limits.values_max.saturating_mul(2),
            max_nodes: limits.values_max,
            max_depth: DEPTH_MAX,
            max_documents: 1,
            max_total_scalar_bytes: limits.bytes_max.saturating_mul(2),
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    let left = Cell::new(limits.values_max);
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        Whole { left: &left, depth: 0 }.deserialize(deserializer)
    });
    match read {
        Ok(value) => Ok(value),
        Err(_) if left.get() == 0 => Err(TextError::TooMany),
        Err(error) => Err(TextError::Unreadable(format!("the document is not valid YAML: {error}"))),
    }
}

/// Takes a whole value, names of members as text whatever YAML takes them for, and no more values than are left.
#[derive(Clone, Copy)]
struct Whole<'l> {
    left: &'l Cell<usize>,
    depth: usize,
}

impl Whole<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom("it is nested too deeply"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            return Err(D::Error::custom("it unfolds into too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("an object has two members of one name"));
            }
        }
        Ok(Value::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limits() -> Limits {
        Limits { bytes_max: 1 << 20, values_max: 10_000, ..Limits::default() }
    }

    fn check(text: &str, expected: &Value) {
        assert_eq!(read(text.as_bytes(), &limits()).as_ref(), Ok(expected), "{text}");
    }

    #[test]
    fn json_and_yaml_read_alike() {
        let expected = json!({"openapi": "3.0.0", "a": {"200": [1, -2, 1.5, null, true, "x"]}});
        check(r#"{"openapi": "3.0.0", "a": {"200": [1, -2, 1.5, null, true, "x"]}}"#, &expected);
        check("openapi: 3.0.0\na:\n  200: [1, -2, 1.5, null, true, x]\n", &expected);
        check("\u{feff}{openapi: 3.0.0, a: {200: [1, -2, 1.5, null, true, x]}}", &expected);
        check("b: &b {x: 1}\nc: *b\n", &json!({"b": {"x": 1}, "c": {"x": 1}}));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in ["{\"a\": ", "a: [1", "a: b: c", "\u{feff}{\"a\" 1}"] {
            assert!(matches!(read(text.as_bytes(), &limits()), Err(TextError::Unreadable(_))), "{text}");
        }
        assert!(matches!(read(b"a: \xff", &limits()), Err(TextError::Unreadable(_))));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        for text in [r#"{"a": {"b": 1, "b": 2}}"#, "a: {b: 1, b: 2}", "a: {200: 1, '200': 2}"] {
            assert!(matches!(read(text.as_bytes(), &limits()), Err(TextError::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn a_document_that_unfolds_without_end_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = [format!("*a{}", level - 1).as_str(); 9].join(", ");
            bomb.extend(["a", &level.to_string(), ": &a", &level.to_string(), " [", &aliases, "]\n"]);
        }
        assert!(read(bomb.as_bytes(), &limits()).is_err());
        let many = format!("[{}]", vec!["1"; 20_000].join(","));
        assert_eq!(read(many.as_bytes(), &limits()), Err(TextError::TooMany));
        assert_eq!(read(format!("{{\"a\": {many}}}").as_bytes(), &limits()), Err(TextError::TooMany));
    }

    #[test]
    fn a_deep_or_long_document_is_refused() {
        assert!(read(format!("a: {}", "[".repeat(100_000)).as_bytes(), &limits()).is_err());
        assert!(read(format!("{{\"a\": {}", "[".repeat(100_000)).as_bytes(), &limits()).is_err());
        assert!(read(format!("a: {}{}", "[".repeat(100), "]".repeat(100)).as_bytes(), &limits()).is_err());
        assert_eq!(read(&vec![b' '; (1 << 20) + 1], &limits()), Err(TextError::TooLarge));
    }
}
