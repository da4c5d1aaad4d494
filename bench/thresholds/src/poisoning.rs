//! What others can do to a threshold: lower it with sessions of one request, raise it with abusers or with one giant.

use demilune_traffic::{Distribution, Rule, margin};

use crate::{
    day::{Traffic, abusers_among},
    parallel,
    sample::count,
    table::share_above,
};

/// Sessions of one request, as shares of all.
pub const FLOODS: [f64; 3] = [0.5, 0.9, 0.99];
/// Abusers, as shares of all sessions.
pub const ABUSERS: [f64; 5] = [0.01, 0.02, 0.025, 0.05, 0.1];
/// Legitimate sessions among which the giant is one more.
pub const SIZES: [u32; 5] = [50, 60, 100, 150, 2_048];

/// Legitimate sessions of which a scenario's thresholds are made: enough that chance hardly matters.
const SESSIONS: u32 = 20_000;
const SEED: u64 = 1;
/// More than anybody else makes.
const GIANT: u32 = 1_000_000;
/// Samples into which a giant is put, and what their numbers are added to for their seeds.
const SAMPLES: u64 = 200;
const SAMPLE_SEED: u64 = 100_000;

/// What becomes of a scenario's threshold. A factor is the threshold's over that without such sessions.
#[derive(Debug)]
pub struct Poisoning {
    /// The scenario's name.
    pub name: &'static str,
    /// Requests per session and 600 s where nobody interferes, before the margin.
    pub threshold: f64,
    /// The share of legitimate sessions that exceed it.
    pub false_positives: f64,
    /// By [`FLOODS`].
    pub floods: [Moved; FLOODS.len()],
    /// By [`ABUSERS`].
    pub abusers: [Moved; ABUSERS.len()],
    /// By [`SIZES`]: the mean and the largest factor over samples of these many legitimate sessions and the giant.
    pub giants: [(f64, f64); SIZES.len()],
}

/// A threshold that was moved.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    /// How many times the threshold.
    pub factor: f64,
    /// The share of legitimate sessions that exceed it now.
    pub false_positives: f64,
    /// The share of abusers that exceed it now.
    pub recall: f64,
}

impl Poisoning {
    /// Measures a scenario.
    #[must_use]
    pub fn measure(traffic: &Traffic) -> Self {
        let mut legitimate = traffic.legitimate(SEED, 1.0, SESSIONS);
        legitimate.sort_unstable();
        let threshold = rule(legitimate.iter().copied());
        let mut abusers = traffic.abusers(SEED, SESSIONS);
        let moved_by = |others: &[u32]| {
            let moved = rule(legitimate.iter().chain(others).copied());
            (moved / threshold, share_above(&legitimate, moved), moved)
        };
        let floods = FLOODS.map(|share| moved_by(&vec![1; abusers_among(SESSIONS, share) as usize]));
        let raised = ABUSERS.map(|share| moved_by(&abusers[..abusers_among(SESSIONS, share) as usize]));
        abusers.sort_unstable();
        let finish =
            |(factor, false_positives, moved)| Moved { factor, false_positives, recall: share_above(&abusers, moved) };
        Self {
            name: traffic.scenario.name,
            threshold,
            false_positives: share_above(&legitimate, threshold),
            floods: floods.map(finish),
            abusers: raised.map(finish),
            giants: SIZES.map(|sessions| giant(traffic, sessions)),
        }
    }
}

fn giant(traffic: &Traffic, sessions: u32) -> (f64, f64) {
    let factors = (0..SAMPLES).map(|sample| {
        let legitimate = traffic.legitimate(SAMPLE_SEED + sample, 1.0, sessions);
        let with = rule(legitimate.iter().copied().chain([GIANT])) * margin(f64::from(sessions + 1));
        with / (rule(legitimate) * margin(sessions.into()))
    });
    let factors: Vec<f64> = factors.collect();
    (factors.iter().sum::<f64>() / count(factors.len()), factors.iter().copied().fold(0.0, f64::max))
}

fn rule(maxima: impl IntoIterator<Item = u32>) -> f64 {
    Rule::of(&Distribution::of(maxima)).threshold()
}

/// Measures every scenario.
#[must_use]
pub fn measure(traffic: &[Traffic]) -> Vec<Poisoning> {
    parallel::map(traffic, Poisoning::measure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    #[test]
    fn a_flood_lowers_a_threshold_and_abusers_raise_it() {
        let poisoning = Poisoning::measure(&Traffic::of(&SCENARIOS[1]));
        assert!(poisoning.floods.map(|moved| -moved.factor).is_sorted(), "{poisoning:?}");
        assert!(poisoning.abusers.map(|moved| moved.factor).is_sorted(), "{poisoning:?}");
        assert!(poisoning.floods[0].factor < 1.0 && poisoning.abusers[0].factor > 1.0, "{poisoning:?}");
    }
}
