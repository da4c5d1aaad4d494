//! Evidence by operation and hour, until it is stored.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::Arc,
    time::Instant,
};

use demilune_inventory::OperationId;
use demilune_schema::learn::{Evidence, LearnKey, Published};
use demilune_traffic::Hour;

use super::{batch::Seen, budget::Budget};
use crate::observe::RecordKey;

/// Most bytes that evidence accounts for. 256 MiB: ten thousand operations with ten parameters and members each, or a
/// thousand that are as large as can be.
const BYTES_MAX: usize = 256 << 20;
/// Up to how full new evidence begins: the last eighth is for what has begun.
const NEW_UNTIL_EIGHTHS: usize = 7;
/// What evidence takes beside what it accounts for.
const EVIDENCE_BYTES: usize = 1 << 10;
/// How often evidence that grows is given out.
const GIVEN_EVERY_SECONDS: u64 = 60;
/// How long stored evidence of an hour that is over is held: longer than any request takes that is not a tunnel.
const FORGET_AFTER_SECONDS: u64 = 900;
/// How many hours are remembered as closed: only a clock that is set far forward and back again needs more than a few.
const CLOSED_MAX: usize = 256;

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

/// The places that the operations' schemas show.
pub type PublishedByOperation = HashMap<OperationId, Arc<Published>>;

/// Evidence of all operations.
pub(super) struct Lessons {
    learn_key: LearnKey,
    bytes_max: usize,
    held: HashMap<(RecordKey, Hour), Held>,
    /// Hours of which stored evidence was forgotten. It must not begin anew: once it had grown beyond what is stored, it
    /// would take its place.
    closed: BTreeSet<Hour>,
    counts: Counts,
}

struct Held {
    evidence: Evidence,
    published: u32,
    stored: u64,
    /// When it was given out last, in seconds since the epoch.
    given: Option<u64>,
}

/// How much is held, and what became of what was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) hours: usize,
    pub(super) bytes: usize,
    /// Requests that were learned from.
    pub(super) requests: u64,
    /// Those that were not, since there was no room or their hour is closed.
    pub(super) dropped: u64,
    /// Bodies that were read.
    pub(super) bodies: u64,
    /// Bodies that were copied, and for which there was no time.
    pub(super) bodies_late: u64,
    /// Of those that were read, those that are no JSON.
    pub(super) bodies_invalid: u64,
    /// How often some evidence became too large to keep every place.
    pub(super) cut: u64,
}

impl Lessons {
    pub(super) fn new(learn_key: LearnKey) -> Self {
        Self::within(BYTES_MAX, learn_key)
    }

    fn within(bytes_max: usize, learn_key: LearnKey) -> Self {
        let (held, closed) = (HashMap::new(), BTreeSet::new());
        Self { learn_key, bytes_max, held, closed, counts: Counts::default() }
    }

    /// Learns from a request, and from its body if there is time. What has no place is counted. Evidence that has begun
    /// goes on with the places that were published then.
    pub(super) fn take(&mut self, seen: &Seen<'_>, published: &PublishedByOperation, budget: &mut Budget) {
        let Self { learn_key, bytes_max, held, closed, counts } = self;
        let is_closed = |hour: Hour| closed.contains(&hour);
        let held = match held.entry((seen.key, seen.hour)) {
            Entry::Occupied(entry) if counts.bytes < *bytes_max => entry.into_mut(),
            Entry::Vacant(entry) if counts.bytes < *bytes_max / 8 * NEW_UNTIL_EIGHTHS && !is_closed(seen.hour) => {
                counts.bytes += EVIDENCE_BYTES;
                entry.insert(Held::new(seen, published))
            }
            _ => {
                counts.dropped += 1;
                return;
            }
        };
        let evidence = &mut held.evidence;
        let (bytes, was_cut) = (evidence.bytes(), evidence.is_cut());
        evidence.observe(learn_key, seen.hour, seen.supporter, &seen.variables, seen.query);
        counts.requests += 1;
        match seen.body {
            Some(body) if budget.allows() => {
                let (begun, invalid) = (Instant::now(), evidence.unreadable_bodies());
                evidence.observe_body(learn_key, seen.hour, seen.supporter, body);
                budget.spend(begun.elapsed());
                counts.bodies += 1;
                counts.bodies_invalid += evidence.unreadable_bodies() - invalid;
            }
            Some(_) => counts.bodies_late += 1,
            None => {}
        }
        counts.bytes = counts.bytes + evidence.bytes() - bytes;
        counts.cut += u64::from(!was_cut && evidence.is_cut());
    }

    /// Evidence that has grown since it was stored: at most this much of what was not given out within a minute, and of
    /// everything at the `end`.
    pub(super) fn changed(&mut self, now: u64, count_max: usize, end: bool) -> Vec<LearnedHour> {
        self.forget(now);
        // Clocks are set back too.
        let is_due = |held: &Held| end || held.given.is_none_or(|given| given.abs_diff(now) >= GIVEN_EVERY_SECONDS);
        let due = self.held.iter_mut().filter(|(_, held)| !held.is_stored() && is_due(held));
        let given = due.take(count_max).map(|((key, hour), held)| {
            held.given = Some(now);
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

    /// How much is held, and what was done so far.
    pub(super) fn counts(&self) -> Counts {
        Counts { hours: self.held.len(), ..self.counts }
    }

    fn forget(&mut self, now: u64) {
        let Self { held, closed, counts, .. } = self;
        held.retain(|(_, hour), held| {
            let is_over = hour.end().saturating_add(FORGET_AFTER_SECONDS) <= now;
            let goes = is_over && held.is_stored();
            if goes {
                closed.insert(*hour);
                counts.bytes -= held.evidence.bytes() + EVIDENCE_BYTES;
            }
            !goes
        });
        while closed.len() > CLOSED_MAX {
            closed.pop_first();
        }
    }
}

impl Held {
    fn new(seen: &Seen<'_>, published: &PublishedByOperation) -> Self {
        let published = seen.key.operation.and_then(|id| published.get(&id)).cloned().unwrap_or_default();
        Self { published: published.id(), evidence: Evidence::new(published), stored: 0, given: None }
    }

    fn is_stored(&self) -> bool {
        self.stored == self.evidence.sequence()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use demilune_schema::learn::Supporter;

    use super::*;

    const HOUR: u64 = 500_000 * 3_600;
    const END: u64 = HOUR + 3_600;

    fn lessons(bytes_max: usize) -> Lessons {
        Lessons::within(bytes_max, LearnKey::new([7; 16]))
    }

    fn key(operation: u32) -> RecordKey {
        let id = format!("00000000-0000-7000-8000-{operation:012}").parse().unwrap();
        RecordKey::new(&"z".parse().unwrap(), Some(id))
    }

    fn see(lessons: &mut Lessons, operation: u32, time: u64, query: &str, body: Option<&[u8]>) {
        let hour = Hour::of(time);
        let (query, variables) = (Some(query), Vec::new());
        let seen = Seen { key: key(operation), hour, supporter: Supporter(7), variables, query, body };
        lessons.take(&seen, &HashMap::new(), &mut Budget::new(Instant::now()));
    }

    fn store_all(lessons: &mut Lessons, now: u64) -> usize {
        let changed = lessons.changed(now, usize::MAX, true);
        lessons.stored(&changed.iter().map(|hour| (hour.key, hour.hour, hour.sequence)).collect::<Vec<_>>());
        changed.len()
    }

    #[test]
    fn evidence_is_given_once_a_minute_whatever_the_clock_does() {
        let mut lessons = lessons(BYTES_MAX);
        see(&mut lessons, 1, HOUR, "a=1", None);
        for (now, expected) in [(HOUR, 1), (HOUR + 59, 0), (HOUR + 60, 1), (HOUR + 30, 0), (HOUR, 1), (HOUR + 1, 0)] {
            assert_eq!(lessons.changed(now, 9, false).len(), expected, "{now}");
        }
        assert_eq!(lessons.changed(HOUR + 1, 9, true).len(), 1);
    }

    #[test]
    fn no_more_is_given_than_was_asked_for() {
        let mut lessons = lessons(BYTES_MAX);
        (0..5).for_each(|operation| see(&mut lessons, operation, HOUR, "", None));
        let sizes: Vec<_> = (0..4).map(|_| lessons.changed(HOUR, 2, false).len()).collect();
        assert_eq!(sizes, [2, 2, 1, 0]);
    }

    #[test]
    fn only_what_is_stored_and_over_is_forgotten() {
        let mut lessons = lessons(BYTES_MAX);
        see(&mut lessons, 1, HOUR, "a=1", None);
        see(&mut lessons, 2, END, "a=1", None);
        lessons.changed(END + FORGET_AFTER_SECONDS, 0, false);
        assert_eq!(lessons.counts().hours, 2);
        assert_eq!(store_all(&mut lessons, END), 2);
        lessons.changed(END + FORGET_AFTER_SECONDS - 1, 0, false);
        assert_eq!(lessons.counts().hours, 2);
        lessons.changed(END + FORGET_AFTER_SECONDS, 0, false);
        assert_eq!(lessons.counts().hours, 1);
        store_all(&mut lessons, u64::MAX);
        lessons.changed(u64::MAX, 0, false);
        assert_eq!((lessons.counts().hours, lessons.counts().bytes), (0, 0));
    }

    #[test]
    fn an_hour_that_was_forgotten_never_begins_anew() {
        let mut lessons = lessons(BYTES_MAX);
        (1..3).for_each(|operation| see(&mut lessons, operation, HOUR, "", None));
        lessons.stored(&[(key(1), Hour::of(HOUR), 1)]);
        lessons.changed(u64::MAX, 0, false);
        (1..4).for_each(|operation| see(&mut lessons, operation, HOUR, "", None));
        see(&mut lessons, 1, END, "", None);
        let Counts { hours, requests, dropped, .. } = lessons.counts();
        assert_eq!((hours, requests, dropped), (2, 4, 2));
    }

    #[test]
    fn new_operations_leave_room_for_those_that_have_begun() {
        let mut lessons = lessons(80 * EVIDENCE_BYTES);
        (0..100).for_each(|operation| see(&mut lessons, operation, HOUR, "", None));
        assert_eq!((lessons.counts().hours, lessons.counts().dropped), (70, 30));
        (0..1_000).for_each(|number| see(&mut lessons, 7, HOUR, &format!("name{number}=1"), None));
        let Counts { bytes, dropped, .. } = lessons.counts();
        let full = (80 * EVIDENCE_BYTES..84 * EVIDENCE_BYTES).contains(&bytes);
        assert!(full && dropped > 30, "{bytes} {dropped}");
    }

    #[test]
    fn what_became_of_bodies_and_places_is_counted() {
        let mut lessons = lessons(BYTES_MAX);
        see(&mut lessons, 1, HOUR, "", Some(b"{}"));
        see(&mut lessons, 1, HOUR, "", Some(b"{"));
        (0..500).for_each(|number| see(&mut lessons, 1, HOUR, &format!("name{number}=1"), None));
        let Counts { requests, bodies, bodies_invalid, cut, .. } = lessons.counts();
        assert_eq!((requests, bodies, bodies_invalid, cut), (502, 2, 1, 1));
    }

    #[test]
    fn a_body_without_time_leaves_its_request() {
        let mut lessons = lessons(BYTES_MAX);
        let mut budget = Budget::new(Instant::now());
        budget.spend(Duration::from_secs(1));
        let (hour, variables, body) = (Hour::of(HOUR), Vec::new(), Some(&b"{}"[..]));
        let seen = Seen { key: key(1), hour, supporter: Supporter(7), variables, query: None, body };
        lessons.take(&seen, &HashMap::new(), &mut budget);
        let Counts { requests, bodies, bodies_late, .. } = lessons.counts();
        assert_eq!((requests, bodies, bodies_late), (1, 0, 1));
    }
}
