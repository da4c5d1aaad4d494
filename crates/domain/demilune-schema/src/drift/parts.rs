//! A schema as what must hold together: itself, and what `allOf` adds.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    document::{own_kinds, restricts, type_kinds},
    validate::{Kinds, push_token},
};

/// How deep `allOf` and alternatives are followed.
const DEPTH_MAX: usize = 8;
/// Most schemas that hold together: real documents have ten or so, and each is asked about every member.
const SCHEMAS_MAX: usize = 64;
/// What is not compared and says nothing of which members there are, either.
const SILENT_OF_MEMBERS: [&str; 13] = [
    "pattern",
    "multipleOf",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "unevaluatedItems",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "dependentRequired",
    "not",
];
/// Keywords that are compared, and those that stand for nothing on their own.
const COMPARED: [&str; 24] = [
    "type",
    "nullable",
    "enum",
    "const",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "allOf",
    "$schema",
    "$id",
    "$anchor",
    "$defs",
    "$vocabulary",
    "$dynamicAnchor",
];
const NO_SCHEMA: &str = "a schema must be an object";
const NO_LIST: &str = "it must be a list of schemas";
const NO_NAMES: &str = "it must be a list of names";
const NO_MEMBERS: &str = "it must be schemas by name";
const NO_TYPE: &str = "no type of that name";
const TOO_MUCH: &str = "it is nested too deeply, or in too many parts";
const REFERENCE: &str = "the reference leads back to itself, or nowhere";
const ALTERNATIVES: &str = "which alternative a request meant is not kept; the types of all are compared together";

/// A schema, with where it stands in the operation's text.
pub(super) type Located<'d> = (String, &'d Value);

/// What must hold together.
#[derive(Default)]
pub(super) struct Parts<'d> {
    pub(super) schemas: Vec<Part<'d>>,
    /// What restricts values, too, and is not compared: by keyword, and why.
    pub(super) unclear: Vec<(&'d str, &'static str)>,
    /// Where it is said that no value fits.
    pub(super) nothing: Option<String>,
    /// What the alternatives let through together.
    alternatives: Vec<Admitted>,
}

/// One schema object of it.
pub(super) struct Part<'d> {
    pub(super) pointer: String,
    pub(super) schema: &'d Value,
    members: &'d Map<String, Value>,
    /// Whether null is the alternative to it.
    pub(super) admits_null: bool,
}

/// Which values a type lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    pub(super) kinds: Kinds,
    /// Whether numbers may have fractions.
    pub(super) has_fractions: bool,
}

impl<'d> Parts<'d> {
    pub(super) fn of(schemas: Vec<Located<'d>>) -> Self {
        let mut parts = Self::default();
        for (pointer, schema) in schemas {
            parts.add(pointer, schema, false, DEPTH_MAX);
        }
        parts
    }

    fn add(&mut self, pointer: String, schema: &'d Value, admits_null: bool, depth: usize) {
        let members = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => {
                self.nothing.get_or_insert(pointer);
                return;
            }
            Value::Object(members) => members,
            _ => return self.unclear.push(("schema", NO_SCHEMA)),
        };
        if members.get("$ref").is_some_and(Value::is_string) {
            return self.unclear.push(("$ref", REFERENCE));
        }
        if depth == 0 || self.schemas.len() >= SCHEMAS_MAX {
            return self.unclear.push(("allOf", TOO_MUCH));
        }
        if !has_known_type(schema) {
            return self.unclear.push(("type", NO_TYPE));
        }
        for (keyword, value) in members {
            match keyword.as_str() {
                "allOf" => match value.as_array() {
                    Some(list) => list.iter().enumerate().for_each(|(index, inner)| {
                        self.add(format!("{pointer}/allOf/{index}"), inner, admits_null, depth - 1);
                    }),
                    None => self.unclear.push((keyword, NO_LIST)),
                },
                "required" if !value.is_array() => self.unclear.push((keyword, NO_NAMES)),
                "properties" if !value.is_object() => self.unclear.push((keyword, NO_MEMBERS)),
                "oneOf" | "anyOf" => self.alternatives(&pointer, keyword, value, admits_null, depth - 1),
                other if !COMPARED.contains(&other) && restricts(other) => self.unclear.push((keyword, why(other))),
                _ => {}
            }
        }
        self.schemas.push(Part { pointer, schema, members, admits_null });
    }

    /// Null beside one alternative is what other versions call nullable; of others, only the types are known.
    fn alternatives(&mut self, pointer: &str, keyword: &'d str, value: &'d Value, admits_null: bool, depth: usize) {
        let Some(list) = value.as_array() else { return self.unclear.push((keyword, NO_LIST)) };
        if list.is_empty() {
            return self.unclear.push((keyword, NO_LIST));
        }
        let is_null = |schema: &Value| own_kinds(schema) == Kinds::NULL;
        let mut others = list.iter().enumerate().filter(|(_, schema)| !is_null(schema));
        if let (Some((index, only)), None) = (others.next(), others.next()) {
            let has_null = list.len() > 1;
            return self.add(format!("{pointer}/{keyword}/{index}"), only, admits_null || has_null, depth);
        }
        let none = Admitted { kinds: Kinds::NONE, has_fractions: false };
        let together = list.iter().fold(none, |all, schema| all.or(Parts::of_alternative(schema, depth).admitted()));
        self.alternatives.push(if admits_null {
            together.or(Admitted { kinds: Kinds::NULL, ..none })
        } else {
            together
        });
        self.unclear.push((keyword, ALTERNATIVES));
    }

    fn of_alternative(schema: &'d Value, depth: usize) -> Self {
        let mut parts = Self::default();
        parts.add(String::new(), schema, false, depth);
        parts
    }

    /// What a keyword says, where it stands.
    pub(super) fn keyword(&self, keyword: &str) -> impl Iterator<Item = (&Part<'d>, &'d Value)> {
        self.schemas.iter().filter_map(move |part| Some((part, part.members.get(keyword)?)))
    }

    /// What a keyword says first, and where, or where it would stand.
    pub(super) fn first(&self, keyword: &str) -> (Value, String) {
        match self.keyword(keyword).next() {
            Some((part, value)) => (value.clone(), part.at(keyword)),
            None => (Value::Null, self.schemas.first().map_or_else(String::new, |part| part.pointer.clone())),
        }
    }

    pub(super) fn says(&self, keyword: &str) -> bool {
        self.keyword(keyword).next().is_some()
    }

    /// Whether values are restricted by something that is compared on its own or not at all, so that bounds beside it may
    /// be left out.
    pub(super) fn is_restricted(&self, keywords: &[&str]) -> bool {
        !self.unclear.is_empty() || keywords.iter().any(|keyword| self.says(keyword))
    }

    /// Whether something that is not compared may name members, or require them.
    pub(super) fn may_name_members(&self) -> bool {
        self.unclear.iter().any(|(keyword, _)| !SILENT_OF_MEMBERS.contains(keyword))
    }

    /// What the types let through.
    pub(super) fn admitted(&self) -> Admitted {
        self.admitted_by(type_kinds)
    }

    /// The kinds that types and listed values let through.
    pub(super) fn kinds(&self) -> Kinds {
        self.admitted_by(own_kinds).kinds
    }

    fn admitted_by(&self, kinds: fn(&Value) -> Kinds) -> Admitted {
        let all = Admitted { kinds: Kinds::ALL, has_fractions: true };
        let own = self.schemas.iter().map(|part| {
            let null = if part.admits_null { Kinds::NULL } else { Kinds::NONE };
            Admitted { kinds: kinds(part.schema) | null, has_fractions: has_fractions(part.schema) }
        });
        own.chain(self.alternatives.iter().copied()).fold(all, Admitted::and)
    }

    /// The schemas of a member, also those for members that a part does not name.
    pub(super) fn member(&self, name: &str) -> Vec<Located<'d>> {
        let others = |part: &Part<'d>| {
            let schema = part.get("additionalProperties").filter(|schema| !schema.is_boolean())?;
            Some((part.at("additionalProperties"), schema))
        };
        let own = |part: &Part<'d>| Some((part.property_at(name), part.property(name)?));
        self.schemas.iter().filter_map(|part| own(part).or_else(|| others(part))).collect()
    }

    /// The schemas of items.
    pub(super) fn items(&self) -> Vec<Located<'d>> {
        self.keyword("items").map(|(part, schema)| (part.at("items"), schema)).collect()
    }

    /// The members that are required, and where each is first.
    pub(super) fn required(&self) -> BTreeMap<&'d str, String> {
        let mut required = BTreeMap::new();
        for (part, names) in self.keyword("required") {
            for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
                required.entry(name).or_insert_with(|| part.at("required"));
            }
        }
        required
    }
}

impl<'d> Part<'d> {
    /// Where a keyword stands.
    pub(super) fn at(&self, keyword: &str) -> String {
        let mut pointer = self.pointer.clone();
        push_token(&mut pointer, keyword);
        pointer
    }

    pub(super) fn get(&self, keyword: &str) -> Option<&'d Value> {
        self.members.get(keyword)
    }

    pub(super) fn properties(&self) -> Option<&'d Map<String, Value>> {
        self.members.get("properties")?.as_object()
    }

    pub(super) fn property(&self, name: &str) -> Option<&'d Value> {
        self.properties()?.get(name)
    }

    pub(super) fn property_at(&self, name: &str) -> String {
        let mut pointer = self.at("properties");
        push_token(&mut pointer, name);
        pointer
    }
}

impl Admitted {
    fn and(self, other: Self) -> Self {
        Self { kinds: self.kinds & other.kinds, has_fractions: self.has_fractions && other.has_fractions }
    }

    fn or(self, other: Self) -> Self {
        Self { kinds: self.kinds | other.kinds, has_fractions: self.has_fractions || other.has_fractions }
    }
}

fn names(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn has_fractions(schema: &Value) -> bool {
    let names = names(schema);
    names.is_empty() || names.contains(&"number")
}

fn has_known_type(schema: &Value) -> bool {
    schema.get("type").is_none() || (type_kinds(schema) != Kinds::NONE && !names(schema).is_empty())
}

/// Why a keyword is not compared.
fn why(keyword: &str) -> &'static str {
    match keyword {
        "pattern" => "the texts are not kept",
        "multipleOf" => "numbers are kept in a histogram",
        "uniqueItems" | "contains" | "minContains" | "maxContains" | "prefixItems" | "unevaluatedItems" => {
            "the items of an array are counted together"
        }
        "patternProperties" | "propertyNames" => "names are not matched with patterns",
        _ => "which values and members come together is not kept",
    }
}
