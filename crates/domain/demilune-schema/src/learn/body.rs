//! JSON bodies: every place in them is a field.

use http::{HeaderMap, Method, header};
use jsonschema::{
    JsonType,
    json::{Array, Node as _, Object},
};

use super::{
    class::Class,
    evidence::Evidence,
    field::{Field, Step},
    fields::Fields,
    key::{FieldHash, LearnKey},
    name,
    published::Published,
    tally::Sighting,
};
use crate::validate::{
    MediaRange, is_json,
    json::{self, Node, Tape},
};

/// Most members of one object, and items of one array, that are looked at.
const MEMBERS_MAX: usize = 256;
const ITEMS_MAX: usize = 32;

/// Whether the body of such a request is learned from: one that creates or changes something, sent as JSON in UTF-8
/// that is not compressed.
#[must_use]
pub fn learns_body(method: &Method, headers: &HeaderMap) -> bool {
    if !matches!(*method, Method::POST | Method::PUT | Method::PATCH) || headers.contains_key(header::CONTENT_ENCODING)
    {
        return false;
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(text), None) = (types.next(), types.next()) else { return false };
    let Ok(text) = text.to_str() else { return false };
    // What nearly all send is not worth a reading.
    text == "application/json" || MediaRange::parse(text).is_some_and(|range| is_json(&range) && range.is_utf8())
}

/// Reads a body; none if it is too long, no JSON or has a name twice.
pub(super) fn read(bytes: &[u8]) -> Option<Tape<'_>> {
    if bytes.len() > Evidence::BODY_BYTES_MAX {
        return None;
    }
    let tape = json::read(bytes, json::DEPTH_MAX).ok()?;
    tape.work().allow(u32::MAX, u32::MAX);
    Some(tape)
}

/// Adds what a body shows.
pub(super) fn observe(fields: &mut Fields, key: &LearnKey, published: &Published, sighting: Sighting, tape: &Tape<'_>) {
    let mut walk = Walk { fields, key, published, sighting };
    walk.visit(Node::root(tape), Place { hash: FieldHash::BODY, parent: FieldHash::ROOT, depth: 1, name: None });
}

/// A place on the way through a body.
#[derive(Clone, Copy)]
struct Place<'n> {
    hash: FieldHash,
    parent: FieldHash,
    depth: u8,
    /// The member's name; none for the body itself and for items.
    name: Option<&'n str>,
}

impl Place<'_> {
    fn step(self) -> Step {
        match self.name {
            Some(name) => Step::Member(name.into()),
            None if self.hash == FieldHash::BODY => Step::Body,
            None => Step::Items,
        }
    }
}

struct Walk<'w> {
    fields: &'w mut Fields,
    key: &'w LearnKey,
    published: &'w Published,
    sighting: Sighting,
}

impl Walk<'_> {
    fn visit(&mut self, node: Node<'_>, at: Place<'_>) {
        let Self { key, published, sighting, .. } = *self;
        let new = || Field::new(at.parent, at.step(), at.depth, published.contains(at.hash));
        let is_kept = self.fields.change(at.hash, new, |field| {
            field.seen.add(sighting);
            add(field, key, node, sighting);
        });
        if !is_kept || at.depth >= Field::DEPTH_MAX {
            return;
        }
        let below = Place { parent: at.hash, depth: at.depth + 1, ..at };
        if let Some(object) = node.as_object() {
            for (name, value) in object.members().take(MEMBERS_MAX) {
                if name::is_name(name) {
                    self.visit(value, Place { hash: key.member(at.hash, name), name: Some(name), ..below });
                } else {
                    self.unnamed(at.hash);
                }
            }
        } else if let Some(array) = node.as_array() {
            for item in array.elements().take(ITEMS_MAX) {
                self.visit(item, Place { hash: at.hash.items(), name: None, ..below });
            }
        }
    }

    fn unnamed(&mut self, object: FieldHash) {
        let sighting = self.sighting;
        if let Some(field) = self.fields.get_mut(object) {
            field.unnamed.add(sighting);
        }
    }
}

/// Adds one value to what was seen in its place.
fn add(field: &mut Field, key: &LearnKey, node: Node<'_>, sighting: Sighting) {
    let class = match node.json_type() {
        JsonType::Null => Class::Null,
        JsonType::Boolean => Class::Boolean,
        JsonType::Object => Class::Object,
        JsonType::Array => {
            let items = node.as_array().map_or(0, |array| array.len());
            field.sizes.add(i64::try_from(items).unwrap_or(i64::MAX), sighting);
            Class::Array
        }
        JsonType::String => {
            field.add_text(key, node.text().unwrap_or_default(), sighting);
            return;
        }
        JsonType::Integer | JsonType::Number => {
            if let Some(number) = node.number() {
                field.add_number(key, number, sighting);
            }
            return;
        }
    };
    field.classes.add(class, sighting);
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn plain_json_that_changes_something_is_learned_from() {
        let check = |method: Method, fields: &[(header::HeaderName, &str)], expected: bool| {
            let fields = fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(name, value);
            }
            assert_eq!(learns_body(&method, &headers), expected, "{method} {headers:?}");
        };
        let content_type = |text| (header::CONTENT_TYPE, text);
        check(Method::POST, &[content_type("application/json")], true);
        check(Method::PUT, &[content_type("Application/JSON; charset=UTF-8")], true);
        check(Method::PATCH, &[content_type("application/merge-patch+json")], true);
        check(Method::GET, &[content_type("application/json")], false);
        check(Method::POST, &[content_type("text/plain")], false);
        check(Method::POST, &[content_type("application/json; charset=utf-16")], false);
        check(Method::POST, &[content_type("application/json"), content_type("application/json")], false);
        check(Method::POST, &[content_type("application/json"), (header::CONTENT_ENCODING, "gzip")], false);
        check(Method::POST, &[], false);
    }
}
