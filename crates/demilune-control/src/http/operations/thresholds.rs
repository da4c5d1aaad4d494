//! Thresholds and their confidence intervals as they look on the wire (contract 2.5 A and D).

use demilune_traffic as traffic;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::hour_text;

/// What sessions asked for, and the limit that follows; empty until enough of them were seen.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Thresholds {
    #[serde(flatten)]
    #[schema(inline)]
    members: Option<ThresholdMembers>,
}

/// The members, all there or none.
#[derive(Debug, Serialize, ToSchema)]
struct ThresholdMembers {
    /// Sessions in the 24 hours, estimated where there were many.
    auth_id_tokens: u64,
    /// Sessions in the sample that the figures are from.
    data_points: u64,
    /// The end of the 24 hours.
    #[schema(format = DateTime)]
    last_updated: String,
    /// Half of the sessions made no more requests than this in any 600 seconds.
    p50: u32,
    /// Nine in ten.
    p90: u32,
    /// Ninety-nine in a hundred.
    p99: u32,
    /// The time that the quantiles and the suggestion are about.
    period_seconds: u64,
    /// Requests that were answered with 2xx, exact.
    requests: u64,
    /// Requests per session and 600 seconds that normal sessions do not exceed.
    suggested_threshold: u64,
}

/// How sure the suggestion is; empty where there is none.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ConfidenceIntervals {
    #[serde(flatten)]
    #[schema(inline)]
    members: Option<ConfidenceMembers>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ConfidenceMembers {
    /// The end of the 24 hours.
    #[schema(format = DateTime)]
    last_updated: String,
    suggested_threshold: SuggestedThreshold,
}

/// The suggestion, had other sessions been sampled.
#[derive(Debug, Serialize, ToSchema)]
struct SuggestedThreshold {
    /// The mean suggestion.
    mean: f64,
    confidence_intervals: Levels,
}

/// The bounds that nine in ten suggestions lie between, and so on.
#[derive(Debug, Serialize, ToSchema)]
struct Levels {
    p90: Bounds,
    p95: Bounds,
    p99: Bounds,
}

#[derive(Debug, Serialize, ToSchema)]
struct Bounds {
    lower: f64,
    upper: f64,
}

impl From<&traffic::Thresholds> for Thresholds {
    fn from(thresholds: &traffic::Thresholds) -> Self {
        let percentile = |percent| thresholds.maxima.percentile(percent);
        Self {
            members: Some(ThresholdMembers {
                auth_id_tokens: thresholds.auth_id_tokens(),
                data_points: thresholds.data_points(),
                last_updated: hour_text(thresholds.window_end),
                p50: percentile(50),
                p90: percentile(90),
                p99: percentile(99),
                period_seconds: traffic::Thresholds::PERIOD_SECONDS,
                requests: thresholds.requests,
                suggested_threshold: thresholds.suggested_threshold,
            }),
        }
    }
}

impl From<&traffic::Thresholds> for ConfidenceIntervals {
    fn from(thresholds: &traffic::Thresholds) -> Self {
        let intervals = &thresholds.intervals;
        let bounds = |interval: traffic::Interval| Bounds { lower: interval.lower, upper: interval.upper };
        Self {
            members: Some(ConfidenceMembers {
                last_updated: hour_text(thresholds.window_end),
                suggested_threshold: SuggestedThreshold {
                    mean: intervals.mean,
                    confidence_intervals: Levels {
                        p90: bounds(intervals.p90),
                        p95: bounds(intervals.p95),
                        p99: bounds(intervals.p99),
                    },
                },
            }),
        }
    }
}
