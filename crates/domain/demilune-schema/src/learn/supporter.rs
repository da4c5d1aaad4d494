//! Who sent something: enough of them to say that it were at least so many.

/// Whom a request counts for: 32 bits of its session's keyed hash or, where it has none, of the keyed hash of its
/// client's network. Two that collide count as one, so that a number of supporters is never too high.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Supporter(pub u32);

impl Supporter {
    /// From the keyed hash of a session or a network, as good as random in its lowest 44 bits.
    #[must_use]
    pub const fn of(hash: u64) -> Self {
        let [first, second, third, fourth, ..] = hash.to_le_bytes();
        Self(u32::from_le_bytes([first, second, third, fourth]))
    }
}

/// The smallest of the supporters seen, at most `N`: a set that is the same however it is split and merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Supporters<const N: usize> {
    /// Ascending; [`Self::NONE`] where there is none.
    smallest: [u32; N],
}

impl<const N: usize> Supporters<N> {
    const NONE: u32 = u32::MAX;
    pub(super) const EMPTY: Self = Self { smallest: [Self::NONE; N] };

    pub(super) fn insert(&mut self, Supporter(hash): Supporter) {
        let hash = hash.min(Self::NONE - 1);
        if hash >= self.smallest[N - 1] {
            return;
        }
        let place = self.smallest.partition_point(|smaller| *smaller < hash);
        if self.smallest[place] != hash {
            self.smallest.copy_within(place..N - 1, place + 1);
            self.smallest[place] = hash;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.iter().for_each(|supporter| self.insert(supporter));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Supporter> {
        self.smallest.iter().take_while(|hash| **hash != Self::NONE).map(|hash| Supporter(*hash))
    }

    /// How many there were at least; exact below `N`.
    pub(crate) fn at_least(&self) -> usize {
        self.smallest.partition_point(|hash| *hash != Self::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_are_kept_once_each() {
        let mut supporters = Supporters::<3>::EMPTY;
        for hash in [9, 4, 9, u32::MAX, 7, 4, 1] {
            supporters.insert(Supporter(hash));
        }
        assert_eq!(supporters.iter().map(|supporter| supporter.0).collect::<Vec<_>>(), [1, 4, 7]);
        assert_eq!(supporters.at_least(), 3);
    }
}
