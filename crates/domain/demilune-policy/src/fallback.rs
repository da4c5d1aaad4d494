//! Learned schemas that turn out to be wrong stop blocking by themselves.
//!
//! A client that was answered before a schema was in force did nothing wrong then. Where too many of those do not fit all at
//! once, the schema is wrong, or the API has changed. Only they are counted, so that a stranger cannot turn a schema off.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use demilune_inventory::ZoneId;
use demilune_traffic::{SessionHash, SessionSample};

/// How far back requests are counted at least, in seconds, and in steps of how many that slides. A burst of a few seconds is
/// not enough.
const WINDOW_SECONDS: u64 = 30;
const PART_SECONDS: u64 = 5;
/// How far back they are counted until there are [`REQUESTS_MIN`]: over a longer time than it takes, what is wrong now would
/// be hidden by what was right before; and an operation with a request every other minute has them after a day.
const WINDOW_MAX_SECONDS: u64 = 24 * 3_600;
/// Fewest requests of known sessions in the window, as far as the sample tells.
const REQUESTS_MIN: f64 = 1_000.0;
/// Fewest known sessions with requests that do not fit.
const SESSIONS_MIN: usize = 20;
/// A schema falls back when more than one in so many requests does not fit.
const ONE_IN: u64 = 100;

/// A learned schema, and its zone.
pub type LearnedSchema = (ZoneId, Arc<str>);

/// The learned schemas in force.
#[derive(Debug, Default)]
pub struct Fallbacks {
    watched: RwLock<HashMap<Arc<str>, Arc<Watched>>>,
    fell_back: AtomicU64,
}

#[derive(Debug)]
struct Watched {
    zone: ZoneId,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
enum State {
    /// Nobody has said yet which sessions are known.
    #[default]
    Unknown,
    Watching(Box<Window>),
    /// It only logs. `told` when the store says so, too.
    FellBack {
        told: bool,
    },
}

/// The last requests of known sessions: those of half a minute, or as many as it takes.
#[derive(Debug)]
struct Window {
    known: SessionSample,
    /// Requests that are enough, which is fewer where only some sessions are sampled.
    enough: u64,
    /// The part that is counted now.
    part: u64,
    /// Requests of all parts.
    requests: u64,
    /// Of the parts with requests: no more than it takes for enough, and those of the last half minute.
    counts: BTreeMap<u64, Counts>,
    /// The known sessions with a request that did not fit, and the last part in which there was one.
    misfits: HashMap<SessionHash, u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    requests: u64,
    misfits: u64,
}

/// What a request tells about the learned schema that it was checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footing {
    /// It stands.
    Stands,
    /// With this request it fell back.
    FallsBack,
    /// It fell back before.
    FellBack,
}

impl Fallbacks {
    /// These learned schemas are in force, and no others; what is known of those that stay stays.
    pub fn watch(&self, schemas: impl IntoIterator<Item = LearnedSchema>) {
        let mut watched = self.watched.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *watched);
        for (zone, schema) in schemas {
            let kept = before.remove(&schema);
            watched.insert(schema, kept.unwrap_or_else(|| Arc::new(Watched { zone, state: Mutex::default() })));
        }
    }

    /// The schemas whose known sessions nobody has said yet.
    #[must_use]
    pub fn unknown(&self) -> Vec<LearnedSchema> {
        self.all(|state| matches!(state, State::Unknown))
    }

    /// The schemas that fell back and that the store does not know of.
    #[must_use]
    pub fn untold(&self) -> Vec<LearnedSchema> {
        self.all(|state| matches!(state, State::FellBack { told: false }))
    }

    /// Says which sessions a schema knows.
    pub fn know(&self, schema: &str, known: SessionSample) {
        if let Some(watched) = self.get(schema) {
            let mut state = watched.lock();
            if matches!(*state, State::Unknown) {
                *state = State::Watching(Box::new(Window::new(known)));
            }
        }
    }

    /// The store knows that a schema fell back.
    pub fn told(&self, schema: &str) {
        if let Some(watched) = self.get(schema) {
            *watched.lock() = State::FellBack { told: true };
        }
    }

    /// Counts a request that was checked against a learned schema.
    pub fn judged(&self, schema: &str, session: Option<SessionHash>, fits: bool, second: u64) -> Footing {
        let Some(watched) = self.get(schema) else { return Footing::Stands };
        let mut state = watched.lock();
        let falls = match &mut *state {
            State::Unknown => false,
            State::Watching(window) => session.is_some_and(|session| window.count(session, fits, second)),
            State::FellBack { .. } => return Footing::FellBack,
        };
        if !falls {
            return Footing::Stands;
        }
        *state = State::FellBack { told: false };
        self.fell_back.fetch_add(1, Ordering::Relaxed);
        Footing::FallsBack
    }

    /// How often a schema fell back.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.fell_back.load(Ordering::Relaxed)
    }

    fn all(&self, which: impl Fn(&State) -> bool) -> Vec<LearnedSchema> {
        let watched = self.watched.read().unwrap_or_else(PoisonError::into_inner);
        let wanted = watched.iter().filter(|(_, watched)| which(&watched.lock()));
        wanted.map(|(schema, watched)| (watched.zone.clone(), Arc::clone(schema))).collect()
    }

    fn get(&self, schema: &str) -> Option<Arc<Watched>> {
        self.watched.read().unwrap_or_else(PoisonError::into_inner).get(schema).cloned()
    }
}

impl Watched {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn new(known: SessionSample) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 1 to 1,000")]
        let enough = (REQUESTS_MIN * known.share()).ceil().max(1.0) as u64;
        Self { known, enough, part: 0, requests: 0, counts: BTreeMap::new(), misfits: HashMap::new() }
    }

    /// Counts a request of a known session; true if the schema is wrong.
    fn count(&mut self, session: SessionHash, fits: bool, second: u64) -> bool {
        if self.known.has(session) != Some(true) {
            return false;
        }
        self.turn_to(second / PART_SECONDS);
        let now = self.counts.entry(self.part).or_default();
        now.requests += 1;
        self.requests += 1;
        if fits {
            return false;
        }
        now.misfits += 1;
        self.misfits.insert(session, self.part);
        self.is_wrong()
    }

    /// Forgets the parts that have slid out. A clock that was set back goes on in the last part.
    fn turn_to(&mut self, part: u64) {
        if part <= self.part {
            return;
        }
        self.part = part;
        while let Some(first) = self.counts.first_entry() {
            let age = part - *first.key();
            let is_needed = self.requests - first.get().requests < self.enough;
            if age < WINDOW_SECONDS / PART_SECONDS || (is_needed && age < WINDOW_MAX_SECONDS / PART_SECONDS) {
                break;
            }
            self.requests -= first.remove().requests;
        }
        let oldest = self.counts.first_key_value().map_or(part, |(part, _)| *part);
        self.misfits.retain(|_, last| *last >= oldest);
    }

    fn is_wrong(&self) -> bool {
        let misfits: u64 = self.counts.values().map(|counts| counts.misfits).sum();
        self.requests >= self.enough && misfits * ONE_IN > self.requests && self.misfits.len() >= SESSIONS_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e";

    fn session(number: u64) -> SessionHash {
        SessionHash::of(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn knowing(sessions: u64) -> Fallbacks {
        let fallbacks = Fallbacks::default();
        fallbacks.watch([("023e105f4ecef8ad9ca31a8372d0c353".parse().unwrap(), SCHEMA.into())]);
        let mut known = SessionSample::default();
        (0..sessions).for_each(|number| known.observe(Some(session(number))));
        fallbacks.know(SCHEMA, known);
        fallbacks
    }

    /// Sends requests of these sessions in turn, of which one in `every` does not fit, `per_second` at a time; says
    /// after how many the schema fell back.
    fn falls_after(fallbacks: &Fallbacks, sessions: std::ops::Range<u64>, every: u64, per_second: u64) -> Option<u64> {
        (0..30_000_u64).find(|number| {
            let session = session(sessions.start + number % (sessions.end - sessions.start));
            let fits = number % every != 0;
            fallbacks.judged(SCHEMA, Some(session), fits, 1_000_000 + number / per_second) == Footing::FallsBack
        })
    }

    #[test]
    fn it_falls_back_when_more_than_one_in_a_hundred_of_known_clients_do_not_fit() {
        assert!(falls_after(&knowing(499), 0..499, 50, 100).is_some_and(|number| number < 3_000));
        assert_eq!(falls_after(&knowing(499), 0..499, 120, 100), None);
    }

    #[test]
    fn few_requests_or_few_sessions_do_not_bring_it_down() {
        let after = |per_second| falls_after(&knowing(499), 0..499, 20, per_second);
        assert_eq!((after(100), after(3)), (Some(1_000), Some(1_000)), "five minutes, or as long as it takes");
        assert_eq!(falls_after(&knowing(499), 0..19, 20, 100), None, "19 sessions");
    }

    #[test]
    fn strangers_cannot_bring_it_down() {
        assert_eq!(falls_after(&knowing(499), 500..900, 2, 100), None);
        let fallbacks = knowing(499);
        assert_eq!(fallbacks.judged(SCHEMA, None, false, 0), Footing::Stands);
    }

    #[test]
    fn what_was_a_day_ago_does_not_count() {
        let fallbacks = knowing(499);
        let judged = |number: u64, fits| fallbacks.judged(SCHEMA, Some(session(number % 499)), fits, number * 90);
        // 960 requests a day.
        assert!((0..20_000).all(|number| judged(number, number % 20 != 0) == Footing::Stands));
    }

    #[test]
    fn a_sample_of_many_sessions_is_enough() {
        // A tenth of them is sampled, and sends 300 requests in five minutes.
        let fallbacks = knowing(20_000);
        let after = falls_after(&fallbacks, 0..20_000, 7, 10);
        assert!(after.is_some_and(|number| number < 6_000), "{after:?}");
    }

    #[test]
    fn it_stays_down_until_another_schema_takes_its_place() {
        let fallbacks = knowing(499);
        assert!(falls_after(&fallbacks, 0..499, 10, 100).is_some());
        assert_eq!((fallbacks.untold().len(), fallbacks.count()), (1, 1));
        fallbacks.told(SCHEMA);
        assert_eq!(fallbacks.untold(), []);
        assert_eq!(fallbacks.judged(SCHEMA, None, true, 0), Footing::FellBack);
        fallbacks.watch([("023e105f4ecef8ad9ca31a8372d0c353".parse().unwrap(), "another".into())]);
        assert_eq!(fallbacks.judged(SCHEMA, None, true, 0), Footing::Stands);
        assert_eq!(fallbacks.unknown().len(), 1);
    }
}
