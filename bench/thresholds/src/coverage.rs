//! How often an interval around a suggestion holds what it is about.
//!
//! What it is about is what the rule makes of a very large sample of the same traffic, times the margin of the sample
//! that the interval comes from: the suggestion that this many sessions would have led to, had they been typical. Whether
//! the interval holds the very large sample's own suggestion, whose margin is next to none, is measured beside it.

use demilune_traffic::{Distribution, Interval, Intervals, Rule, margin};

use crate::{day::Traffic, parallel, sample::count};

/// Sessions of the samples: hardly enough, few, some, and the most that a sample holds.
pub const SIZES: [u32; 4] = [60, 150, 500, 2_048];
/// Sessions that stand for all that there could be, and their seed.
const SESSIONS_LARGE: u32 = 200_000;
const SEED_LARGE: u64 = 1;
/// Where the seeds of samples start, and how far they are apart by scenario and size, so that none is used twice.
const SEED: u64 = 100_000_000;
const SEEDS_OF_SCENARIO: usize = 1_000_000;
const SEEDS_OF_SIZE: u64 = 100_000;

/// How often the intervals of a scenario's samples held what they are about.
#[derive(Debug)]
pub struct Coverage {
    /// The scenario's name.
    pub name: &'static str,
    /// By [`SIZES`].
    pub sizes: [Held; SIZES.len()],
}

/// Shares of the samples of one size.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    /// Whose 90, 95 and 99 % interval held the suggestion of a typical sample of its size.
    pub typical: [f64; 3],
    /// Whose 95 % interval held the suggestion of the very large sample.
    pub large: f64,
    /// How many times the lower bound of the 95 % interval the upper one is: the mean of its logarithm.
    pub width_logarithm: f64,
}

impl Coverage {
    /// Measures these many samples of each size and scenario.
    #[must_use]
    pub fn measure(traffic: &[Traffic], samples: u64) -> Vec<Self> {
        let samples: Vec<u64> = (0..samples).collect();
        let seeds = (SEED..).step_by(SEEDS_OF_SCENARIO);
        traffic.iter().zip(seeds).map(|(traffic, seed)| Self::measure_one(traffic, &samples, seed)).collect()
    }

    fn measure_one(traffic: &Traffic, samples: &[u64], seed: u64) -> Self {
        let large = Distribution::of(traffic.legitimate(SEED_LARGE, 1.0, SESSIONS_LARGE));
        let threshold = Rule::of(&large).threshold();
        let mut seed = seed;
        let sizes = SIZES.map(|sessions| {
            seed += SEEDS_OF_SIZE;
            mean(&parallel::map(samples, |sample| held(traffic, seed + sample, sessions, threshold)))
        });
        Self { name: traffic.scenario.name, sizes }
    }
}

/// The means over all scenarios, by [`SIZES`].
#[must_use]
pub fn means(coverages: &[Coverage]) -> [Held; SIZES.len()] {
    std::array::from_fn(|size| mean(&coverages.iter().map(|coverage| coverage.sizes[size]).collect::<Vec<_>>()))
}

/// What one sample's intervals held, as shares that are 0 or 1.
fn held(traffic: &Traffic, seed: u64, sessions: u32, threshold: f64) -> Held {
    let sample = Distribution::of(traffic.legitimate(seed, 1.0, sessions));
    let Intervals { p90, p95, p99, .. } = Intervals::of(&sample, sessions.into());
    let holds = |interval: Interval, value: f64| f64::from(interval.lower <= value && value <= interval.upper);
    let typical = threshold * margin(sessions.into());
    let large = (threshold * margin(SESSIONS_LARGE.into())).ceil();
    Held {
        typical: [p90, p95, p99].map(|interval| holds(interval, typical)),
        large: holds(p95, large),
        width_logarithm: (p95.upper / p95.lower.max(1.0)).ln(),
    }
}

fn mean(held: &[Held]) -> Held {
    let mean = |figure: &dyn Fn(&Held) -> f64| held.iter().map(figure).sum::<f64>() / count(held.len());
    Held {
        typical: std::array::from_fn(|level| mean(&|held| held.typical[level])),
        large: mean(&|held| held.large),
        width_logarithm: mean(&|held| held.width_logarithm),
    }
}
