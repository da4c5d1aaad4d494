//! Hashes of bytes, several at a time: quick, the same in every run, and not meant to withstand chosen keys.

/// Odd numbers with no pattern in their bits: 2^64 divided by the golden ratio, and what SplitMix64 multiplies by.
const SPREAD: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// Takes eight more bytes into a hash.
#[inline]
pub(super) const fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word).wrapping_mul(SPREAD[0]);
    product ^ (product >> 32)
}

/// The hash of sixteen bytes.
#[inline]
pub(super) const fn of_word(word: u128) -> u64 {
    let [low, high] = [word as u64, (word >> 64) as u64];
    low.wrapping_mul(SPREAD[0]) ^ high.wrapping_mul(SPREAD[1])
}

/// The hash of any number of bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> u64 {
    mix_bytes(0, bytes)
}

/// Takes all bytes into a hash.
pub(super) fn mix_bytes(hash: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(mix(hash, bytes.len() as u64), |hash, word| mix(hash, u64::from_le_bytes(*word)));
    match bytes.last_chunk() {
        // Some of them for the second time.
        Some(last) => mix(hash, u64::from_le_bytes(*last)),
        None => mix(hash, rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))),
    }
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
