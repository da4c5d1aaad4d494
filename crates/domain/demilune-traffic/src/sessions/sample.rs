//! The sessions with the smallest hashes, each with its number of requests.

use super::SessionHash;

/// Sessions of one operation in one bucket: exact counts of the 2,048 with the smallest hashes, and how many requests
/// there were in all.
///
/// It takes 8 bytes for each of 16 to 4,096 places: at most 32 KiB. Counts of one session saturate at 1,048,575.
#[derive(Clone, Debug)]
pub struct SessionSample {
    requests: u64,
    anonymous: u64,
    /// Sessions above it are not in the sample.
    limit: SessionHash,
    /// Open addressing by the lower bits of the hash. Nothing, or places to the power of two; 0 is an empty place.
    places: Box<[u64]>,
    taken: usize,
}

/// Places of the smallest table and of the largest.
const PLACES_MIN: usize = 16;
const PLACES_MAX: usize = 4_096;
/// Bits of a place that hold the count, below the hash.
const COUNT_BITS: u32 = 20;
pub(super) const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;

/// How much the tables of some samples may take together. Where there is no room for a larger one, a sample keeps the
/// smaller half of its sessions instead.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    bytes: usize,
    bytes_max: usize,
    /// How often a sample kept fewer sessions since there was no room for more.
    pub(crate) lowered: u64,
}

impl Room {
    pub(crate) const fn new(bytes_max: usize) -> Self {
        Self { bytes: 0, bytes_max, lowered: 0 }
    }

    /// Gives the room of a table back.
    pub(crate) const fn release(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Gives all room back.
    pub(crate) const fn release_all(&mut self) {
        self.bytes = 0;
    }

    const fn has(&self, bytes: usize) -> bool {
        self.bytes.saturating_add(bytes) <= self.bytes_max
    }

    const fn take(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl Default for SessionSample {
    fn default() -> Self {
        Self { requests: 0, anonymous: 0, limit: SessionHash::MAX, places: Box::default(), taken: 0 }
    }
}

impl SessionSample {
    /// Most sessions of a sample, the `k` of bottom-k.
    pub const SESSIONS_MAX: usize = 2_048;

    /// Counts a request of a session, or one that carries no session identifier.
    pub fn observe(&mut self, session: Option<SessionHash>) {
        self.observe_within(session, &mut Room::new(usize::MAX));
    }

    /// Adds what the other has counted.
    pub fn merge(&mut self, other: &Self) {
        self.merge_within(other, &mut Room::new(usize::MAX));
    }

    /// True when no request was counted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.requests == 0
    }

    /// How many requests were counted, of sampled sessions and of others.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// How many of them carried no session identifier.
    #[must_use]
    pub const fn anonymous(&self) -> u64 {
        self.anonymous
    }

    /// Whether a session was seen; none if it is not sampled, so that nobody knows.
    #[must_use]
    pub fn has(&self, session: SessionHash) -> Option<bool> {
        (session <= self.limit).then(|| self.position(session).is_some())
    }

    /// The share of all sessions that are sampled: above 0, and 1 if all of them are.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.limit == SessionHash::MAX { 1.0 } else { self.limit.fraction() }
    }

    /// Bytes that its table takes.
    pub(crate) const fn table_bytes(&self) -> usize {
        self.places.len() * size_of::<u64>()
    }

    pub(crate) fn observe_within(&mut self, session: Option<SessionHash>, room: &mut Room) {
        self.requests = self.requests.saturating_add(1);
        match session {
            Some(session) => self.add(session, 1, room),
            None => self.anonymous = self.anonymous.saturating_add(1),
        }
    }

    pub(crate) fn merge_within(&mut self, other: &Self, room: &mut Room) {
        self.requests = self.requests.saturating_add(other.requests);
        self.anonymous = self.anonymous.saturating_add(other.anonymous);
        self.lower_to(other.limit);
        for place in other.places.iter().filter(|place| **place != 0) {
            self.add(hash_of(*place), place & COUNT_MAX, room);
        }
    }

    /// The sample of given counts. `entries` are in ascending order, at most [`Self::SESSIONS_MAX`], none above the
    /// limit.
    pub(super) fn of_parts(requests: u64, anonymous: u64, limit: SessionHash, entries: &[(SessionHash, u64)]) -> Self {
        let mut sample = Self { requests, anonymous, limit, ..Self::default() };
        if !entries.is_empty() {
            sample.rebuild(places_for(entries.len()), entries.iter().map(|(hash, count)| place_of(*hash, *count)));
        }
        sample
    }

    /// The sampled sessions with their counts in ascending order, and the hash up to which no session is missing. Equal
    /// for equal requests, however they were split.
    pub(super) fn entries(&self) -> (SessionHash, Vec<(SessionHash, u64)>) {
        let mut places: Vec<u64> = self.places.iter().copied().filter(|place| *place != 0).collect();
        places.sort_unstable();
        places.truncate(Self::SESSIONS_MAX);
        let full = places.len() == Self::SESSIONS_MAX;
        let limit = places.last().filter(|_| full).map_or(self.limit, |last| hash_of(*last));
        (limit, places.into_iter().map(|place| (hash_of(place), place & COUNT_MAX)).collect())
    }

    /// Leaves out the sessions above a limit.
    pub(super) fn lower_to(&mut self, limit: SessionHash) {
        if limit < self.limit {
            self.limit = limit;
            if self.places.iter().any(|place| *place != 0 && hash_of(*place) > limit) {
                let kept: Vec<u64> = self.places.iter().copied().filter(|place| hash_of(*place) <= limit).collect();
                self.rebuild(self.places.len(), kept.into_iter().filter(|place| *place != 0));
            }
        }
    }

    fn add(&mut self, session: SessionHash, count: u64, room: &mut Room) {
        if session > self.limit {
            return;
        }
        if let Some(place) = self.find(session) {
            let sum = (*place & COUNT_MAX) + count;
            *place = place_of(session, sum);
            return;
        }
        if self.taken * 4 >= self.places.len() * 3 {
            self.make_room(room);
            if session > self.limit {
                return;
            }
        }
        self.insert(place_of(session, count));
    }

    fn find(&mut self, session: SessionHash) -> Option<&mut u64> {
        let index = self.position(session)?;
        self.places.get_mut(index)
    }

    fn position(&self, session: SessionHash) -> Option<usize> {
        let mask = self.places.len().wrapping_sub(1);
        let mut index = index_of(session) & mask;
        loop {
            let place = *self.places.get(index)?;
            if place == 0 {
                return None;
            }
            if hash_of(place) == session {
                return Some(index);
            }
            index = (index + 1) & mask;
        }
    }

    /// Puts a session, which is not there yet, into a table that has an empty place.
    fn insert(&mut self, place: u64) {
        let mask = self.places.len() - 1;
        let mut index = index_of(hash_of(place)) & mask;
        while self.places[index] != 0 {
            index = (index + 1) & mask;
        }
        self.places[index] = place;
        self.taken += 1;
    }

    /// A larger table; where there may be none, only the smaller half of the hashes.
    fn make_room(&mut self, room: &mut Room) {
        let grown = (self.places.len() * 2).max(PLACES_MIN);
        let more = (grown - self.places.len()) * size_of::<u64>();
        if grown > PLACES_MAX {
            self.keep(Self::SESSIONS_MAX);
        } else if self.places.is_empty() || room.has(more) {
            // The smallest table is always granted: the number of samples has a bound of its own.
            room.take(more);
            let places = std::mem::take(&mut self.places);
            self.rebuild(grown, places.into_iter().filter(|place| *place != 0));
        } else {
            room.lowered = room.lowered.saturating_add(1);
            self.keep(self.taken / 2);
        }
    }

    /// Keeps this many sessions, of those with the smallest hashes.
    fn keep(&mut self, sessions: usize) {
        let mut places: Vec<u64> = self.places.iter().copied().filter(|place| *place != 0).collect();
        if let Some(last) = sessions.checked_sub(1).filter(|last| *last < places.len()) {
            let (_, last, _) = places.select_nth_unstable(last);
            self.limit = hash_of(*last);
            places.truncate(sessions);
        }
        self.rebuild(self.places.len(), places.into_iter());
    }

    fn rebuild(&mut self, length: usize, places: impl Iterator<Item = u64>) {
        self.places = vec![0; length].into();
        self.taken = 0;
        for place in places {
            self.insert(place);
        }
    }
}

impl PartialEq for SessionSample {
    /// Two samples are equal when their sessions are, in whatever order they came.
    fn eq(&self, other: &Self) -> bool {
        (self.requests, self.anonymous, self.entries()) == (other.requests, other.anonymous, other.entries())
    }
}

impl Eq for SessionSample {}

/// The table that holds this many sessions without growing.
const fn places_for(sessions: usize) -> usize {
    let places = (sessions * 4).div_ceil(3) + 1;
    let places = places.next_power_of_two();
    if places < PLACES_MIN { PLACES_MIN } else { places }
}

fn place_of(session: SessionHash, count: u64) -> u64 {
    session.get() << COUNT_BITS | count.min(COUNT_MAX)
}

/// The session of a place that is not empty.
const fn hash_of(place: u64) -> SessionHash {
    SessionHash::of(place)
}

/// Where the search for a session begins. The lower bits of a hash are as random in a sample as in all sessions; the
/// upper ones of a sample are mostly 0.
#[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
const fn index_of(session: SessionHash) -> usize {
    session.get() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes in no order.
    fn session(number: u64) -> SessionHash {
        SessionHash::of(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn of(sessions: impl IntoIterator<Item = u64>) -> SessionSample {
        let mut sample = SessionSample::default();
        for number in sessions {
            sample.observe(Some(session(number)));
        }
        sample
    }

    fn counts(sample: &SessionSample) -> Vec<u64> {
        sample.entries().1.into_iter().map(|(_, count)| count).collect()
    }

    #[test]
    fn every_session_is_counted_while_there_are_few() {
        let mut sample = of([1, 2, 1, 3, 1]);
        sample.observe(None);
        let mut expected = [(session(1), 3), (session(2), 1), (session(3), 1)];
        expected.sort_unstable();
        assert_eq!(sample.entries(), (SessionHash::MAX, expected.to_vec()));
        assert_eq!((sample.requests(), sample.anonymous()), (6, 1));
    }

    #[test]
    fn the_sessions_with_the_smallest_hashes_stay_with_all_their_requests() {
        let rounds = 3_u64;
        let sample = of((0..rounds).flat_map(|_| 0..50_000));
        let mut all: Vec<_> = (0..50_000).map(session).collect();
        all.sort_unstable();
        let expected: Vec<_> = all[..SessionSample::SESSIONS_MAX].iter().map(|hash| (*hash, rounds)).collect();
        assert_eq!(sample.entries(), (all[SessionSample::SESSIONS_MAX - 1], expected));
        assert_eq!(sample.requests(), 150_000);
        assert_eq!(sample.table_bytes(), 32 << 10);
    }

    #[test]
    fn parts_merge_into_what_one_would_have_seen() {
        let whole = of(0..9_000);
        let mut merged = of((0..9_000).filter(|number| number % 3 == 0));
        merged.merge(&of((0..9_000).filter(|number| number % 3 == 1)));
        merged.merge(&of((0..9_000).filter(|number| number % 3 == 2)));
        assert_eq!(merged, whole);
    }

    #[test]
    fn it_says_who_was_seen_and_of_whom_it_does_not_know() {
        let few = of(0..10);
        assert_eq!((few.has(session(3)), few.has(session(10)), few.share()), (Some(true), Some(false), 1.0));
        let many = of(0..50_000);
        let known = (0..50_000).filter(|number| many.has(session(*number)) == Some(true)).count();
        assert!((SessionSample::SESSIONS_MAX..4_096).contains(&known), "{known}");
        let strangers = (50_000..100_000).filter(|number| many.has(session(*number)) == Some(true)).count();
        assert_eq!(strangers, 0);
        let sampled = (0..50_000).filter(|number| many.has(session(*number)).is_some()).count();
        #[expect(clippy::cast_precision_loss, reason = "it is small")]
        let share = sampled as f64 / 50_000.0;
        assert!((share - many.share()).abs() < 0.01, "{share} {}", many.share());
    }

    #[test]
    fn the_count_of_a_session_saturates() {
        let mut sample = of([7]);
        for _ in 0..25 {
            sample.merge(&sample.clone());
        }
        assert_eq!((counts(&sample), sample.requests()), (vec![COUNT_MAX], 1 << 25));
    }

    #[test]
    fn without_room_a_sample_keeps_fewer_sessions_and_says_so() {
        let mut room = Room::new(1_024);
        let mut sample = SessionSample::default();
        for number in 0..10_000 {
            sample.observe_within(Some(session(number)), &mut room);
        }
        let (limit, entries) = sample.entries();
        assert!(sample.table_bytes() <= 1_024 && room.lowered > 0);
        assert!((32..128).contains(&entries.len()), "{}", entries.len());
        let mut below: Vec<_> = (0..10_000).map(session).filter(|hash| *hash <= limit).map(|hash| (hash, 1)).collect();
        below.sort_unstable();
        assert_eq!(entries, below, "no session below the limit is missing");
    }

    #[test]
    fn a_whole_knows_no_more_than_its_least_part() {
        let mut small = SessionSample::default();
        let mut room = Room::new(0);
        for number in 0..1_000 {
            small.observe_within(Some(session(number)), &mut room);
        }
        let mut sum = of(1_000..3_000);
        sum.merge(&small);
        let (limit, entries) = sum.entries();
        assert_eq!(limit, small.entries().0);
        let expected = (0..3_000).filter(|number| session(*number) <= limit).count();
        assert_eq!(entries.len(), expected);
    }
}
