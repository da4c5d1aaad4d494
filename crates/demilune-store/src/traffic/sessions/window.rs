//! The sessions of a day, over all sources.

use std::collections::BTreeMap;

use demilune_inventory::{OperationId, ZoneId};
use demilune_traffic::{Bucket, Hour, SessionSample, SessionWindow, Source, WindowTotals};

use super::{OPERATION_ID, SELECTED, SourceHour, Stored};
use crate::{
    connection::Connection,
    error::StoreFailure,
    row::{Row, Value},
    traffic::{Table, integer, log_damaged, of_operations},
};

/// The rows of some operations within a window.
#[derive(Debug)]
pub(crate) struct SessionRows {
    end: Hour,
    rows: Vec<Row>,
}

/// What was seen of one operation, and by whom.
pub(crate) type OperationSessions = (OperationId, WindowTotals, Vec<Source>);

/// Reads the rows of some operations in the window that ends then. One statement reads them, so that no sample is
/// missed or taken twice while its hour is packed.
pub(crate) async fn read(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    operations: &[OperationId],
    end: Hour,
) -> Result<SessionRows, StoreFailure> {
    let operations: Vec<String> = operations.iter().map(ToString::to_string).collect();
    let (mut parameters, of_operations) = of_operations(zone.as_str(), &operations);
    let next = parameters.len() + 1;
    let since = end.start().saturating_sub(SessionWindow::HOURS * Hour::SECONDS);
    parameters.extend([Bucket::SECONDS, Hour::SECONDS, since, end.start()].map(integer));
    let [fine, coarse, since, until] = [0, 1, 2, 3].map(|place| next + place);
    let sql = format!(
        "SELECT {SELECTED} FROM traffic_sessions WHERE {of_operations} \
         AND seconds IN (${fine}, ${coarse}) AND start >= ${since} AND start < ${until}"
    );
    Ok(SessionRows { end, rows: connection.query(sql, parameters).await? })
}

/// The operations of a zone that have samples, or other summaries, in hours that start at or after the first and before
/// the second. Each is a look or two into the primary key, however many samples it has.
pub(crate) async fn operations(
    connection: &mut Connection<'_>,
    table: Table,
    zone: &ZoneId,
    since: Hour,
    until: Hour,
) -> Result<Vec<OperationId>, StoreFailure> {
    let name = table.name();
    let sql = format!(
        "WITH RECURSIVE found (name) AS (\
        SELECT min(operation_id) FROM {name} WHERE zone_id = $1 UNION ALL \
        SELECT (SELECT min(operation_id) FROM {name} WHERE zone_id = $1 AND operation_id > found.name) \
        FROM found WHERE found.name IS NOT NULL\
        ) SELECT name FROM found WHERE name IS NOT NULL AND EXISTS (SELECT 1 FROM {name} \
        WHERE zone_id = $1 AND operation_id = found.name AND seconds IN ($2, $3) AND start >= $4 AND start < $5)"
    );
    let mut parameters = vec![Value::from(zone.as_str())];
    parameters.extend(table.lengths().into_iter().chain([since.start(), until.start()]).map(integer));
    let rows = connection.query(sql, parameters).await?;
    rows.iter().map(|row| row.parse(OPERATION_ID)).collect()
}

impl SessionRows {
    /// Adds every session of these rows to a sample, some of them more than once; and says how many rows cannot be read.
    pub(crate) fn add_to(self, sample: &mut SessionSample) -> u64 {
        let mut damaged = 0;
        for row in self.rows {
            match Stored::new(row).and_then(|stored| stored.sample().map_err(|failure| (stored.row, failure))) {
                Ok(seen) => sample.merge(&seen),
                Err((row, failure)) => {
                    log_damaged("traffic_sessions", &row, &failure);
                    damaged += 1;
                }
            }
        }
        damaged
    }

    /// Sums up each operation that has a sample that can be read; and says how many samples cannot.
    pub(crate) fn sum_up(self) -> (Vec<OperationSessions>, u64) {
        let mut by_operation: BTreeMap<OperationId, BTreeMap<(Source, Hour), Vec<Stored>>> = BTreeMap::new();
        let mut damaged = 0;
        for row in self.rows {
            let operation = row.parse(OPERATION_ID);
            match (operation, Stored::new(row)) {
                (Ok(operation), Ok(stored)) => {
                    let hours = by_operation.entry(operation).or_default();
                    hours.entry((stored.source.clone(), stored.hour)).or_default().push(stored);
                }
                (Err(failure), Ok(Stored { row, .. })) | (_, Err((row, failure))) => {
                    log_damaged("traffic_sessions", &row, &failure);
                    damaged += 1;
                }
            }
        }
        let mut sums = Vec::with_capacity(by_operation.len());
        for (operation, hours) in by_operation {
            let (sum, unread) = sum_up(self.end, hours);
            damaged += unread;
            sums.extend(sum.map(|(totals, sources)| (operation, totals, sources)));
        }
        (sums, damaged)
    }
}

/// Sums up an operation; none if none of its samples can be read.
fn sum_up(end: Hour, hours: BTreeMap<(Source, Hour), Vec<Stored>>) -> (Option<(WindowTotals, Vec<Source>)>, u64) {
    let mut window = SessionWindow::ending_at(end);
    let mut sources: Vec<Source> = Vec::new();
    let mut damaged = 0;
    for ((source, hour), rows) in hours {
        let mut seen = SourceHour::default();
        damaged += rows.iter().filter(|stored| !seen.add(stored)).count() as u64;
        if seen.add_to(&mut window, hour) && sources.last() != Some(&source) {
            sources.push(source);
        }
    }
    let sum = (!sources.is_empty()).then(|| (window.finish(), sources));
    (sum, damaged)
}

impl SourceHour {
    /// Adds it to a window, each five minutes once; false if there is nothing.
    fn add_to(self, window: &mut SessionWindow, hour: Hour) -> bool {
        if self.packed.is_none() {
            // The usual case of the last hours, where packing would only cost time.
            for (bucket, _, sample) in &self.loose {
                window.add(*bucket, sample);
            }
            return !self.loose.is_empty();
        }
        let packed = self.pack();
        if let Some(packed) = &packed {
            window.add_hour(hour, packed);
        }
        packed.is_some()
    }
}
