//! What one core noted since the learner last looked.

use std::ops::Range;

use demilune_inventory::Method;
use demilune_schema::learn::Supporter;
use demilune_traffic::Hour;

use super::{BodyCopy, Taken};
use crate::observe::RecordKey;

/// Most bytes of paths and queries that wait: some ten thousand requests.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Most requests that wait, for those with hardly any text.
const NOTES_MAX: usize = 16_384;

/// One request that succeeded.
pub(crate) struct Lesson<'l> {
    pub(crate) key: RecordKey,
    pub(crate) hour: Hour,
    pub(crate) supporter: Supporter,
    /// The normalized path.
    pub(crate) path: &'l str,
    /// What the endpoint's variables took of it.
    pub(crate) taken: &'l Taken,
    pub(crate) query: Option<&'l str>,
    pub(crate) body: Option<BodyCopy>,
}

/// One request that succeeded, and that no operation matches.
pub(crate) struct Stray<'s> {
    pub(crate) key: RecordKey,
    pub(crate) method: Method,
    pub(crate) host: &'s str,
    /// The normalized path.
    pub(crate) path: &'s str,
    pub(crate) supporter: Supporter,
    pub(crate) has_session: bool,
    /// A random number of its own.
    pub(crate) nonce: u64,
    /// When it arrived, in seconds since the epoch.
    pub(crate) seconds: u64,
}

/// Requests, their texts one behind the other.
#[derive(Default)]
pub(super) struct Batch {
    notes: Vec<Note>,
    strays: Vec<StrayNote>,
    text: String,
    values: Vec<Range<usize>>,
}

struct Note {
    key: RecordKey,
    hour: Hour,
    supporter: Supporter,
    /// Of `values`.
    variables: Range<usize>,
    /// Of `text`.
    query: Option<Range<usize>>,
    body: Option<BodyCopy>,
}

struct StrayNote {
    key: RecordKey,
    method: Method,
    /// Both of `text`.
    host: Range<usize>,
    path: Range<usize>,
    supporter: Supporter,
    has_session: bool,
    nonce: u64,
    seconds: u64,
}

/// One request as the learner sees it.
pub(super) struct Seen<'b> {
    pub(super) key: RecordKey,
    pub(super) hour: Hour,
    pub(super) supporter: Supporter,
    pub(super) variables: Vec<&'b str>,
    pub(super) query: Option<&'b str>,
    pub(super) body: Option<&'b [u8]>,
}

impl Batch {
    /// Notes a request; false if there is no room.
    pub(super) fn push(&mut self, lesson: Lesson<'_>) -> bool {
        let length = lesson.path.len() + lesson.query.map_or(0, str::len);
        if !self.has_room(length) {
            return false;
        }
        let first = self.values.len();
        for range in lesson.taken.iter() {
            // A range that is none of this path's would be another path's: it is left empty.
            let value = push(&mut self.text, lesson.path.get(range).unwrap_or_default());
            self.values.push(value);
        }
        let query = lesson.query.map(|query| push(&mut self.text, query));
        let Lesson { key, hour, supporter, body, .. } = lesson;
        self.notes.push(Note { key, hour, supporter, variables: first..self.values.len(), query, body });
        true
    }

    /// Notes a request that no operation matches; false if there is no room.
    pub(super) fn push_stray(&mut self, stray: &Stray<'_>) -> bool {
        let Stray { key, method, host, path, supporter, has_session, nonce, seconds } = *stray;
        if !self.has_room(host.len() + path.len()) {
            return false;
        }
        let (host, path) = (push(&mut self.text, host), push(&mut self.text, path));
        self.strays.push(StrayNote { key, method, host, path, supporter, has_session, nonce, seconds });
        true
    }

    fn has_room(&self, length: usize) -> bool {
        self.notes.len() + self.strays.len() < NOTES_MAX && self.text.len() + length <= TEXT_BYTES_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.strays.is_empty()
    }

    /// The requests that no operation matches.
    pub(super) fn strays(&self) -> impl Iterator<Item = Stray<'_>> {
        self.strays.iter().map(|note| Stray {
            key: note.key,
            method: note.method,
            host: &self.text[note.host.clone()],
            path: &self.text[note.path.clone()],
            supporter: note.supporter,
            has_session: note.has_session,
            nonce: note.nonce,
            seconds: note.seconds,
        })
    }

    /// The requests, in the order in which they ended.
    pub(super) fn iter(&self) -> impl Iterator<Item = Seen<'_>> {
        self.notes.iter().map(|note| Seen {
            key: note.key,
            hour: note.hour,
            supporter: note.supporter,
            variables: self.values[note.variables.clone()].iter().map(|value| &self.text[value.clone()]).collect(),
            query: note.query.clone().map(|query| &self.text[query]),
            body: note.body.as_ref().map(BodyCopy::bytes),
        })
    }

    /// Forgets them and keeps the room.
    pub(super) fn clear(&mut self) {
        self.notes.clear();
        self.strays.clear();
        self.text.clear();
        self.values.clear();
    }
}

fn push(text: &mut String, more: &str) -> Range<usize> {
    let start = text.len();
    text.push_str(more);
    start..text.len()
}
