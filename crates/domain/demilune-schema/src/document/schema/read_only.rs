//! `readOnly`: members that a request must not send, and that it need not send where they are required.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{library::Library, reference, reference::Resolved};

/// How deep `allOf` is followed to find out.
const DEPTH_MAX: usize = 4;

/// Whether a property is read-only: it says so, or what it refers to or is made of does.
pub(super) fn is_read_only(library: &Library<'_>, schema: &Value) -> bool {
    says_so(library, schema, DEPTH_MAX)
}

fn says_so(library: &Library<'_>, schema: &Value, depth: usize) -> bool {
    if !library.look() {
        return false;
    }
    let schema = target(library, schema);
    if schema.get("readOnly") == Some(&Value::Bool(true)) {
        return true;
    }
    let mut parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    depth > 0 && parts.any(|part| says_so(library, part, depth - 1))
}

/// The read-only members of an object, with those that schemas around it name. Only looked for where something is
/// required, since that is what they change.
pub(super) fn members(
    library: &Library<'_>,
    schema: &Map<String, Value>,
    outer: &BTreeSet<String>,
) -> BTreeSet<String> {
    let mut found = outer.clone();
    if schema.contains_key("required") || schema.contains_key("allOf") {
        collect(library, schema, DEPTH_MAX, &mut found);
    }
    found
}

fn collect(library: &Library<'_>, schema: &Map<String, Value>, depth: usize, found: &mut BTreeSet<String>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if is_read_only(library, property) {
            found.insert(name.clone());
        }
    }
    let parts = schema.get("allOf").and_then(Value::as_array);
    for part in parts.into_iter().flatten() {
        if depth == 0 || !library.look() {
            return;
        }
        if let Some(part) = target(library, part).as_object() {
            collect(library, part, depth - 1, found);
        }
    }
}

/// What a reference leads to, or the value itself.
fn target<'v, 'd: 'v>(library: &Library<'d>, value: &'v Value) -> &'v Value {
    let reference = reference::of(value, library.version);
    match reference.map(|reference| reference::resolve(library.source, reference, library.version)) {
        Some(Resolved::At(_, target)) => target,
        _ => value,
    }
}
