//! What was seen of requests that no saved operation matches, in bounded room.
//!
//! Every request has a level: the number of zeros at the end of a random number of its own, so that half of all requests
//! have level 0, a quarter level 1, and so on. What is kept is kept by level; a lane that has no room left forgets its
//! lowest level and counts each request that is left for twice as many. The level up to which a lane must forget depends
//! on all its requests together and not on their order, which makes sightings the same for any order and any split.
//!
//! Lanes are told apart by who asks and by where a path lies. Somebody who asks for a million paths fills the lanes of
//! their own requests; the others go on counting exactly.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    collections::BTreeMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use demilune_inventory::Method;
use siphasher::sip::SipHasher13;

use crate::pattern::{Reduced, reduce, values_of};

/// Lanes by caller, and within each by the place of a path.
const CALLER_LANES: usize = 8;
const PLACE_LANES: usize = 4;
pub(crate) const LANES: usize = CALLER_LANES * PLACE_LANES;
/// What a lane may account for.
const LANE_BYTES_MAX: usize = Sightings::BYTES_MAX / LANES;
/// What a host, a pattern, what was seen of it at one level, and one of its values account for, beside their texts: their
/// size, that of their place in a tree whose nodes are three quarters full, and what the allocator adds.
const HOST_BYTES: usize = 48;
const ENTRY_BYTES: usize = 112;
const CELL_BYTES: usize = 144;
const VALUE_BYTES: usize = 48;
/// The highest level; only one of a trillion requests would have a higher one.
pub(crate) const LEVEL_MAX: u8 = 40;

/// One request that was answered with success, and that no saved operation matches.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'s> {
    /// Its method. `HEAD` counts as `GET`; `OPTIONS`, `TRACE` and `CONNECT` are passed over.
    pub method: Method,
    /// Its host, in canonical form.
    pub host: &'s str,
    /// Its path, in normal form.
    pub path: &'s str,
    /// The keyed hash of its session or, without one, of its caller's network.
    pub caller: u32,
    /// Whether it carried a session identifier.
    pub has_session: bool,
    /// A random number of its own, the same wherever it is looked at.
    pub nonce: u64,
    /// When it arrived, in seconds since the epoch.
    pub seconds: u64,
}

/// What was seen of a zone's requests that no saved operation matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sightings {
    pub(crate) requests: u64,
    pub(crate) passed_over: u64,
    pub(crate) lanes: Vec<Lane>,
}

/// Part of the sightings, with room of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lane {
    /// The lowest level that is kept.
    pub(crate) level: u8,
    pub(crate) entries: BTreeMap<Key, Entry>,
    bytes: usize,
}

/// What requests are kept by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// One text for all keys of a lane that have it.
    pub(crate) host: Arc<str>,
    pub(crate) pattern: Box<str>,
    pub(crate) method: Method,
}

/// Host, pattern and method of a key, by which it is found without making one.
type Named<'n> = (&'n str, &'n str, Method);

trait Name {
    fn named(&self) -> Named<'_>;
}

impl Name for Key {
    fn named(&self) -> Named<'_> {
        (&self.host, &self.pattern, self.method)
    }
}

impl Name for Named<'_> {
    fn named(&self) -> Named<'_> {
        *self
    }
}

impl<'k> Borrow<dyn Name + 'k> for Key {
    fn borrow(&self) -> &(dyn Name + 'k) {
        self
    }
}

impl PartialEq for dyn Name + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.named() == other.named()
    }
}

impl Eq for dyn Name + '_ {}

impl PartialOrd for dyn Name + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Name + '_ {
    /// As keys are ordered.
    fn cmp(&self, other: &Self) -> Ordering {
        self.named().cmp(&other.named())
    }
}

/// What was seen of one key. The same requests have the same form: the first wherever it is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// One request with no value that may be kept, which most are where there are many patterns.
    One(One),
    /// By level, in ascending order.
    Cells(Vec<(u8, Cell)>),
}

/// One request, in little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct One {
    pub(crate) level: u8,
    pub(crate) has_session: bool,
    /// The number of its caller's bit.
    pub(crate) caller: u8,
    pub(crate) seconds: u64,
}

/// What was seen of one key at one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) requests: u64,
    pub(crate) with_session: u64,
    /// One bit for each caller, chosen by its hash: at least so many were there.
    pub(crate) callers: u128,
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Of each value in the pattern.
    pub(crate) values: Vec<Only>,
}

/// Whether a value is the only one at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    One(Box<str>),
    /// There are others, or it may not be kept.
    Many,
}

impl Default for Sightings {
    fn default() -> Self {
        Self { requests: 0, passed_over: 0, lanes: vec![Lane::default(); LANES] }
    }
}

impl Sightings {
    /// Most bytes that sightings account for.
    pub const BYTES_MAX: usize = 12 << 20;
    /// How long requests are seen together: sightings are gathered, stored and forgotten by the day, UTC.
    pub const DAY_SECONDS: u64 = 86_400;

    /// The first second of the day that a time lies in; both since the epoch.
    #[must_use]
    pub const fn day_of(seconds: u64) -> u64 {
        seconds - seconds % Self::DAY_SECONDS
    }

    /// Sees a request.
    pub fn observe(&mut self, sighting: &Sighting<'_>) {
        self.requests = self.requests.saturating_add(1);
        let reduced = counted_as(sighting.method).and_then(|method| Some((method, reduce(sighting.path)?)));
        let Some((method, Reduced { pattern, values })) = reduced else {
            self.passed_over = self.passed_over.saturating_add(1);
            return;
        };
        let level = u8::try_from(sighting.nonce.trailing_zeros()).unwrap_or(LEVEL_MAX).min(LEVEL_MAX);
        let lane = lane_of(sighting.caller, sighting.host, &pattern);
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        let seen = (sighting.host, &*pattern, method);
        if level < lane.level || lane.see(seen, level, sighting, &values) {
            return;
        }
        let key = Key { host: sighting.host.into(), pattern: pattern.into(), method };
        let only = |value: Option<&str>| value.map_or(Only::Many, |text| Only::One(text.into()));
        let cell = Cell {
            requests: 1,
            with_session: u64::from(sighting.has_session),
            callers: caller_bit(sighting.caller),
            first: sighting.seconds,
            last: sighting.seconds,
            values: values.into_iter().map(only).collect(),
        };
        lane.add(key, level, cell);
        lane.make_room();
    }

    /// Adds what was seen elsewhere, of other requests.
    pub fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.passed_over = self.passed_over.saturating_add(other.passed_over);
        for (lane, other) in self.lanes.iter_mut().zip(&other.lanes) {
            lane.raise(other.level);
            for (key, entry) in &other.entries {
                for (level, cell) in entry.cells(&key.pattern) {
                    lane.add(key.clone(), level, cell);
                }
            }
            lane.make_room();
        }
    }

    /// Requests that were seen. Of two states of the same sightings, the later one has the higher.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Requests for static files, with methods that no operation is found by, or with paths that no template is made of.
    #[must_use]
    pub const fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// Whether there were so many patterns that some requests stand for others.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.lanes.iter().any(|lane| lane.level > 0)
    }

    /// What they account for, at most [`Self::BYTES_MAX`]: an upper bound of what they take in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lanes.iter().map(|lane| lane.bytes).sum()
    }
}

impl Lane {
    pub(crate) fn at_level(level: u8) -> Self {
        Self { level, ..Self::default() }
    }

    /// Adds a request to what is there already, without making anything; false if there is nothing that it goes to.
    fn see(&mut self, seen: Named<'_>, level: u8, sighting: &Sighting<'_>, values: &[Option<&str>]) -> bool {
        let Some(Entry::Cells(cells)) = self.entries.get_mut(&seen as &dyn Name) else { return false };
        let place = cells.binary_search_by_key(&level, |(level, _)| *level);
        let Some((_, cell)) = place.ok().and_then(|place| cells.get_mut(place)) else { return false };
        cell.requests = cell.requests.saturating_add(1);
        cell.with_session = cell.with_session.saturating_add(sighting.has_session.into());
        cell.callers |= caller_bit(sighting.caller);
        cell.first = cell.first.min(sighting.seconds);
        cell.last = cell.last.max(sighting.seconds);
        for (only, value) in cell.values.iter_mut().zip(values) {
            if matches!((&*only, value), (Only::One(one), value) if Some(&**one) != *value) {
                *only = Only::Many;
            }
        }
        true
    }

    /// Adds what is not below the lane's level.
    pub(crate) fn add(&mut self, mut key: Key, level: u8, cell: Cell) {
        if level < self.level {
            return;
        }
        if let Some(entry) = self.entries.get_mut(&key) {
            self.bytes -= entry.bytes();
            let mut cells = std::mem::replace(entry, Entry::Cells(Vec::new())).cells(&key.pattern);
            add_cell(&mut cells, level, cell);
            *entry = Entry::of(cells);
            self.bytes += entry.bytes();
            return;
        }
        // Keys with the same host stand side by side.
        let before = self.entries.range::<Key, _>(..&key).next_back();
        let beside = before.into_iter().chain(self.entries.range::<Key, _>(&key..).next());
        let host = beside.map(|(key, _)| &key.host).find(|host| **host == key.host);
        match host {
            Some(host) => key.host = Arc::clone(host),
            None => self.bytes += HOST_BYTES + key.host.len(),
        }
        let entry = Entry::of(vec![(level, cell)]);
        self.bytes += ENTRY_BYTES + key.pattern.len() + entry.bytes();
        self.entries.insert(key, entry);
    }

    fn make_room(&mut self) {
        while self.bytes > LANE_BYTES_MAX && self.level < LEVEL_MAX {
            self.raise(self.level + 1);
        }
    }

    /// Whether it is within its bounds.
    pub(crate) fn fits(&self) -> bool {
        self.bytes <= LANE_BYTES_MAX
    }

    fn raise(&mut self, level: u8) {
        if level <= self.level {
            return;
        }
        self.level = level;
        self.bytes = 0;
        let (bytes, mut host): (_, Option<Arc<str>>) = (&mut self.bytes, None);
        self.entries.retain(|key, entry| {
            let mut cells = std::mem::replace(entry, Entry::Cells(Vec::new())).cells(&key.pattern);
            cells.retain(|(at, _)| *at >= level);
            if cells.is_empty() {
                return false;
            }
            *entry = Entry::of(cells);
            *bytes += ENTRY_BYTES + key.pattern.len() + entry.bytes();
            if host.as_ref() != Some(&key.host) {
                *bytes += HOST_BYTES + key.host.len();
                host = Some(Arc::clone(&key.host));
            }
            true
        });
    }
}

impl Entry {
    /// In the form that these requests have; `cells` is in ascending order and not empty.
    fn of(cells: Vec<(u8, Cell)>) -> Self {
        match cells.as_slice() {
            [(level, cell)] if cell.requests == 1 && cell.values.iter().all(|value| *value == Only::Many) => {
                Self::One(One {
                    level: *level,
                    has_session: cell.with_session > 0,
                    caller: u8::try_from(cell.callers.trailing_zeros()).unwrap_or_default(),
                    seconds: cell.first,
                })
            }
            _ => Self::Cells(cells),
        }
    }

    /// What was seen at each level.
    pub(crate) fn cells(&self, pattern: &str) -> Vec<(u8, Cell)> {
        match self {
            Self::One(one) => vec![(one.level, one.cell(pattern))],
            Self::Cells(cells) => cells.clone(),
        }
    }

    /// What was seen at all levels.
    pub(crate) fn sum(&self, pattern: &str) -> Option<Cell> {
        let cells = self.cells(pattern).into_iter().map(|(_, cell)| cell);
        cells.reduce(|mut sum, cell| {
            sum.merge(&cell);
            sum
        })
    }

    /// What it accounts for beside its key.
    fn bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Cells(cells) => cells.iter().map(|(_, cell)| CELL_BYTES + cell.values.len() * VALUE_BYTES).sum(),
        }
    }
}

impl One {
    pub(crate) fn cell(self, pattern: &str) -> Cell {
        Cell {
            requests: 1,
            with_session: u64::from(self.has_session),
            callers: 1 << (u32::from(self.caller) % u128::BITS),
            first: self.seconds,
            last: self.seconds,
            values: vec![Only::Many; values_of(pattern)],
        }
    }
}

/// Adds what was seen at one level.
fn add_cell(cells: &mut Vec<(u8, Cell)>, level: u8, cell: Cell) {
    match cells.binary_search_by_key(&level, |(level, _)| *level) {
        Ok(place) => cells.get_mut(place).into_iter().for_each(|(_, found)| found.merge(&cell)),
        Err(place) => {
            // Most have one level and stay so.
            cells.reserve_exact(1);
            cells.insert(place, (level, cell));
        }
    }
}

impl Cell {
    fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.with_session = self.with_session.saturating_add(other.with_session);
        self.callers |= other.callers;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.values.iter_mut().zip(&other.values).for_each(|(value, other)| value.join(other));
    }
}

impl Only {
    pub(crate) fn join(&mut self, other: &Self) {
        if self != other {
            *self = Self::Many;
        }
    }
}

/// The method that a request counts for.
const fn counted_as(method: Method) -> Option<Method> {
    match method {
        Method::Head => Some(Method::Get),
        Method::Options | Method::Trace | Method::Connect => None,
        method => Some(method),
    }
}

/// The bit that stands for a caller.
const fn caller_bit(caller: u32) -> u128 {
    1 << (caller.rotate_left(16) % u128::BITS)
}

/// By caller, and by where a path's last segment lies: siblings share a lane. The hash needs no key, since who aims at a
/// lane still fills no others.
fn lane_of(caller: u32, host: &str, pattern: &str) -> usize {
    let parent = pattern.rfind('/').map_or(pattern, |end| &pattern[..end]);
    let mut hasher = SipHasher13::new();
    (host, parent).hash(&mut hasher);
    let place = usize::try_from(hasher.finish() % PLACE_LANES as u64).unwrap_or_default();
    usize::try_from(caller).unwrap_or_default() % CALLER_LANES * PLACE_LANES + place
}
