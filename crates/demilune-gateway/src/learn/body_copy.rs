//! A copy of a body, made while it goes past.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use demilune_schema::learn::Evidence;

/// Most bytes of copies at once, from a body's first byte until it was learned from: two thousand of the longest.
const HELD_MAX: usize = 128 << 20;

/// Bytes of copies that are held.
#[derive(Debug, Default)]
pub(super) struct Held(AtomicUsize);

/// The beginning of a body, or all of it.
#[derive(Debug)]
pub(crate) struct BodyCopy {
    bytes: Vec<u8>,
    reserved: usize,
    held: Arc<Held>,
}

impl BodyCopy {
    /// Longest body that is copied.
    pub(crate) const BYTES_MAX: usize = Evidence::BODY_BYTES_MAX;

    /// Makes room for a body of a known length, or of any that is copied; none where there is no room.
    pub(super) fn reserve(held: &Arc<Held>, length: Option<u64>) -> Option<Self> {
        let length = length.map_or(Some(Self::BYTES_MAX), |length| usize::try_from(length).ok())?;
        if length > Self::BYTES_MAX {
            return None;
        }
        let before = held.0.fetch_add(length, Ordering::Relaxed);
        let copy = Self { bytes: Vec::new(), reserved: length, held: Arc::clone(held) };
        (before + length <= HELD_MAX).then_some(copy)
    }

    /// Adds what came; false if that is more than there is room for, and the copy is of no use.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> bool {
        let fits = self.bytes.len() + bytes.len() <= self.reserved;
        if fits {
            if self.bytes.capacity() == 0 && self.reserved < Self::BYTES_MAX {
                self.bytes.reserve_exact(self.reserved);
            }
            self.bytes.extend_from_slice(bytes);
        }
        fits
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for BodyCopy {
    fn drop(&mut self) {
        self.held.0.fetch_sub(self.reserved, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_have_room_together_and_each() {
        let held = Arc::default();
        assert!(BodyCopy::reserve(&held, Some(65_537)).is_none());
        let mut all: Vec<_> = (0..2_048).map(|_| BodyCopy::reserve(&held, None).unwrap()).collect();
        assert!(BodyCopy::reserve(&held, Some(1)).is_none());
        assert!(all[0].add(&vec![0; 65_536]) && !all[0].add(&[0]));
        all.clear();
        let mut copy = BodyCopy::reserve(&held, Some(3)).unwrap();
        assert!(copy.add(b"ab") && copy.add(b"c") && !copy.add(b"d"));
        assert_eq!((copy.bytes(), held.0.load(Ordering::Relaxed)), (&b"abc"[..], 3));
    }
}
