//! Trials: a document that is tried on the requests of a zone before it is put in force, and what was counted.

use std::collections::BTreeMap;

use demilune_inventory::{Host, OperationId, Timestamp, ZoneId};
use demilune_schema::Tally;
use demilune_traffic::Source;

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Row, Value, columns},
    user_schema::SchemaId,
    zone,
};

/// A document that is tried on requests. A zone has one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Names it.
    pub id: SchemaId,
    /// When it began.
    pub started_at: Timestamp,
    /// What its owner calls it.
    pub name: String,
    /// The host of servers whose URL names none, with which the document is to be read.
    pub default_host: Option<Host>,
    /// What it describes, as whoever began it wrote it down.
    pub operations: String,
    /// What was found when it was read, as whoever began it wrote it down.
    pub details: String,
    /// The document, byte for byte; none if it was not asked for.
    pub source: Option<String>,
}

/// A trial to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTrial {
    /// What its owner calls it.
    pub name: String,
    /// The host of servers whose URL names none.
    pub default_host: Option<Host>,
    /// What it describes.
    pub operations: String,
    /// What was found when it was read.
    pub details: String,
    /// The document.
    pub source: String,
}

/// What one gateway has counted of one operation since a trial began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialRow {
    /// The zone.
    pub zone: ZoneId,
    /// The trial.
    pub trial: SchemaId,
    /// The operation.
    pub operation: OperationId,
    /// Who counted.
    pub source: Source,
    /// The counts, all of them.
    pub tally: Tally,
}

columns! { "schema_trials":
    TRIAL_ID = 0 "trial_id",
    STARTED_AT = 1 "started_at",
    NAME = 2 "name",
    DEFAULT_HOST = 3 "default_host",
    OPERATIONS = 4 "operations",
    DETAILS = 5 "details",
    SOURCE = 6 "source",
}

fn trial(row: &Row) -> Result<Trial, StoreFailure> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec());
    Ok(Trial {
        id: row.parse(TRIAL_ID)?,
        started_at: row.time(STARTED_AT)?,
        name: row.parse(NAME)?,
        default_host: row.parse_or_null(DEFAULT_HOST)?,
        operations: row.parse(OPERATIONS)?,
        details: row.parse(DETAILS)?,
        source: if row.is_null(SOURCE) { None } else { Some(row.blob_with(SOURCE, text)?) },
    })
}

/// The trial of a zone, with or without its source; none if there is none.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    with_source: bool,
) -> Result<Option<Trial>, StoreFailure> {
    let source = if with_source { "source" } else { "NULL AS source" };
    let sql = format!(
        "SELECT trial_id, started_at, name, default_host, operations, details, {source} \
         FROM schema_trials WHERE zone_id = $1"
    );
    connection.query(sql, vec![zone.as_str().into()]).await?.first().map(trial).transpose()
}

/// Begins a trial in the place of the one before, in the transaction that is open; none if there is no such zone.
pub(crate) async fn begin(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    new: &NewTrial,
    now: Timestamp,
) -> Result<Option<Trial>, QueryError> {
    const INSERT: &str = "INSERT INTO schema_trials \
        (zone_id, trial_id, started_at, name, default_host, operations, details, source) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    if !zone::lock(connection, zone).await? {
        return Ok(None);
    }
    delete(connection, zone).await?;
    let begun = Trial {
        id: SchemaId::random(),
        started_at: now,
        name: new.name.clone(),
        default_host: new.default_host.clone(),
        operations: new.operations.clone(),
        details: new.details.clone(),
        source: None,
    };
    let parameters = vec![
        zone.as_str().into(),
        Value::Text(begun.id.to_string()),
        now.into(),
        begun.name.as_str().into(),
        Value::TextOrNull(begun.default_host.as_ref().map(ToString::to_string)),
        begun.operations.as_str().into(),
        begun.details.as_str().into(),
        Value::Blob(new.source.as_bytes().to_vec()),
    ];
    connection.query(INSERT, parameters).await?;
    zone::advance(connection, zone).await?;
    Ok(Some(begun))
}

/// Ends the trial of a zone, in the transaction that is open; false if there is none.
pub(crate) async fn end(connection: &mut Connection<'_>, zone: &ZoneId) -> Result<bool, QueryError> {
    // As `begin` does, so that the two come one after the other.
    if !zone::lock(connection, zone).await? || !delete(connection, zone).await? {
        return Ok(false);
    }
    zone::advance(connection, zone).await?;
    Ok(true)
}

/// What was counted goes with it.
async fn delete(connection: &mut Connection<'_>, zone: &ZoneId) -> Result<bool, QueryError> {
    const DELETE: &str = "DELETE FROM schema_trials WHERE zone_id = $1 RETURNING trial_id";
    Ok(!connection.query(DELETE, vec![zone.as_str().into()]).await?.is_empty())
}

/// Stores counts, in the transaction that is open. Those of a trial that has ended are left out, and so are snapshots
/// that are older than what is there.
pub(crate) async fn count(connection: &mut Connection<'_>, rows: &[TrialRow]) -> Result<(), QueryError> {
    const UPSERT: &str = "INSERT INTO schema_trial_counts (zone_id, trial_id, operation_id, source, requests, tally) \
        SELECT zone_id, trial_id, $3, $4, $5, $6 FROM schema_trials WHERE zone_id = $1 AND trial_id = $2 \
        ON CONFLICT (zone_id, trial_id, operation_id, source) DO UPDATE \
        SET requests = excluded.requests, tally = excluded.tally WHERE excluded.requests > schema_trial_counts.requests";
    let mut rows: Vec<&TrialRow> = rows.iter().collect();
    // In one order, so that two processes cannot wait for each other.
    rows.sort_by_key(|row| (&row.zone, row.trial, row.operation, &row.source));
    for row in rows {
        let TrialRow { zone, trial, operation, source, tally } = row;
        let requests = tally.requests.saturating_add(tally.passed_over);
        let parameters = vec![
            zone.as_str().into(),
            Value::Text(trial.to_string()),
            Value::Text(operation.to_string()),
            source.as_str().into(),
            Value::Integer(i64::try_from(requests).unwrap_or(i64::MAX)),
            Value::Text(tally.encode()),
        ];
        connection.query(UPSERT, parameters).await?;
    }
    Ok(())
}

/// What all gateways have counted of a trial, by operation.
pub(crate) async fn counts(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    trial: SchemaId,
) -> Result<BTreeMap<OperationId, Tally>, StoreFailure> {
    const SQL: &str = "SELECT operation_id, tally FROM schema_trial_counts WHERE zone_id = $1 AND trial_id = $2";
    columns! { "schema_trial_counts": OPERATION_ID = 0 "operation_id", TALLY = 1 "tally" }
    let rows = connection.query(SQL, vec![zone.as_str().into(), Value::Text(trial.to_string())]).await?;
    let mut counts: BTreeMap<OperationId, Tally> = BTreeMap::new();
    for row in &rows {
        counts.entry(row.parse(OPERATION_ID)?).or_default().merge(&row.parse_with(TALLY, Tally::decode)?);
    }
    Ok(counts)
}
