//! What one process has counted so far, and how much of it is stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hash,
};

use crate::{Accumulator, Bucket, Snapshot, Summary, sessions::Room};

/// The cumulative records of one process, which its snapshots are copies of. A record stays until it is stored and old;
/// while the store is away, none goes unless there is no room.
///
/// At most `keys_max` records are held, each of at most 4 KiB. For one more, a record of the oldest bucket gives way, if
/// that bucket is older. What was taken out cannot be counted further, since a record that begins anew would replace the
/// stored one: such requests, and those in a record that gave way before it was stored, are counted in
/// [`Self::dropped`]. Samples of sessions take at most `session_bytes_max`, like those of an [`Accumulator`].
#[derive(Clone, Debug)]
pub struct Ledger<K> {
    entries: BTreeMap<(Bucket, K), Entry>,
    keys_max: usize,
    /// Buckets that some record was taken out of: they take no new ones. Those up to `closed_until` are closed too.
    closed: BTreeSet<Bucket>,
    closed_until: Option<Bucket>,
    dropped: u64,
    room: Room,
    lowered: u64,
}

/// How many closed buckets are remembered one by one: three and a half days. Only a clock that is set far forward and
/// back again needs more than the latest, and must not close all the time in between.
const CLOSED_MAX: usize = 1_024;

#[derive(Clone, Debug, Default)]
struct Entry {
    summary: Summary,
    /// The sequence of the latest snapshot that is stored, 0 if none is.
    acknowledged: u64,
}

impl Entry {
    /// The number of requests: it grows with every change, and there is one record of each size.
    fn sequence(&self) -> u64 {
        self.summary.record.requests()
    }

    fn is_stored(&self) -> bool {
        self.acknowledged == self.sequence()
    }
}

impl<K: Copy + Ord + Hash> Ledger<K> {
    /// An empty one that holds at most this many records.
    #[must_use]
    pub const fn new(keys_max: usize, session_bytes_max: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            keys_max,
            closed: BTreeSet::new(),
            closed_until: None,
            dropped: 0,
            room: Room::new(session_bytes_max),
            lowered: 0,
        }
    }

    /// Adds what a core has counted since it was last emptied, and empties it.
    pub fn absorb(&mut self, accumulator: &mut Accumulator<K>) {
        self.lowered = self.lowered.saturating_add(accumulator.take_lowered());
        let (summaries, dropped) = accumulator.drain();
        self.drop_requests(dropped);
        for (key, bucket, summary) in summaries {
            self.add(bucket, key, &summary);
        }
    }

    /// The snapshots that are not stored yet, oldest bucket first. Made one by one, so that a caller who takes a few at
    /// a time holds no more.
    pub fn changed(&self) -> impl Iterator<Item = (K, Bucket, Snapshot)> {
        let changed = self.entries.iter().filter(|(_, entry)| !entry.is_stored());
        changed.map(|((bucket, key), entry)| {
            let Summary { record, sessions } = entry.summary.clone();
            (*key, *bucket, Snapshot { sequence: entry.sequence(), record, sessions })
        })
    }

    /// Notes that snapshots are stored, by their sequences. Earlier or repeated ones change nothing.
    pub fn acknowledge(&mut self, stored: &[(K, Bucket, u64)]) {
        for (key, bucket, sequence) in stored {
            if let Some(entry) = self.entries.get_mut(&(*bucket, *key)) {
                entry.acknowledged = entry.acknowledged.max(*sequence).min(entry.sequence());
            }
        }
    }

    /// Takes out what is stored and whose bucket ended this long before now. The age should exceed the longest request,
    /// because a request is counted when it ends, in the bucket of its arrival.
    pub fn forget(&mut self, now_unix_seconds: u64, age_seconds: u64) {
        let is_old = |bucket: Bucket| bucket.end().saturating_add(age_seconds) <= now_unix_seconds;
        let (closed, room) = (&mut self.closed, &mut self.room);
        self.entries.retain(|(bucket, _), entry| {
            let goes = is_old(*bucket) && entry.is_stored();
            if goes {
                closed.insert(*bucket);
                room.release(entry.summary.sessions.table_bytes());
            }
            !goes
        });
        self.compact_closed();
    }

    /// How many records are held.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.entries.len()
    }

    /// How many requests so far are in no snapshot that is stored or will be. One that gave way while its snapshot was
    /// on its way to the store counts too.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How often a sample of sessions kept fewer of them since there was no room.
    #[must_use]
    pub const fn lowered(&self) -> u64 {
        self.lowered.saturating_add(self.room.lowered)
    }

    fn add(&mut self, bucket: Bucket, key: K, summary: &Summary) {
        let known = self.entries.contains_key(&(bucket, key));
        if !known && (self.is_closed(bucket) || !self.make_room(bucket)) {
            self.drop_requests(summary.record.requests());
            return;
        }
        let entry = self.entries.entry((bucket, key)).or_default();
        entry.summary.record.merge(&summary.record);
        entry.summary.sessions.merge_within(&summary.sessions, &mut self.room);
    }

    /// Makes room for a record of this bucket, and says whether there is.
    fn make_room(&mut self, bucket: Bucket) -> bool {
        if self.entries.len() < self.keys_max {
            return true;
        }
        let Some(oldest) = self.entries.first_entry().filter(|oldest| oldest.key().0 < bucket) else {
            return false;
        };
        let ((closed, _), entry) = oldest.remove_entry();
        self.closed.insert(closed);
        self.compact_closed();
        self.room.release(entry.summary.sessions.table_bytes());
        self.drop_requests(entry.sequence() - entry.acknowledged);
        true
    }

    fn is_closed(&self, bucket: Bucket) -> bool {
        Some(bucket) <= self.closed_until || self.closed.contains(&bucket)
    }

    fn compact_closed(&mut self) {
        while self.closed.len() > CLOSED_MAX {
            self.closed_until = self.closed_until.max(self.closed.pop_first());
        }
    }

    fn drop_requests(&mut self, requests: u64) {
        self.dropped = self.dropped.saturating_add(requests);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Observation;

    fn bucket(number: u64) -> Bucket {
        Bucket::of(number * Bucket::SECONDS)
    }

    /// Counts one request for each key and bucket number.
    fn absorb(ledger: &mut Ledger<u8>, requests: &[(u8, u64)]) {
        let mut accumulator = Accumulator::new(usize::MAX, usize::MAX);
        for (key, number) in requests {
            accumulator.observe(*key, bucket(*number), &Observation::default());
            // One at a time, so that the order is the test's.
            ledger.absorb(&mut accumulator);
        }
    }

    fn ledger(keys_max: usize, requests: &[(u8, u64)]) -> Ledger<u8> {
        let mut ledger = Ledger::new(keys_max, usize::MAX);
        absorb(&mut ledger, requests);
        ledger
    }

    /// Keys, bucket numbers and sequences that are not stored yet.
    fn changed(ledger: &Ledger<u8>) -> Vec<(u8, u64, u64)> {
        let changed = ledger.changed();
        changed.map(|(key, bucket, snapshot)| (key, bucket.start() / Bucket::SECONDS, snapshot.sequence)).collect()
    }

    fn acknowledge_all(ledger: &mut Ledger<u8>) {
        let stored: Vec<_> = ledger.changed().map(|(key, bucket, snapshot)| (key, bucket, snapshot.sequence)).collect();
        ledger.acknowledge(&stored);
    }

    #[test]
    fn a_snapshot_holds_all_so_far_until_it_is_stored() {
        let mut ledger = ledger(9, &[(1, 0), (2, 0), (1, 1)]);
        assert_eq!(changed(&ledger), [(1, 0, 1), (2, 0, 1), (1, 1, 1)]);
        acknowledge_all(&mut ledger);
        assert_eq!(changed(&ledger), []);
        absorb(&mut ledger, &[(2, 0)]);
        assert_eq!(changed(&ledger), [(2, 0, 2)]);
        assert_eq!(ledger.changed().map(|(_, _, snapshot)| snapshot.record.requests()).sum::<u64>(), 2);
    }

    #[test]
    fn what_came_after_a_snapshot_is_not_stored_with_it() {
        let mut ledger = ledger(9, &[(1, 0), (1, 0)]);
        ledger.acknowledge(&[(1, bucket(0), 1)]);
        assert_eq!(changed(&ledger), [(1, 0, 2)]);
    }

    #[test]
    fn a_late_or_repeated_acknowledgement_changes_nothing() {
        let mut ledger = ledger(9, &[(1, 0), (1, 0)]);
        for sequence in [2, 1, 2, 0] {
            ledger.acknowledge(&[(1, bucket(0), sequence), (7, bucket(7), sequence)]);
            assert_eq!(changed(&ledger), [], "{sequence}");
        }
    }

    #[test]
    fn an_acknowledgement_never_runs_ahead() {
        let mut ledger = ledger(9, &[(1, 0)]);
        ledger.acknowledge(&[(1, bucket(0), 99)]);
        absorb(&mut ledger, &[(1, 0)]);
        assert_eq!(changed(&ledger), [(1, 0, 2)]);
    }

    #[test]
    fn only_what_is_stored_and_old_is_forgotten() {
        let mut ledger = ledger(9, &[(1, 0), (1, 1)]);
        ledger.forget(10_000, 0);
        assert_eq!(ledger.keys(), 2);
        acknowledge_all(&mut ledger);
        ledger.forget(300 + 899, 900);
        assert_eq!(ledger.keys(), 2);
        ledger.forget(300 + 900, 900);
        assert_eq!(ledger.keys(), 1);
        assert_eq!(ledger.dropped(), 0);
    }

    #[test]
    fn a_forgotten_record_never_begins_anew() {
        let mut ledger = ledger(9, &[(1, 0), (2, 0)]);
        ledger.acknowledge(&[(1, bucket(0), 1)]);
        ledger.forget(10_000, 0);
        absorb(&mut ledger, &[(1, 0), (2, 0)]);
        assert_eq!((changed(&ledger), ledger.dropped()), (vec![(2, 0, 2)], 1));
    }

    #[test]
    fn the_oldest_bucket_gives_way_and_is_counted() {
        let mut ledger = ledger(2, &[(1, 0), (1, 0), (1, 0), (1, 1)]);
        ledger.acknowledge(&[(1, bucket(0), 1)]);
        absorb(&mut ledger, &[(1, 2)]);
        assert_eq!((changed(&ledger), ledger.dropped()), (vec![(1, 1, 1), (1, 2, 1)], 2));
        absorb(&mut ledger, &[(1, 0), (2, 0)]);
        assert_eq!((changed(&ledger), ledger.dropped()), (vec![(1, 1, 1), (1, 2, 1)], 4));
    }

    #[test]
    fn no_record_gives_way_to_one_of_its_own_bucket_or_an_older() {
        let ledger = ledger(2, &[(1, 1), (2, 1), (3, 1), (3, 0)]);
        assert_eq!((changed(&ledger), ledger.dropped()), (vec![(1, 1, 1), (2, 1, 1)], 2));
    }

    #[test]
    fn what_a_core_dropped_is_counted_once() {
        let mut accumulator = Accumulator::new(0, usize::MAX);
        accumulator.observe(1, bucket(0), &Observation::default());
        let mut ledger = Ledger::new(9, usize::MAX);
        ledger.absorb(&mut accumulator);
        ledger.absorb(&mut accumulator);
        assert_eq!((ledger.dropped(), ledger.keys()), (1, 0));
    }

    #[test]
    fn a_clock_that_was_ahead_closes_only_where_it_was() {
        let mut ledger = ledger(9, &[(1, 1_000_000)]);
        acknowledge_all(&mut ledger);
        ledger.forget(u64::MAX, 0);
        absorb(&mut ledger, &[(1, 3), (1, 1_000_000)]);
        assert_eq!((changed(&ledger), ledger.dropped()), (vec![(1, 3, 1)], 1));
    }

    #[test]
    fn closed_buckets_beyond_the_remembered_ones_stay_closed() {
        let mut ledger = Ledger::new(1, usize::MAX);
        let buckets = CLOSED_MAX as u64 + 10;
        for number in 0..=buckets {
            absorb(&mut ledger, &[(1, number)]);
            acknowledge_all(&mut ledger);
        }
        assert_eq!((ledger.closed.len(), ledger.closed_until), (CLOSED_MAX, Some(bucket(9))));
        ledger.acknowledge(&[]);
        ledger.forget(u64::MAX, 0);
        for number in 0..=buckets {
            absorb(&mut ledger, &[(2, number)]);
        }
        assert_eq!((ledger.keys(), ledger.dropped()), (0, buckets + 1));
    }
}
