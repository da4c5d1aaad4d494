//! From what sessions did to a limit that normal ones do not reach, and how sure that is.

mod confidence;
mod distribution;
mod intervals;
mod rule;

pub use confidence::{Confidence, ConfidenceLabel, ConfidenceReason, Context};
pub use distribution::Distribution;
pub use intervals::{Interval, Intervals};
pub use rule::{Decisive, Rule, margin};

use crate::{Hour, WindowTotals};

/// What is recommended for one operation, with all that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// The end of the 24 hours that were looked at.
    pub window_end: Hour,
    /// How many sessions there were, exact or estimated.
    pub sessions_estimated: f64,
    /// How many requests were counted: answered with 2xx, not blocked.
    pub requests: u64,
    /// How many of them carried no session identifier.
    pub anonymous: u64,
    /// The most requests within 600 s, of each sampled session.
    pub maxima: Distribution,
    /// Requests per session and 600 s that normal sessions do not exceed.
    pub suggested_threshold: u64,
    /// Where the suggestion would lie had other sessions been sampled.
    pub intervals: Intervals,
}

impl Thresholds {
    /// The time that the suggestion and the quantiles are about.
    pub const PERIOD_SECONDS: u64 = 600;
    /// Fewer sessions than this are not enough.
    pub const SESSIONS_MIN: f64 = 50.0;

    /// What a day's sessions suggest; nothing where there were too few. Takes some milliseconds: the intervals come
    /// from a thousand samples of the sample.
    #[must_use]
    pub fn of(window_end: Hour, totals: WindowTotals) -> Option<Self> {
        let WindowTotals { requests, anonymous, sessions_estimated, maxima } = totals;
        if sessions_estimated < Self::SESSIONS_MIN {
            return None;
        }
        let suggested_threshold = Rule::of(&maxima).suggestion(sessions_estimated);
        let intervals = Intervals::of(&maxima, sessions_estimated);
        Some(Self { window_end, sessions_estimated, requests, anonymous, maxima, suggested_threshold, intervals })
    }

    /// Sessions in the window, rounded to a whole number.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of sessions: at most 2^44 · k"
    )]
    pub fn auth_id_tokens(&self) -> u64 {
        self.sessions_estimated.round() as u64
    }

    /// Sampled sessions.
    #[must_use]
    pub fn data_points(&self) -> u64 {
        self.maxima.sessions()
    }
}
