//! The table: what each rule's threshold of one day does to the sessions of the next.

use std::ops::Range;

use crate::{
    candidate::{CANDIDATES, Candidate},
    day::{Day, Traffic},
    parallel,
    sample::{self, Sample, count},
    scenario::Scenario,
};

/// Abusers as shares of all sessions of the day that a threshold is learned from.
pub const SHARES: [f64; 5] = [0.0, 0.001, 0.005, 0.01, 0.02];

/// A day with fewer legitimate sessions than this says little about one in a thousand of them: thresholds are tried on
/// those of all runs' second days.
const SESSIONS_TO_TRY_ON: u32 = 1_000;
/// How many of a thousand legitimate sessions the best threshold of the second day leaves alone.
const ORACLE_PER_MILLE: usize = 999;

/// All cells.
#[derive(Debug)]
pub struct Table {
    /// One for each scenario.
    pub rows: Vec<Row>,
}

/// The cells of a scenario.
#[derive(Debug)]
pub struct Row {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// What the quantile of the second day itself would have done, which nobody knows the day before.
    pub oracle: Outcome,
    /// By candidate, then by share of abusers.
    pub cells: [[Cell; SHARES.len()]; CANDIDATES.len()],
}

/// What a rule did in all runs of a scenario with one share of abusers.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Means over the runs.
    pub mean: Outcome,
    /// The standard deviation of the threshold's logarithm.
    pub deviation: f64,
}

/// What a threshold did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Requests per session and 600 s.
    pub threshold: f64,
    /// The share of the second day's legitimate sessions that exceeded it.
    pub false_positives: f64,
    /// The share of the second day's abusers that exceeded it.
    pub recall: f64,
}

/// What a rule did over all cells.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// The mean share of legitimate sessions that exceeded the threshold.
    pub false_positives: f64,
    /// That of the worst cell.
    pub false_positives_worst: f64,
    /// The mean share of abusers that exceeded the threshold.
    pub recall: f64,
    /// The mean standard deviation of the threshold's logarithm.
    pub deviation: f64,
}

impl Table {
    /// Measures every cell in these runs.
    #[must_use]
    pub fn measure(traffic: &[Traffic], runs: Range<u64>) -> Self {
        let runs: Vec<u64> = runs.collect();
        Self { rows: traffic.iter().map(|traffic| Row::measure(traffic, &runs)).collect() }
    }

    /// A rule's figures over all cells; of each candidate, by its place.
    #[must_use]
    pub fn summary(&self, candidate: usize) -> Summary {
        let cells: Vec<Cell> = self.rows.iter().flat_map(|row| row.cells[candidate]).collect();
        let mean = |figure: fn(&Cell) -> f64| cells.iter().map(figure).sum::<f64>() / count(cells.len());
        Summary {
            false_positives: mean(|cell| cell.mean.false_positives),
            false_positives_worst: cells.iter().map(|cell| cell.mean.false_positives).fold(0.0, f64::max),
            recall: mean(|cell| cell.mean.recall),
            deviation: mean(|cell| cell.deviation),
        }
    }
}

impl Row {
    fn measure(traffic: &Traffic, runs: &[u64]) -> Self {
        let mut trials = parallel::map(runs, |run| Trial::of(traffic, *run));
        if traffic.scenario.sessions < SESSIONS_TO_TRY_ON {
            pool(&mut trials);
        }
        let oracles: Vec<_> = trials.iter().map(Trial::oracle).collect();
        let outcome = |candidate: &Candidate, share: usize| {
            let outcomes: Vec<_> = trials.iter().map(|trial| trial.outcome(candidate, share)).collect();
            Cell { mean: mean(&outcomes), deviation: deviation_of_logarithms(&outcomes) }
        };
        let cells = CANDIDATES.each_ref().map(|candidate| std::array::from_fn(|share| outcome(candidate, share)));
        Self { scenario: traffic.scenario, oracle: mean(&oracles), cells }
    }
}

/// A run: what is learned from, and what that is tried on.
struct Trial {
    /// Of the first day, by share of abusers.
    samples: [Sample; SHARES.len()],
    /// Ascending.
    second_day: Day,
}

impl Trial {
    fn of(traffic: &Traffic, run: u64) -> Self {
        let largest = SHARES[SHARES.len() - 1];
        let first_day = traffic.first_day(run, largest);
        let samples = SHARES.map(|share| first_day.sample(run, traffic.abusers_at(share), sample::SESSIONS_MAX));
        let mut second_day = traffic.second_day(run);
        second_day.legitimate.sort_unstable();
        second_day.abusers.sort_unstable();
        Self { samples, second_day }
    }

    fn outcome(&self, candidate: &Candidate, share: usize) -> Outcome {
        self.try_on(candidate.threshold(&self.samples[share]))
    }

    fn oracle(&self) -> Outcome {
        let legitimate = &self.second_day.legitimate;
        let rank = (ORACLE_PER_MILLE * legitimate.len()).div_ceil(1_000);
        self.try_on(legitimate[rank - 1].into())
    }

    fn try_on(&self, threshold: f64) -> Outcome {
        let Day { legitimate, abusers } = &self.second_day;
        Outcome {
            threshold,
            false_positives: share_above(legitimate, threshold),
            recall: share_above(abusers, threshold),
        }
    }
}

/// Tries thresholds on the legitimate sessions of all runs together.
fn pool(trials: &mut [Trial]) {
    let mut all: Vec<u32> = trials.iter().flat_map(|trial| trial.second_day.legitimate.iter().copied()).collect();
    all.sort_unstable();
    for trial in trials {
        trial.second_day.legitimate.clone_from(&all);
    }
}

/// The share of sessions, in ascending order, that made more requests than this.
pub(crate) fn share_above(sessions: &[u32], threshold: f64) -> f64 {
    let within = sessions.partition_point(|most| f64::from(*most) <= threshold);
    count(sessions.len() - within) / count(sessions.len())
}

fn mean(outcomes: &[Outcome]) -> Outcome {
    let mean = |figure: fn(&Outcome) -> f64| outcomes.iter().map(figure).sum::<f64>() / count(outcomes.len());
    Outcome {
        threshold: mean(|outcome| outcome.threshold),
        false_positives: mean(|outcome| outcome.false_positives),
        recall: mean(|outcome| outcome.recall),
    }
}

/// The standard deviation, as estimated from a sample.
fn deviation_of_logarithms(outcomes: &[Outcome]) -> f64 {
    let logarithms: Vec<f64> = outcomes.iter().map(|outcome| outcome.threshold.ln()).collect();
    let mean = logarithms.iter().sum::<f64>() / count(logarithms.len());
    let squares: f64 = logarithms.iter().map(|logarithm| (logarithm - mean).powi(2)).sum();
    (squares / count(logarithms.len() - 1)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_a_threshold_does_not_exceed_it() {
        let check = |threshold, expected: f64| {
            assert!((share_above(&[1, 2, 2, 3], threshold) - expected).abs() < 1e-12, "{threshold}");
        };
        check(0.5, 1.0);
        check(2.0, 0.25);
        check(3.0, 0.0);
    }

    #[test]
    fn a_deviation_is_that_of_factors() {
        let outcomes = [1.0, 4.0, 16.0].map(|threshold| Outcome { threshold, ..Outcome::default() });
        assert!((deviation_of_logarithms(&outcomes) - 4_f64.ln()).abs() < 1e-12);
    }
}
