//! Objects and arrays of bodies.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    explain::{Explained, Reasons},
    terms::Terms,
    text, value,
};
use crate::learn::{
    class::Class,
    evidence::Evidence,
    field::{Field, Step},
    key::FieldHash,
    tally::Tally,
};

/// From so many names of which each is this rare on average, in parts of the objects, names are data.
const MAP_NAMES_MIN: usize = 64;
const MAP_PRESENCE: f64 = 0.02;
/// A member of such an object is still a member if it is in every other one.
const MAP_MEMBER_PRESENCE: u64 = 2;

/// The places of bodies on their way to a schema.
pub(super) struct Tree<'e> {
    pub(super) terms: Terms,
    children: HashMap<FieldHash, Vec<(FieldHash, &'e Field)>>,
    /// The places that the schema shows.
    pub(super) explained: Vec<Explained>,
}

impl<'e> Tree<'e> {
    pub(super) fn new(evidence: &'e Evidence, terms: Terms) -> Self {
        Self { terms, children: evidence.body.children(), explained: Vec::new() }
    }

    /// The schema of the whole body.
    pub(super) fn schema(&mut self, evidence: &'e Evidence) -> Option<Map<String, Value>> {
        let field = evidence.body.get(FieldHash::BODY)?;
        Some(value::of_body(self, field, "/body", FieldHash::BODY))
    }

    pub(super) fn explain(&mut self, reasons: Reasons, place: &str, at: FieldHash, field: &Field) {
        self.explained.push(reasons.of_place(at, place, &field.seen, value::classes(field)));
    }

    pub(super) fn array(
        &mut self,
        field: &Field,
        place: &str,
        at: FieldHash,
        reasons: &mut Reasons,
    ) -> Map<String, Value> {
        let mut schema = Map::from_iter([("type".to_owned(), Value::from("array"))]);
        let items = self.children_of(at).into_iter().find(|(_, child)| child.step == Step::Items);
        let items = match items {
            Some((at, child)) if is_shown(child, child.seen.count) => {
                value::of_body(self, child, &format!("{place}/*"), at)
            }
            _ => Map::new(),
        };
        schema.insert("items".to_owned(), items.into());
        text::lengths(&field.sizes, ["minItems", "maxItems"], &self.terms, reasons, &mut schema);
        schema
    }

    pub(super) fn object(
        &mut self,
        field: &Field,
        place: &str,
        at: FieldHash,
        reasons: &mut Reasons,
    ) -> Map<String, Value> {
        let mut schema = Map::from_iter([("type".to_owned(), Value::from("object"))]);
        let objects = field.classes.get(Class::Object).map_or(0, |tally| tally.count);
        let members = self.children_of(at);
        let is_map = is_map(&members, &field.unnamed, objects);
        let (mut properties, mut required, mut hidden) = (Map::new(), Vec::new(), 0_u64);
        for (at, child) in members {
            let Step::Member(name) = &child.step else { continue };
            let is_rare = is_map && child.seen.count < objects / MAP_MEMBER_PRESENCE;
            if is_rare || !is_shown(child, objects) {
                hidden += 1;
                continue;
            }
            let member = value::of_body(self, child, &format!("{place}/{}", escaped(name)), at);
            if objects.saturating_sub(child.seen.count) <= self.terms.missing(objects) {
                required.push(Value::from(&**name));
                reasons.said("required", &**name, &child.seen);
            }
            properties.insert(name.to_string(), member.into());
        }
        if hidden > 0 {
            reasons.rejected("properties", &format!("{hidden} names that fewer than five callers sent, or too rarely"));
        }
        if is_map {
            schema.insert("additionalProperties".to_owned(), true.into());
            reasons.said("additionalProperties", true, &field.seen);
        }
        if !properties.is_empty() {
            schema.insert("properties".to_owned(), properties.into());
        }
        if !required.is_empty() {
            schema.insert("required".to_owned(), required.into());
        }
        schema
    }

    fn children_of(&self, at: FieldHash) -> Vec<(FieldHash, &'e Field)> {
        self.children.get(&at).cloned().unwrap_or_default()
    }
}

/// Whether something was sent often enough, by enough callers, to be shown: of so many chances.
pub(super) fn is_shown(field: &Field, chances: u64) -> bool {
    field.seen.is_supported() && field.seen.count >= (chances / 1_000).max(5)
}

/// Whether an object's names are data: very many that are rare, or about one in each object that looks like an id.
fn is_map(members: &[(FieldHash, &Field)], unnamed: &Tally, objects: u64) -> bool {
    if unnamed.is_supported() && unnamed.count >= objects / 2 {
        return true;
    }
    let seen: u64 = members.iter().map(|(_, child)| child.seen.count).sum();
    #[expect(clippy::cast_precision_loss, reason = "a comparison with a rule of thumb")]
    let is_rare = (seen as f64) < MAP_PRESENCE * members.len() as f64 * objects as f64;
    members.len() >= MAP_NAMES_MIN && is_rare
}

/// A name in a JSON Pointer (RFC 6901 section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
