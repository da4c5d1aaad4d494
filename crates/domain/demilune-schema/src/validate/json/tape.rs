//! A JSON value as a flat list of entries in the order of the text; a container says where it ends.

use std::{cell::Cell, cmp::Ordering};

use jsonschema::json::cmp;
use serde_json::{Map, Number, Value};

/// Objects with more members than this are looked up in a sorted list instead of one by one.
pub(super) const SCANNED_MEMBERS_MAX: usize = 16;

/// A JSON value. Strings without escapes are ranges of the text it was read from.
#[derive(Debug, Default)]
pub(crate) struct Tape<'t> {
    pub(super) text: &'t str,
    pub(super) entries: Vec<Entry>,
    pub(super) numbers: Vec<Number>,
    /// Strings that had escapes, one behind the other.
    pub(super) unescaped: String,
    /// Large objects in the order in which they end, each with its part of `sorted`.
    pub(super) large: Vec<Large>,
    /// The names in large objects, as entries, ordered by text.
    pub(super) sorted: Vec<u32>,
    pub(super) work: Work,
}

/// What may still be done with a tape before its checking is given up.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(super) visits: Cell<u32>,
    pub(super) errors: Cell<u32>,
}

impl Work {
    /// Allows so many looks into containers and so many errors from now on.
    pub(crate) fn allow(&self, visits: u32, errors: u32) {
        self.visits.set(visits);
        self.errors.set(errors);
    }

    /// Whether looks or errors ran out since.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.visits.get() == 0 || self.errors.get() == 0
    }

    /// Whether looks ran out since.
    pub(crate) fn is_out_of_visits(&self) -> bool {
        self.visits.get() == 0
    }

    /// Takes `visits` looks. Once they have run out, containers show themselves as empty, which ends any checking.
    pub(super) fn take(&self, visits: usize) -> bool {
        let visits = u32::try_from(visits).unwrap_or(u32::MAX);
        let left = self.visits.get().saturating_sub(visits);
        self.visits.set(left);
        left > 0 && self.errors.get() > 0
    }

    pub(super) fn count_error(&self) {
        self.errors.set(self.errors.get().saturating_sub(1));
    }
}

/// One value, or the name of a member, which stands before its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Null,
    Bool(bool),
    /// An index into the numbers.
    Number(u32),
    /// A range of the text.
    Text(u32, u32),
    /// A range of the unescaped strings.
    Unescaped(u32, u32),
    /// How many items, and the entry behind the last.
    Array(u32, u32),
    /// How many members, and the entry behind the last.
    Object(u32, u32),
}

/// An object whose names are kept sorted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Large {
    pub(super) entry: u32,
    pub(super) start: u32,
}

impl Tape<'_> {
    /// How many values and names there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The budget of whoever checks this value.
    pub(crate) fn work(&self) -> &Work {
        &self.work
    }

    pub(super) fn entry(&self, at: u32) -> Entry {
        self.entries.get(at as usize).copied().unwrap_or(Entry::Null)
    }

    /// The entry behind a value.
    pub(super) fn behind(&self, at: u32) -> u32 {
        match self.entry(at) {
            Entry::Array(_, end) | Entry::Object(_, end) => end,
            _ => at + 1,
        }
    }

    /// A string or a name.
    pub(super) fn string(&self, at: u32) -> Option<&str> {
        match self.entry(at) {
            Entry::Text(start, end) => Some(&self.text[start as usize..end as usize]),
            Entry::Unescaped(start, end) => Some(&self.unescaped[start as usize..end as usize]),
            _ => None,
        }
    }

    pub(super) fn name(&self, at: u32) -> &str {
        self.string(at).unwrap_or_default()
    }

    /// The value of a member of the object at `at`.
    pub(super) fn member(&self, at: u32, members: u32, name: &str) -> Option<u32> {
        if members as usize > SCANNED_MEMBERS_MAX {
            return self.member_of_large(at, members, name);
        }
        let mut next = at + 1;
        for _ in 0..members {
            if self.name(next) == name {
                return Some(next + 1);
            }
            next = self.behind(next + 1);
        }
        None
    }

    fn member_of_large(&self, at: u32, members: u32, name: &str) -> Option<u32> {
        let large = self.large.binary_search_by_key(&at, |large| large.entry).ok().map(|index| self.large[index])?;
        let names = &self.sorted[large.start as usize..][..members as usize];
        let found = names.binary_search_by(|found| self.name(*found).cmp(name)).ok()?;
        Some(names[found] + 1)
    }

    pub(super) fn compare_names(&self, one: u32, other: u32) -> Ordering {
        self.name(one).cmp(self.name(other))
    }

    /// The value in the form of `serde_json`. Recurses as deep as the value is nested, which reading bounds.
    pub(crate) fn to_value(&self, at: u32) -> Value {
        match self.entry(at) {
            Entry::Null => Value::Null,
            Entry::Bool(truth) => Value::Bool(truth),
            Entry::Number(index) => Value::Number(self.numbers[index as usize].clone()),
            Entry::Text(..) | Entry::Unescaped(..) => Value::String(self.name(at).to_owned()),
            Entry::Array(items, _) => self.items(at, items).map(|item| self.to_value(item)).collect(),
            Entry::Object(members, _) => {
                let members = self.members(at, members);
                members
                    .map(|(name, value)| (self.name(name).to_owned(), self.to_value(value)))
                    .collect::<Map<_, _>>()
                    .into()
            }
        }
    }

    /// Whether a value is the expected one; numbers are compared as what they stand for.
    pub(super) fn equals(&self, at: u32, expected: &Value) -> bool {
        match (self.entry(at), expected) {
            (Entry::Null, Value::Null) => true,
            (Entry::Bool(truth), Value::Bool(expected)) => truth == *expected,
            (Entry::Number(_), Value::Number(_)) => cmp::equal(&self.to_value(at), expected),
            (Entry::Text(..) | Entry::Unescaped(..), Value::String(expected)) => self.name(at) == expected,
            (Entry::Array(count, _), Value::Array(expected)) => {
                count as usize == expected.len()
                    && self.items(at, count).zip(expected).all(|(item, expected)| self.equals(item, expected))
            }
            (Entry::Object(count, _), Value::Object(expected)) => {
                let is_equal = |(name, expected): (&String, &Value)| {
                    self.member(at, count, name).is_some_and(|member| self.equals(member, expected))
                };
                count as usize == expected.len() && expected.iter().all(is_equal)
            }
            _ => false,
        }
    }

    pub(super) fn items(&self, at: u32, count: u32) -> impl Iterator<Item = u32> {
        let mut next = at + 1;
        (0..count).map(move |_| {
            let item = next;
            next = self.behind(item);
            item
        })
    }

    pub(super) fn members(&self, at: u32, count: u32) -> impl Iterator<Item = (u32, u32)> {
        let mut next = at + 1;
        (0..count).map(move |_| {
            let name = next;
            next = self.behind(name + 1);
            (name, name + 1)
        })
    }

    /// Sorts the names of an object that ends now, and gives one that stands twice.
    pub(super) fn sort_names(&mut self, at: u32, mut names: Vec<u32>) -> Option<u32> {
        names.sort_unstable_by(|one, other| self.compare_names(*one, *other));
        let twice = names.windows(2).find(|pair| self.compare_names(pair[0], pair[1]).is_eq()).map(|pair| pair[1]);
        let start = u32::try_from(self.sorted.len()).unwrap_or(u32::MAX);
        self.sorted.append(&mut names);
        let place = self.large.partition_point(|large| large.entry < at);
        self.large.insert(place, Large { entry: at, start });
        twice
    }
}
