//! Records as they look on the wire.

use demilune_inventory::{Operation, Timestamp};
use demilune_store::TrafficPoint;
use demilune_traffic::{Record, StatusClass};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    envelope::{Message, ResultInfo},
    error::INTERNAL,
};

/// What was counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrafficCounts)]
pub(crate) struct CountsBody {
    /// Requests that are over.
    requests: u64,
    /// Answered by the gateway as its rules say.
    blocked: u64,
    /// Answered by the gateway since the origin gave no answer.
    origin_errors: u64,
    status: StatusBody,
    /// Bytes of requests' bodies.
    bytes_in: u64,
    /// Bytes of answers' bodies.
    bytes_out: u64,
    /// Null where nothing was counted.
    duration_ms: Option<DurationBody>,
}

/// Requests by class of status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrafficStatus)]
pub(crate) struct StatusBody {
    /// The client left before it was answered.
    none: u64,
    #[serde(rename = "1xx")]
    informational: u64,
    #[serde(rename = "2xx")]
    successful: u64,
    #[serde(rename = "3xx")]
    redirection: u64,
    #[serde(rename = "4xx")]
    client_error: u64,
    #[serde(rename = "5xx")]
    server_error: u64,
}

/// From a request's head to its answer's last byte, in milliseconds. Percentiles are within a sixteenth of the truth.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrafficDurations)]
pub(crate) struct DurationBody {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
    mean: f64,
}

/// What was counted in one stretch of time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrafficPoint)]
pub(crate) struct PointBody {
    #[schema(format = DateTime)]
    start: String,
    /// 300, or 3600 for what is older than a week.
    seconds: u64,
    #[serde(flatten)]
    counts: CountsBody,
}

/// What one operation saw.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperationAnalytics)]
pub(crate) struct OperationBody {
    /// Null for requests that no operation fits, and CORS preflights.
    operation_id: Option<String>,
    method: Option<&'static str>,
    host: Option<String>,
    endpoint: Option<String>,
    totals: CountsBody,
}

/// What was counted over time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Analytics)]
pub(crate) struct AnalyticsBody {
    #[schema(format = DateTime)]
    pub(super) since: String,
    #[schema(format = DateTime)]
    pub(super) until: String,
    pub(super) totals: CountsBody,
    /// By time; stretches in which nothing was counted are left out.
    pub(super) series: Vec<PointBody>,
    /// By operation, those with most requests first; only where a zone was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operations: Option<Vec<OperationBody>>,
}

/// The envelope around analytics, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<AnalyticsBody>` prints")]
pub(crate) struct AnalyticsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: AnalyticsBody,
    result_info: Option<ResultInfo>,
}

impl From<&Record> for CountsBody {
    fn from(record: &Record) -> Self {
        Self {
            requests: record.requests(),
            blocked: record.blocked(),
            origin_errors: record.origin_errors(),
            status: StatusBody {
                none: record.answered(StatusClass::NoAnswer),
                informational: record.answered(StatusClass::Informational),
                successful: record.answered(StatusClass::Successful),
                redirection: record.answered(StatusClass::Redirection),
                client_error: record.answered(StatusClass::ClientError),
                server_error: record.answered(StatusClass::ServerError),
            },
            bytes_in: record.bytes_in(),
            bytes_out: record.bytes_out(),
            duration_ms: durations(record),
        }
    }
}

impl From<&TrafficPoint> for PointBody {
    fn from(point: &TrafficPoint) -> Self {
        let micros = i64::try_from(point.start).unwrap_or(0).saturating_mul(1_000_000);
        let start = Timestamp::from_micros(micros).map(|start| start.to_string()).unwrap_or_default();
        Self { start, seconds: point.seconds, counts: (&point.record).into() }
    }
}

impl OperationBody {
    /// The record of an operation, or of requests that none fits.
    pub(super) fn new(operation: Option<&Operation>, record: &Record) -> Self {
        Self {
            operation_id: operation.map(|operation| operation.id.to_string()),
            method: operation.map(|operation| operation.key.method.as_str()),
            host: operation.map(|operation| operation.key.host.to_string()),
            endpoint: operation.map(|operation| operation.key.endpoint.to_string()),
            totals: record.into(),
        }
    }
}

/// Says that something is missing from the counts.
pub(super) fn damaged(records: u64) -> Vec<Message> {
    let message = || Message {
        code: INTERNAL.code,
        message: format!("{records} stored records cannot be read and are left out; the server's log names them."),
    };
    if records == 0 { Vec::new() } else { vec![message()] }
}

fn durations(record: &Record) -> Option<DurationBody> {
    let durations = record.durations();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people; whole microseconds below 2^53 are exact")]
    let ms = |us: u64| us as f64 / 1_000.0;
    let quantile = |p| durations.quantile(p).map(ms);
    let mean = durations.sum_us().checked_div(durations.count())?;
    Some(DurationBody {
        p50: quantile(0.5)?,
        p90: quantile(0.9)?,
        p99: quantile(0.99)?,
        max: ms(durations.max_us()),
        mean: ms(mean),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_mentioned() {
        assert_eq!(damaged(0), []);
        let messages = damaged(3);
        assert_eq!((messages.len(), messages[0].code), (1, 10500));
        assert!(messages[0].message.starts_with("3 stored records"), "{messages:?}");
    }
}
