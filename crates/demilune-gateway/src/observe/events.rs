//! Events that wait to be stored, in bounded room.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use demilune_policy::rule::MitigationAction;
use demilune_schema::validate::Violation;
use demilune_traffic::SessionHash;

use super::RecordKey;

/// Most events that wait: a few seconds' worth, and at most some tens of megabytes.
const WAITING_MAX: usize = 4_096;
/// Most of them that are of one zone, so that a flood in one does not cost the others theirs.
const WAITING_OF_ZONE_MAX: usize = WAITING_MAX / 2;

/// That a request did not fit the schema of its operation. It holds nothing that the request held.
#[derive(Clone, Debug)]
pub struct SchemaEvent {
    /// The zone and the operation.
    pub key: RecordKey,
    /// When the request arrived, in microseconds since 1970.
    pub time_us: i64,
    /// What was done: log or block.
    pub action: MitigationAction,
    /// Names the schema that it did not fit, a UUID.
    pub schema: Arc<str>,
    /// The session, where the request carried one.
    pub session: Option<SessionHash>,
    /// Names the request in its answer and in the access log, too.
    pub request_id: String,
    /// What did not fit, at least one.
    pub violations: Vec<Violation>,
    /// Whether more did not fit.
    pub has_more: bool,
}

/// Events that wait to be stored.
#[derive(Debug, Default)]
pub struct SchemaEvents {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<SchemaEvent>,
    by_zone: HashMap<String, usize>,
    dropped: u64,
}

impl SchemaEvents {
    /// Waits for nothing: an event that there is no room for is dropped and counted.
    pub(crate) fn push(&self, event: SchemaEvent) {
        let mut waiting = self.lock();
        let full = waiting.events.len() >= WAITING_MAX;
        let of_zone = waiting.by_zone.get(event.key.zone()).copied().unwrap_or(0);
        if full || of_zone >= WAITING_OF_ZONE_MAX {
            waiting.dropped += 1;
            return;
        }
        *waiting.by_zone.entry(event.key.zone().to_owned()).or_default() += 1;
        waiting.events.push_back(event);
    }

    /// Takes the oldest that wait, at most so many.
    #[must_use]
    pub fn take(&self, max: usize) -> Vec<SchemaEvent> {
        let mut waiting = self.lock();
        let length = waiting.events.len().min(max);
        let taken: Vec<_> = waiting.events.drain(..length).collect();
        for event in &taken {
            if let Some(of_zone) = waiting.by_zone.get_mut(event.key.zone()) {
                *of_zone -= 1;
            }
        }
        waiting.by_zone.retain(|_, of_zone| *of_zone > 0);
        taken
    }

    /// Counts events that were taken and could not be stored.
    pub fn lost(&self, events: usize) {
        self.lock().dropped += events as u64;
    }

    /// Events that nobody will find.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(zone: &str, time_us: i64) -> SchemaEvent {
        SchemaEvent {
            key: RecordKey::new(&zone.parse().unwrap(), None),
            time_us,
            action: MitigationAction::Log,
            schema: "s".into(),
            session: None,
            request_id: String::new(),
            violations: Vec::new(),
            has_more: false,
        }
    }

    const ZONE: &str = "023e105f4ecef8ad9ca31a8372d0c353";
    const OTHER: &str = "123e105f4ecef8ad9ca31a8372d0c353";

    #[test]
    fn the_oldest_are_taken_first() {
        let events = SchemaEvents::default();
        (0..3).for_each(|time| events.push(event(ZONE, time)));
        let times = |max| events.take(max).into_iter().map(|event| event.time_us).collect::<Vec<_>>();
        assert_eq!((times(2), times(2), times(2)), (vec![0, 1], vec![2], vec![]));
    }

    #[test]
    fn a_flood_in_one_zone_leaves_room_for_others_and_is_counted() {
        let events = SchemaEvents::default();
        (0..5_000).for_each(|time| events.push(event(ZONE, time)));
        events.push(event(OTHER, 0));
        assert_eq!(events.dropped(), 5_000 - 2_048);
        let taken = events.take(usize::MAX);
        assert_eq!(taken.len(), 2_049);
        assert_eq!(taken.last().map(|event| event.key.zone()), Some(OTHER));
        events.push(event(ZONE, 0));
        assert_eq!(events.take(usize::MAX).len(), 1, "what was taken left its room");
    }
}
