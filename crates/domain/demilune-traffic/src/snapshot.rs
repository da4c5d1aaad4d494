//! What one source has seen so far, in copies of which the latest counts.

use std::{fmt, str::FromStr};

use crate::{Record, SessionSample};

/// What one source has counted so far for one operation in one bucket. A later snapshot holds all that an earlier one
/// does, so it replaces it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Grows with every change; snapshots of one source, operation and bucket with equal sequences are equal.
    pub sequence: u64,
    /// All that the source has counted, not what came since its last snapshot.
    pub record: Record,
    /// The sessions that it has seen so far.
    pub sessions: SessionSample,
}

impl Snapshot {
    /// The later of two snapshots of one source, operation and bucket. If a source breaks its promise and two differ
    /// under one sequence, the larger in a fixed order is taken, so that all who see both agree.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        let rank = |snapshot: &Self| (snapshot.sequence, snapshot.record.clone(), snapshot.sessions.encode());
        if self.sequence > other.sequence || (self.sequence == other.sequence && rank(&self) > rank(&other)) {
            self
        } else {
            other
        }
    }
}

/// Names who counted: one run of one node, or one imported file. Its runs are told apart because each starts from
/// nothing; 1 to 128 of `A-Z a-z 0-9 . _ : -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(Box<str>);

impl Source {
    /// Longest source in characters: enough for a host name of some length and a UUID.
    pub const CHARS_MAX: usize = 128;

    /// The text of the source.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let fits = (1..=Self::CHARS_MAX).contains(&text.len());
        let legal = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
        if fits && legal { Ok(Self(text.into())) } else { Err(SourceError) }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text names no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a source has 1 to 128 characters of A-Z, a-z, 0-9, ., _, : and -")]
pub struct SourceError;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Observation;

    fn snapshot(sequence: u64, durations: &[u64]) -> Snapshot {
        let mut record = Record::default();
        for duration_us in durations {
            record.observe(&Observation { duration_us: *duration_us, ..Observation::default() });
        }
        Snapshot { sequence, record, sessions: SessionSample::default() }
    }

    #[test]
    fn the_higher_sequence_wins_in_either_order() {
        let (early, late) = (snapshot(1, &[500]), snapshot(2, &[3]));
        assert_eq!(early.clone().join(late.clone()), late);
        assert_eq!(late.clone().join(early), late);
    }

    #[test]
    fn a_broken_promise_is_settled_alike_in_either_order() {
        let (one, other) = (snapshot(1, &[500]), snapshot(1, &[3]));
        assert_eq!(one.clone().join(other.clone()), other.join(one));
    }

    #[test]
    fn a_source_is_kept_as_given() {
        for text in ["gateway-1.example:0198f0a2", "a", &format!("import:{}", "0f".repeat(32)), &"a".repeat(128)] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_name_no_source() {
        for text in ["", "a b", "a/b", "é", "a\n", &"a".repeat(129)] {
            assert_eq!(text.parse::<Source>(), Err(SourceError), "{text:?}");
        }
    }
}
