//! Keeps records within their time: packs old ones by the hour, and takes out what is too old or of nobody.
//!
//! Each call is a transaction over a few operations, so that gateways get their turn in between. What was done stays
//! done, and doing it again changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::Timestamp;
use demilune_traffic::{Bucket, Hour, Record};

use super::{COARSE_SECONDS, Cut, FINE_SECONDS, Table, integer, lock, log_damaged, of_operations, seconds};
use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Row, Value, columns},
};

/// What was done to some operations.
#[derive(Debug, Default)]
pub(crate) struct Tidied {
    /// Starts of the hours that were packed.
    pub(crate) hours: BTreeSet<u64>,
    /// Records that were too old.
    pub(crate) aged_out: u64,
    /// Records that could not be read, and could not be packed.
    pub(crate) damaged: u64,
}

/// Packs and takes out what is old, in the transaction that is open.
pub(crate) async fn tidy(
    connection: &mut Connection<'_>,
    zone: &str,
    operations: &[String],
    now: Timestamp,
) -> Result<Tidied, QueryError> {
    lock(connection).await?;
    // An hour later than writes are refused: clocks differ.
    let packed_until = Hour::of(seconds(now).saturating_sub(FINE_SECONDS + Hour::SECONDS));
    let mut tidied = pack(connection, zone, operations, packed_until).await?;
    let aged = Cut { seconds: Hour::SECONDS, before: seconds(now).saturating_sub(COARSE_SECONDS) };
    tidied.aged_out = take(connection, zone, operations, aged).await?;
    Ok(tidied)
}

/// Takes out every row of operations in a table, in the transaction that is open; says how many.
pub(crate) async fn forget(
    connection: &mut Connection<'_>,
    table: Table,
    zone: &str,
    operations: &[String],
) -> Result<u64, QueryError> {
    lock(connection).await?;
    let (parameters, of_operations) = of_operations(zone, operations);
    let sql = format!("DELETE FROM {} WHERE {of_operations} RETURNING zone_id", table.name());
    Ok(connection.query(sql, parameters).await?.len() as u64)
}

/// Takes out the older records of one length, in the transaction that is open; says how many.
pub(crate) async fn prune(
    connection: &mut Connection<'_>,
    zone: &str,
    operations: &[String],
    cut: Cut,
) -> Result<u64, QueryError> {
    lock(connection).await?;
    take(connection, zone, operations, cut).await
}

async fn take(connection: &mut Connection<'_>, zone: &str, operations: &[String], cut: Cut) -> Result<u64, QueryError> {
    let (parameters, older) = older(zone, operations, cut);
    let sql = format!("DELETE FROM traffic_records WHERE {older} RETURNING start");
    Ok(connection.query(sql, parameters).await?.len() as u64)
}

/// Makes one hourly record of each source's five-minute ones.
async fn pack(
    connection: &mut Connection<'_>,
    zone: &str,
    operations: &[String],
    until: Hour,
) -> Result<Tidied, QueryError> {
    let old = Cut { seconds: Bucket::SECONDS, before: until.start() };
    let (parameters, older) = older(zone, operations, old);
    let sql = format!("SELECT operation_id, start, source, record FROM traffic_records WHERE {older}");
    let mut tidied = Tidied::default();
    let mut sums: BTreeMap<(String, u64, String), Record> = BTreeMap::new();
    for row in connection.query(sql, parameters).await? {
        match parse(&row) {
            Ok((key, record)) => sums.entry(key).or_default().merge(&record),
            Err(failure) => {
                log_damaged("traffic_records", &row, &failure);
                tidied.damaged += 1;
            }
        }
    }
    if !sums.is_empty() || tidied.damaged > 0 {
        take(connection, zone, operations, old).await?;
    }
    for ((operation, hour, source), record) in sums {
        insert(connection, zone, operation, hour, source, &record).await?;
        tidied.hours.insert(hour);
    }
    Ok(tidied)
}

async fn insert(
    connection: &mut Connection<'_>,
    zone: &str,
    operation: String,
    hour: u64,
    source: String,
    record: &Record,
) -> Result<(), QueryError> {
    // `write` adds nothing to an hour that is packed, so whatever else is in its way is older than that rule.
    const SQL: &str = "INSERT INTO traffic_records \
        (zone_id, operation_id, seconds, start, source, sequence, record) VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (zone_id, operation_id, seconds, start, source) DO NOTHING";
    let parameters = vec![
        zone.into(),
        Value::Text(operation),
        integer(Hour::SECONDS),
        integer(hour),
        Value::Text(source),
        integer(record.requests()),
        Value::Blob(record.encode()),
    ];
    connection.query(SQL, parameters).await.map(drop)
}

fn parse(row: &Row) -> Result<((String, u64, String), Record), StoreFailure> {
    columns! { "traffic_records":
        OPERATION_ID = 0 "operation_id", START = 1 "start", SOURCE = 2 "source", RECORD = 3 "record",
    }
    let hour = Hour::of(row.count(START)?);
    let key = (row.parse(OPERATION_ID)?, hour.start(), row.parse(SOURCE)?);
    Ok((key, row.blob_with(RECORD, Record::decode)?))
}

fn older(zone: &str, operations: &[String], cut: Cut) -> (Vec<Value>, String) {
    let (mut parameters, of_operations) = of_operations(zone, operations);
    let next = parameters.len() + 1;
    parameters.extend([integer(cut.seconds), integer(cut.before)]);
    (parameters, format!("{of_operations} AND seconds = ${next} AND start < ${}", next + 1))
}
