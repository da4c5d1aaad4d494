//! How often something was seen, by whom, and when.

use super::supporter::{Supporter, Supporters};

/// How many supporters something needs to be said in an answer.
pub(super) const SUPPORTERS_MIN: usize = 5;

/// One sighting: whom it counts for, and in which hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    pub(super) supporter: Supporter,
    /// Hours since 1970.
    pub(super) hour: u32,
}

/// A number of sightings, five of their supporters, and the first and last hour of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) supporters: Supporters<SUPPORTERS_MIN>,
}

impl Tally {
    pub(crate) const EMPTY: Self = Self { count: 0, first: u32::MAX, last: 0, supporters: Supporters::EMPTY };

    pub(super) fn add(&mut self, sighting: Sighting) {
        self.count = self.count.saturating_add(1);
        self.first = self.first.min(sighting.hour);
        self.last = self.last.max(sighting.hour);
        self.supporters.insert(sighting.supporter);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.supporters.merge(&other.supporters);
    }

    pub(crate) fn merged(mut self, other: &Self) -> Self {
        self.merge(other);
        self
    }

    /// Whether enough supporters sent it to say it.
    pub(crate) fn is_supported(&self) -> bool {
        self.supporters.at_least() >= SUPPORTERS_MIN
    }
}

/// Tallies by key, in the order of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tallies<K>(pub(super) Vec<(K, Tally)>);

impl<K> Default for Tallies<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Copy + Ord> Tallies<K> {
    /// Counts one sighting, and says whether the key is new.
    pub(super) fn add(&mut self, key: K, sighting: Sighting) -> bool {
        let found = self.0.binary_search_by_key(&key, |(key, _)| *key);
        let place = match found {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (key, Tally::EMPTY));
                place
            }
        };
        self.0[place].1.add(sighting);
        found.is_err()
    }

    pub(super) fn merge_one(&mut self, key: K, tally: &Tally) {
        match self.0.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(place) => self.0[place].1.merge(tally),
            Err(place) => self.0.insert(place, (key, *tally)),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(key, tally)| self.merge_one(*key, tally));
    }

    pub(super) fn last(&self) -> Option<K> {
        self.0.last().map(|(key, _)| *key)
    }

    pub(crate) fn get(&self, key: K) -> Option<&Tally> {
        self.0.binary_search_by_key(&key, |(key, _)| *key).ok().map(|place| &self.0[place].1)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &Tally)> {
        self.0.iter().map(|(key, tally)| (*key, tally))
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|(_, tally)| tally.count).fold(0, u64::saturating_add)
    }
}
