//! Records by operation: filled on each core by itself, gathered when somebody asks.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use demilune_inventory::{OperationId, ZoneId};
use demilune_traffic::{Accumulator, Bucket, Ledger, Observation, Record, Snapshot, StatusClass};

/// Parts that are filled independently: more than the cores of the machines that a gateway runs on matter little.
const SHARDS: usize = 16;
/// Most records a part holds between two gatherings: 10,000 operations in two buckets, and as many again.
const SHARD_KEYS_MAX: usize = 40_000;
/// Most records that wait to be stored: 10,000 operations over an hour and a half without a store.
const LEDGER_KEYS_MAX: usize = 180_000;
/// Most bytes of samples of sessions: in each part, and in all that is gathered, 256 MiB together. A part's share is
/// 128 operations of which each has thousands of sessions within ten seconds; beyond that, samples keep fewer sessions.
const SHARD_SESSION_BYTES_MAX: usize = 4 << 20;
const LEDGER_SESSION_BYTES_MAX: usize = 192 << 20;
/// How long stored records are held: longer than any request takes that is not a tunnel.
const FORGET_AFTER_SECONDS: u64 = 900;

/// What a record is about: an operation, or the requests of a zone that none fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordKey {
    zone: [u8; ZoneId::CHARS_MAX],
    /// The operation; none for requests that no operation fits, and for CORS preflights.
    pub operation: Option<OperationId>,
}

impl RecordKey {
    pub(crate) fn new(zone: &ZoneId, operation: Option<OperationId>) -> Self {
        let mut text = [0; ZoneId::CHARS_MAX];
        for (to, from) in text.iter_mut().zip(zone.as_str().bytes()) {
            *to = from;
        }
        Self { zone: text, operation }
    }

    /// The zone's id.
    #[must_use]
    pub fn zone(&self) -> &str {
        let text = std::str::from_utf8(&self.zone).unwrap_or_default();
        text.trim_end_matches('\0')
    }
}

impl Hash for RecordKey {
    /// An operation's id tells records apart by itself; where there is none, the zone does.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.operation {
            Some(operation) => operation.hash(state),
            None => self.zone.hash(state),
        }
    }
}

/// The records of this process.
pub struct Records {
    shards: Box<[Mutex<Accumulator<RecordKey>>]>,
    gathered: Mutex<Gathered>,
}

struct Gathered {
    ledger: Ledger<RecordKey>,
    totals: HashMap<RecordKey, Totals>,
}

/// Counts since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests by class of status, in the order of [`StatusClass::ALL`].
    pub answers: [u64; StatusClass::ALL.len()],
    /// Answered by the policy.
    pub blocked: u64,
    /// Answered by the gateway since the origin gave no answer.
    pub origin_errors: u64,
    /// Bytes of request bodies.
    pub bytes_in: u64,
    /// Bytes of answers' bodies.
    pub bytes_out: u64,
    /// Sum of durations in microseconds.
    pub duration_us: u64,
}

impl Records {
    pub(crate) fn new() -> Self {
        let shards =
            (0..SHARDS).map(|_| Mutex::new(Accumulator::new(SHARD_KEYS_MAX, SHARD_SESSION_BYTES_MAX))).collect();
        let gathered =
            Gathered { ledger: Ledger::new(LEDGER_KEYS_MAX, LEDGER_SESSION_BYTES_MAX), totals: HashMap::new() };
        Self { shards, gathered: Mutex::new(gathered) }
    }

    pub(crate) fn observe(&self, key: RecordKey, bucket: Bucket, observation: &Observation) {
        lock(&self.shards[shard()]).observe(key, bucket, observation);
    }

    /// Snapshots that are not stored yet, at most this many.
    pub fn changed(&self, now_unix_seconds: u64, count_max: usize) -> Vec<(RecordKey, Bucket, Snapshot)> {
        let mut gathered = self.gather();
        gathered.ledger.forget(now_unix_seconds, FORGET_AFTER_SECONDS);
        gathered.ledger.changed().take(count_max).collect()
    }

    /// Notes that snapshots are stored, by their sequences.
    pub fn stored(&self, stored: &[(RecordKey, Bucket, u64)]) {
        lock(&self.gathered).ledger.acknowledge(stored);
    }

    /// Counts since the process started, of what `keep` wants; others are forgotten.
    pub fn totals(&self, keep: impl Fn(&RecordKey) -> bool) -> Vec<(RecordKey, Totals)> {
        let mut gathered = self.gather();
        gathered.totals.retain(|key, _| keep(key));
        gathered.totals.iter().map(|(key, totals)| (*key, *totals)).collect()
    }

    /// Requests that no stored record will show: there was no room.
    pub fn dropped(&self) -> u64 {
        lock(&self.gathered).ledger.dropped()
    }

    /// How often a sample of sessions kept fewer of them since there was no room.
    pub fn samples_lowered(&self) -> u64 {
        lock(&self.gathered).ledger.lowered()
    }

    /// Records held.
    pub fn held(&self) -> usize {
        lock(&self.gathered).ledger.keys()
    }

    fn gather(&self) -> MutexGuard<'_, Gathered> {
        let mut gathered = lock(&self.gathered);
        for shard in &self.shards {
            // Swapped, so that the core that fills it waits for no more than that.
            let mut full =
                std::mem::replace(&mut *lock(shard), Accumulator::new(SHARD_KEYS_MAX, SHARD_SESSION_BYTES_MAX));
            for (key, _, summary) in full.iter() {
                gathered.totals.entry(key).or_default().add(&summary.record);
            }
            gathered.ledger.absorb(&mut full);
        }
        gathered
    }
}

impl Totals {
    fn add(&mut self, record: &Record) {
        for (total, class) in self.answers.iter_mut().zip(StatusClass::ALL) {
            *total += record.answered(class);
        }
        self.blocked += record.blocked();
        self.origin_errors += record.origin_errors();
        self.bytes_in += record.bytes_in();
        self.bytes_out += record.bytes_out();
        self.duration_us += record.durations().sum_us();
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
