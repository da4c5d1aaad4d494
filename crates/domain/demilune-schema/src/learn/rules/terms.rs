//! On which terms something is said.

use crate::learn::{
    evidence::{CROWD_MAX, Evidence},
    tally::Tally,
};

/// What a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// To be read: it accepts at least 99.9 % of the values of each parameter and member that it rests on.
    Document,
    /// To be enforced: it accepts at least 99.99 % of them, its bounds are four times as wide, and it lists values only
    /// after a week in which the last three days brought no new one.
    Enforce,
}

/// The terms of a profile for certain evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) profile: Profile,
    /// Requests, or bodies, that the whole rests on.
    pub(super) observations: u64,
    /// Whether these are many, of many callers.
    pub(super) is_confident: bool,
    /// The first and last hour in which something was seen.
    pub(super) span: (u32, u32),
}

/// Requests that anything needs to be said.
pub(super) const OBSERVATIONS_MIN: u64 = 1_000;
/// Requests, callers and occurrences that bounds and lists of values need.
pub(super) const CONFIDENT_OBSERVATIONS_MIN: u64 = 10_000;
pub(super) const CONFIDENT_CALLERS_MIN: usize = 50;
const OCCURRENCES_MIN: u64 = 1_000;
/// Requests and hours that lists of values and patterns need to be enforced, and hours without a new value.
const ENFORCED_OBSERVATIONS_MIN: u64 = 100_000;
const ENFORCED_HOURS_MIN: u32 = 6 * 24;
const QUIET_HOURS_MIN: u32 = 3 * 24;
/// Hours after which it can be told whether something grows.
const GROWTH_HOURS_MIN: u32 = 24;

impl Terms {
    pub(super) fn new(evidence: &Evidence, observations: u64, profile: Profile) -> Self {
        const _: () = assert!(CONFIDENT_CALLERS_MIN <= CROWD_MAX);
        let callers = evidence.crowd.at_least();
        let is_confident = observations >= CONFIDENT_OBSERVATIONS_MIN && callers >= CONFIDENT_CALLERS_MIN;
        Self { profile, observations, is_confident, span: evidence.span() }
    }

    /// Values of other kinds than the rest that may be left out, and other values than those of a list, of so many
    /// together.
    pub(super) fn strays(&self, of: u64) -> u64 {
        self.share(of, 800, 20)
    }

    /// Values that may lie beyond one bound.
    pub(super) fn outside(&self, of: u64) -> u64 {
        self.share(of, 100, 30)
    }

    /// Requests, or objects, without a parameter or member that is called required.
    pub(super) fn missing(&self, of: u64) -> u64 {
        self.share(of, 500, 0)
    }

    /// Whether a kind of value may be left out when there are not too many: to be enforced, only if few sent it.
    pub(super) fn is_stray(&self, tally: &Tally) -> bool {
        self.profile == Profile::Document || !tally.is_supported()
    }

    /// Whether what was seen so often is enough for bounds.
    pub(super) fn allows_bounds(&self, occurrences: u64) -> bool {
        self.is_confident && occurrences >= OCCURRENCES_MIN
    }

    /// The same for a list of values or a pattern, of which the newest was first seen in this hour.
    pub(super) fn allows_values(&self, occurrences: u64, newest: u32) -> bool {
        let (first, last) = self.span;
        let is_settled = self.observations >= ENFORCED_OBSERVATIONS_MIN
            && last - first >= ENFORCED_HOURS_MIN
            && last.saturating_sub(newest) >= QUIET_HOURS_MIN;
        self.allows_bounds(occurrences) && (self.profile == Profile::Document || is_settled)
    }

    /// Whether a highest value first seen in this hour may be taken for a maximum: to be enforced, it must have been
    /// there in the first third of the time.
    pub(super) fn allows_maximum(&self, first_seen: u32) -> bool {
        let (first, last) = self.span;
        let is_old = last - first >= GROWTH_HOURS_MIN && first_seen - first <= (last - first) / 3;
        self.profile == Profile::Document || is_old
    }

    /// How much wider than what was seen a bound is.
    pub(super) fn width(&self) -> i64 {
        match self.profile {
            Profile::Document => 1,
            Profile::Enforce => 4,
        }
    }

    /// What this many millionths of something are, for each profile.
    fn share(&self, of: u64, document: u64, enforce: u64) -> u64 {
        let millionths = match self.profile {
            Profile::Document => document,
            Profile::Enforce => enforce,
        };
        u64::try_from(u128::from(of) * u128::from(millionths) / 1_000_000).unwrap_or(u64::MAX)
    }
}
