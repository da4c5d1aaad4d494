//! A copy of a body, made while it goes past.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use demilune_schema::learn::Evidence;

/// Most bytes of copies at once, from a body's first byte until it was learned from: two thousand of the longest.
const HELD_MAX: usize = 128 << 20;

/// Bytes of copies that are held, and how many there were.
#[derive(Debug, Default)]
pub(super) struct Copies {
    held: AtomicUsize,
    /// Begun.
    pub(super) made: AtomicU64,
    /// Not begun, or given up on, since the body was too long.
    pub(super) too_long: AtomicU64,
    /// Not begun, since there was no room.
    pub(super) no_room: AtomicU64,
}

/// The beginning of a body, or all of it.
#[derive(Debug)]
pub(crate) struct BodyCopy {
    bytes: Vec<u8>,
    reserved: usize,
    copies: Arc<Copies>,
}

impl BodyCopy {
    /// Longest body that is copied.
    pub(crate) const BYTES_MAX: usize = Evidence::BODY_BYTES_MAX;

    /// Makes room for a body of a known length, or of any that is copied; none where there is no room.
    pub(super) fn reserve(copies: &Arc<Copies>, length: Option<u64>) -> Option<Self> {
        let length = length.map_or(Self::BYTES_MAX, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if length > Self::BYTES_MAX {
            copies.too_long.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let before = copies.held.fetch_add(length, Ordering::Relaxed);
        let copy = Self { bytes: Vec::new(), reserved: length, copies: Arc::clone(copies) };
        let fits = before + length <= HELD_MAX;
        let counter = if fits { &copies.made } else { &copies.no_room };
        counter.fetch_add(1, Ordering::Relaxed);
        fits.then_some(copy)
    }

    /// Adds what came; false if that is more than there is room for, and the copy is of no use.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> bool {
        let fits = self.bytes.len() + bytes.len() <= self.reserved;
        if fits {
            if self.bytes.capacity() == 0 && self.reserved < Self::BYTES_MAX {
                self.bytes.reserve_exact(self.reserved);
            }
            self.bytes.extend_from_slice(bytes);
        } else {
            self.copies.too_long.fetch_add(1, Ordering::Relaxed);
        }
        fits
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for BodyCopy {
    fn drop(&mut self) {
        self.copies.held.fetch_sub(self.reserved, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_have_room_together_and_each() {
        let copies = Arc::default();
        let mut all: Vec<_> = (0..2_048).map(|_| BodyCopy::reserve(&copies, None).unwrap()).collect();
        assert!(BodyCopy::reserve(&copies, Some(1)).is_none());
        assert!(all[0].add(&vec![0; 65_536]) && !all[0].add(&[0]));
        all.clear();
        let mut copy = BodyCopy::reserve(&copies, Some(3)).unwrap();
        assert!(copy.add(b"ab") && copy.add(b"c") && !copy.add(b"d"));
        assert_eq!((copy.bytes(), copies.held.load(Ordering::Relaxed)), (&b"abc"[..], 3));
    }

    #[test]
    fn what_is_not_copied_is_counted_with_its_reason() {
        let copies = Arc::default();
        assert!(
            BodyCopy::reserve(&copies, Some(65_537)).is_none() && BodyCopy::reserve(&copies, Some(u64::MAX)).is_none()
        );
        assert!(!BodyCopy::reserve(&copies, None).unwrap().add(&vec![0; 65_537]));
        let held: Vec<_> = (0..2_048).map(|_| BodyCopy::reserve(&copies, None)).collect();
        assert!(held.iter().all(Option::is_some) && BodyCopy::reserve(&copies, None).is_none());
        let counted = [&copies.made, &copies.too_long, &copies.no_room].map(|count| count.load(Ordering::Relaxed));
        assert_eq!(counted, [2_049, 3, 1]);
    }
}
