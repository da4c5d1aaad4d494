//! Keeps events within their time and room, and the number of those of each zone.

use demilune_inventory::Timestamp;

use super::{KEPT_SECONDS, lock};
use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Value, columns},
    traffic::integer,
};

/// Most events that a transaction of maintenance takes out, so that gateways get their turn in between.
const TAKEN_MAX: u64 = 10_000;

columns! { "traffic_event_counts": ZONE_ID = 0 "zone_id", EVENTS = 1 "events" }

/// The zones that have events.
pub(crate) async fn zones(connection: &mut Connection<'_>) -> Result<Vec<String>, StoreFailure> {
    let rows = connection.query("SELECT zone_id FROM traffic_event_counts ORDER BY zone_id", Vec::new()).await?;
    rows.iter().map(|row| row.parse(ZONE_ID)).collect()
}

/// Takes out what is too old, then what is too much, in the transaction that is open; says how many. To be called again
/// while it takes something out.
pub(crate) async fn tidy(
    connection: &mut Connection<'_>,
    zone: &str,
    now: Timestamp,
    most: u64,
) -> Result<u64, QueryError> {
    const COUNT: &str = "UPDATE traffic_event_counts SET events = \
        (SELECT count(*) FROM traffic_events WHERE zone_id = $1) WHERE zone_id = $1";
    lock(connection).await?;
    connection.query(COUNT, vec![zone.into()]).await?;
    let before = now.as_micros().saturating_sub(KEPT_SECONDS * 1_000_000);
    let old = take(connection, zone, Some(before), TAKEN_MAX).await?;
    let over = count(connection, zone, 0).await?.saturating_sub(most);
    Ok(old + take(connection, zone, None, over.min(TAKEN_MAX)).await?)
}

/// Takes out events of a zone that is gone, in the transaction that is open; says how many. To be called again while it
/// takes something out.
pub(crate) async fn forget(connection: &mut Connection<'_>, zone: &str) -> Result<u64, QueryError> {
    lock(connection).await?;
    let taken = take(connection, zone, None, TAKEN_MAX).await?;
    if taken == 0 {
        let sql = "DELETE FROM traffic_event_counts WHERE zone_id = $1";
        connection.query(sql, vec![zone.into()]).await?;
    }
    Ok(taken)
}

/// What was done about all events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventsTidied {
    /// Taken out.
    pub(crate) taken: u64,
    /// Left.
    pub(crate) left: u64,
}

/// Takes out what is too much in all, in the transaction that is open: the oldest of the zone that has most, so that a
/// flood in one does not cost the others their events. To be called again while it takes something out.
pub(crate) async fn shrink(connection: &mut Connection<'_>, most: u64) -> Result<EventsTidied, QueryError> {
    const SUM: &str = "SELECT '', CAST(coalesce(sum(events), 0) AS BIGINT) FROM traffic_event_counts";
    const LARGEST: &str = "SELECT zone_id, events FROM traffic_event_counts ORDER BY events DESC, zone_id LIMIT 1";
    lock(connection).await?;
    let sums = connection.query(SUM, Vec::new()).await?;
    let stored = sums.first().map_or(Ok(0), |row| row.count(EVENTS))?;
    let mut over = stored.saturating_sub(most).min(TAKEN_MAX);
    let mut taken = 0;
    while over > 0 {
        let largest = connection.query(LARGEST, Vec::new()).await?;
        let Some(row) = largest.first() else { break };
        let zone: String = row.parse(ZONE_ID)?;
        let some = take(connection, &zone, None, over).await?;
        // A count that is too high is set right by the next `tidy`.
        if some == 0 {
            break;
        }
        (over, taken) = (over.saturating_sub(some), taken + some);
    }
    Ok(EventsTidied { taken, left: stored.saturating_sub(taken) })
}

/// Counts events that were added, in the transaction that is open; says how many the zone has.
pub(super) async fn count(connection: &mut Connection<'_>, zone: &str, added: u64) -> Result<u64, QueryError> {
    const SQL: &str = "INSERT INTO traffic_event_counts (zone_id, events) VALUES ($1, $2) ON CONFLICT (zone_id) \
        DO UPDATE SET events = traffic_event_counts.events + excluded.events RETURNING zone_id, events";
    let rows = connection.query(SQL, vec![zone.into(), integer(added)]).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.count(EVENTS))?)
}

/// Takes out the oldest events of a zone, before a time in microseconds if one is given, and counts them; their
/// keywords go with them.
pub(super) async fn take(
    connection: &mut Connection<'_>,
    zone: &str,
    before: Option<i64>,
    most: u64,
) -> Result<u64, QueryError> {
    const DELETE: &str = "DELETE FROM traffic_events WHERE event_id IN (SELECT event_id FROM traffic_events \
        WHERE zone_id = $1 AND time < $2 ORDER BY time, event_id LIMIT $3) RETURNING event_id";
    const COUNT: &str = "UPDATE traffic_event_counts SET events = events - $2 WHERE zone_id = $1";
    if most == 0 {
        return Ok(0);
    }
    let before = Value::Integer(before.unwrap_or(i64::MAX));
    let taken = connection.query(DELETE, vec![zone.into(), before, integer(most)]).await?.len() as u64;
    if taken > 0 {
        connection.query(COUNT, vec![zone.into(), integer(taken)]).await?;
    }
    Ok(taken)
}
