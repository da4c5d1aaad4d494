//! The figures behind a suggestion as they look on the wire.

use demilune_inventory::{OperationId, Timestamp};
use demilune_store::StoredThresholds;
use demilune_traffic::{Context, Decisive, Distribution, Hour, Rule, SessionWindow, Thresholds, margin};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    clock::hour_text,
    http::envelope::Message,
    learning::{Learning, age_hours},
};

/// What a suggested threshold rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThresholdsExplanation)]
pub(crate) struct ExplanationBody {
    operation_id: String,
    /// `suggested`; `kept`, when the traffic since is too little and an older result stays; `learning`, when there is
    /// none yet.
    state: &'static str,
    /// What there is to know, in sentences.
    summary: String,
    /// The result and its figures; null while there is none.
    result: Option<ResultBody>,
    /// What was seen since: the last 24 hours, the one that is not over included.
    last_24_hours: LearningBody,
}

/// What was seen in the last 24 hours.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThresholdsLearning)]
pub(crate) struct LearningBody {
    /// Sessions that were seen.
    sessions: u64,
    /// Sessions that a suggestion needs.
    sessions_needed: u64,
    /// How many are missing.
    sessions_missing: u64,
    /// Requests that were answered with 2xx.
    requests: u64,
    /// Those of them without a session identifier.
    requests_without_session: u64,
    /// What told sessions apart in imported records, where it was not the zone's session identifiers.
    session_by: Option<String>,
    /// The same in a sentence.
    summary: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThresholdsResult)]
struct ResultBody {
    /// The 24 hours that were looked at.
    window: WindowBody,
    sessions: SessionsBody,
    /// Requests that were answered with 2xx.
    requests: u64,
    /// Those of them without a session identifier.
    requests_without_session: u64,
    /// Requests of a session within 600 seconds that so many sessions do not exceed, between whole numbers.
    quantiles: QuantilesBody,
    /// The three limits of the rule, of which the largest counts.
    limits: LimitsBody,
    /// The limit that counts: `F`, `V` or `W`.
    decided_by: &'static str,
    /// The largest limit is multiplied by it.
    margin: f64,
    suggested_threshold: u64,
    confidence: ConfidenceBody,
    /// How many sampled sessions made how many requests within 600 seconds at most.
    histogram: Vec<BarBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThresholdsWindow)]
struct WindowBody {
    #[schema(format = DateTime)]
    since: String,
    #[schema(format = DateTime)]
    until: String,
    /// The time within which a session's requests are counted.
    period_seconds: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThresholdsSessions)]
struct SessionsBody {
    /// How many there were; exact when all were sampled.
    estimated: f64,
    /// How many the figures are from.
    sampled: u64,
    /// What told them apart.
    by: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThresholdsQuantiles)]
struct QuantilesBody {
    p80: f64,
    p95: f64,
    #[serde(rename = "p97.5")]
    p97_5: f64,
    p99: f64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThresholdsLimits)]
struct LimitsBody {
    /// p95 + 3·√p95: what scatters by chance.
    #[serde(rename = "F")]
    f: f64,
    /// p95·(p95 ÷ p80)², at most 3.5·p97.5: what a skewed distribution reaches.
    #[serde(rename = "V")]
    v: f64,
    /// 2·p99, at most 5·p97.5: what a long tail reaches.
    #[serde(rename = "W")]
    w: f64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThresholdsConfidence)]
struct ConfidenceBody {
    /// `high`, `medium` or `low`.
    label: String,
    reasons: Vec<String>,
}

/// Sessions between two numbers of requests.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ThresholdsBar)]
struct BarBody {
    from: u64,
    /// Included.
    to: u64,
    sessions: u64,
}

/// The envelope around the figures, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<ExplanationBody>` prints")]
pub(crate) struct ExplanationAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: ExplanationBody,
}

impl ExplanationBody {
    pub(super) fn new(
        operation: OperationId,
        stored: Option<&StoredThresholds>,
        last_24_hours: LearningBody,
        now: Timestamp,
    ) -> Self {
        let age_hours = stored.map(|stored| age_hours(stored.thresholds.window_end, now));
        let (state, summary) = match (stored, age_hours) {
            (None, _) | (_, None) => ("learning", last_24_hours.summary.clone()),
            (Some(stored), Some(age @ 2..)) => ("kept", format!("{} It is {age} hours old.", sentence(stored))),
            (Some(stored), _) => ("suggested", sentence(stored)),
        };
        Self {
            operation_id: operation.to_string(),
            state,
            summary,
            result: stored.map(|stored| ResultBody::new(stored, age_hours.unwrap_or(0))),
            last_24_hours,
        }
    }
}

impl LearningBody {
    pub(super) fn new(seen: &Learning, session_by: Option<String>, identifiers_configured: bool) -> Self {
        Self {
            sessions: seen.sessions(),
            sessions_needed: Learning::sessions_needed(),
            sessions_missing: Learning::sessions_needed().saturating_sub(seen.sessions()),
            requests: seen.totals.requests,
            requests_without_session: seen.totals.anonymous,
            session_by,
            summary: seen.sentence(identifiers_configured),
        }
    }

    pub(super) fn nothing(summary: String) -> Self {
        let needed = Learning::sessions_needed();
        Self {
            sessions: 0,
            sessions_needed: needed,
            sessions_missing: needed,
            requests: 0,
            requests_without_session: 0,
            session_by: None,
            summary,
        }
    }
}

impl ResultBody {
    fn new(stored: &StoredThresholds, age_hours: u64) -> Self {
        let StoredThresholds { thresholds, session_by } = stored;
        let rule = Rule::of(&thresholds.maxima);
        let confidence = thresholds.confidence(&Context { age_hours, session_by: session_by.clone() });
        Self {
            window: WindowBody::ending_at(thresholds.window_end),
            sessions: SessionsBody {
                estimated: thresholds.sessions_estimated,
                sampled: thresholds.data_points(),
                by: session_by.clone().unwrap_or_else(|| "the zone's session identifiers".to_owned()),
            },
            requests: thresholds.requests,
            requests_without_session: thresholds.anonymous,
            quantiles: QuantilesBody { p80: rule.q80, p95: rule.q95, p97_5: rule.q975, p99: rule.q99 },
            limits: LimitsBody { f: rule.f, v: rule.v, w: rule.w },
            decided_by: decided_by(&rule),
            margin: margin(thresholds.sessions_estimated),
            suggested_threshold: thresholds.suggested_threshold,
            confidence: ConfidenceBody {
                label: confidence.label.to_string(),
                reasons: confidence.reasons.iter().map(ToString::to_string).collect(),
            },
            histogram: histogram(&thresholds.maxima),
        }
    }
}

impl WindowBody {
    fn ending_at(end: Hour) -> Self {
        let start = Hour::of(end.start().saturating_sub(SessionWindow::HOURS * Hour::SECONDS));
        Self { since: hour_text(start), until: hour_text(end), period_seconds: Thresholds::PERIOD_SECONDS }
    }
}

fn decided_by(rule: &Rule) -> &'static str {
    match rule.decisive() {
        Decisive::F => "F",
        Decisive::V => "V",
        Decisive::W => "W",
    }
}

fn sentence(stored: &StoredThresholds) -> String {
    let StoredThresholds { thresholds, session_by } = stored;
    let by = session_by.as_ref().map(|field| format!(", told apart by {field}")).unwrap_or_default();
    format!(
        "Of {} sessions in the 24 hours before {}{by}, 99 in 100 made at most {} requests in any {} seconds; {} is \
         suggested as the limit.",
        thresholds.auth_id_tokens(),
        hour_text(thresholds.window_end),
        thresholds.maxima.percentile(99),
        Thresholds::PERIOD_SECONDS,
        thresholds.suggested_threshold,
    )
}

/// The distribution in bars: one for each number below 16, then 8 for each doubling.
fn histogram(distribution: &Distribution) -> Vec<BarBody> {
    let mut bars: Vec<BarBody> = Vec::new();
    for (value, sessions) in distribution.pairs() {
        let (from, to) = bar_of(value.into());
        match bars.last_mut() {
            Some(last) if last.from == from => last.sessions += u64::from(sessions),
            _ => bars.push(BarBody { from, to, sessions: sessions.into() }),
        }
    }
    bars
}

/// The first and the last number of the bar that a number falls into.
fn bar_of(value: u64) -> (u64, u64) {
    let width_bits = value.checked_ilog2().unwrap_or(0).saturating_sub(3);
    let from = value >> width_bits << width_bits;
    (from, from + (1 << width_bits) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_exact_below_16_and_then_an_eighth_of_an_octave() {
        let check = |value, expected| assert_eq!(bar_of(value), expected, "{value}");
        check(0, (0, 0));
        check(15, (15, 15));
        check(16, (16, 17));
        check(31, (30, 31));
        check(32, (32, 35));
        check(1_000, (960, 1_023));
    }

    #[test]
    fn every_session_is_in_a_bar() {
        let bars = histogram(&Distribution::of([1, 1, 2, 16, 17, 40]));
        let pairs: Vec<_> = bars.iter().map(|bar| (bar.from, bar.to, bar.sessions)).collect();
        assert_eq!(pairs, [(1, 1, 2), (2, 2, 1), (16, 17, 2), (40, 43, 1)]);
    }
}
