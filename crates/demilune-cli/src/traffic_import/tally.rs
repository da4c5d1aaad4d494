//! What a file's requests sum up to, by operation and five minutes, within a bound of memory.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    io,
    path::PathBuf,
};

use demilune_traffic::{Bucket, Observation, Record, SessionSample};

use super::spill::{Run, Spill};

/// Most sums in memory: 20 MB as they usually are, a gigabyte if every one of them has more sessions than are kept.
/// What is more goes to a file and comes back in the end. Requests stand in a log in the order of their times, so that
/// hardly a sum goes there twice.
const ENTRIES_MAX: usize = 20_000;

/// Five minutes of an operation, by its place in the rules; none for what no operation fits.
pub(super) type Key = (Bucket, Option<u32>);

/// Sums over the requests of a file.
pub(crate) struct Tally {
    entries: BTreeMap<Key, Sums>,
    entries_max: usize,
    spill: Spill,
    operations: BTreeSet<u32>,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) record: Record,
    pub(super) sessions: SessionSample,
}

impl Sums {
    fn merge(&mut self, other: &Self) {
        self.record.merge(&other.record);
        self.sessions.merge(&other.sessions);
    }
}

impl Tally {
    /// An empty one, which keeps what has no room in memory in a nameless file of this folder.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self::within(ENTRIES_MAX, folder)
    }

    fn within(entries_max: usize, folder: PathBuf) -> Self {
        Self { entries: BTreeMap::new(), entries_max, spill: Spill::new(folder), operations: BTreeSet::new() }
    }

    /// Counts a request.
    pub(super) fn add(&mut self, key: Key, observation: &Observation) -> io::Result<()> {
        if self.entries.len() >= self.entries_max && !self.entries.contains_key(&key) {
            self.spill.put(std::mem::take(&mut self.entries))?;
        }
        self.operations.extend(key.1);
        let sums = self.entries.entry(key).or_default();
        sums.record.observe(observation);
        if observation.counts_for_thresholds() {
            sums.sessions.observe(observation.session);
        }
        Ok(())
    }

    /// The operations that requests were counted of, by their places.
    pub(crate) fn operations(&self) -> &BTreeSet<u32> {
        &self.operations
    }

    /// All sums, by time.
    pub(super) fn finish(self) -> io::Result<Merged> {
        let mut merged = Merged { memory: self.entries.into_iter(), runs: self.spill.runs(), heads: Vec::new() };
        let memory = merged.memory.next();
        merged.heads.push(memory);
        for run in &mut merged.runs {
            merged.heads.push(run.next()?);
        }
        Ok(merged)
    }
}

/// Sums from memory and from the file, each key once.
pub(super) struct Merged {
    memory: btree_map::IntoIter<Key, Sums>,
    runs: Vec<Run>,
    /// The next of the memory, then of each run.
    heads: Vec<Option<(Key, Sums)>>,
}

impl Merged {
    /// The next sums; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(Key, Sums)>> {
        let Some(least) = self.heads.iter().flatten().map(|(key, _)| *key).min() else { return Ok(None) };
        let mut sums = Sums::default();
        for place in 0..self.heads.len() {
            if self.heads[place].as_ref().is_some_and(|(key, _)| *key == least) {
                let next = self.advance(place)?;
                if let Some((_, part)) = std::mem::replace(&mut self.heads[place], next) {
                    sums.merge(&part);
                }
            }
        }
        Ok(Some((least, sums)))
    }

    fn advance(&mut self, place: usize) -> io::Result<Option<(Key, Sums)>> {
        match place.checked_sub(1) {
            Some(run) => self.runs[run].next(),
            None => Ok(self.memory.next()),
        }
    }
}

#[cfg(test)]
mod tests {
    use demilune_traffic::SessionHash;
    use proptest::prelude::*;

    use super::*;

    type Request = (u64, Option<u32>, u64);

    fn sums(entries_max: usize, requests: &[Request]) -> Vec<(Key, Sums)> {
        let folder = tempfile::tempdir().unwrap();
        let mut tally = Tally::within(entries_max, folder.path().to_owned());
        for (bucket, operation, session) in requests {
            let observation = Observation {
                status: Some(200),
                matched: operation.is_some(),
                session: Some(SessionHash::of(session << 20)).filter(|_| *session > 0),
                bytes_out: *session,
                ..Observation::default()
            };
            tally.add((Bucket::of(bucket * Bucket::SECONDS), *operation), &observation).unwrap();
        }
        let mut merged = tally.finish().unwrap();
        std::iter::from_fn(|| merged.next().unwrap()).collect()
    }

    proptest! {
        #[test]
        fn a_bound_of_memory_changes_nothing(
            requests in prop::collection::vec((0..5_u64, prop::option::of(0..4_u32), 0..6_u64), 0..80),
            entries_max in 1..6_usize,
        ) {
            let unbounded = sums(usize::MAX, &requests);
            prop_assert!(unbounded.is_sorted_by(|(one, _), (other, _)| one < other));
            let counted: u64 = unbounded.iter().map(|(_, sums)| sums.record.requests()).sum();
            prop_assert_eq!(counted, requests.len() as u64);
            prop_assert_eq!(sums(entries_max, &requests), unbounded);
        }
    }
}
