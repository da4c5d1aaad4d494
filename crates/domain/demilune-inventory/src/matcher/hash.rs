//! Hashes of bytes, several at a time: quick, the same in every run, and not meant to withstand chosen keys.

/// Odd numbers with no pattern in their bits: 2^64 divided by the golden ratio, and what the generator `SplitMix64` multiplies by.
const SPREAD: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// The hash of sixteen bytes.
#[inline]
pub(super) const fn of_word(word: u128) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    let [low, high] = [word as u64, (word >> 64) as u64];
    low.wrapping_mul(SPREAD[0]) ^ high.wrapping_mul(SPREAD[1])
}

/// The hash of any number of bytes.
#[inline]
pub(super) fn of_bytes(bytes: &[u8]) -> u64 {
    mix_bytes(0, bytes)
}

/// Takes more bytes, and how many these are, into a hash.
#[inline]
pub(super) fn mix_bytes(hash: u64, bytes: &[u8]) -> u64 {
    let hash = hash.rotate_left(32) ^ bytes.len() as u64;
    let mix = |hash: u64, word: u128| (hash ^ hash >> 32).wrapping_mul(SPREAD[2]) ^ of_word(word);
    // The last bytes may be there for the second time.
    if let Some(last) = bytes.last_chunk() {
        let (words, _) = bytes[..bytes.len() - 1].as_chunks();
        let hash = words.iter().fold(hash, |hash, word| mix(hash, u128::from_le_bytes(*word)));
        return mix(hash, u128::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let [first, last] = [first, last].map(|bytes| u128::from(u64::from_le_bytes(*bytes)));
        return mix(hash, first << 64 | last);
    }
    mix(hash, bytes.iter().rev().fold(0, |word, byte| word << 8 | u128::from(*byte)))
}

/// A place below `places` for a hash: its upper half scaled, so that tables need no power of two.
#[inline]
pub(super) const fn place(hash: u64, places: usize) -> usize {
    (((hash >> 32) * places as u64) >> 32) as usize
}

/// The hash of a segment for one node. The node comes last and costs little, since a search waits for it.
#[inline]
pub(super) const fn at_node(segment: u64, node: u32) -> u64 {
    segment ^ (node as u64).wrapping_mul(SPREAD[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        let mut hashes = Vec::new();
        for length in 0..70 {
            let mut bytes = vec![b'a'; length];
            hashes.push(of_bytes(&bytes));
            for place in 0..length {
                bytes[place] = b'b';
                hashes.push(of_bytes(&bytes));
                bytes[place] = b'a';
            }
        }
        let all = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), all);
    }

    #[test]
    fn places_are_spread_over_the_table() {
        let mut taken = [0; 64];
        for node in 0..16 {
            for number in 0..64 {
                let word = u128::from_le_bytes(*format!("{number:016}").as_bytes().first_chunk().unwrap());
                taken[place(at_node(of_word(word), node), 64)] += 1;
            }
        }
        assert!(taken.iter().all(|count| (4..=36).contains(count)), "{taken:?}");
    }
}
