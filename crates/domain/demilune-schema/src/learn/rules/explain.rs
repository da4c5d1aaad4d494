//! What each keyword rests on, and what was not said and why.

use demilune_inventory::Timestamp;
use serde_json::{Map, Value, json};

use crate::learn::{key::FieldHash, tally::Tally};

/// The reasons behind one place's schema.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    keywords: Vec<Said>,
    rejected: Vec<Value>,
}

/// A keyword that was said, and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) keyword: String,
    pub(crate) value: Value,
    pub(crate) ground: Tally,
}

/// Everything about a place.
#[derive(Clone, Debug)]
pub(crate) struct Explained {
    pub(crate) at: FieldHash,
    pub(crate) said: Vec<Said>,
    place: String,
    seen: Tally,
    classes: Vec<Value>,
    rejected: Vec<Value>,
}

impl Reasons {
    /// Notes a keyword that was said.
    pub(super) fn said(&mut self, keyword: &str, value: impl Into<Value>, ground: &Tally) {
        self.keywords.push(Said { keyword: keyword.to_owned(), value: value.into(), ground: *ground });
    }

    /// Notes a keyword that was not.
    pub(super) fn rejected(&mut self, keyword: &str, reason: &str) {
        self.rejected.push(json!({ "keyword": keyword, "reason": reason }));
    }

    /// Everything about a place.
    pub(super) fn of_place(self, at: FieldHash, place: &str, seen: &Tally, classes: Vec<Value>) -> Explained {
        let Self { keywords, rejected } = self;
        Explained { at, said: keywords, place: place.to_owned(), seen: *seen, classes, rejected }
    }
}

impl Explained {
    /// As it is shown.
    pub(super) fn into_value(self) -> Value {
        let mut entry = ground(&self.seen);
        entry.insert("place".to_owned(), self.place.into());
        entry.insert("values".to_owned(), self.classes.into());
        entry.insert("keywords".to_owned(), self.said.into_iter().map(Said::into_value).collect());
        entry.insert("rejected".to_owned(), self.rejected.into());
        entry.into()
    }
}

impl Said {
    fn into_value(self) -> Value {
        let mut entry = ground(&self.ground);
        entry.insert("keyword".to_owned(), self.keyword.into());
        entry.insert("value".to_owned(), self.value);
        entry.into()
    }
}

/// How often something was seen, of how many callers at least, and in which hours first and last.
pub(super) fn ground(tally: &Tally) -> Map<String, Value> {
    let members = [
        ("requests", Value::from(tally.count)),
        ("sessions_at_least", tally.supporters.at_least().into()),
        ("first_seen", hour(tally.first)),
        ("last_seen", if tally.count == 0 { Value::Null } else { hour(tally.last) }),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// The start of an hour; null where there is none.
pub(super) fn hour(hour: u32) -> Value {
    let start = i64::from(hour).checked_mul(3_600_000_000).and_then(Timestamp::from_micros);
    start.map_or(Value::Null, |start| start.to_string().into())
}
