//! `discriminator`: the member whose value says which of the alternatives an object must fit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    super::{place::tokens, problem::Code},
    transform::{At, Transform},
    written::Written,
};

const NO_ALTERNATIVES: &str = "no oneOf or anyOf stands beside it; schemas that refer to this one are not looked for";
const NAMELESS: &str = "an alternative for objects has no name to be chosen by";

/// Writes the alternatives of a schema that has a discriminator as a choice by its value. Where that cannot be done, the
/// alternatives stay as they are.
pub(super) fn write(transform: &mut Transform<'_, '_>, members: &Map<String, Value>, at: &At<'_>, to: &mut Written) {
    let Some(discriminator) = members.get("discriminator") else { return };
    let place = at.place.member("discriminator");
    let Some(property) = discriminator.get("propertyName").and_then(Value::as_str) else {
        return transform.library.problem(Code::Schema, &place, "a discriminator needs a propertyName");
    };
    transform.library.names.insert(property.into());
    let list = ["oneOf", "anyOf"].into_iter().find_map(|keyword| Some((keyword, members.get(keyword)?.as_array()?)));
    let Some((keyword, list)) = list else {
        return transform.library.report.ignored("discriminator", NO_ALTERNATIVES, &place);
    };
    let Some(choice) = choice(transform, keyword, list, discriminator, at, to) else {
        return transform.library.report.ignored("discriminator", NAMELESS, &place);
    };
    transform.library.report.enforced("discriminator", &place);
    to.drop(keyword);
    for schema in choice.schemas(property) {
        to.require(schema, "discriminator", &place);
    }
}

/// The alternatives by what chooses them.
struct Choice {
    by_value: BTreeMap<String, usize>,
    /// Those that no object fits.
    for_others: Vec<Value>,
}

fn choice(
    transform: &mut Transform<'_, '_>,
    keyword: &'static str,
    list: &[Value],
    discriminator: &Value,
    at: &At<'_>,
    written: &Written,
) -> Option<Choice> {
    let place = at.place.member(keyword);
    let mut choice = Choice { by_value: BTreeMap::new(), for_others: Vec::new() };
    let mut definitions = BTreeSet::new();
    for (index, schema) in list.iter().enumerate() {
        if let Some(definition) = transform.alternative(schema, &place.item(index)) {
            definitions.insert(definition);
            choice.by_value.insert(name_of(schema)?, definition);
        } else if fits_no_object(schema) {
            choice.for_others.extend(written.in_list(keyword, index).cloned());
        } else {
            return None;
        }
    }
    let mapping = discriminator.get("mapping").and_then(Value::as_object);
    let outer = at.place.member("discriminator");
    for (value, target) in mapping.into_iter().flatten() {
        let target = target.as_str()?;
        let is_name = !target.contains(['#', '/', '.']);
        let reference = if is_name { format!("#/components/schemas/{target}") } else { target.to_owned() };
        let definition = transform.library.refer(&reference, &outer.member("mapping"))?;
        // The list says which alternatives there are; a mapping to others names none.
        if definitions.contains(&definition) {
            choice.by_value.insert(value.clone(), definition);
        }
    }
    Some(choice)
}

/// The last step of a reference, by which values name it when no mapping does.
fn name_of(schema: &Value) -> Option<String> {
    tokens(schema.get("$ref")?.as_str()?).last()
}

fn fits_no_object(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name != "object",
        Some(Value::Array(names)) => names.iter().all(|name| name != "object"),
        _ => false,
    }
}

impl Choice {
    /// The value must be one that chooses, and the object must fit what it chooses.
    fn schemas(self, property: &str) -> Vec<Value> {
        let values: Vec<&String> = self.by_value.keys().collect();
        let is_known = json!({"type": "object", "required": [property], "properties": {property: {"enum": values}}});
        let first = if self.for_others.is_empty() {
            is_known
        } else {
            json!({"if": {"type": "object"}, "then": is_known, "else": {"anyOf": self.for_others}})
        };
        let chosen = self.by_value.iter().map(|(value, definition)| {
            let is_chosen =
                json!({"type": "object", "required": [property], "properties": {property: {"const": value}}});
            json!({"if": is_chosen, "then": {"$ref": format!("#/$defs/{definition}")}})
        });
        std::iter::once(first).chain(chosen).collect()
    }
}
