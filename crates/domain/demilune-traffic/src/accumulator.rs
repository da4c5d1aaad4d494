//! What one core has counted since it was last emptied.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
};

use crate::{Bucket, Observation, Record};

/// Records by operation and bucket, filled by the request path. It has no lock: each core has its own behind one, and
/// who collects swaps an empty one in, so that the lock is held for a swap and nothing more.
///
/// At most `keys_max` records are held, each of at most 4 KiB; requests that would need one more are counted in
/// [`Self::dropped`] and nowhere else.
#[derive(Clone, Debug)]
pub struct Accumulator<K> {
    records: HashMap<(K, Bucket), Record>,
    keys_max: usize,
    dropped: u64,
}

impl<K: Copy + Eq + Hash> Accumulator<K> {
    /// An empty one that holds at most this many records.
    #[must_use]
    pub fn new(keys_max: usize) -> Self {
        Self { records: HashMap::new(), keys_max, dropped: 0 }
    }

    /// Counts one request that arrived in this bucket.
    pub fn observe(&mut self, key: K, bucket: Bucket, observation: &Observation) {
        if let Some(record) = self.record(key, bucket) {
            record.observe(observation);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Adds all to the other one and leaves nothing, except the memory that the next requests will need.
    pub fn merge_into(&mut self, other: &mut Self) {
        let (records, dropped) = self.drain();
        other.dropped = other.dropped.saturating_add(dropped);
        for (key, bucket, record) in records {
            if let Some(sum) = other.record(key, bucket) {
                sum.merge(&record);
            } else {
                other.dropped = other.dropped.saturating_add(record.requests());
            }
        }
    }

    /// Takes the records and the number of requests that are in none of them. The memory of the table stays.
    pub fn drain(&mut self) -> (impl Iterator<Item = (K, Bucket, Record)>, u64) {
        let dropped = std::mem::take(&mut self.dropped);
        (self.records.drain().map(|((key, bucket), record)| (key, bucket, record)), dropped)
    }

    /// What was counted since it was last emptied.
    pub fn iter(&self) -> impl Iterator<Item = (K, Bucket, &Record)> {
        self.records.iter().map(|((key, bucket), record)| (*key, *bucket, record))
    }

    /// How many requests are in no record, since there was no room for one.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// True when there is nothing to collect.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.dropped == 0
    }

    fn record(&mut self, key: K, bucket: Bucket) -> Option<&mut Record> {
        let full = self.records.len() >= self.keys_max;
        match self.records.entry((key, bucket)) {
            Entry::Occupied(entry) => Some(entry.into_mut()),
            Entry::Vacant(entry) if !full => Some(entry.insert(Record::default())),
            Entry::Vacant(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: Bucket = Bucket::of(0);
    const LATE: Bucket = Bucket::of(300);

    fn filled(keys_max: usize, keys: &[(u8, Bucket)]) -> Accumulator<u8> {
        let mut accumulator = Accumulator::new(keys_max);
        for (key, bucket) in keys {
            accumulator.observe(*key, *bucket, &Observation::default());
        }
        accumulator
    }

    /// Every key and bucket with its number of requests, and the dropped ones.
    fn drained(mut accumulator: Accumulator<u8>) -> (Vec<(u8, u64, u64)>, u64) {
        let (records, dropped) = accumulator.drain();
        let mut counts: Vec<_> =
            records.map(|(key, bucket, record)| (key, bucket.start(), record.requests())).collect();
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
    fn merging_adds_records_and_drops() {
        let mut from = filled(2, &[(1, EARLY), (1, EARLY), (2, EARLY), (3, EARLY)]);
        let mut into = filled(1, &[(1, EARLY)]);
        from.merge_into(&mut into);
        assert!(from.is_empty());
        assert_eq!(drained(into), (vec![(1, 0, 3)], 2));
    }
}
