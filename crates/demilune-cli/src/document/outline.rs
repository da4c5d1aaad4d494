//! The few members of a document that name operations, kept while the rest is skipped, from JSON or YAML.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Most parser events of a YAML document: 64 MiB of it hold about half as many.
const YAML_EVENTS_MAX: usize = 32_000_000;
/// Deepest nesting of a YAML document; JSON has the same limit.
const YAML_DEPTH_MAX: usize = 128;

/// The text is neither JSON nor YAML.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutlineError {
    /// It begins like JSON.
    #[error("the document is not valid JSON")]
    Json(#[source] serde_json::Error),
    /// It does not.
    #[error("the document is not valid YAML")]
    Yaml(#[source] Box<serde_saphyr::Error>),
}

/// Reads a document. What begins with a brace is tried as JSON first; YAML takes braces too.
pub(crate) fn read(text: &str) -> Result<Value, OutlineError> {
    let text = text.trim_start_matches('\u{feff}');
    if !text.trim_start().starts_with('{') {
        return read_yaml(text).map_err(|error| OutlineError::Yaml(Box::new(error)));
    }
    read_json(text).or_else(|error| read_yaml(text).map_err(|_| OutlineError::Json(error)))
}

fn read_json(text: &str) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let outline = Keep::Document.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(outline)
}

fn read_yaml(text: &str) -> Result<Value, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: YAML_EVENTS_MAX,
            max_nodes: YAML_EVENTS_MAX,
            max_depth: YAML_DEPTH_MAX,
            max_documents: 1,
        },
        with_snippet: false,
    };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        Keep::Document.deserialize(deserializer)
    })
}

/// How much of a value to keep, by its place in the document.
#[derive(Clone, Copy, Debug)]
enum Keep {
    Document,
    Components,
    PathItems,
    PathItem,
    Operations,
    Operation,
    All,
}

impl Keep {
    /// How much of a member to keep; none of it if it names no operation.
    fn member(self, name: &str) -> Option<Self> {
        match (self, name) {
            (Self::All, _)
            | (Self::Document, "openapi" | "swagger" | "servers")
            | (Self::PathItem, "servers" | "$ref")
            | (Self::Operation, "servers") => Some(Self::All),
            (Self::Document, "paths") | (Self::Components, "pathItems") => Some(Self::PathItems),
            (Self::Document, "components") => Some(Self::Components),
            (Self::PathItems, _) => Some(Self::PathItem),
            (Self::Operations, _) => Some(Self::Operation),
            (Self::PathItem, "additionalOperations") => Some(Self::Operations),
            (Self::PathItem, _) => super::operations::method(name).map(|_| Self::Operation),
            _ => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Keep {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keep {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            match self.member(&name) {
                Some(keep) => {
                    let value = access.next_value_seed(keep)?;
                    kept.insert(name, value);
                }
                None => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(kept))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        if let Self::All = self {
            while let Some(value) = access.next_element_seed(Self::All)? {
                kept.push(value);
            }
        } else {
            while access.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(Value::Array(kept))
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

    const YAML: &str = r"
openapi: 3.1.0
info: {title: x, servers: [no]}
servers:
  - url: https://{v}.example.com
    variables: {v: {default: 8443}}
paths:
  /a:
    summary: skipped
    get: {servers: [{url: /x}], responses: {200: {description: skipped}}}
    x-more: {get: {}}
components:
  schemas: {A: {type: string}}
  pathItems: {B: {post: {}}}
";

    #[test]
    fn only_what_names_operations_is_kept() {
        let expected = json!({
            "openapi": "3.1.0",
            "servers": [{"url": "https://{v}.example.com", "variables": {"v": {"default": 8443}}}],
            "paths": {"/a": {"get": {"servers": [{"url": "/x"}]}}},
            "components": {"pathItems": {"B": {"post": {}}}},
        });
        assert_eq!(read(YAML).unwrap(), expected);
    }

    #[test]
    fn json_and_yaml_read_alike() {
        let json =
            r#"{"openapi": "3.0.3", "paths": {"/a": {"get": null, "parameters": [{"in": "path"}]}}, "tags": [1, {}]}"#;
        let yaml = "openapi: 3.0.3\npaths:\n  /a:\n    get:\n    parameters: [{in: path}]\ntags: [1, {}]\n";
        assert_eq!(read(json).unwrap(), read(yaml).unwrap());
    }

    #[test]
    fn yaml_in_braces_is_read_too() {
        assert_eq!(read("{openapi: 3.0.0, paths: {/a: {}}}").unwrap()["openapi"], "3.0.0");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(matches!(read("{\"openapi\": "), Err(OutlineError::Json(_))));
        assert!(matches!(read("a: [1"), Err(OutlineError::Yaml(_))));
    }

    #[test]
    fn a_yaml_document_that_unfolds_without_end_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let previous = format!("*a{}", level - 1);
            let aliases = [previous.as_str(); 9].join(", ");
            bomb.extend(["a", &level.to_string(), ": &a", &level.to_string(), " [", &aliases, "]\n"]);
        }
        bomb.push_str("servers: *a11\n");
        assert!(matches!(read(&bomb), Err(OutlineError::Yaml(_))));
    }

    #[test]
    fn a_deep_document_is_refused() {
        assert!(read(&format!("servers: {}", "[".repeat(10_000))).is_err());
        assert!(read(&format!("{{\"servers\": {}", "[".repeat(10_000))).is_err());
    }
}
