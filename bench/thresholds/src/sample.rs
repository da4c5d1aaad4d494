//! The sessions that a threshold is learned from: those with the smallest hashes.

use demilune_traffic::Distribution;

use crate::random::{Stream, uniform};

/// How many sessions a sample has at most: as many as the product's.
pub const SESSIONS_MAX: usize = demilune_traffic::SessionSample::SESSIONS_MAX;

/// A sample of sessions, and how many there were.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Their largest counts.
    pub maxima: Distribution,
    /// Exact where all are in the sample, else estimated.
    pub sessions_estimated: f64,
}

impl Sample {
    /// The `sessions_max` sessions with the smallest hashes, of sessions that are numbered through.
    #[must_use]
    pub fn of(maxima: impl IntoIterator<Item = u32>, seed: u64, sessions_max: usize) -> Self {
        let hash = |session| uniform(seed, Stream::Hash, session);
        let mut sessions: Vec<(f64, u32)> = (0..).map(hash).zip(maxima).collect();
        let mut sessions_estimated = count(sessions.len());
        if sessions.len() >= sessions_max {
            let (_, last, _) =
                sessions.select_nth_unstable_by(sessions_max - 1, |one, other| one.0.total_cmp(&other.0));
            sessions_estimated = count(sessions_max - 1) / last.0;
            sessions.truncate(sessions_max);
        }
        let maxima = Distribution::of(sessions.into_iter().map(|(_, most)| most));
        Self { maxima, sessions_estimated }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 sessions")]
pub(crate) const fn count(sessions: usize) -> f64 {
    sessions as f64
}
