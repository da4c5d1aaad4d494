//! Evidence by operation and hour, until it is stored.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use demilune_inventory::OperationId;
use demilune_schema::learn::{Evidence, LearnKey, Published};
use demilune_traffic::Hour;

use super::batch::Seen;
use crate::observe::RecordKey;

/// Most bytes that evidence accounts for. 256 MiB: ten thousand operations with ten parameters and members each, or a
/// thousand that are as large as can be.
const BYTES_MAX: usize = 256 << 20;
/// What evidence takes beside what it accounts for.
const EVIDENCE_BYTES: usize = 1 << 10;
/// How often evidence that grows is given out.
const GIVEN_EVERY_SECONDS: u64 = 60;
/// How long stored evidence of an hour that is over is held: longer than any request takes that is not a tunnel.
const FORGET_AFTER_SECONDS: u64 = 900;

/// What was seen of an operation in an hour.
#[derive(Clone, Debug)]
pub struct LearnedHour {
    /// The operation.
    pub key: RecordKey,
    /// The hour of the requests' arrival.
    pub hour: Hour,
    /// The id of the places that were kept first.
    pub published: u32,
    /// Of two states, the later one has the higher.
    pub sequence: u64,
    /// As [`Evidence::encode`] writes it.
    pub evidence: Vec<u8>,
}

/// Evidence of all operations.
pub(super) struct Lessons {
    learn_key: LearnKey,
    held: HashMap<(RecordKey, Hour), Held>,
    bytes: usize,
    published: HashMap<OperationId, Arc<Published>>,
    /// Requests that were not learned from, since there was no room.
    pub(super) dropped: u64,
}

struct Held {
    evidence: Evidence,
    published: u32,
    stored: u64,
    /// When it was given out last, in seconds since the epoch.
    given: u64,
}

/// How much is held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    pub(super) hours: usize,
    pub(super) bytes: usize,
    pub(super) dropped: u64,
}

impl Lessons {
    pub(super) fn new(learn_key: LearnKey) -> Self {
        Self { learn_key, held: HashMap::new(), bytes: 0, published: HashMap::new(), dropped: 0 }
    }

    /// Learns from a request, and says how long its body took.
    pub(super) fn take(&mut self, seen: &Seen<'_>) -> Duration {
        let place = (seen.key, seen.hour);
        if self.bytes > BYTES_MAX {
            self.dropped = self.dropped.saturating_add(1);
            return Duration::ZERO;
        }
        let held = self.held.entry(place).or_insert_with(|| {
            let published = seen.key.operation.and_then(|id| self.published.get(&id)).cloned().unwrap_or_default();
            self.bytes += EVIDENCE_BYTES;
            Held { published: published.id(), evidence: Evidence::new(published), stored: 0, given: 0 }
        });
        let before = held.evidence.bytes();
        held.evidence.observe(&self.learn_key, seen.hour, seen.supporter, &seen.variables, seen.query);
        let mut busy = Duration::ZERO;
        if let Some(body) = seen.body {
            let begun = Instant::now();
            held.evidence.observe_body(&self.learn_key, seen.hour, seen.supporter, body);
            busy = begun.elapsed();
        }
        self.bytes += held.evidence.bytes() - before;
        busy
    }

    /// Evidence that has grown since it was stored: at most this much of what was not given out within a minute, and of
    /// everything at the `end`.
    pub(super) fn changed(&mut self, now: u64, count_max: usize, end: bool) -> Vec<LearnedHour> {
        self.forget(now);
        let is_due = |held: &Held| end || held.given.saturating_add(GIVEN_EVERY_SECONDS) <= now;
        let due = self.held.iter_mut().filter(|(_, held)| held.evidence.sequence() != held.stored && is_due(held));
        let given = due.take(count_max).map(|((key, hour), held)| {
            held.given = now;
            LearnedHour {
                key: *key,
                hour: *hour,
                published: held.published,
                sequence: held.evidence.sequence(),
                evidence: held.evidence.encode(),
            }
        });
        given.collect()
    }

    /// Notes what is stored.
    pub(super) fn stored(&mut self, stored: &[(RecordKey, Hour, u64)]) {
        for (key, hour, sequence) in stored {
            if let Some(held) = self.held.get_mut(&(*key, *hour)) {
                held.stored = held.stored.max(*sequence);
            }
        }
    }

    /// The places that the operations' schemas show. Evidence that has begun goes on as it is.
    pub(super) fn publish(&mut self, published: HashMap<OperationId, Arc<Published>>) {
        self.published = published;
    }

    pub(super) fn extent(&self) -> Extent {
        Extent { hours: self.held.len(), bytes: self.bytes, dropped: self.dropped }
    }

    fn forget(&mut self, now: u64) {
        let bytes = &mut self.bytes;
        self.held.retain(|(_, hour), held| {
            let is_over = hour.end().saturating_add(FORGET_AFTER_SECONDS) <= now;
            let stays = !is_over || held.evidence.sequence() != held.stored;
            *bytes -= if stays { 0 } else { held.evidence.bytes() + EVIDENCE_BYTES };
            stays
        });
    }
}
