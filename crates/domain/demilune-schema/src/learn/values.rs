//! Which values there are: each with its tally while they are few, a sample of their hashes once they are many.

use super::{
    name,
    tally::{Sighting, Tally},
};

/// Most values that are counted one by one: some more than an enumeration may have, so that what few sent does not hide
/// those that many sent.
pub(super) const FEW_MAX: usize = 24;

/// The distinct values of a field, by their hashes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    /// All of them, by hash.
    Few(Vec<(u64, Value)>),
    /// The smallest hashes, ascending.
    Many(Box<[u64; FEW_MAX]>),
}

/// One of few values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    /// The value, where it may be kept.
    pub(crate) text: Option<Box<str>>,
    pub(crate) tally: Tally,
}

impl Default for Values {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Values {
    /// Counts a value, which may be kept if `text` gives it.
    pub(super) fn add(&mut self, hash: u64, text: Option<&str>, sighting: Sighting) {
        let values = match self {
            Self::Few(values) => values,
            Self::Many(smallest) => return insert(smallest, hash),
        };
        match values.binary_search_by_key(&hash, |(hash, _)| *hash) {
            Ok(place) => values[place].1.tally.add(sighting),
            Err(place) => {
                let text = text.filter(|text| name::is_literal(text)).map(Box::from);
                let mut tally = Tally::EMPTY;
                tally.add(sighting);
                values.insert(place, (hash, Value { text, tally }));
                self.settle();
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Few(values), Self::Few(others)) => {
                for (hash, other) in others {
                    match values.binary_search_by_key(hash, |(hash, _)| *hash) {
                        Ok(place) => values[place].1.tally.merge(&other.tally),
                        Err(place) => values.insert(place, (*hash, other.clone())),
                    }
                }
                self.settle();
            }
            (Self::Many(smallest), Self::Few(others)) => others.iter().for_each(|(hash, _)| insert(smallest, *hash)),
            (Self::Few(values), Self::Many(others)) => {
                let mut smallest = others.clone();
                for (hash, _) in values {
                    insert(&mut smallest, *hash);
                }
                *self = Self::Many(smallest);
            }
            (Self::Many(smallest), Self::Many(others)) => others.iter().for_each(|hash| insert(smallest, *hash)),
        }
    }

    /// What it counts for: never less after a merge than before it.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Few(values) => values.len(),
            Self::Many(_) => FEW_MAX + 1,
        }
    }

    /// How many distinct values there are, about.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn distinct(&self) -> f64 {
        match self {
            Self::Few(values) => values.len() as f64,
            Self::Many(smallest) => {
                // The k-th smallest of d uniform hashes is about k / d of their range; their first bit is always set.
                let range = (1_u64 << 63) as f64;
                let share = (smallest[FEW_MAX - 1] & !(1 << 63)) as f64 / range;
                (FEW_MAX - 1) as f64 / share.max(f64::MIN_POSITIVE)
            }
        }
    }

    fn settle(&mut self) {
        if let Self::Few(values) = self
            && values.len() > FEW_MAX
        {
            let mut smallest = Box::new([u64::MAX; FEW_MAX]);
            for (slot, (hash, _)) in smallest.iter_mut().zip(values.iter()) {
                *slot = *hash;
            }
            *self = Self::Many(smallest);
        }
    }
}

fn insert(smallest: &mut [u64; FEW_MAX], hash: u64) {
    if hash >= smallest[FEW_MAX - 1] {
        return;
    }
    let place = smallest.partition_point(|smaller| *smaller < hash);
    if smallest[place] != hash {
        smallest.copy_within(place..FEW_MAX - 1, place + 1);
        smallest[place] = hash;
    }
}
