//! Log lines that strangers can cause: a few each second, and the number of those that were left out.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Lets a few things a second through.
pub(super) struct Sparingly {
    each_second: u32,
    state: Mutex<State>,
}

struct State {
    second: Instant,
    passed: u32,
    held_back: u64,
}

impl Sparingly {
    pub(super) fn new(each_second: u32) -> Self {
        Self { each_second, state: Mutex::new(State { second: Instant::now(), passed: 0, held_back: 0 }) }
    }

    /// Whether this one may pass, and how many were held back since the last that did.
    pub(super) fn allow(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.second.elapsed() >= Duration::from_secs(1) {
            state.second = Instant::now();
            state.passed = 0;
        }
        if state.passed == self.each_second {
            state.held_back += 1;
            return None;
        }
        state.passed += 1;
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_back_is_counted() {
        let sparingly = Sparingly::new(2);
        assert_eq!([(); 4].map(|()| sparingly.allow()), [Some(0), Some(0), None, None]);
        sparingly.state.lock().unwrap().second -= Duration::from_secs(1);
        assert_eq!([(); 3].map(|()| sparingly.allow()), [Some(2), Some(0), None]);
    }
}
