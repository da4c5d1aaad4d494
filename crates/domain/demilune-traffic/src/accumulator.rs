//! What one core has counted since it was last emptied.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
};

use crate::{Bucket, Observation, Record, SessionSample, sessions::Room};

/// What was seen of one operation in one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Every request.
    pub record: Record,
    /// The sessions of those that count for thresholds.
    pub sessions: SessionSample,
}

/// Summaries by operation and bucket, filled by the request path. It has no lock: each core has its own behind one, and
/// who collects swaps an empty one in, so that the lock is held for a swap and nothing more.
///
/// At most `keys_max` summaries are held, each with a record of at most 4 KiB; requests that would need one more are
/// counted in [`Self::dropped`] and nowhere else. Their samples of sessions take at most `session_bytes_max` together,
/// and 128 bytes each beyond that: without room, samples keep fewer sessions, which [`Self::lowered`] counts.
#[derive(Clone, Debug)]
pub struct Accumulator<K> {
    summaries: HashMap<(K, Bucket), Summary>,
    keys_max: usize,
    dropped: u64,
    room: Room,
}

impl<K: Copy + Eq + Hash> Accumulator<K> {
    /// An empty one that holds at most this much.
    #[must_use]
    pub fn new(keys_max: usize, session_bytes_max: usize) -> Self {
        Self { summaries: HashMap::new(), keys_max, dropped: 0, room: Room::new(session_bytes_max) }
    }

    /// Counts one request that arrived in this bucket.
    pub fn observe(&mut self, key: K, bucket: Bucket, observation: &Observation) {
        let full = self.summaries.len() >= self.keys_max;
        let summary = match self.summaries.entry((key, bucket)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) if !full => entry.insert(Summary::default()),
            Entry::Vacant(_) => {
                self.dropped = self.dropped.saturating_add(1);
                return;
            }
        };
        summary.record.observe(observation);
        if observation.counts_for_thresholds() {
            summary.sessions.observe_within(observation.session, &mut self.room);
        }
    }

    /// Takes the summaries and the number of requests that are in none of them. The memory of the table stays.
    pub fn drain(&mut self) -> (impl Iterator<Item = (K, Bucket, Summary)>, u64) {
        let dropped = std::mem::take(&mut self.dropped);
        self.room.release_all();
        (self.summaries.drain().map(|((key, bucket), summary)| (key, bucket, summary)), dropped)
    }

    /// What was counted since it was last emptied.
    pub fn iter(&self) -> impl Iterator<Item = (K, Bucket, &Summary)> {
        self.summaries.iter().map(|((key, bucket), summary)| (*key, *bucket, summary))
    }

    /// How many requests are in no summary, since there was no room for one.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How often a sample of sessions kept fewer of them since there was no room.
    #[must_use]
    pub const fn lowered(&self) -> u64 {
        self.room.lowered
    }

    /// The same, which then begins anew.
    pub(crate) const fn take_lowered(&mut self) -> u64 {
        std::mem::replace(&mut self.room.lowered, 0)
    }

    /// True when there is nothing to collect.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.summaries.is_empty() && self.dropped == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionHash;

    const EARLY: Bucket = Bucket::of(0);
    const LATE: Bucket = Bucket::of(300);

    fn filled(keys_max: usize, keys: &[(u8, Bucket)]) -> Accumulator<u8> {
        let mut accumulator = Accumulator::new(keys_max, usize::MAX);
        for (key, bucket) in keys {
            accumulator.observe(*key, *bucket, &Observation::default());
        }
        accumulator
    }

    /// Every key and bucket with its number of requests, and the dropped ones.
    fn drained(mut accumulator: Accumulator<u8>) -> (Vec<(u8, u64, u64)>, u64) {
        let (summaries, dropped) = accumulator.drain();
        let mut counts: Vec<_> =
            summaries.map(|(key, bucket, summary)| (key, bucket.start(), summary.record.requests())).collect();
        counts.sort_unstable();
        (counts, dropped)
    }

    #[test]
    fn each_operation_and_bucket_has_its_own_record() {
        let accumulator = filled(9, &[(1, EARLY), (1, LATE), (2, EARLY), (1, EARLY)]);
        assert_eq!(drained(accumulator), (vec![(1, 0, 2), (1, 300, 1), (2, 0, 1)], 0));
    }

    #[test]
    fn what_has_no_room_is_counted_as_dropped() {
        let accumulator = filled(2, &[(1, EARLY), (2, EARLY), (3, EARLY), (1, LATE), (1, EARLY)]);
        assert_eq!(accumulator.dropped(), 2);
        assert_eq!(drained(accumulator), (vec![(1, 0, 2), (2, 0, 1)], 2));
    }

    #[test]
    fn draining_leaves_nothing() {
        let mut accumulator = filled(1, &[(1, EARLY), (2, EARLY)]);
        assert!(!accumulator.is_empty());
        assert_eq!(accumulator.drain().0.count(), 1);
        assert!(accumulator.is_empty());
    }

    #[test]
    fn a_session_is_sampled_when_its_request_counts_for_thresholds() {
        let mut accumulator = Accumulator::new(9, usize::MAX);
        let good = Observation {
            status: Some(204),
            matched: true,
            session: Some(SessionHash::of(u64::MAX)),
            ..Observation::default()
        };
        let others = [
            Observation { status: Some(404), ..good },
            Observation { status: None, ..good },
            Observation { blocked: true, ..good },
            Observation { matched: false, ..good },
        ];
        for observation in [good, Observation { session: None, ..good }].iter().chain(&others) {
            accumulator.observe(1, EARLY, observation);
        }
        let (_, _, summary) = accumulator.iter().next().unwrap();
        assert_eq!((summary.record.requests(), summary.sessions.requests(), summary.sessions.anonymous()), (6, 2, 1));
    }

    #[test]
    fn without_room_samples_keep_fewer_sessions() {
        let mut accumulator = Accumulator::new(9, 4_096);
        let mut observation = Observation { status: Some(200), matched: true, ..Observation::default() };
        for number in 1..2_000_u64 {
            observation.session = Some(SessionHash::of(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            accumulator.observe(number % 2, EARLY, &observation);
        }
        assert!(accumulator.lowered() > 0);
        assert!(accumulator.iter().all(|(_, _, summary)| summary.sessions.table_bytes() <= 4_096));
        assert_eq!(accumulator.iter().map(|(_, _, summary)| summary.sessions.requests()).sum::<u64>(), 1_999);
    }
}
