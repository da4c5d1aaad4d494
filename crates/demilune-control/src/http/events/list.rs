//! `GET /demilune/v1/zones/{zone_id}/events`: which requests did not fit their schema, and where.

use std::collections::BTreeMap;

use axum::extract::State;
use demilune_inventory::{Operation, OperationId, Timestamp, ZoneId};
use demilune_store::{EventFilter, MitigationAction, ValidationEvent};
use demilune_traffic::SessionHash;

use super::wire::{self, EventBody, EventPageAnswer};
use crate::{
    clock,
    http::{
        SharedState, State as Shared, analytics,
        auth::ReadableZone,
        envelope::Envelope,
        error::{ApiError, FailureBody},
        input::sentence,
        query::Query,
    },
};

/// Requests that did not fit the schema of their operation, the newest first.
#[utoipa::path(get, path = "/zones/{zone_id}/events", tag = "Validation", operation_id = "event_list",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("operation_id" = Option<String>, Query, description = "Keep those of this operation, which may be gone."),
        ("action" = Option<String>, Query, description = "`log` keeps what went on, `block` what was refused."),
        ("keyword" = Option<String>, Query, description = "Keep those with a violation of this keyword."),
        ("session" = Option<String>, Query, description = "Keep those of this session, as events and the access log show it."),
        ("request_id" = Option<String>, Query, description = "Keep the request with this id."),
        ("since" = Option<String>, Query, description = "Keep what came from then on: RFC 3339, seconds since 1970, or before now as in -24h."),
        ("until" = Option<String>, Query, description = "Keep what came before; written like since."),
        ("page" = Option<i64>, Query, description = "The page, counted from 1."),
        ("per_page" = Option<i64>, Query, description = "Items on a page: 5 to 50, 20 unless told."),
    ),
    responses(
        (status = 200, description = "A page; empty past the last one.", body = EventPageAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn list(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
    mut query: Query,
) -> Result<Envelope<Vec<EventBody>>, ApiError> {
    let filter = filter(&mut query, clock::now());
    let page = query.page();
    query.finish()?;
    if state.store.zone_get(&zone).await?.is_none() {
        return Err(ApiError::zone_unknown(zone.as_str()));
    }
    let found = state.store.events_list(&zone, &filter, page.offset(), page.limit()).await?;
    let operations = operations(&state, &zone, &found.events).await?;
    let info = page.info(found.events.len(), found.total_count);
    let body = |event: ValidationEvent| EventBody::new(operations.get(&event.operation), event);
    let bodies = found.events.into_iter().map(body).collect();
    Ok(Envelope::new(bodies).with_page(info).with_messages(wire::damaged(found.damaged)))
}

/// Reads the filter; what is wrong with it is in the query's defects.
fn filter(query: &mut Query, now: Timestamp) -> EventFilter {
    let words = |query: &Query, name| query.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let filter = EventFilter {
        operation: query.value("operation_id", |text| text.parse::<OperationId>().map_err(|error| sentence(&error))),
        action: query.value("action", action),
        keyword: words(query, "keyword"),
        session: query.value("session", session),
        request_id: words(query, "request_id"),
        since: query.value("since", |text| analytics::time(text, now)),
        until: query.value("until", |text| analytics::time(text, now)),
    };
    if filter.since.zip(filter.until).is_some_and(|(since, until)| since > until) {
        query.reject("since", "The parameter since must not be later than until.");
    }
    filter
}

fn action(text: &str) -> Result<MitigationAction, &'static str> {
    let parsed = text.parse().ok().filter(|action| *action != MitigationAction::None);
    parsed.ok_or("The action must be log or block.")
}

/// Reads what `SessionHash` prints: 44 bits in 11 digits, and never 0.
fn session(text: &str) -> Result<SessionHash, &'static str> {
    let is_printed = text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = Some(text).filter(|_| is_printed).and_then(|text| u64::from_str_radix(text, 16).ok());
    let upper_bits = number.filter(|number| *number > 0).map(|number| SessionHash::of(number << 20));
    upper_bits.ok_or("A session is written as 11 hexadecimal digits, as events show it.")
}

/// The operations of events that the zone still has.
async fn operations(
    state: &Shared,
    zone: &ZoneId,
    events: &[ValidationEvent],
) -> Result<BTreeMap<OperationId, Operation>, ApiError> {
    let mut ids: Vec<_> = events.iter().map(|event| event.operation).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut operations = BTreeMap::new();
    for id in ids {
        let stored = state.store.operation_get(zone, id).await?;
        operations.extend(stored.map(|stored| (id, stored.operation)));
    }
    Ok(operations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_as_it_is_printed() {
        let check = |text: &str, is_session: bool| {
            let read = session(text).ok().map(|session| session.to_string());
            assert_eq!(read, is_session.then(|| text.to_ascii_lowercase()), "{text}");
        };
        check("00000000abc", true);
        check("FFFFFFFFFFF", true);
        for text in ["", "abc", "00000000000", "0000000000g", "+0000000abc", "000000000abc"] {
            check(text, false);
        }
    }
}
