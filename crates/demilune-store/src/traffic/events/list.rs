//! Pages of events.

use demilune_inventory::ZoneId;
use demilune_traffic::SessionHash;

use super::{EventFilter, EventPage, ValidationEvent, violations};
use crate::{
    connection::Connection,
    error::StoreFailure,
    row::{Row, Value, columns},
    traffic::{integer, log_damaged},
};

columns! { "traffic_events":
    TOTAL_COUNT = 0 "total_count",
    EVENT_ID = 1 "event_id",
    TIME = 2 "time",
    OPERATION_ID = 3 "operation_id",
    ACTION = 4 "action",
    SCHEMA_ID = 5 "schema_id",
    SESSION = 6 "session",
    REQUEST_ID = 7 "request_id",
    HAS_MORE = 8 "has_more",
    VIOLATIONS = 9 "violations",
}

/// A page of a zone's events, and the number of all that pass the filter, from one statement and so from one state.
pub(crate) async fn list(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    filter: &EventFilter,
    offset: u64,
    limit: u32,
) -> Result<EventPage, StoreFailure> {
    let (mut parameters, condition) = condition(zone, filter);
    let next = parameters.len() + 1;
    parameters.extend([Value::Integer(limit.into()), integer(offset)]);
    let sql = format!(
        "SELECT c.total, e.* FROM (SELECT count(*) AS total FROM traffic_events WHERE {condition}) c \
         LEFT JOIN (SELECT event_id, time, operation_id, action, schema_id, session, request_id, has_more, violations \
         FROM traffic_events WHERE {condition} ORDER BY time DESC, event_id DESC LIMIT ${next} OFFSET ${}) e ON TRUE \
         ORDER BY e.time DESC, e.event_id DESC",
        next + 1
    );
    let rows = connection.query(sql, parameters).await?;
    let total_count = rows.first().map_or(Ok(0), |row| row.count(TOTAL_COUNT))?;
    let mut page = EventPage { events: Vec::new(), total_count, damaged: 0 };
    // An empty page is one row of nulls beside the total.
    for row in rows.iter().filter(|row| !row.is_null(EVENT_ID)) {
        match event(row) {
            Ok(event) => page.events.push(event),
            Err(failure) => {
                log_damaged("traffic_events", row, &failure);
                page.damaged += 1;
            }
        }
    }
    Ok(page)
}

/// The condition that events pass, and its parameters.
fn condition(zone: &ZoneId, filter: &EventFilter) -> (Vec<Value>, String) {
    const OF_KEYWORD: &str =
        "event_id IN (SELECT event_id FROM traffic_event_keywords WHERE zone_id = $1 AND keyword = $?)";
    let tests = [
        ("operation_id = $?", filter.operation.map(|id| Value::Text(id.to_string()))),
        ("action = $?", filter.action.map(|action| action.as_str().into())),
        (OF_KEYWORD, filter.keyword.as_deref().map(Value::from)),
        ("session = $?", filter.session.map(|session| integer(session.get()))),
        ("request_id = $?", filter.request_id.as_deref().map(Value::from)),
        ("time >= $?", filter.since.map(Value::from)),
        ("time < $?", filter.until.map(Value::from)),
    ];
    let mut parameters = vec![Value::from(zone.as_str())];
    let mut conditions = vec!["zone_id = $1".to_owned()];
    for (test, value) in tests {
        match value {
            None => {}
            // No event holds a NUL in a text, and PostgreSQL refuses one.
            Some(Value::Text(text)) if text.contains('\0') => conditions.push("FALSE".to_owned()),
            Some(value) => {
                parameters.push(value);
                conditions.push(test.replace("$?", &format!("${}", parameters.len())));
            }
        }
    }
    (parameters, conditions.join(" AND "))
}

fn event(row: &Row) -> Result<ValidationEvent, StoreFailure> {
    Ok(ValidationEvent {
        time: row.time(TIME)?,
        operation: row.parse(OPERATION_ID)?,
        action: row.parse(ACTION)?,
        schema: row.parse(SCHEMA_ID)?,
        session: session(row)?,
        request_id: row.parse(REQUEST_ID)?,
        violations: row.blob_with(VIOLATIONS, violations::decode)?,
        has_more: row.flag(HAS_MORE)?,
    })
}

fn session(row: &Row) -> Result<Option<SessionHash>, StoreFailure> {
    if row.is_null(SESSION) {
        return Ok(None);
    }
    // A session is the upper 44 bits of a hash of 64.
    Ok(Some(SessionHash::of(row.count(SESSION)? << 20)))
}
