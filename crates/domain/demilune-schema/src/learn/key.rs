//! Hashes of names and values, with a key, so that stored evidence says neither.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// The key of all hashes here (SipHash-1-3). Evidence made with two keys says nothing together.
#[derive(Clone, Copy)]
pub struct LearnKey([u8; 16]);

impl LearnKey {
    /// A key of 128 secret bits, the same wherever evidence is made that will be merged.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// The place of a query parameter.
    pub(super) fn query(&self, name: &str) -> FieldHash {
        self.hash(b'q', 0, name.as_bytes())
    }

    /// The place of an object's member.
    pub(super) fn member(&self, object: FieldHash, name: &str) -> FieldHash {
        self.hash(b'm', object.0, name.as_bytes())
    }

    /// A value, wherever it stands.
    pub(super) fn value(&self, value: &[u8]) -> u64 {
        self.hash(b'v', 0, value).0
    }

    fn hash(&self, kind: u8, parent: u64, name: &[u8]) -> FieldHash {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write_u64(parent << 8 | u64::from(kind));
        hasher.write(name);
        // What is reserved for places without a name stays free.
        FieldHash(hasher.finish() | FieldHash::NAMED)
    }
}

/// A place in requests: names are in it as hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FieldHash(pub(super) u64);

impl FieldHash {
    /// What parameters and bodies belong to.
    pub(crate) const ROOT: Self = Self(1 << 17);
    /// The whole body.
    pub(crate) const BODY: Self = Self(1 << 16);
    /// Set in every place that has a name in it.
    const NAMED: u64 = 1 << 63;

    /// A variable of the path, by its position.
    pub(crate) const fn variable(position: u16) -> Self {
        Self(position as u64)
    }

    /// The items of an array.
    pub(super) const fn items(self) -> Self {
        // An odd factor loses nothing; the sum keeps the body's own items apart from it.
        Self(self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x6a09_e667_f3bc_c909) | Self::NAMED)
    }

    /// What tells published places apart: a collision keeps one field too many.
    pub(super) const fn short(self) -> u32 {
        let [_, _, _, _, bytes @ ..] = (self.0 << 1).to_le_bytes();
        u32::from_le_bytes(bytes)
    }
}
