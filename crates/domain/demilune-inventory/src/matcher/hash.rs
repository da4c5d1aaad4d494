//! Hashes of bytes, eight at a time: quick, the same in every run, and not meant to withstand chosen keys.

/// An odd number with no pattern in its bits: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Takes one more word into a hash.
#[inline]
pub(super) const fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word).wrapping_mul(SPREAD);
    product ^ (product >> 32)
}

/// Takes all bytes into a hash.
pub(super) fn mix_bytes(mut hash: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    // The length in the highest byte, which seven bytes at most leave free.
    let length = (bytes.len() as u64) << 56;
    mix(hash, rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)) | length)
}

/// A place below `places` for a hash: its upper half scaled, so that tables need no power of two.
#[inline]
pub(super) const fn place(hash: u64, places: usize) -> usize {
    (((hash >> 32) * places as u64) >> 32) as usize
}
