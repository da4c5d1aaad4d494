//! Operations that requests speak for and nobody saved: found by a job, reviewed or ignored by people.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use demilune_inventory::{OperationKey, Timestamp, ZoneId, is_uuid};
use sha2::{Digest, Sha256};
use uuid::Builder;

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Row, Value, columns},
    zone,
};

/// Names a discovered operation: a UUID (RFC 9562, version 8) made from its zone, method, host and endpoint, so that
/// what is found again has the id that it had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiscoveredId(String);

impl DiscoveredId {
    /// The id of what is found in a zone.
    #[must_use]
    pub fn of(zone: &ZoneId, key: &OperationKey) -> Self {
        // None of the four can hold a NUL, so no two write the same bytes.
        let mut digest = Sha256::new();
        for part in [zone.as_str(), "\0", key.host.as_str(), "\0", key.endpoint.as_str(), "\0", key.method.as_str()] {
            digest.update(part);
        }
        let digest: [u8; 32] = digest.finalize().into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string())
    }
}

impl FromStr for DiscoveredId {
    type Err = DiscoveredIdError;

    /// Accepts the hyphenated form of 36 characters in any letter case.
    fn from_str(text: &str) -> Result<Self, DiscoveredIdError> {
        is_uuid(text.as_bytes()).then(|| Self(text.to_ascii_lowercase())).ok_or(DiscoveredIdError)
    }
}

impl fmt::Display for DiscoveredId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not a hyphenated UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a discovered operation is a UUID of 36 characters, with hyphens")]
pub struct DiscoveredIdError;

/// An operation that requests speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveredOperation {
    /// Names it.
    pub id: DiscoveredId,
    /// What it would be saved as.
    pub key: OperationKey,
    /// A path that it matches: the host and the path of a request, with stand-ins for values.
    pub example: (String, String),
    /// What speaks for it, as the contract spells it (6.12).
    pub origins: Vec<String>,
    /// Whether somebody said to leave it out of review.
    pub is_ignored: bool,
    /// Requests with success in the period.
    pub requests: u64,
    /// The length of the period that was looked at, in seconds.
    pub period_seconds: u64,
    /// When it was computed.
    pub computed_at: Timestamp,
}

/// An operation to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundOperation {
    /// What it would be saved as.
    pub key: OperationKey,
    /// A host and a path that it matches.
    pub example: (String, String),
    /// What speaks for it.
    pub origins: Vec<String>,
    /// Requests with success in the period.
    pub requests: u64,
    /// What it rests on, in JSON.
    pub explanation: String,
}

/// What a job found in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The operations.
    pub found: Vec<FoundOperation>,
    /// The length of the period that was looked at, in seconds.
    pub period_seconds: u64,
    /// When it was computed.
    pub computed_at: Timestamp,
}

columns! { "discovered_operations":
    DISCOVERED_ID = 0 "discovered_id",
    METHOD = 1 "method",
    HOST = 2 "host",
    ENDPOINT = 3 "endpoint",
    EXAMPLE_HOST = 4 "example_host",
    EXAMPLE_PATH = 5 "example_path",
    ORIGINS = 6 "origins",
    IS_IGNORED = 7 "is_ignored",
    REQUESTS = 8 "requests",
    PERIOD_SECONDS = 9 "period_seconds",
    COMPUTED_AT = 10 "computed_at",
    EXPLANATION = 11 "explanation",
}
/// The columns in this order, without the last.
const SELECTED: &str = "discovered_id, method, host, endpoint, example_host, example_path, origins, is_ignored, \
                        requests, period_seconds, computed_at";

fn operation(row: &Row) -> Result<DiscoveredOperation, StoreFailure> {
    let origins: String = row.parse(ORIGINS)?;
    Ok(DiscoveredOperation {
        id: row.parse(DISCOVERED_ID)?,
        key: OperationKey { method: row.parse(METHOD)?, host: row.parse(HOST)?, endpoint: row.parse(ENDPOINT)? },
        example: (row.parse(EXAMPLE_HOST)?, row.parse(EXAMPLE_PATH)?),
        origins: origins.split(',').map(str::to_owned).collect(),
        is_ignored: row.flag(IS_IGNORED)?,
        requests: row.count(REQUESTS)?,
        period_seconds: row.count(PERIOD_SECONDS)?,
        computed_at: row.time(COMPUTED_AT)?,
    })
}

/// All that were discovered in a zone, by id.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<Vec<DiscoveredOperation>, StoreFailure> {
    let sql = format!("SELECT {SELECTED} FROM discovered_operations WHERE zone_id = $1 ORDER BY discovered_id");
    connection.query(sql, vec![zone.as_str().into()]).await?.iter().map(operation).collect()
}

/// One, with what it rests on.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: &DiscoveredId,
) -> Result<Option<(DiscoveredOperation, String)>, StoreFailure> {
    let sql =
        format!("SELECT {SELECTED}, explanation FROM discovered_operations WHERE zone_id = $1 AND discovered_id = $2");
    let rows = connection.query(sql, vec![zone.as_str().into(), Value::Text(id.to_string())]).await?;
    rows.first().map(|row| Ok((operation(row)?, row.parse(EXPLANATION)?))).transpose()
}

/// Puts what was found in the place of what was found before, in the transaction that is open. What is ignored stays
/// ignored, also while nothing speaks for it. Nothing if there is no such zone.
pub(crate) async fn replace(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    discovery: &Discovery,
) -> Result<(), QueryError> {
    const UPSERT: &str = "INSERT INTO discovered_operations (zone_id, discovered_id, method, host, endpoint, \
        example_host, example_path, origins, is_ignored, requests, period_seconds, computed_at, explanation) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12) ON CONFLICT (zone_id, discovered_id) DO UPDATE \
        SET example_host = excluded.example_host, example_path = excluded.example_path, origins = excluded.origins, \
        requests = excluded.requests, period_seconds = excluded.period_seconds, \
        computed_at = excluded.computed_at, explanation = excluded.explanation";
    const DELETE: &str = "DELETE FROM discovered_operations WHERE zone_id = $1 AND discovered_id = $2";
    if !zone::lock(connection, zone).await? {
        return Ok(());
    }
    let mut gone: BTreeSet<DiscoveredId> =
        list(connection, zone).await?.into_iter().filter(|known| !known.is_ignored).map(|known| known.id).collect();
    let found: BTreeMap<DiscoveredId, &FoundOperation> =
        discovery.found.iter().map(|found| (DiscoveredId::of(zone, &found.key), found)).collect();
    gone.retain(|id| !found.contains_key(id));
    for id in gone {
        connection.query(DELETE, vec![zone.as_str().into(), Value::Text(id.to_string())]).await?;
    }
    let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    for (id, found) in found {
        let FoundOperation { key, example: (example_host, example_path), origins, requests, explanation } = found;
        let parameters = vec![
            zone.as_str().into(),
            Value::Text(id.to_string()),
            key.method.as_str().into(),
            key.host.as_str().into(),
            key.endpoint.as_str().into(),
            example_host.as_str().into(),
            example_path.as_str().into(),
            Value::Text(origins.join(",")),
            number(*requests),
            number(discovery.period_seconds),
            discovery.computed_at.into(),
            explanation.as_str().into(),
        ];
        connection.query(UPSERT, parameters).await?;
    }
    Ok(())
}

/// Has some be ignored and others not, all or none, in the transaction that is open; says which ids are unknown.
pub(crate) async fn set_ignored(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    changes: &BTreeMap<DiscoveredId, bool>,
) -> Result<Vec<DiscoveredId>, QueryError> {
    const UPDATE: &str = "UPDATE discovered_operations SET is_ignored = $3 WHERE zone_id = $1 AND discovered_id = $2";
    // As `replace` does, so that the two come one after the other.
    zone::lock(connection, zone).await?;
    let known: BTreeSet<DiscoveredId> = list(connection, zone).await?.into_iter().map(|known| known.id).collect();
    let unknown: Vec<_> = changes.keys().filter(|id| !known.contains(*id)).cloned().collect();
    if unknown.is_empty() {
        for (id, is_ignored) in changes {
            let flag = Value::Integer(i64::from(*is_ignored));
            connection.query(UPDATE, vec![zone.as_str().into(), Value::Text(id.to_string()), flag]).await?;
        }
    }
    Ok(unknown)
}
