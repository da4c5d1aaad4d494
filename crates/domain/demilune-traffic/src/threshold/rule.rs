//! The rule that makes a threshold of a distribution (version 3).
//!
//! Three limits are taken, and the largest counts, since each is too low for some kind of traffic:
//!
//! - `F`, for sessions that all do the same: the 95 % quantile and three of its square roots, as counts of independent
//!   requests scatter.
//! - `V`, for skewed traffic: the 95 % quantile, carried on by as much again as it lies above the 80 % quantile, squared;
//!   at most 3.5 times the 97.5 % quantile.
//! - `W`, for a long tail: twice the 99 % quantile, at most 5 times the 97.5 % quantile.

use super::Distribution;

/// Quantiles of a distribution, between whole numbers, and the three limits that follow from them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the quantiles are named by what they are")]
pub struct Rule {
    pub q80: f64,
    pub q95: f64,
    pub q975: f64,
    pub q99: f64,
    /// Three standard deviations above the 95 % quantile, were requests independent.
    pub f: f64,
    /// The 95 % quantile, extrapolated.
    pub v: f64,
    /// Twice the 99 % quantile, capped.
    pub w: f64,
}

/// The limit that a threshold is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the limits of the rule")]
pub enum Decisive {
    F,
    V,
    W,
}

impl Rule {
    /// The rule on a distribution that is not empty.
    #[must_use]
    pub fn of(distribution: &Distribution) -> Self {
        Self::of_pairs(distribution.pairs(), distribution.sessions())
    }

    /// The rule on values in ascending order, of which some may have no sessions; `sessions` is their sum.
    pub(super) fn of_pairs(pairs: impl Iterator<Item = (u32, u32)>, sessions: u64) -> Self {
        let quantiles = quantiles(pairs, sessions);
        let mut rule = Self {
            q80: quantiles[0],
            q95: quantiles[1],
            q975: quantiles[2],
            q99: quantiles[3],
            f: 0.0,
            v: 0.0,
            w: 0.0,
        };
        rule.f = rule.q95 + 3.0 * rule.q95.sqrt();
        rule.v = (rule.q95 * (rule.q95 / rule.q80).powi(2)).min(3.5 * rule.q975);
        rule.w = (2.0 * rule.q99).min(5.0 * rule.q975);
        rule
    }

    /// The largest of the three limits: requests per session and 600 s, before the margin.
    #[must_use]
    pub const fn threshold(&self) -> f64 {
        self.f.max(self.v).max(self.w)
    }

    /// Which limit it is; of equal ones the first.
    #[must_use]
    pub fn decisive(&self) -> Decisive {
        let threshold = self.threshold();
        match () {
            () if self.f >= threshold => Decisive::F,
            () if self.v >= threshold => Decisive::V,
            () => Decisive::W,
        }
    }

    /// The threshold with its margin, as a whole number.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some times a value of 32 bits")]
    pub fn suggestion(&self, sessions_estimated: f64) -> u64 {
        (self.threshold() * margin(sessions_estimated)).ceil() as u64
    }
}

/// What a threshold is multiplied by, since few sessions know little of the tail: 1.28 for 50 sessions, 1.02 for 10,000.
#[must_use]
pub fn margin(sessions_estimated: f64) -> f64 {
    1.0 + 2.0 / sessions_estimated.sqrt()
}

const SHARES: [f64; 4] = [0.8, 0.95, 0.975, 0.99];

/// Quantiles that lie between whole numbers, as if the sessions of a value were spread evenly from half below it to half
/// above: a quantile of whole numbers would jump from one to the next.
#[expect(clippy::cast_precision_loss, reason = "numbers of sessions are far below 2^52")]
fn quantiles(pairs: impl Iterator<Item = (u32, u32)>, sessions: u64) -> [f64; SHARES.len()] {
    let mut quantiles = [0.5; SHARES.len()];
    let wanted = SHARES.map(|share| share * sessions as f64);
    let (mut below, mut found) = (0_u64, 0);
    for (value, with_it) in pairs {
        let up_to = below + u64::from(with_it);
        while found < wanted.len() && up_to as f64 >= wanted[found] {
            let within = (wanted[found] - below as f64) / f64::from(with_it);
            quantiles[found] = (f64::from(value) - 0.5 + within).max(0.5);
            found += 1;
        }
        below = up_to;
    }
    quantiles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_within_half_of_its_value() {
        let rule = Rule::of(&Distribution::of([1; 60]));
        assert_eq!((rule.q80, rule.q95), (1.3, 1.45));
        let rule = Rule::of(&Distribution::of([0; 60]));
        assert_eq!((rule.q80, rule.q95), (0.5, 0.5));
        let rule = Rule::of(&Distribution::of(1..=1_000));
        assert_eq!((rule.q80, rule.q99), (800.5, 990.5));
    }

    #[test]
    fn the_largest_limit_decides() {
        let check = |values: Vec<u32>, expected| {
            let rule = Rule::of(&Distribution::of(values));
            assert_eq!(rule.decisive(), expected, "{rule:?}");
        };
        check(vec![5; 100], Decisive::F);
        check((0..100).map(|number| if number < 90 { 10 } else { 200 }).collect(), Decisive::V);
        check((0..1_000).map(|number| if number < 970 { 100 } else { 400 }).collect(), Decisive::W);
    }

    #[test]
    fn the_margin_shrinks_with_the_sessions() {
        for (sessions, expected) in [(100.0, 1.2), (10_000.0, 1.02)] {
            assert!((margin(sessions) - expected).abs() < 1e-12, "{sessions}");
        }
    }
}
