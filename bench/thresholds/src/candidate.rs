//! Rules that make a threshold of a sample: the product's, and what else one might think of.

use demilune_traffic::{Distribution, Rule};

use crate::sample::Sample;

/// A rule.
#[derive(Debug)]
pub struct Candidate {
    /// Its name in the tables.
    pub name: &'static str,
    threshold: fn(&Sample) -> f64,
}

/// The product's rule, with its margin, first. Those that take a single quantile take what API shields show beside their
/// suggestion; that with the deviation is what "includes the variance" in the plainest way.
pub const CANDIDATES: [Candidate; 7] = [
    Candidate { name: "Demilune", threshold: product },
    Candidate { name: "p99", threshold: |sample| p99(sample) },
    Candidate { name: "2 × p99", threshold: |sample| 2.0 * p99(sample) },
    Candidate { name: "mean + 3 sd", threshold: |sample| mean_and_deviations(&sample.maxima) },
    Candidate { name: "median + 3 MAD", threshold: |sample| median_and_deviations(&sample.maxima) },
    Candidate { name: "log-Tukey 3.0", threshold: |sample| log_tukey(&sample.maxima) },
    Candidate { name: "the largest", threshold: |sample| f64::from(sample.maxima.percentile(100)) },
];

impl Candidate {
    /// Requests per session and 600 s: a session that makes more exceeds the threshold. A whole number, as a limit is.
    #[must_use]
    pub fn threshold(&self, sample: &Sample) -> f64 {
        (self.threshold)(sample).ceil()
    }
}

/// The suggestion before it becomes a whole number.
fn product(sample: &Sample) -> f64 {
    Rule::of(&sample.maxima).threshold() * demilune_traffic::margin(sample.sessions_estimated)
}

fn p99(sample: &Sample) -> f64 {
    sample.maxima.percentile(99).into()
}

fn mean_and_deviations(maxima: &Distribution) -> f64 {
    let mean_of = |value: &dyn Fn(f64) -> f64| {
        let (sum, sessions) = maxima.pairs().fold((0.0, 0.0), |(sum, all), (most, sessions)| {
            (sum + value(most.into()) * f64::from(sessions), all + f64::from(sessions))
        });
        sum / sessions
    };
    let mean = mean_of(&|most| most);
    mean + 3.0 * mean_of(&|most| (most - mean).powi(2)).sqrt()
}

/// What a normal distribution's median absolute deviation is multiplied by to make its standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// Hampel, "The influence curve and its role in robust estimation", 1974.
fn median_and_deviations(maxima: &Distribution) -> f64 {
    let median = maxima.percentile(50);
    let deviations =
        maxima.pairs().flat_map(|(most, sessions)| std::iter::repeat_n(most.abs_diff(median), sessions as usize));
    let deviation = Distribution::of(deviations).percentile(50);
    f64::from(median) + 3.0 * MAD_TO_DEVIATION * f64::from(deviation)
}

/// Three interquartile ranges above the upper quartile, on logarithms: Tukey, "Exploratory data analysis", 1977, for what
/// lies "far out".
fn log_tukey(maxima: &Distribution) -> f64 {
    let (lower, upper) = (f64::from(maxima.percentile(25)), f64::from(maxima.percentile(75)));
    upper * (upper / lower).powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::floor;

    fn check(values: impl IntoIterator<Item = u32>, expected: [u32; CANDIDATES.len()]) {
        let sample = Sample { maxima: Distribution::of(values), sessions_estimated: 100.0 };
        let found = CANDIDATES.map(|candidate| floor(candidate.threshold(&sample)));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_rule_says_what_its_name_says() {
        // Deviation .87 around 2.5; both quartiles are 2.
        check([2; 75].into_iter().chain([4; 25]), [13, 4, 8, 6, 2, 2, 4]);
        check(1..=100, [239, 99, 198, 138, 162, 2_025, 100]);
    }
}
