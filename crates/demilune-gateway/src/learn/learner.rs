//! Notes on every core, one thread that learns from them, and what it has learned.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use demilune_inventory::OperationId;
use demilune_policy::SessionKey;
use demilune_schema::learn::{LearnKey, Published, Supporter, learns_body};
use demilune_traffic::{Hour, SessionHash};
use http::{HeaderMap, Method};

use super::{
    BodyCopy, Lesson,
    batch::Batch,
    body_copy::Held,
    choice::Choice,
    lessons::{Extent, LearnedHour, Lessons},
};
use crate::observe::RecordKey;

/// Parts that are filled independently: more than the cores of the machines that a gateway runs on matter little.
const SHARDS: usize = 16;
/// How often the thread looks. A core's notes have room for 300,000 requests a second.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often it judges how busy bodies kept it.
const JUDGE_EVERY: Duration = Duration::from_secs(1);
/// Requests that are learned from under one lock, so that nobody waits for it for longer than a millisecond or so.
const LOCKED_MAX: usize = 64;

/// What learns from requests. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Learner(Arc<Shared>);

struct Shared {
    session_key: SessionKey,
    notes: Box<[Mutex<Batch>]>,
    lessons: Mutex<Lessons>,
    choice: Choice,
    copies: Arc<Held>,
    /// Requests that were not noted, since their core had no room.
    unnoted: AtomicU64,
    bodies_copied: AtomicU64,
    bodies_passed_over: AtomicU64,
}

/// What a learner did, for metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LearnerStats {
    pub(crate) dropped: u64,
    pub(crate) bodies_copied: u64,
    pub(crate) bodies_passed_over: u64,
    pub(crate) body_share: f64,
    pub(crate) evidence_held: usize,
    pub(crate) evidence_bytes: usize,
}

impl Learner {
    /// Starts the thread; it ends when the last clone is gone. Fails when the system gives no thread.
    pub fn start(session_key: SessionKey) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            notes: (0..SHARDS).map(|_| Mutex::default()).collect(),
            lessons: Mutex::new(Lessons::new(LearnKey::new(session_key.derived("learning")))),
            session_key,
            choice: Choice::default(),
            copies: Arc::default(),
            unnoted: AtomicU64::new(0),
            bodies_copied: AtomicU64::new(0),
            bodies_passed_over: AtomicU64::new(0),
        });
        let weak = Arc::downgrade(&shared);
        thread::Builder::new().name("learner".to_owned()).spawn(move || run(&weak))?;
        Ok(Self(shared))
    }

    /// Whom a request counts for: its session or else its client's network.
    pub(crate) fn supporter(&self, session: Option<SessionHash>, client: IpAddr) -> Supporter {
        Supporter::of(session.unwrap_or_else(|| self.0.session_key.hash_network(client)).get())
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
        let chosen = shared.choice.takes(supporter(), seconds / 60);
        let copy = chosen.then(|| BodyCopy::reserve(&shared.copies, length)).flatten();
        let counter = if copy.is_some() { &shared.bodies_copied } else { &shared.bodies_passed_over };
        counter.fetch_add(1, Ordering::Relaxed);
        copy
    }

    /// Notes a request; what has no room is counted.
    pub(crate) fn note(&self, lesson: Lesson<'_>) {
        if !lock(&self.0.notes[shard()]).push(lesson) {
            self.0.unnoted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Evidence that has grown since it was stored, at most so much: of each operation once a minute, and at the `end` of
    /// everything that was noted.
    #[must_use]
    pub fn changed(&self, now_unix_seconds: u64, count_max: usize, end: bool) -> Vec<LearnedHour> {
        if end {
            self.0.learn();
        }
        lock(&self.0.lessons).changed(now_unix_seconds, count_max, end)
    }

    /// Notes that evidence is stored, by its sequences.
    pub fn stored(&self, stored: &[(RecordKey, Hour, u64)]) {
        lock(&self.0.lessons).stored(stored);
    }

    /// Sets the places that the operations' schemas show: from the next hour on, evidence keeps them first.
    pub fn publish(&self, published: HashMap<OperationId, Arc<Published>>) {
        lock(&self.0.lessons).publish(published);
    }

    pub(crate) fn stats(&self) -> LearnerStats {
        let shared = &self.0;
        let Extent { hours, bytes, dropped } = lock(&shared.lessons).extent();
        LearnerStats {
            dropped: dropped.saturating_add(shared.unnoted.load(Ordering::Relaxed)),
            bodies_copied: shared.bodies_copied.load(Ordering::Relaxed),
            bodies_passed_over: shared.bodies_passed_over.load(Ordering::Relaxed),
            body_share: shared.choice.share(),
            evidence_held: hours,
            evidence_bytes: bytes,
        }
    }
}

impl Shared {
    /// Learns from everything that was noted, and says how long bodies took.
    fn learn(&self) -> Duration {
        let mut busy = Duration::ZERO;
        for notes in &self.notes {
            if lock(notes).is_empty() {
                continue;
            }
            // Swapped, so that the core waits for no more than that.
            let mut batch = std::mem::take(&mut *lock(notes));
            busy += self.learn_from(&batch);
            batch.clear();
            let mut emptied = lock(notes);
            if emptied.is_empty() {
                *emptied = batch;
            }
        }
        busy
    }

    fn learn_from(&self, batch: &Batch) -> Duration {
        let mut seen = batch.iter().peekable();
        let mut busy = Duration::ZERO;
        while seen.peek().is_some() {
            let mut lessons = lock(&self.lessons);
            busy += seen.by_ref().take(LOCKED_MAX).map(|seen| lessons.take(&seen)).sum::<Duration>();
        }
        busy
    }
}

/// Learns until nobody has the learner any more.
fn run(shared: &Weak<Shared>) {
    let (mut busy, mut judged) = (Duration::ZERO, Instant::now());
    loop {
        thread::sleep(LOOK_EVERY);
        let Some(shared) = shared.upgrade() else { return };
        busy += shared.learn();
        let within = judged.elapsed();
        if within >= JUDGE_EVERY {
            shared.choice.spent(busy, within);
            (busy, judged) = (Duration::ZERO, Instant::now());
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
