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
        let kinds = looker.kinds(schema, DEPTH_MAX);
        let mut shape = Shape { kinds, items: Kinds::ALL, members: BTreeMap::new(), other_members: Kinds::ALL, takes_others: false };
        looker.parts(schema, DEPTH_MAX, &mut shape);
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
    /// The kinds of values that a schema does not rule out.
    fn kinds(&mut self, schema: &Value, depth: usize) -> Kinds {
        let schema = self.target(schema);
        if self.left == 0 || depth == 0 {
            return Kinds::ALL;
        }
        self.left -= 1;
        let mut kinds = own_kinds(schema);
        for part in list(schema, "allOf") {
            kinds = kinds & self.kinds(part, depth - 1);
        }
        for keyword in ["oneOf", "anyOf"] {
            if schema.get(keyword).is_some_and(Value::is_array) {
                let any = list(schema, keyword).map(|part| self.kinds(part, depth - 1));
                kinds = kinds & any.fold(Kinds::NONE, |all, kinds| all | kinds);
            }
        }
        kinds
    }

    /// What a schema, or one that it is made of, says of items and members.
    fn parts(&mut self, schema: &Value, depth: usize, shape: &mut Shape) {
        let schema = self.target(schema);
        if self.left == 0 || depth == 0 {
            return;
        }
        self.left -= 1;
        if let Some(items) = schema.get("items") {
            shape.items = shape.items & self.kinds(items, depth - 1);
        }
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let kinds = self.kinds(member, depth - 1);
            let known = shape.members.entry(name.as_str().into()).or_insert(Kinds::NONE);
            *known = *known | kinds;
        }
        if let Some(others) = schema.get("additionalProperties") {
            shape.other_members = shape.other_members & self.kinds(others, depth - 1);
            shape.takes_others |= others != &Value::Bool(false);
        }
        for part in ["allOf", "oneOf", "anyOf"].into_iter().flat_map(|keyword| list(schema, keyword)) {
            self.parts(part, depth - 1, shape);
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

fn list<'v>(schema: &'v Value, keyword: &str) -> impl Iterator<Item = &'v Value> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

fn own_kinds(schema: &Value) -> Kinds {
    let mut kinds = match schema.get("type") {
        Some(Value::String(name)) => Kinds::named(name),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).fold(Kinds::NONE, |kinds, name| kinds | Kinds::named(name))
        }
        _ => Kinds::ALL,
    };
    if schema.get("nullable") == Some(&Value::Bool(true)) && schema.get("type").is_some() {
        kinds = kinds | Kinds::NULL;
    }
    let values = schema.get("enum").and_then(Value::as_array);
    let values = values.map(|values| values.iter().fold(Kinds::NONE, |kinds, value| kinds | Kinds::of(value)));
    let constant = schema.get("const").map(Kinds::of);
    values.into_iter().chain(constant).fold(kinds, |kinds, restriction| kinds & restriction)
}
