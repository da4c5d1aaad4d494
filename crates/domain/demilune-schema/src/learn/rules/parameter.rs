//! Parameters of the path and the query.

use serde_json::{Map, Value, json};

use super::{
    explain::{Explained, Reasons},
    object,
    terms::Terms,
    value,
};
use crate::learn::{
    evidence::Evidence,
    field::{Field, Step},
    key::FieldHash,
};

/// A parameter that stands more than once in more than one of so many requests is a list.
const REPEATED_ONE_OF: u64 = 100;

/// What is said of a parameter.
pub(crate) struct Parameter {
    /// OpenAPI's parameter object.
    pub(crate) written: Value,
    pub(crate) explained: Explained,
}

/// Parameters: those of the path in their order, those of the query by name.
pub(super) fn all(evidence: &Evidence, variables: &[&str], terms: &Terms) -> (Vec<Parameter>, u64) {
    let mut parameters: Vec<Parameter> = (0_u16..)
        .zip(variables)
        .filter_map(|(position, name)| {
            let at = FieldHash::variable(position);
            Some(one(at, evidence.parameters.get(at)?, "path", name, true, terms))
        })
        .collect();
    let mut hidden = 0;
    for (at, field) in evidence.parameters.children().remove(&FieldHash::ROOT).unwrap_or_default() {
        let Step::Query(name) = &field.step else { continue };
        if object::is_shown(field, evidence.requests()) {
            let missing = evidence.requests().saturating_sub(field.seen.count);
            let is_required = missing <= terms.missing(evidence.requests());
            parameters.push(one(at, field, "query", name, is_required, terms));
        } else {
            hidden += 1;
        }
    }
    (parameters, hidden)
}

fn one(at: FieldHash, field: &Field, place: &str, name: &str, is_required: bool, terms: &Terms) -> Parameter {
    let mut reasons = Reasons::default();
    let mut schema = value::of_parameter(field, terms, &mut reasons);
    if field.repeated.is_supported() && field.repeated.count > field.seen.count / REPEATED_ONE_OF {
        schema = Map::from_iter([("items".to_owned(), schema.into()), ("type".to_owned(), "array".into())]);
        reasons.said("type", "array", &field.repeated);
    }
    if is_required {
        reasons.said("required", true, &field.seen);
    }
    let written = json!({
        "name": name,
        "in": place,
        "required": is_required,
        "description": super::learned::confidence(terms),
        "schema": schema,
    });
    let explained = reasons.of_place(at, &format!("/{place}/{name}"), &field.seen, value::classes(field));
    Parameter { written, explained }
}
