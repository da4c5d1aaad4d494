//! Stores events, within the room that there is for them.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::ZoneId;

use super::{ValidationEvent, lock, tidy, violations};
use crate::{
    connection::{Connection, placeholders},
    error::{QueryError, StoreFailure},
    row::{Value, columns},
    schema_validation::MitigationAction,
    traffic::TrafficLimits,
};

/// Most events in one call.
const EVENTS_MAX: usize = 1_000;
const VIOLATIONS_MAX: usize = 16;
const REQUEST_ID_BYTES_MAX: usize = 128;
const KEYWORD_BYTES_MAX: usize = 64;

/// Most rows in one statement, which saves PostgreSQL most of the ways there and back.
const ROWS_MAX: usize = 50;

/// Refuses what breaks the bounds that the types name: its caller is wrong, and no other try will be better.
pub(crate) fn check(events: &[(ZoneId, ValidationEvent)]) -> Result<(), StoreFailure> {
    let refuse = |why: &str| Err(StoreFailure::Internal(why.into()));
    if events.len() > EVENTS_MAX {
        return refuse("there are more events than one call takes");
    }
    for (_, event) in events {
        let keywords = || event.violations.iter().map(|violation| violation.keyword.as_str());
        if event.action == MitigationAction::None {
            return refuse("an event has an action that leads to none");
        }
        if !(1..=VIOLATIONS_MAX).contains(&event.violations.len()) {
            return refuse("an event has no violation, or too many");
        }
        if !is_name(&event.request_id, REQUEST_ID_BYTES_MAX) || !keywords().all(|word| is_name(word, KEYWORD_BYTES_MAX))
        {
            return refuse("the request id or a keyword of an event is too long, or cannot be stored");
        }
    }
    Ok(())
}

/// Whether both backends take it as a text: PostgreSQL refuses a NUL in one.
fn is_name(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && !text.contains('\0')
}

/// Stores events, in the transaction that is open, and takes out the oldest that there is no room for; says how many.
pub(crate) async fn write(
    connection: &mut Connection<'_>,
    events: &[(ZoneId, ValidationEvent)],
    limits: TrafficLimits,
) -> Result<u64, QueryError> {
    lock(connection).await?;
    let first = next_id(connection).await?;
    let numbered: Vec<_> = (first..).zip(events).collect();
    for some in numbered.chunks(ROWS_MAX) {
        insert_events(connection, some).await?;
    }
    let keywords: Vec<_> = numbered.iter().flat_map(|(id, (zone, event))| keywords(*id, zone, event)).collect();
    for some in keywords.chunks(ROWS_MAX) {
        insert_keywords(connection, some).await?;
    }
    let mut by_zone: BTreeMap<&ZoneId, u64> = BTreeMap::new();
    for (zone, _) in events {
        *by_zone.entry(zone).or_default() += 1;
    }
    let mut taken = 0;
    for (zone, added) in by_zone {
        let count = tidy::count(connection, zone.as_str(), added).await?;
        let over = count.saturating_sub(limits.events_per_zone_max);
        taken += tidy::take(connection, zone.as_str(), None, over).await?;
    }
    Ok(taken + tidy::shrink(connection, limits.events_max).await?.taken)
}

/// Above all that are stored, so that of two of one time the one that was written later has the higher.
async fn next_id(connection: &mut Connection<'_>) -> Result<i64, QueryError> {
    columns! { "traffic_events": LAST = 0 "event_id" }
    let rows = connection.query("SELECT coalesce(max(event_id), 0) FROM traffic_events", Vec::new()).await?;
    let last = rows.first().map(|row| row.integer(LAST)).transpose()?;
    Ok(last.unwrap_or(0) + 1)
}

async fn insert_events(
    connection: &mut Connection<'_>,
    events: &[(i64, &(ZoneId, ValidationEvent))],
) -> Result<(), QueryError> {
    const INTO: &str = "traffic_events (event_id, zone_id, time, operation_id, action, schema_id, session, request_id, \
                        has_more, violations)";
    let row = |(id, (zone, event)): &(i64, &(ZoneId, ValidationEvent))| {
        [
            Value::Integer(*id),
            zone.as_str().into(),
            event.time.into(),
            Value::Text(event.operation.to_string()),
            event.action.as_str().into(),
            Value::Text(event.schema.to_string()),
            Value::IntegerOrNull(event.session.map(|session| session.get().cast_signed())),
            event.request_id.as_str().into(),
            Value::Integer(event.has_more.into()),
            Value::Blob(violations::encode(&event.violations)),
        ]
    };
    insert(connection, INTO, events.iter().map(row)).await
}

async fn insert_keywords(connection: &mut Connection<'_>, keywords: &[(i64, &str, &ZoneId)]) -> Result<(), QueryError> {
    const INTO: &str = "traffic_event_keywords (event_id, keyword, zone_id)";
    let row = |(id, keyword, zone): &(i64, &str, &ZoneId)| {
        [Value::Integer(*id), Value::from(*keyword), Value::from(zone.as_str())]
    };
    insert(connection, INTO, keywords.iter().map(row)).await
}

/// Adds rows in one statement.
async fn insert<const N: usize>(
    connection: &mut Connection<'_>,
    into: &str,
    rows: impl ExactSizeIterator<Item = [Value; N]>,
) -> Result<(), QueryError> {
    let places: Vec<_> = (0..rows.len()).map(|row| format!("({})", placeholders(row * N + 1, N))).collect();
    let sql = format!("INSERT INTO {into} VALUES {}", places.join(", "));
    connection.query(sql, rows.flatten().collect()).await.map(drop)
}

/// The keywords of an event, each once.
fn keywords<'a>(
    id: i64,
    zone: &'a ZoneId,
    event: &'a ValidationEvent,
) -> impl Iterator<Item = (i64, &'a str, &'a ZoneId)> {
    let keywords: BTreeSet<_> = event.violations.iter().map(|violation| violation.keyword.as_str()).collect();
    keywords.into_iter().map(move |keyword| (id, keyword, zone))
}
