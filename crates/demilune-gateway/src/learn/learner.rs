//! Notes on every core, one thread that learns from them, and what it has learned.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use demilune_policy::SessionKey;
use demilune_schema::learn::{LearnKey, Supporter, learns_body};
use demilune_traffic::{Hour, SessionHash};
use http::{HeaderMap, Method};

use super::{
    BodyCopy, Lesson, SightedDay, Stray,
    batch::{Batch, Seen},
    body_copy::Copies,
    budget::Budget,
    choice::Choice,
    lessons::{Counts, LearnedHour, Lessons, PublishedByOperation},
    strays::{StrayCounts, Strays},
};
use crate::observe::RecordKey;

/// Parts that are filled independently: more than the cores of the machines that a gateway runs on matter little.
const SHARDS: usize = 16;
/// How often the thread looks. A core's notes have room for 300,000 requests a second.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Bytes of bodies that are learned from under one lock, so that nobody waits for it for longer than some milliseconds.
const LOCKED_BYTES_MAX: usize = 64 << 10;
/// What a request counts for beside its body: it takes about as long as so many bytes of one.
const REQUEST_BYTES: usize = 256;
/// How many requests that no operation matches are seen under one lock: some milliseconds as well.
const LOCKED_STRAYS_MAX: usize = 1_000;

/// What learns from requests. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Learner(Arc<Shared>);

struct Shared {
    session_key: SessionKey,
    notes: Box<[Mutex<Batch>]>,
    /// An empty batch to put in the place of a full one. Whoever has it is the one who learns.
    spare: Mutex<Batch>,
    lessons: Mutex<Lessons>,
    /// Those of the lessons, after what was learned last.
    counts: Mutex<Counts>,
    strays: Mutex<Strays>,
    /// Those of the strays, likewise.
    stray_counts: Mutex<StrayCounts>,
    published: ArcSwap<PublishedByOperation>,
    choice: Choice,
    copies: Arc<Copies>,
    /// Requests that were not noted, since their core had no room.
    unnoted: AtomicU64,
    /// Likewise, of those that no operation matches.
    unnoted_strays: AtomicU64,
    /// Bodies of callers that were not chosen.
    not_chosen: AtomicU64,
}

/// What a learner did, for metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LearnerStats {
    pub(crate) requests: u64,
    pub(crate) dropped: u64,
    pub(crate) bodies_copied: u64,
    pub(crate) bodies_invalid: u64,
    /// By reason.
    pub(crate) bodies_passed_over: [(&'static str, u64); 4],
    pub(crate) body_share: f64,
    pub(crate) evidence_held: usize,
    pub(crate) evidence_bytes: usize,
    pub(crate) evidence_cut: u64,
    pub(crate) strays: u64,
    pub(crate) strays_dropped: u64,
    pub(crate) stray_bytes: usize,
}

impl Learner {
    /// Starts the thread; it ends when the last clone is gone. Fails when the system gives no thread.
    pub fn start(session_key: SessionKey) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            notes: (0..SHARDS).map(|_| Mutex::default()).collect(),
            spare: Mutex::default(),
            lessons: Mutex::new(Lessons::new(LearnKey::new(session_key.derived("learning")))),
            counts: Mutex::default(),
            strays: Mutex::default(),
            stray_counts: Mutex::default(),
            published: ArcSwap::default(),
            session_key,
            choice: Choice::default(),
            copies: Arc::default(),
            unnoted: AtomicU64::new(0),
            unnoted_strays: AtomicU64::new(0),
            not_chosen: AtomicU64::new(0),
        });
        let weak = Arc::downgrade(&shared);
        thread::Builder::new().name("learner".to_owned()).spawn(move || run(&weak))?;
        Ok(Self(shared))
    }

    /// Whom a request counts for: its session or else its caller's network.
    pub(crate) fn supporter(&self, session: Option<SessionHash>, caller: IpAddr) -> Supporter {
        Supporter::of(session.unwrap_or_else(|| self.0.session_key.hash_network(caller)).get())
    }

    /// Room for a copy of a body, if it is one to learn from: `length` is that of the body, as far as it is known, and
    /// `seconds` the time of arrival.
    pub(crate) fn copy(
        &self,
        method: &Method,
        headers: &HeaderMap,
        length: Option<u64>,
        supporter: impl FnOnce() -> Supporter,
        seconds: u64,
    ) -> Option<BodyCopy> {
        if !learns_body(method, headers) {
            return None;
        }
        let shared = &self.0;
        if !shared.choice.takes(supporter(), seconds / 60) {
            shared.not_chosen.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        BodyCopy::reserve(&shared.copies, length)
    }

    /// Notes a request; what has no room is counted.
    pub(crate) fn note(&self, lesson: Lesson<'_>) {
        if !lock(&self.0.notes[shard()]).push(lesson) {
            self.0.unnoted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes a request that no operation matches; what has no room is counted.
    pub(crate) fn note_stray(&self, stray: &Stray<'_>) {
        if !lock(&self.0.notes[shard()]).push_stray(stray) {
            self.0.unnoted_strays.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A zone's day of requests that no operation matches, if one has grown since it was stored: each at most
    /// every ten seconds, and at the `end` whatever was noted.
    #[must_use]
    pub fn sighted(&self, now_unix_seconds: u64, end: bool) -> Option<SightedDay> {
        if end {
            self.0.learn(&mut Budget::without_limit(Instant::now()));
        }
        lock(&self.0.strays).changed(now_unix_seconds, end)
    }

    /// Notes that a day is stored.
    pub fn sighted_stored(&self, key: RecordKey, day: u64, sequence: u64) {
        lock(&self.0.strays).stored(key, day, sequence);
    }

    /// Evidence that has grown since it was stored, at most so much: of each operation once a minute, and at the `end` of
    /// everything that was noted.
    #[must_use]
    pub fn changed(&self, now_unix_seconds: u64, count_max: usize, end: bool) -> Vec<LearnedHour> {
        if end {
            self.0.learn(&mut Budget::without_limit(Instant::now()));
        }
        lock(&self.0.lessons).changed(now_unix_seconds, count_max, end)
    }

    /// Notes that evidence is stored, by its sequences.
    pub fn stored(&self, stored: &[(RecordKey, Hour, u64)]) {
        lock(&self.0.lessons).stored(stored);
    }

    /// Sets the places that the operations' schemas show: from the next hour on, evidence keeps them first.
    pub fn publish(&self, published: PublishedByOperation) {
        self.0.published.store(Arc::new(published));
    }

    /// Waits for nobody who learns.
    pub(crate) fn stats(&self) -> LearnerStats {
        let Shared { copies, choice, .. } = &*self.0;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (counts, stray_counts) = (*lock(&self.0.counts), *lock(&self.0.stray_counts));
        LearnerStats {
            requests: counts.requests,
            dropped: counts.dropped.saturating_add(read(&self.0.unnoted)),
            bodies_copied: read(&copies.made),
            bodies_invalid: counts.bodies_invalid,
            bodies_passed_over: [
                ("not_chosen", read(&self.0.not_chosen)),
                ("too_long", read(&copies.too_long)),
                ("no_room", read(&copies.no_room)),
                ("no_time", counts.bodies_late),
            ],
            body_share: choice.share(),
            evidence_held: counts.hours,
            evidence_bytes: counts.bytes,
            evidence_cut: counts.cut,
            strays: stray_counts.requests,
            strays_dropped: stray_counts.dropped.saturating_add(read(&self.0.unnoted_strays)),
            stray_bytes: stray_counts.bytes,
        }
    }
}

impl Shared {
    /// Learns from everything that was noted before. One at a time: when it is over, nobody has noted requests at hand
    /// that are not learned from.
    fn learn(&self, budget: &mut Budget) {
        let mut spare = lock(&self.spare);
        for notes in &self.notes {
            if lock(notes).is_empty() {
                continue;
            }
            // Swapped, so that the core waits for no more than that.
            std::mem::swap(&mut *lock(notes), &mut *spare);
            self.learn_from(&spare, budget);
            spare.clear();
        }
    }

    fn learn_from(&self, batch: &Batch, budget: &mut Budget) {
        let published = self.published.load();
        let mut seen = batch.iter().peekable();
        while seen.peek().is_some() {
            let mut lessons = lock(&self.lessons);
            let mut left = LOCKED_BYTES_MAX;
            while let Some(seen) = seen.next_if(|_| left > 0) {
                lessons.take(&seen, &published, budget);
                left = left.saturating_sub(weight(&seen));
            }
            *lock(&self.counts) = lessons.counts();
        }
        let mut unmatched = batch.strays().peekable();
        while unmatched.peek().is_some() {
            let mut strays = lock(&self.strays);
            unmatched.by_ref().take(LOCKED_STRAYS_MAX).for_each(|stray| strays.take(&stray));
            *lock(&self.stray_counts) = strays.counts();
        }
    }
}

/// How long a request takes, as bytes of a body.
fn weight(seen: &Seen<'_>) -> usize {
    REQUEST_BYTES + seen.body.map_or(0, <[u8]>::len)
}

/// Learns until nobody has the learner any more.
fn run(shared: &Weak<Shared>) {
    let mut budget = Budget::new(Instant::now());
    loop {
        thread::sleep(LOOK_EVERY);
        let Some(shared) = shared.upgrade() else { return };
        shared.learn(&mut budget);
        if let Some((busy, within)) = budget.judged(Instant::now()) {
            shared.choice.judge(busy, within);
        }
    }
}

/// The part that this thread fills.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    }
    MINE.with(|mine| *mine)
}

/// Counts are whole after every step, whatever panicked elsewhere.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::learn::Taken;

    fn note(learner: &Learner, query: &str) {
        let key = RecordKey::new(&"z".parse().unwrap(), "00000000-0000-7000-8000-000000000001".parse().ok());
        let (hour, supporter, taken) = (Hour::of(0), Supporter(7), &Taken::default());
        learner.note(Lesson { key, hour, supporter, path: "/", taken, query: Some(query), body: None });
    }

    #[test]
    fn at_the_end_nothing_that_was_noted_is_missing() {
        let learner = Learner::start(SessionKey::new([7; 16])).unwrap();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    learner.0.learn(&mut Budget::new(Instant::now()));
                }
            });
            let found = (1..=100).map(|_| {
                (0..1_000).for_each(|_| note(&learner, "a=1&b=2&c=3&d=4"));
                learner.changed(0, 9, true).first().map_or(0, |hour| hour.sequence)
            });
            let found: Vec<u64> = found.collect();
            is_over.store(true, Ordering::Relaxed);
            assert_eq!(found, (1..=100).map(|round| round * 1_000).collect::<Vec<_>>());
        });
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let learner = Learner::start(SessionKey::new([7; 16])).unwrap();
        let query = "q".repeat(300_000);
        let spare = lock(&learner.0.spare);
        (0..4).for_each(|_| note(&learner, &query));
        drop(spare);
        learner.0.learn(&mut Budget::new(Instant::now()));
        let LearnerStats { requests, dropped, .. } = learner.stats();
        assert_eq!((requests, dropped), (3, 1));
    }
}
