//! Takes events to the store, and tells it of learned schemas that fell back.

use std::time::Duration;

use demilune_gateway::{Gateway, SchemaEvent};
use demilune_inventory::{Timestamp, ZoneId};
use demilune_store::{EventViolation, Store, StoreFailure, ValidationEvent};
use tokio_util::sync::CancellationToken;

use super::periodically::periodically;

/// How often: who waits for an event sees it about a second later.
const EVERY: Duration = Duration::from_secs(1);
/// Most events at a time, and so in a second: enough to see what goes wrong, however many requests it goes wrong with.
const BATCH_MAX: usize = 1_000;

/// Takes events to the store until it is told to stop, and once more then. Those that the store does not take wait here.
pub(crate) async fn events(gateway: Gateway, store: Store, stop: CancellationToken) {
    let mut taken = Vec::new();
    let write = async |_| write(&gateway, &store, &mut taken).await.and(fall_back(&gateway, &store).await);
    periodically(EVERY, "events", stop, write).await;
}

async fn write(
    gateway: &Gateway,
    store: &Store,
    taken: &mut Vec<(ZoneId, ValidationEvent)>,
) -> Result<(), StoreFailure> {
    if taken.is_empty() {
        let events = gateway.events().take(BATCH_MAX);
        let count = events.len();
        *taken = events.into_iter().filter_map(stored).collect();
        gateway.events().lost(count - taken.len());
    }
    if taken.is_empty() {
        return Ok(());
    }
    let written = store.events_write(taken.clone()).await;
    if let Err(StoreFailure::Internal(_)) = written {
        // No other try will be better.
        gateway.events().lost(taken.len());
        taken.clear();
    }
    written?;
    taken.clear();
    Ok(())
}

/// None of an event that does not name what it is of, which those of a gateway with rules from the store all do.
fn stored(event: SchemaEvent) -> Option<(ZoneId, ValidationEvent)> {
    let violations = event.violations.into_iter().map(|violation| EventViolation {
        keyword: violation.keyword,
        request_place: violation.request_place,
        document_place: violation.document_place,
    });
    let stored = ValidationEvent {
        time: Timestamp::from_micros(event.time_us)?,
        operation: event.key.operation?,
        action: event.action,
        schema: event.schema.parse().ok()?,
        session: event.session,
        request_id: event.request_id,
        violations: violations.collect(),
        has_more: event.has_more,
    };
    Some((event.key.zone().parse().ok()?, stored))
}

/// Asks which sessions learned schemas know, and tells of those that fell back.
async fn fall_back(gateway: &Gateway, store: &Store) -> Result<(), StoreFailure> {
    let fallbacks = gateway.fallbacks();
    for (zone, schema) in fallbacks.unknown() {
        let Ok(id) = schema.parse() else { continue };
        let known = match store.user_schema_known_sessions(&zone, id).await {
            Err(StoreFailure::Damaged { .. }) => None,
            known => known?,
        };
        // With nobody known it never falls back.
        fallbacks.know(&schema, known.unwrap_or_default());
    }
    for (zone, schema) in fallbacks.untold() {
        let Ok(id) = schema.parse() else { continue };
        store.user_schema_never_block(&zone, id).await?;
        fallbacks.told(&schema);
    }
    Ok(())
}
