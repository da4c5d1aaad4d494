//! The places that an operation's schema shows already.

use demilune_traffic::DecodeError;

use super::key::FieldHash;

/// Most places.
const PLACES_MAX: usize = 1_024;

/// The places that a stored schema shows, as hashes: evidence keeps them first, so that a flood of new names cannot
/// evict what is known. A place is among them only with the places above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Ascending.
    places: Vec<u32>,
}

impl Published {
    pub(super) fn of(places: impl IntoIterator<Item = FieldHash>) -> Self {
        let mut places: Vec<u32> = places.into_iter().map(FieldHash::short).collect();
        places.sort_unstable();
        places.dedup();
        places.truncate(PLACES_MAX);
        Self { places }
    }

    pub(super) fn contains(&self, place: FieldHash) -> bool {
        self.places.binary_search(&place.short()).is_ok()
    }

    /// Tells sets apart; 0 for the empty one.
    #[must_use]
    pub fn id(&self) -> u32 {
        let mix = |id: u32, place: &u32| (id ^ place).wrapping_mul(0x9e37_79b1).rotate_left(13);
        match self.places.iter().fold(0, mix) {
            0 if !self.places.is_empty() => 1,
            id => id,
        }
    }

    /// Four bytes a place, the lowest byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.places.iter().flat_map(|place| place.to_le_bytes()).collect()
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (chunks, rest) = bytes.as_chunks::<4>();
        let places: Vec<u32> = chunks.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect();
        if !rest.is_empty() {
            return Err(DecodeError::End);
        }
        let is_set = places.len() <= PLACES_MAX && places.windows(2).all(|pair| pair[0] < pair[1]);
        if is_set { Ok(Self { places }) } else { Err(DecodeError::Contradiction) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_back_and_has_an_id() {
        let set = Published::of([FieldHash(7 << 31), FieldHash(3 << 31), FieldHash(7 << 31)]);
        assert_eq!(Published::decode(&set.encode()).as_ref(), Ok(&set));
        assert!(set.contains(FieldHash(3 << 31)) && !set.contains(FieldHash(4 << 31)));
        assert!(set.id() != 0 && Published::default().id() == 0);
    }

    #[test]
    fn other_bytes_are_no_set() {
        assert_eq!(Published::decode(&[1, 2, 3]), Err(DecodeError::End));
        assert_eq!(Published::decode(&[1, 0, 0, 0, 1, 0, 0, 0]), Err(DecodeError::Contradiction));
    }
}
