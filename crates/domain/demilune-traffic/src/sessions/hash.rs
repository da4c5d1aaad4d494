//! The number that stands for a session.

use std::fmt;

/// The keyed hash of a session identifier's type, name and value: 44 bits, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionHash(u64);

impl SessionHash {
    const BITS: u32 = 44;
    /// The largest.
    pub(super) const MAX: Self = Self((1 << Self::BITS) - 1);

    /// The upper bits of a hash of 64 bits.
    #[must_use]
    pub const fn of(hash: u64) -> Self {
        let upper = hash >> (u64::BITS - Self::BITS);
        Self(if upper == 0 { 1 } else { upper })
    }

    /// The number, from 1 to 2^44 - 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The session that is this number.
    pub(super) const fn numbered(number: u64) -> Option<Self> {
        if number >= 1 && number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The hash as a share of all that there could be.
    #[expect(clippy::cast_precision_loss, reason = "44 bits fit")]
    pub(super) const fn fraction(self) -> f64 {
        self.0 as f64 / (1_u64 << Self::BITS) as f64
    }
}

impl fmt::Display for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:011x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_44_bits_and_is_never_0() {
        let check = |hash: u64, expected: u64| assert_eq!(SessionHash::of(hash).get(), expected, "{hash:x}");
        check(0, 1);
        check((1 << 20) - 1, 1);
        check(1 << 20, 1);
        check(5 << 20, 5);
        check(u64::MAX, (1 << 44) - 1);
    }

    #[test]
    fn it_is_printed_in_11_digits() {
        assert_eq!(SessionHash::of(0xabc << 20).to_string(), "00000000abc");
        assert_eq!(SessionHash::of(u64::MAX).to_string(), "fffffffffff");
    }
}
