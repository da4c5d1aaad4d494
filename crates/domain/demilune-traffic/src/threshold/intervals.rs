//! Where the suggestion would lie had other sessions been sampled: the bootstrap (Efron, "Bootstrap methods", 1979).
//!
//! The sample is sampled anew a thousand times, with a generator that counts, so that every machine draws the same. An
//! interval is the wider of the percentiles of the thresholds drawn and of a normal one on their logarithms: the first
//! alone is too narrow where few sessions make the tail.

use super::{Distribution, Rule, margin};

/// The mean of the suggestions and the intervals around them, in requests per session and 600 s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intervals {
    /// The mean suggestion.
    pub mean: f64,
    /// Nine in ten suggestions lie within.
    pub p90: Interval,
    /// Nineteen in twenty.
    pub p95: Interval,
    /// Ninety-nine in a hundred.
    pub p99: Interval,
}

/// Whole numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the bounds of an interval")]
pub struct Interval {
    pub lower: f64,
    pub upper: f64,
}

/// The same for every operation, so that equal samples have equal intervals.
const SEED: u64 = 42;
const REPLICATES: usize = 1_000;

/// The ranks of an interval's bounds among the replicates, from 0, and its half width in standard deviations.
struct Level {
    lower: usize,
    upper: usize,
    deviations: f64,
}

/// Ranks are the floor of 999·a and the ceiling of 999·(1 - a), where a is half of what the level leaves out.
const P90: Level = Level { lower: 49, upper: 950, deviations: 1.644_853_626_951_472_2 };
const P95: Level = Level { lower: 24, upper: 975, deviations: 1.959_963_984_540_054 };
const P99: Level = Level { lower: 4, upper: 995, deviations: 2.575_829_303_548_900_4 };

impl Intervals {
    /// The intervals of the suggestion that a distribution with at least one session leads to.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    pub fn of(distribution: &Distribution, sessions_estimated: f64) -> Self {
        let threshold = Rule::of(distribution).threshold();
        let margin = margin(sessions_estimated);
        let mut drawn = replicates(distribution);
        let mean = drawn.iter().sum::<f64>() / REPLICATES as f64 * margin;
        let deviation = deviation_of_logarithms(&drawn);
        drawn.sort_unstable_by(f64::total_cmp);
        let interval = |level: &Level| {
            let width = (level.deviations * deviation).exp();
            Interval {
                lower: (drawn[level.lower].min(threshold / width) * margin).floor(),
                upper: (drawn[level.upper].max(threshold * width) * margin).ceil(),
            }
        };
        Self { mean, p90: interval(&P90), p95: interval(&P95), p99: interval(&P99) }
    }
}

/// The thresholds of samples that are drawn from the sample, each as large as it is.
fn replicates(distribution: &Distribution) -> Vec<f64> {
    let values: Vec<u32> = distribution.pairs().map(|(value, _)| value).collect();
    // The place of the value that each session has.
    let places: Vec<u32> = (0_u32..)
        .zip(distribution.pairs())
        .flat_map(|(place, (_, sessions))| std::iter::repeat_n(place, sessions as usize))
        .collect();
    let mut counts = vec![0_u32; values.len()];
    let mut thresholds = Vec::with_capacity(REPLICATES);
    for replicate in 0..REPLICATES as u64 {
        counts.fill(0);
        let stream = Stream::new(SEED, replicate);
        for draw in 0..places.len() as u64 {
            counts[places[stream.rank(draw, places.len())] as usize] += 1;
        }
        let pairs = values.iter().copied().zip(counts.iter().copied());
        thresholds.push(Rule::of_pairs(pairs.filter(|(_, sessions)| *sessions > 0), places.len() as u64).threshold());
    }
    thresholds
}

/// The standard deviation, as of a whole population.
#[expect(clippy::cast_precision_loss, reason = "a thousand")]
fn deviation_of_logarithms(thresholds: &[f64]) -> f64 {
    let logarithms: Vec<f64> = thresholds.iter().map(|threshold| threshold.ln()).collect();
    let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
    let squares: f64 = logarithms.iter().map(|logarithm| (logarithm - mean).powi(2)).sum();
    (squares / logarithms.len() as f64).sqrt()
}

/// Random numbers that are a function of their number (a counter-based generator on `SplitMix64`: Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", 2014).
struct Stream(u64);

const GOLD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Stream {
    const fn new(seed: u64, stream: u64) -> Self {
        Self(mix(seed.wrapping_mul(GOLD).wrapping_add(stream)))
    }

    const fn number(&self, counter: u64) -> u64 {
        mix(self.0.wrapping_add(counter.wrapping_mul(GOLD)))
    }

    /// A rank below `length`, which has at most 32 bits.
    const fn rank(&self, counter: u64, length: usize) -> usize {
        (((self.number(counter) >> 32) * length as u64) >> 32) as usize
    }
}

/// The finaliser of `SplitMix64`.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_agreed_one() {
        assert_eq!(Stream::new(1, 2).number(3), 15_536_041_703_846_764_912);
    }

    #[test]
    fn every_suggestion_lies_in_its_intervals() {
        for values in [vec![1; 60], (1..200).collect(), (0..3_000).map(|number| number * number / 7 + 1).collect()] {
            let distribution = Distribution::of(values);
            let sessions = f64::from(u32::try_from(distribution.sessions()).unwrap());
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let suggested = Rule::of(&distribution).suggestion(sessions) as f64;
            let intervals = Intervals::of(&distribution, sessions);
            let Intervals { p90, p95, p99, .. } = intervals;
            let ascending = [p99.lower, p95.lower, p90.lower, suggested, p90.upper, p95.upper, p99.upper];
            assert!(ascending.is_sorted(), "{suggested} {intervals:?}");
        }
    }
}
