//! Which bodies are learned from: as many as the time allows that may be spent on them.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use demilune_schema::learn::Supporter;

/// The part of a core's time that may be spent on bodies: beyond it, the share is halved, as often as it takes.
pub(super) const BUSY_MAX: f64 = 0.10;
/// Below this, twice as many are taken again.
const BUSY_LOW: f64 = 0.04;
/// The smallest share, one in 65,536: enough of a very busy gateway's to go up again by.
const SHARE_MIN: u32 = u32::MAX >> 16;

/// The share of callers whose bodies are learned from within a minute, as a part of the whole range of a hash. By the
/// minute, so that no caller is passed over for ever; by caller, so that nobody can choose which requests count.
#[derive(Debug)]
pub(super) struct Choice(AtomicU32);

impl Default for Choice {
    fn default() -> Self {
        Self(AtomicU32::new(u32::MAX))
    }
}

impl Choice {
    /// Whether this caller's bodies are learned from in this minute.
    pub(super) fn takes(&self, Supporter(caller): Supporter, minute: u64) -> bool {
        let share = self.0.load(Ordering::Relaxed);
        share == u32::MAX || mix(u64::from(caller) << 32 ^ minute) <= share
    }

    /// Tells how much of some time the bodies that were copied took, or would have taken.
    pub(super) fn judge(&self, busy: Duration, within: Duration) {
        let share = self.0.load(Ordering::Relaxed);
        let mut part = busy.as_secs_f64() / within.as_secs_f64().max(f64::MIN_POSITIVE);
        let mut next = share;
        if part < BUSY_LOW {
            // What the shift would lose at the top comes back as the whole.
            next = if share > u32::MAX >> 1 { u32::MAX } else { share << 1 | 1 };
        }
        while part > BUSY_MAX && next > SHARE_MIN {
            (next, part) = (next >> 1, part / 2.0);
        }
        self.0.store(next, Ordering::Relaxed);
    }

    /// The share, from 0 to 1.
    pub(super) fn share(&self) -> f64 {
        f64::from(self.0.load(Ordering::Relaxed)) / f64::from(u32::MAX)
    }
}

/// The upper half of the finaliser of `SplitMix64`.
fn mix(number: u64) -> u32 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    u32::try_from(mixed >> 32).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_halved_while_time_is_short_and_comes_back() {
        let choice = Choice::default();
        let second = Duration::from_secs(1);
        for (millis, expected) in [(101, 0.5), (399, 0.125)] {
            choice.judge(Duration::from_millis(millis), second);
            assert!((choice.share() - expected).abs() < 1e-6);
        }
        let taken = (0..10_000).filter(|caller| choice.takes(Supporter(*caller), 7)).count();
        assert!((1_100..1_400).contains(&taken), "{taken}");
        choice.judge(Duration::from_millis(70), second);
        assert!((choice.share() - 0.125).abs() < 1e-6);
        for _ in 0..3 {
            choice.judge(Duration::ZERO, second);
        }
        assert!((choice.share() - 1.0).abs() < 1e-6);
        for _ in 0..99 {
            choice.judge(second, second);
        }
        assert!(choice.share() > 1e-5);
    }

    #[test]
    fn each_minute_chooses_anew() {
        let choice = Choice::default();
        choice.judge(Duration::from_millis(150), Duration::from_secs(1));
        let minutes = (0..100).filter(|minute| choice.takes(Supporter(7), *minute)).count();
        assert!((25..75).contains(&minutes), "{minutes}");
    }
}
