//! Rewrites one schema; what stands elsewhere afterwards is noted, so that violations name the document's places.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    super::{
        Version,
        place::{Place, push_token},
        problem::Code,
    },
    discriminator, format,
    keyword::{self, Kind},
    library::Library,
    read_only, reference,
    written::Written,
};
use crate::validate::Moved;

const NOT_A_SCHEMA: &str = "a schema must be an object";
const BESIDE_REFERENCE: &str = "OpenAPI 3.0 gives keywords beside $ref no meaning";
const NULLABLE_ALONE: &str = "nullable only adds to a type that stands beside it";
const OTHER_DIALECT: &str = "schemas are taken as JSON Schema 2020-12";

/// Rewrites the schema at a place of the document into the definition of that number. Gives the definitions that it
/// refers to, too.
pub(super) fn transform(
    library: &mut Library<'_>,
    definition: usize,
    schema: &Value,
    place: &Place<'_>,
) -> (Value, BTreeSet<usize>) {
    let mut transform = Transform { library, references: BTreeSet::new() };
    let at =
        At { place: *place, written: format!("/$defs/{definition}"), read_only: &BTreeSet::new(), has_base: false };
    let schema = transform.schema(schema, &at);
    (schema, transform.references)
}

pub(super) struct Transform<'l, 'd> {
    pub(super) library: &'l mut Library<'d>,
    pub(super) references: BTreeSet<usize>,
}

/// Where a schema stands.
pub(super) struct At<'a> {
    /// In the document.
    pub(super) place: Place<'a>,
    /// In what is written.
    pub(super) written: String,
    /// Members that may not be sent, which schemas around it say.
    pub(super) read_only: &'a BTreeSet<String>,
    /// Whether a schema around it has an identifier of its own, to which its references are relative.
    pub(super) has_base: bool,
}

impl Transform<'_, '_> {
    /// A schema, rewritten.
    pub(super) fn schema(&mut self, schema: &Value, at: &At<'_>) -> Value {
        self.library.schemas += 1;
        match schema {
            _ if self.library.is_full() => Value::Bool(true),
            Value::Bool(truth) if self.library.version == Version::V31 => Value::Bool(*truth),
            Value::Object(members) => self.object(members, at),
            _ => {
                self.library.problem(Code::Schema, &at.place, NOT_A_SCHEMA);
                Value::Bool(true)
            }
        }
    }

    fn object(&mut self, members: &Map<String, Value>, at: &At<'_>) -> Value {
        if self.library.version == Version::V30
            && let Some(reference) = members.get("$ref").and_then(Value::as_str)
        {
            for name in members.keys().filter(|name| keyword::kind(name, Version::V30) != Kind::Description) {
                if name != "$ref" {
                    self.library.report.ignored(name, BESIDE_REFERENCE, &at.place.member(name));
                }
            }
            return json!({"$ref": self.reference(reference, at)});
        }
        let read_only = read_only::members(self.library, members, at.read_only);
        let has_base = at.has_base || members.contains_key("$id");
        let at = At { place: at.place, written: at.written.clone(), read_only: &read_only, has_base };
        let mut written = Written::default();
        for (keyword, value) in members {
            self.keyword(keyword, value, members, &at, &mut written);
        }
        discriminator::write(self, members, &at, &mut written);
        written.finish(&at.written, &mut self.library.moved)
    }

    fn keyword(&mut self, keyword: &str, value: &Value, members: &Map<String, Value>, at: &At<'_>, to: &mut Written) {
        let place = at.place.member(keyword);
        match keyword::kind(keyword, self.library.version) {
            Kind::Description => return,
            Kind::Ignored(reason) => return self.library.report.ignored(keyword, reason, &place),
            Kind::Restriction => to.put(keyword, value.clone()),
            Kind::Schema if keyword == "additionalProperties" && value.is_boolean() => to.put(keyword, value.clone()),
            Kind::Schema => to.put(keyword, self.within(keyword, value, at)),
            Kind::List => to.put(keyword, self.list(keyword, value, at)),
            Kind::Map => to.put(keyword, self.map(keyword, value, at)),
            Kind::Own => return self.own(keyword, value, members, at, to),
        }
        self.library.report.enforced(keyword, &place);
    }

    /// The keywords with rules of their own.
    fn own(&mut self, keyword: &str, value: &Value, members: &Map<String, Value>, at: &At<'_>, to: &mut Written) {
        let place = at.place.member(keyword);
        match keyword {
            "type" => self.types(value, members, &place, to),
            "nullable" => self.nullable(value, members, &place),
            "exclusiveMaximum" => self.exclusive(keyword, "maximum", value, members, &place, to),
            "exclusiveMinimum" => self.exclusive(keyword, "minimum", value, members, &place, to),
            "required" => self.required(value, at, to),
            "properties" => self.properties(value, at, to),
            "patternProperties" => self.pattern_properties(value, at, to),
            "pattern" => self.pattern(value, at, to),
            "format" => format::write(self, value, at, to),
            "$ref" => match value.as_str() {
                Some(reference) => {
                    to.put("$ref", self.reference(reference, at));
                    self.library.report.enforced("$ref", &place);
                }
                None => self.library.problem(Code::Schema, &place, "a reference must be a text"),
            },
            "$schema" if value != "https://json-schema.org/draft/2020-12/schema" => {
                self.library.report.approximated(keyword, OTHER_DIALECT, &place);
            }
            // A discriminator is written when all else is.
            _ => {}
        }
    }

    /// A reference as it is written: to a definition, or left alone where it is relative to something else.
    fn reference(&mut self, reference: &str, at: &At<'_>) -> Value {
        let is_own = self.library.version == Version::V31 && (at.has_base || !reference.starts_with("#/"));
        if is_own {
            return reference.into();
        }
        let Some(definition) = self.library.refer(reference, &at.place.member("$ref")) else {
            return "#/$defs/0".into();
        };
        self.references.insert(definition);
        format!("#/$defs/{definition}").into()
    }

    pub(super) fn within(&mut self, name: &str, schema: &Value, at: &At<'_>) -> Value {
        let mut written = at.written.clone();
        push_token(&mut written, name);
        let inner = At { place: at.place.member(name), written, read_only: &BTreeSet::new(), has_base: at.has_base };
        self.schema(schema, &inner)
    }

    fn list(&mut self, keyword: &str, value: &Value, at: &At<'_>) -> Value {
        let Some(list) = value.as_array() else { return value.clone() };
        let place = at.place.member(keyword);
        let nothing = BTreeSet::new();
        let read_only = if keyword == "allOf" { at.read_only } else { &nothing };
        let schemas = list.iter().enumerate().map(|(index, schema)| {
            let written = format!("{}/{keyword}/{index}", at.written);
            let inner = At { place: place.item(index), written, read_only, has_base: at.has_base };
            self.schema(schema, &inner)
        });
        schemas.collect()
    }

    fn map(&mut self, keyword: &str, value: &Value, at: &At<'_>) -> Value {
        let Some(map) = value.as_object() else { return value.clone() };
        let outer = At { place: at.place.member(keyword), written: format!("{}/{keyword}", at.written), ..*at };
        let schemas = map.iter().map(|(name, schema)| (name.clone(), self.within(name, schema, &outer)));
        Value::Object(schemas.collect())
    }

    fn types(&mut self, value: &Value, members: &Map<String, Value>, place: &Place<'_>, to: &mut Written) {
        const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
        let is_nullable = members.get("nullable") == Some(&Value::Bool(true));
        if self.library.version == Version::V30 {
            let Some(name) = value.as_str().filter(|name| TYPES.contains(name)) else {
                let message = format!("a type must be one of {}", TYPES.join(", "));
                return self.library.problem(Code::Schema, place, message);
            };
            to.put("type", if is_nullable { json!([name, "null"]) } else { name.into() });
        } else {
            to.put("type", value.clone());
        }
        self.library.report.enforced("type", place);
    }

    fn nullable(&mut self, value: &Value, members: &Map<String, Value>, place: &Place<'_>) {
        if self.library.version == Version::V31 {
            self.library.report.ignored("nullable", "no keyword of this version of OpenAPI", place);
        } else if value == &Value::Bool(true) && !members.contains_key("type") {
            self.library.report.ignored("nullable", NULLABLE_ALONE, place);
        } else if value.is_boolean() {
            self.library.report.enforced("nullable", place);
        } else {
            self.library.problem(Code::Schema, place, "nullable must be true or false");
        }
    }

    /// A truth value beside the bound, as in 3.0, or the bound itself, as in 3.1: each is taken as meant.
    fn exclusive(
        &mut self,
        keyword: &str,
        bound: &'static str,
        value: &Value,
        members: &Map<String, Value>,
        place: &Place<'_>,
        to: &mut Written,
    ) {
        if value.is_boolean() != (self.library.version == Version::V30) {
            let message = "this form belongs to another version of OpenAPI, and is taken as meant there";
            self.library.problem(Code::Form, place, message);
        }
        match (value, members.get(bound)) {
            (Value::Bool(true), Some(limit)) => {
                to.put(keyword, limit.clone());
                to.drop(bound);
            }
            (Value::Bool(_), _) => {}
            _ => to.put(keyword, value.clone()),
        }
        self.library.report.enforced(keyword, place);
    }

    fn required(&mut self, value: &Value, at: &At<'_>, to: &mut Written) {
        let place = at.place.member("required");
        let Some(names) = value.as_array() else {
            return self.library.problem(Code::Schema, &place, "required must be a list of names");
        };
        let names: Vec<Value> = names
            .iter()
            .filter(|name| name.as_str().is_none_or(|name| !at.read_only.contains(name)))
            .cloned()
            .collect();
        self.library.names.extend(names.iter().filter_map(Value::as_str).map(Into::into));
        if !names.is_empty() {
            to.put("required", Value::Array(names));
        }
        self.library.report.enforced("required", &place);
    }

    fn properties(&mut self, value: &Value, at: &At<'_>, to: &mut Written) {
        let place = at.place.member("properties");
        let Some(properties) = value.as_object() else {
            return self.library.problem(Code::Schema, &place, "properties must be schemas by name");
        };
        let outer = At { place, written: format!("{}/properties", at.written), ..*at };
        let mut written = Map::new();
        for (name, schema) in properties {
            self.library.names.insert(name.as_str().into());
            let schema = if read_only::is_read_only(self.library, schema) {
                self.read_only(name, &outer);
                Value::Bool(false)
            } else {
                self.within(name, schema, &outer)
            };
            written.insert(name.clone(), schema);
        }
        to.put("properties", Value::Object(written));
        self.library.report.enforced("properties", &outer.place);
    }

    fn read_only(&mut self, name: &str, properties: &At<'_>) {
        let property = properties.place.member(name);
        let place = property.member("readOnly");
        self.library.report.enforced("readOnly", &place);
        let mut written = properties.written.clone();
        push_token(&mut written, name);
        self.library.moved.insert(written, Moved { keyword: "readOnly", place: place.pointer() });
    }

    fn pattern_properties(&mut self, value: &Value, at: &At<'_>, to: &mut Written) {
        let place = at.place.member("patternProperties");
        let Some(properties) = value.as_object() else {
            return self.library.problem(Code::Schema, &place, "patternProperties must be schemas by pattern");
        };
        let outer = At { place, written: format!("{}/patternProperties", at.written), ..*at };
        let mut written = Map::new();
        for (pattern, schema) in properties {
            let name = self.library.name_pattern(pattern, &place);
            let schema = self.within(pattern, schema, &outer);
            // A wider pattern must not restrict the members that the real one leaves alone.
            let schema = if name == *pattern { schema } else { Value::Bool(true) };
            // Two patterns may be widened to one.
            written.entry(name).or_insert(schema);
        }
        to.put("patternProperties", Value::Object(written));
        self.library.report.enforced("patternProperties", &place);
    }

    fn pattern(&mut self, value: &Value, at: &At<'_>, to: &mut Written) {
        let place = at.place.member("pattern");
        let Some(pattern) = value.as_str() else {
            return self.library.problem(Code::Schema, &place, "a pattern must be a text");
        };
        let parts = self.library.value_pattern(pattern, &place);
        match parts.as_slice() {
            [Value::Object(only)] if only.len() == 1 && only.contains_key("pattern") => {
                to.put("pattern", only["pattern"].clone());
            }
            _ => parts.into_iter().for_each(|part| to.require(part, "pattern", &place)),
        }
    }

    /// The definition that a member of a list of alternatives is, if it is a reference and nothing else.
    pub(super) fn alternative(&mut self, schema: &Value, place: &Place<'_>) -> Option<usize> {
        let reference = reference::of(schema, self.library.version)?;
        let definition = self.library.refer(reference, &place.member("$ref"))?;
        self.references.insert(definition);
        Some(definition)
    }
}
