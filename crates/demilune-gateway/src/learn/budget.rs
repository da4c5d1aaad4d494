//! The time that bodies may take, by the second.

use std::time::{Duration, Instant};

use super::choice::BUSY_MAX;

/// How often it is judged how busy bodies kept the thread.
const JUDGE_EVERY: Duration = Duration::from_secs(1);

/// What bodies took since it was last judged. Beyond its part of a second no more are read: a flood must not take the
/// time that requests need until fewer bodies are copied.
#[derive(Debug)]
pub(super) struct Budget {
    since: Instant,
    spent: Duration,
    read: u32,
    passed_over: u32,
    limit: Duration,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        let limit = JUDGE_EVERY.mul_f64(BUSY_MAX);
        Self { since: now, spent: Duration::ZERO, read: 0, passed_over: 0, limit }
    }

    /// All the time that it takes, for the end.
    pub(super) fn without_limit(now: Instant) -> Self {
        Self { limit: Duration::MAX, ..Self::new(now) }
    }

    /// Whether there is time for another body; if not, it counts as passed over.
    pub(super) fn allows(&mut self) -> bool {
        let allows = self.spent < self.limit;
        self.passed_over += u32::from(!allows);
        allows
    }

    /// A body was read.
    pub(super) fn spend(&mut self, took: Duration) {
        self.spent += took;
        self.read += 1;
    }

    /// What bodies took, with those that were passed over at the price of the others, and within which time; begins anew.
    /// None while it is too early to judge.
    pub(super) fn judged(&mut self, now: Instant) -> Option<(Duration, Duration)> {
        let within = now.saturating_duration_since(self.since);
        if within < JUDGE_EVERY {
            return None;
        }
        let all = f64::from(self.read) + f64::from(self.passed_over);
        let busy = self.spent.mul_f64(all / f64::from(self.read.max(1)));
        *self = Self::new(now);
        Some((busy, within))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_flood_would_take_is_judged_and_not_taken() {
        let begun = Instant::now();
        let mut budget = Budget::new(begun);
        for _ in 0..1_000 {
            if budget.allows() {
                budget.spend(Duration::from_millis(1));
            }
        }
        assert_eq!((budget.read, budget.passed_over), (100, 900));
        assert_eq!(budget.judged(begun + Duration::from_millis(999)), None);
        let second = Duration::from_secs(1);
        assert_eq!(budget.judged(begun + second), Some((second, second)));
        assert_eq!(budget.judged(begun + 2 * second), Some((Duration::ZERO, second)));
    }
}
