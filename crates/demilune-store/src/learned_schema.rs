//! What was learned about an operation's requests: one row beside the operation's, which it goes with.

use std::collections::BTreeMap;

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_traffic::Hour;

use crate::{
    beside::{self, Finding, Findings},
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Column, Row, Value, columns},
    zone,
};

/// What was learned about an operation's requests. The texts are canonical JSON, stored and returned as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSchema {
    /// When the schema last changed: the end of the window, a full hour, that first gave it.
    pub last_updated: Timestamp,
    /// The end of the window that gave the latest evidence for it.
    pub window_end: Hour,
    /// `{"parameters": […], "responses": null}`.
    pub fragment: String,
    /// An OpenAPI `requestBody`.
    pub request_body: Option<String>,
    /// What each keyword rests on, and what was rejected and why.
    pub explanation: String,
    /// The names that the schema shows, as gateways read them; empty if there are none.
    pub published: Vec<u8>,
}

columns! { "operation_schemas":
    UPDATED_AT = 0 "updated_at",
    EVIDENCE_END = 1 "evidence_end",
    FRAGMENT = 2 "fragment",
    REQUEST_BODY = 3 "request_body",
    EXPLANATION = 4 "explanation",
    PUBLISHED = 5 "published",
}
/// What is read of a schema. No other table of operations has a column of such a name.
pub(crate) const SELECTED: &str = StoredSchema::SELECTED;
/// In its place where it was not asked for.
pub(crate) const NOT_SELECTED: &str = "NULL, NULL, NULL, NULL, NULL, NULL";
/// Number of columns.
pub(crate) const SELECTED_COLUMNS: usize = 6;

/// Reads these columns, of which the first has this index; none where they are null.
pub(crate) fn read(row: &Row, first: usize) -> Result<Option<StoredSchema>, StoreFailure> {
    let at = |column: Column| Column { index: first + column.index, ..column };
    if row.is_null(at(UPDATED_AT)) {
        return Ok(None);
    }
    Ok(Some(StoredSchema {
        last_updated: row.time(at(UPDATED_AT))?,
        window_end: Hour::of(row.count(at(EVIDENCE_END))?),
        fragment: row.parse(at(FRAGMENT))?,
        request_body: row.parse_or_null(at(REQUEST_BODY))?,
        explanation: row.parse(at(EXPLANATION))?,
        published: row.blob(at(PUBLISHED))?.to_vec(),
    }))
}

/// Reads a row that `beside` has read, where they stand behind an id.
pub(crate) fn read_beside(row: &Row) -> Result<Option<StoredSchema>, StoreFailure> {
    read(row, 1)
}

/// The schema of one operation; none if there is none, or no such operation.
pub(crate) async fn get(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    id: OperationId,
) -> Result<Option<StoredSchema>, StoreFailure> {
    let row = beside::row::<StoredSchema>(connection, zone, id).await?;
    Ok(row.as_ref().map(read_beside).transpose()?.flatten())
}

/// Every operation of a zone with a schema, and when that last changed; by id.
pub(crate) async fn all(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<Vec<(OperationId, Timestamp)>, StoreFailure> {
    const SQL: &str = "SELECT operation_id, updated_at FROM operation_schemas WHERE zone_id = $1 ORDER BY operation_id";
    columns! { "operation_schemas": OPERATION_ID = 0 "operation_id", UPDATED_AT = 1 "updated_at" }
    let rows = connection.query(SQL, vec![zone.as_str().into()]).await?;
    rows.iter().map(|row| Ok((row.parse(OPERATION_ID)?, row.time(UPDATED_AT)?))).collect()
}

/// What gateways are told of each operation of a zone for which there is something to tell.
pub(crate) async fn published(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<BTreeMap<OperationId, Vec<u8>>, StoreFailure> {
    const SQL: &str =
        "SELECT operation_id, published FROM operation_schemas WHERE zone_id = $1 AND length(published) > 0";
    columns! { "operation_schemas": OPERATION_ID = 0 "operation_id", PUBLISHED = 1 "published" }
    let rows = connection.query(SQL, vec![zone.as_str().into()]).await?;
    rows.iter().map(|row| Ok((row.parse(OPERATION_ID)?, row.blob(PUBLISHED)?.to_vec()))).collect()
}

/// Replaces schemas, in the transaction that is open; those of operations that are gone are left out, and nothing is
/// written of one that is as it was. True if that changed what gateways are told, so that the zone's revision advanced.
pub(crate) async fn replace(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    results: &[(OperationId, Option<StoredSchema>)],
) -> Result<bool, QueryError> {
    let mut advances = false;
    for some in results.chunks(beside::CHUNK) {
        let mut findings = beside::lock(connection, zone, some).await?;
        advances |= retain_changed(connection, zone, &mut findings).await?;
        beside::replace(connection, zone, &findings).await?;
    }
    // After the operations, as upserts do.
    if advances {
        zone::advance(connection, zone).await?;
    }
    Ok(advances)
}

/// Leaves out what is stored already; true if what is left changes something that gateways are told.
async fn retain_changed(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    findings: &mut Findings<'_, StoredSchema>,
) -> Result<bool, QueryError> {
    let ids: Vec<_> = findings.keys().copied().collect();
    let rows = beside::of_operations::<StoredSchema>(connection, zone, &ids).await?;
    let mut advances = false;
    findings.retain(|id, after| {
        let before = rows.get(id).map_or(Ok(None), read_beside);
        // One that cannot be read is replaced, whatever gateways made of it.
        let Ok(before) = before else {
            advances = true;
            return true;
        };
        advances |= told(before.as_ref()) != told(*after);
        before.as_ref() != *after
    });
    Ok(advances)
}

fn told(schema: Option<&StoredSchema>) -> &[u8] {
    schema.map_or(&[], |schema| &schema.published)
}

impl Finding for StoredSchema {
    const TABLE: &'static str = "operation_schemas";
    const FLAG: &'static str = "has_parameter_schemas";
    const SELECTED: &'static str = "updated_at, evidence_end, fragment, request_body, explanation, published";
    const UPSERT: &'static str = "INSERT INTO operation_schemas (zone_id, operation_id, updated_at, evidence_end, \
        fragment, request_body, explanation, published) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (zone_id, operation_id) DO UPDATE SET updated_at = excluded.updated_at, \
        evidence_end = excluded.evidence_end, fragment = excluded.fragment, request_body = excluded.request_body, \
        explanation = excluded.explanation, published = excluded.published";

    fn values(&self) -> Vec<Value> {
        vec![
            self.last_updated.into(),
            Value::Integer(i64::try_from(self.window_end.start()).unwrap_or(i64::MAX)),
            self.fragment.as_str().into(),
            Value::TextOrNull(self.request_body.clone()),
            self.explanation.as_str().into(),
            Value::Blob(self.published.clone()),
        ]
    }
}
