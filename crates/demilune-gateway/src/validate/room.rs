//! Room for bodies that are held: one bound for all of them together.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Room for the bytes that are held until a verdict.
#[derive(Debug)]
pub(crate) struct Room {
    bytes_max: usize,
    taken: AtomicUsize,
}

/// A part of the room, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, taken: AtomicUsize::new(0) })
    }

    /// Bytes that are taken now.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// A part without bytes yet.
    pub(crate) fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { room: Arc::clone(self), bytes: 0 }
    }
}

impl Reservation {
    /// Takes more; false where there is none, and then nothing was taken.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let fits = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.room.bytes_max);
        let grown = self.room.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if grown {
            self.bytes += bytes;
        }
        grown
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back_and_never_exceeds_the_bound() {
        let room = Room::new(10);
        let (mut first, mut second) = (room.reservation(), room.reservation());
        assert!(first.grow(4) && second.grow(6) && !first.grow(1) && !second.grow(usize::MAX));
        assert_eq!(room.taken(), 10);
        drop(first);
        assert!(room.taken() == 6 && second.grow(4));
        drop(second);
        assert_eq!(room.taken(), 0);
    }
}
