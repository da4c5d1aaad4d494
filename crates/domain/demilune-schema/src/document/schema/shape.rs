//! Which kinds of values a schema lets through, as far as text must be told to be one or the other.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{library::Library, reference, reference::Resolved};
use crate::validate::{Kinds, Shape};

/// How deep references and combinations are followed.
const DEPTH_MAX: usize = 8;
/// Most schemas that are looked at for one parameter.
const SCHEMAS_MAX: usize = 200;

impl Library<'_> {
    /// The shape of the values that fit a schema.
    pub(in crate::document) fn shape(&self, schema: &Value) -> Shape {
        let mut looker = Looker { library: self, left: SCHEMAS_MAX };
        let mut shape = Shape {
            kinds: looker.kinds(schema, Part::Whole, DEPTH_MAX),
            items: looker.kinds(schema, Part::Items, DEPTH_MAX),
            members: BTreeMap::new(),
            other_members: looker.kinds(schema, Part::OtherMembers, DEPTH_MAX),
            takes_others: false,
        };
        looker.members(schema, DEPTH_MAX, &mut shape);
        shape
    }
}

impl<'d> Library<'d> {
    /// The members that a schema, or one that it is made of, names, with their schemas.
    pub(in crate::document) fn fields<'v>(&self, schema: &'v Value) -> BTreeMap<Box<str>, &'v Value>
    where
        'd: 'v,
    {
        let mut fields = BTreeMap::new();
        let looker = Looker { library: self, left: 0 };
        let mut next = vec![(schema, DEPTH_MAX)];
        let mut left = SCHEMAS_MAX;
        while let Some((schema, depth)) = next.pop() {
            let schema = looker.target(schema);
            for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                fields.entry(name.as_str().into()).or_insert(field);
            }
            left -= 1;
            if depth > 0 && left > 0 {
                let parts = ["allOf", "oneOf", "anyOf"].into_iter().flat_map(|keyword| list(schema, keyword));
                next.extend(parts.take(left).map(|part| (part, depth - 1)));
            }
            next.truncate(left);
        }
        fields
    }

    /// The schema of members that a schema does not name.
    pub(in crate::document) fn other_fields<'v>(&self, schema: &'v Value) -> Option<&'v Value>
    where
        'd: 'v,
    {
        let looker = Looker { library: self, left: 0 };
        looker.target(schema).get("additionalProperties").filter(|schema| schema.is_object())
    }
}

struct Looker<'l, 'd> {
    library: &'l Library<'d>,
    left: usize,
}

impl<'d> Looker<'_, 'd> {
    /// The kinds of values, or of parts of them, that a schema does not rule out.
    fn kinds(&mut self, schema: &Value, part: Part, depth: usize) -> Kinds {
        let schema = self.target(schema);
        if self.left == 0 || depth == 0 {
            return Kinds::ALL;
        }
        self.left -= 1;
        let mut kinds = self.own_kinds(schema, part, depth);
        for inner in list(schema, "allOf") {
            kinds = kinds & self.kinds(inner, part, depth - 1);
        }
        for keyword in ["oneOf", "anyOf"] {
            if schema.get(keyword).is_some_and(Value::is_array) {
                let any = list(schema, keyword).map(|inner| self.alternative(inner, part, depth - 1));
                kinds = kinds & any.fold(Kinds::NONE, |all, kinds| all | kinds);
            }
        }
        kinds
    }

    /// The same of one alternative, which says nothing of the parts of values that it does not let through.
    fn alternative(&mut self, schema: &Value, part: Part, depth: usize) -> Kinds {
        let holder = match part {
            Part::Whole => Kinds::ALL,
            Part::Items => Kinds::ARRAY,
            Part::OtherMembers => Kinds::OBJECT,
        };
        let has_part = part == Part::Whole || self.kinds(schema, Part::Whole, depth).has(holder);
        if has_part { self.kinds(schema, part, depth) } else { Kinds::NONE }
    }

    fn own_kinds(&mut self, schema: &Value, part: Part, depth: usize) -> Kinds {
        let inner = match part {
            Part::Whole => return own_kinds(schema),
            Part::Items => schema.get("items"),
            Part::OtherMembers => schema.get("additionalProperties"),
        };
        inner.map_or(Kinds::ALL, |inner| self.kinds(inner, Part::Whole, depth - 1))
    }

    /// The members that a schema, or one that it is made of, names.
    fn members(&mut self, schema: &Value, depth: usize, shape: &mut Shape) {
        let schema = self.target(schema);
        if self.left == 0 || depth == 0 {
            return;
        }
        self.left -= 1;
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let kinds = self.kinds(member, Part::Whole, depth - 1);
            let known = shape.members.entry(name.as_str().into()).or_insert(Kinds::NONE);
            *known = *known | kinds;
        }
        shape.takes_others |= schema.get("additionalProperties").is_some_and(|others| others != &Value::Bool(false));
        for inner in ["allOf", "oneOf", "anyOf"].into_iter().flat_map(|keyword| list(schema, keyword)) {
            self.members(inner, depth - 1, shape);
        }
    }

    fn target<'v>(&self, schema: &'v Value) -> &'v Value
    where
        'd: 'v,
    {
        let version = self.library.version;
        let resolved = reference::of(schema, version).map(|to| reference::resolve(self.library.source, to, version));
        match resolved {
            Some(Resolved::At(_, target)) => target,
            _ => schema,
        }
    }
}

/// What is asked about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Items,
    OtherMembers,
}

fn list<'v>(schema: &'v Value, keyword: &str) -> impl Iterator<Item = &'v Value> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

/// The kinds that the type and the listed values of a schema let through.
pub(crate) fn own_kinds(schema: &Value) -> Kinds {
    let values = schema.get("enum").and_then(Value::as_array);
    let values = values.map(|values| values.iter().fold(Kinds::NONE, |kinds, value| kinds | Kinds::of(value)));
    let constant = schema.get("const").map(Kinds::of);
    values.into_iter().chain(constant).fold(type_kinds(schema), |kinds, restriction| kinds & restriction)
}

/// The kinds that the type of a schema lets through.
pub(crate) fn type_kinds(schema: &Value) -> Kinds {
    let kinds = match schema.get("type") {
        Some(Value::String(name)) => Kinds::named(name),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).fold(Kinds::NONE, |kinds, name| kinds | Kinds::named(name))
        }
        _ => Kinds::ALL,
    };
    let is_nullable = schema.get("nullable") == Some(&Value::Bool(true)) && schema.get("type").is_some();
    if is_nullable { kinds | Kinds::NULL } else { kinds }
}
