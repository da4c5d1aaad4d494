//! Which kinds of values a text may stand for.

use std::{
    collections::BTreeMap,
    ops::{BitAnd, BitOr},
};

use serde_json::Value;

/// A set of kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOLEAN: Self = Self(2);
    pub(crate) const NUMBER: Self = Self(4);
    pub(crate) const STRING: Self = Self(8);
    pub(crate) const ARRAY: Self = Self(16);
    pub(crate) const OBJECT: Self = Self(32);
    pub(crate) const ALL: Self = Self(63);

    /// The kind that `type` calls so; none if it calls nothing so.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "number" | "integer" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => Self::NONE,
        }
    }

    /// The kind of a value.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// Whether one of the kinds is among these.
    pub(crate) fn has(self, kinds: Self) -> bool {
        self.0 & kinds.0 != 0
    }

    /// These without those.
    pub(crate) fn without(self, kinds: Self) -> Self {
        Self(self.0 & !kinds.0)
    }
}

impl BitAnd for Kinds {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Kinds {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Which kinds a value, its items and its members may be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) kinds: Kinds,
    pub(crate) items: Kinds,
    pub(crate) members: BTreeMap<Box<str>, Kinds>,
    pub(crate) other_members: Kinds,
    /// Whether members that the schema does not name are said to belong to it.
    pub(crate) takes_others: bool,
}

impl Shape {
    /// The kinds of a member.
    pub(crate) fn member(&self, name: &str) -> Kinds {
        self.members.get(name).copied().unwrap_or(self.other_members)
    }
}
