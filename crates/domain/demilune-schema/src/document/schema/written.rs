//! A schema object while it is written.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::place::Place;
use crate::validate::Moved;

/// What is to be in a schema object.
#[derive(Debug, Default)]
pub(super) struct Written {
    members: Map<String, Value>,
    dropped: Vec<&'static str>,
    /// Schemas that stand for a keyword and become members of `allOf`.
    required: Vec<(Value, Moved)>,
}

impl Written {
    pub(super) fn put(&mut self, keyword: &str, value: Value) {
        self.members.insert(keyword.to_owned(), value);
    }

    /// A schema in a list that has been put.
    pub(super) fn in_list(&self, keyword: &str, index: usize) -> Option<&Value> {
        self.members.get(keyword)?.get(index)
    }

    /// Leaves a keyword out in the end, whether it has been put or will be.
    pub(super) fn drop(&mut self, keyword: &'static str) {
        self.dropped.push(keyword);
    }

    /// Requires a value to fit a schema that stands for the keyword at `place`.
    pub(super) fn require(&mut self, schema: Value, keyword: &'static str, place: &Place<'_>) {
        self.required.push((schema, Moved { keyword, place: place.pointer() }));
    }

    /// The object. `written` is where it stands.
    pub(super) fn finish(mut self, written: &str, moved: &mut HashMap<String, Moved>) -> Value {
        for keyword in self.dropped {
            self.members.remove(keyword);
        }
        if !self.required.is_empty() {
            let all = self.members.entry("allOf").or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(all) = all {
                for (schema, from) in self.required {
                    moved.insert(format!("{written}/allOf/{}", all.len()), from);
                    all.push(schema);
                }
            }
        }
        Value::Object(self.members)
    }
}
