//! What is recommended for an operation: one row beside the operation's, which it goes with.

use demilune_inventory::{OperationId, ZoneId};
use demilune_traffic::{Distribution, Hour, Interval, Intervals, Thresholds};

use crate::{
    beside::{self, Finding},
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Row, Value, columns},
};

/// What is recommended for an operation, and how its clients were told apart.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredThresholds {
    /// The recommendation, and what it rests on.
    pub thresholds: Thresholds,
    /// What told sessions apart, where it was not the zone's session identifiers; never an empty text.
    pub session_by: Option<String>,
}

/// A number of a recommendation that operations can be listed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are the members they name")]
pub enum ThresholdKey {
    AuthIdTokens,
    DataPoints,
    LastUpdated,
    P50,
    P90,
    P99,
    PeriodSeconds,
    Requests,
    SuggestedThreshold,
}

impl ThresholdKey {
    /// What to sort by, where there is a recommendation. None if it is the same for all.
    pub(crate) const fn column(self) -> Option<&'static str> {
        match self {
            Self::AuthIdTokens => Some("auth_id_tokens"),
            Self::DataPoints => Some("data_points"),
            Self::LastUpdated => Some("window_end"),
            Self::P50 => Some("p50"),
            Self::P90 => Some("p90"),
            Self::P99 => Some("p99"),
            Self::PeriodSeconds => None,
            Self::Requests => Some("requests"),
            Self::SuggestedThreshold => Some("suggested_threshold"),
        }
    }
}

columns! { "operation_thresholds":
    OPERATION_ID = 0 "operation_id",
    WINDOW_END = 1 "window_end",
    SESSIONS_ESTIMATED = 2 "sessions_estimated",
    REQUESTS = 3 "requests",
    ANONYMOUS = 4 "anonymous",
    SUGGESTED_THRESHOLD = 5 "suggested_threshold",
    INTERVAL_MEAN = 6 "interval_mean",
    P90_LOWER = 7 "p90_lower",
    P90_UPPER = 8 "p90_upper",
    P95_LOWER = 9 "p95_lower",
    P95_UPPER = 10 "p95_upper",
    P99_LOWER = 11 "p99_lower",
    P99_UPPER = 12 "p99_upper",
    SESSION_BY = 13 "session_by",
    MAXIMA = 14 "maxima",
}
/// What is read of a recommendation. The other columns are what lists are sorted by, and follow from these.
pub(crate) const SELECTED: &str = StoredThresholds::SELECTED;
/// Number of columns with the one in front.
pub(crate) const SELECTED_COLUMNS: usize = 15;

/// Reads these columns; none where they are null.
pub(crate) fn read(row: &Row) -> Result<Option<StoredThresholds>, StoreFailure> {
    if row.is_null(WINDOW_END) {
        return Ok(None);
    }
    let interval = |lower, upper| Ok::<_, StoreFailure>(Interval { lower: row.real(lower)?, upper: row.real(upper)? });
    let thresholds = Thresholds {
        window_end: Hour::of(row.count(WINDOW_END)?),
        sessions_estimated: row.real(SESSIONS_ESTIMATED)?,
        requests: row.count(REQUESTS)?,
        anonymous: row.count(ANONYMOUS)?,
        maxima: row.blob_with(MAXIMA, Distribution::decode)?,
        suggested_threshold: row.count(SUGGESTED_THRESHOLD)?,
        intervals: Intervals {
            mean: row.real(INTERVAL_MEAN)?,
            p90: interval(P90_LOWER, P90_UPPER)?,
            p95: interval(P95_LOWER, P95_UPPER)?,
            p99: interval(P99_LOWER, P99_UPPER)?,
        },
    };
    let session_by: String = row.parse(SESSION_BY)?;
    Ok(Some(StoredThresholds { thresholds, session_by: Some(session_by).filter(|text| !text.is_empty()) }))
}

/// The recommendation for one operation; none if there is none, or no such operation.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
) -> Result<Option<StoredThresholds>, StoreFailure> {
    let row = beside::row::<StoredThresholds>(connection, zone, id).await?;
    Ok(row.as_ref().map(read).transpose()?.flatten())
}

/// Every operation of a zone with a recommendation, and the end of the day it is from in seconds; by id.
pub(crate) async fn all(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<Vec<(OperationId, u64)>, StoreFailure> {
    const SQL: &str = "SELECT operation_id, window_end FROM operation_thresholds WHERE zone_id = $1 \
                       ORDER BY operation_id";
    let rows = connection.query(SQL, vec![zone.as_str().into()]).await?;
    rows.iter().map(|row| Ok((row.parse(OPERATION_ID)?, row.count(WINDOW_END)?))).collect()
}

/// Replaces recommendations, in the transaction that is open; those of operations that are gone are left out.
pub(crate) async fn replace(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    results: &[(OperationId, Option<StoredThresholds>)],
) -> Result<(), QueryError> {
    for some in results.chunks(beside::CHUNK) {
        let findings = beside::lock(connection, zone, some).await?;
        beside::replace(connection, zone, &findings).await?;
    }
    Ok(())
}

impl Finding for StoredThresholds {
    const TABLE: &'static str = "operation_thresholds";
    const FLAG: &'static str = "has_thresholds";
    const SELECTED: &'static str = "window_end, sessions_estimated, requests, anonymous, suggested_threshold, \
        interval_mean, p90_lower, p90_upper, p95_lower, p95_upper, p99_lower, p99_upper, session_by, maxima";
    const UPSERT: &'static str = "INSERT INTO operation_thresholds (zone_id, operation_id, window_end, auth_id_tokens, \
        data_points, p50, p90, p99, requests, anonymous, suggested_threshold, sessions_estimated, interval_mean, \
        p90_lower, p90_upper, p95_lower, p95_upper, p99_lower, p99_upper, session_by, maxima) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) \
        ON CONFLICT (zone_id, operation_id) DO UPDATE SET window_end = excluded.window_end, \
        auth_id_tokens = excluded.auth_id_tokens, data_points = excluded.data_points, p50 = excluded.p50, \
        p90 = excluded.p90, p99 = excluded.p99, requests = excluded.requests, anonymous = excluded.anonymous, \
        suggested_threshold = excluded.suggested_threshold, sessions_estimated = excluded.sessions_estimated, \
        interval_mean = excluded.interval_mean, p90_lower = excluded.p90_lower, p90_upper = excluded.p90_upper, \
        p95_lower = excluded.p95_lower, p95_upper = excluded.p95_upper, p99_lower = excluded.p99_lower, \
        p99_upper = excluded.p99_upper, session_by = excluded.session_by, maxima = excluded.maxima";

    fn values(&self) -> Vec<Value> {
        let Self { thresholds, session_by } = self;
        let integers = [
            thresholds.window_end.start(),
            thresholds.auth_id_tokens(),
            thresholds.data_points(),
            u64::from(thresholds.maxima.percentile(50)),
            u64::from(thresholds.maxima.percentile(90)),
            u64::from(thresholds.maxima.percentile(99)),
            thresholds.requests,
            thresholds.anonymous,
            thresholds.suggested_threshold,
        ];
        let integers = integers.map(|number| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
        let Intervals { mean, p90, p95, p99 } = thresholds.intervals;
        let reals = [thresholds.sessions_estimated, mean].into_iter();
        let bounds = [p90, p95, p99].into_iter().flat_map(|interval| [interval.lower, interval.upper]);
        let mut values: Vec<_> = integers.into_iter().chain(reals.chain(bounds).map(Value::Real)).collect();
        values.push(session_by.as_deref().unwrap_or_default().into());
        values.push(Value::Blob(thresholds.maxima.encode()));
        values
    }
}
