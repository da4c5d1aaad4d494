//! How far a suggestion can be trusted, in a word and with its reasons.

use std::fmt;

use super::Thresholds;

/// What is known about a result beside its figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Hours since the end of the window.
    pub age_hours: u64,
    /// What told sessions apart in imported records, where it was not the zone's session identifiers.
    pub session_by: Option<String>,
}

/// A word for how far a suggestion can be trusted, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Confidence {
    /// The word.
    pub label: ConfidenceLabel,
    /// Every reason against more; one in favour where there is none against.
    pub reasons: Vec<ConfidenceReason>,
}

/// How far a suggestion can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfidenceLabel {
    /// Look at it before you use it, and do not block on it.
    Low,
    /// Good for logging; watch it before you block on it.
    Medium,
    /// Good enough to block on.
    High,
}

/// A reason for a label.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfidenceReason {
    /// The figures are narrow and from many sessions.
    Narrow {
        /// How many times the lower bound of the 95 % interval the upper one is.
        ratio: f64,
    },
    /// The 95 % interval is wide.
    Wide {
        /// How many times the lower bound the upper one is.
        ratio: f64,
    },
    /// Few sessions were seen.
    FewSessions {
        /// How many.
        sessions: u64,
    },
    /// Many requests carried no session identifier, so that their clients are not in the figures.
    Anonymous {
        /// Their share, in percent.
        percent: u64,
    },
    /// Sessions were told apart by something that several clients may share, or one may change.
    SessionBy {
        /// By what.
        field: String,
    },
    /// The traffic of late was too little, and an older result was kept.
    Old {
        /// Hours since the end of its window.
        hours: u64,
    },
}

/// Below these many sessions the tail is known badly: the sample's 99 % quantile is one of the five largest values.
const SESSIONS_MEDIUM: u64 = 150;
const SESSIONS_HIGH: u64 = 500;
/// From lower to upper bound of the 95 % interval: a factor of two decides between a limit and a guess.
const RATIO_HIGH: f64 = 2.0;
const RATIO_MEDIUM: f64 = 4.0;
/// Percent of requests without a session: above, the figures speak of a minority.
const ANONYMOUS_HIGH: u64 = 10;
const ANONYMOUS_MEDIUM: u64 = 50;
/// A result that is this old was kept over a run without enough sessions.
const AGE_HOURS_HIGH: u64 = 3;

impl Thresholds {
    /// How far the suggestion can be trusted.
    #[must_use]
    pub fn confidence(&self, context: &Context) -> Confidence {
        use ConfidenceLabel::{High, Low, Medium};
        let interval = self.intervals.p95;
        let ratio = interval.upper / interval.lower.max(1.0);
        let sessions = self.auth_id_tokens();
        let percent = (self.anonymous.saturating_mul(100)).checked_div(self.requests).unwrap_or(0);
        let graded = |good: bool, fair: bool| match (good, fair) {
            (true, _) => High,
            (false, true) => Medium,
            (false, false) => Low,
        };
        let mut found = vec![
            (graded(ratio <= RATIO_HIGH, ratio <= RATIO_MEDIUM), ConfidenceReason::Wide { ratio }),
            (
                graded(sessions >= SESSIONS_HIGH, sessions >= SESSIONS_MEDIUM),
                ConfidenceReason::FewSessions { sessions },
            ),
            (graded(percent <= ANONYMOUS_HIGH, percent <= ANONYMOUS_MEDIUM), ConfidenceReason::Anonymous { percent }),
            (graded(context.age_hours <= AGE_HOURS_HIGH, true), ConfidenceReason::Old { hours: context.age_hours }),
        ];
        if let Some(field) = &context.session_by {
            found.push((Medium, ConfidenceReason::SessionBy { field: field.clone() }));
        }
        let label = found.iter().map(|(label, _)| *label).min().unwrap_or(Low);
        found.retain(|(label, _)| *label < High);
        let mut reasons: Vec<_> = found.into_iter().map(|(_, reason)| reason).collect();
        if reasons.is_empty() {
            reasons.push(ConfidenceReason::Narrow { ratio });
        }
        Confidence { label, reasons }
    }
}

impl fmt::Display for ConfidenceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

impl fmt::Display for ConfidenceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Narrow { ratio } => {
                write!(f, "many sessions, and the upper bound of the 95 % interval is {ratio:.1} times the lower")
            }
            Self::Wide { ratio } => {
                write!(f, "the upper bound of the 95 % interval is {ratio:.1} times the lower")
            }
            Self::FewSessions { sessions } => write!(f, "there were only {sessions} sessions"),
            Self::Anonymous { percent } => write!(f, "{percent} % of the requests carried no session identifier"),
            Self::SessionBy { field } => {
                write!(f, "sessions were told apart by {field}, which several clients may share or one may change")
            }
            Self::Old { hours } => {
                write!(f, "the traffic since was too little; the figures are {hours} hours old")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Distribution, Hour, WindowTotals};

    fn thresholds(sessions: u32, anonymous: u64) -> Thresholds {
        let maxima = Distribution::of((0..sessions).map(|number| 10 + number % 20));
        let totals = WindowTotals { requests: 1_000, anonymous, sessions_estimated: sessions.into(), maxima };
        Thresholds::of(Hour::of(0), totals).unwrap()
    }

    fn check(thresholds: &Thresholds, context: &Context, expected: ConfidenceLabel, reasons: &[&str]) {
        let confidence = thresholds.confidence(context);
        assert_eq!(confidence.label, expected, "{confidence:?}");
        let found: Vec<_> = confidence.reasons.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), reasons.len(), "{found:?}");
        for (found, reason) in found.iter().zip(reasons) {
            assert!(found.contains(reason), "{found}");
        }
    }

    #[test]
    fn the_worst_reason_decides() {
        use ConfidenceLabel::{High, Low, Medium};
        let fresh = Context::default();
        check(&thresholds(900, 0), &fresh, High, &["many sessions"]);
        check(&thresholds(200, 0), &fresh, Medium, &["only 200 sessions"]);
        check(&thresholds(60, 0), &fresh, Low, &["only 60 sessions"]);
        check(&thresholds(900, 300), &fresh, Medium, &["30 %"]);
        check(&thresholds(60, 600), &fresh, Low, &["only 60 sessions", "60 %"]);
        let old = Context { age_hours: 30, session_by: Some("remote_addr".to_owned()) };
        check(&thresholds(900, 0), &old, Medium, &["30 hours", "remote_addr"]);
    }
}
