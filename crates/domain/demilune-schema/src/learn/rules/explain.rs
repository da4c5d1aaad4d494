//! What each keyword rests on, and what was not said and why.

use demilune_inventory::Timestamp;
use serde_json::{Map, Value, json};

use crate::learn::tally::Tally;

/// The reasons behind one place's schema.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    keywords: Vec<Value>,
    rejected: Vec<Value>,
}

impl Reasons {
    /// Notes a keyword that was said.
    pub(super) fn said(&mut self, keyword: &str, value: impl Into<Value>, ground: &Tally) {
        let mut entry = self::ground(ground);
        entry.insert("keyword".to_owned(), keyword.into());
        entry.insert("value".to_owned(), value.into());
        self.keywords.push(entry.into());
    }

    /// Notes a keyword that was not.
    pub(super) fn rejected(&mut self, keyword: &str, reason: &str) {
        self.rejected.push(json!({ "keyword": keyword, "reason": reason }));
    }

    /// Everything about a place.
    pub(super) fn of_place(self, place: &str, seen: &Tally, classes: Vec<Value>) -> Value {
        let mut entry = ground(seen);
        entry.insert("place".to_owned(), place.into());
        entry.insert("values".to_owned(), classes.into());
        entry.insert("keywords".to_owned(), self.keywords.into());
        entry.insert("rejected".to_owned(), self.rejected.into());
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
