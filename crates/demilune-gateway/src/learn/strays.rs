//! Requests that no operation matches, by zone and day, until they are stored.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use demilune_discovery::{Sighting, Sightings};

use super::batch::Stray;
use crate::observe::RecordKey;

/// Most bytes that sightings account for: five days of zones that are as large as can be; most are far smaller.
const BYTES_MAX: usize = 64 << 20;
/// What the sightings of a day take beside what they account for.
const DAY_BYTES: usize = 4 << 10;
const DAY_SECONDS: u64 = Sightings::DAY_SECONDS;
/// How often sightings that grow are given out: small ones soon, since somebody may wait for them, and large ones so
/// that they do not take the store's time.
const SMALL_BYTES_MAX: usize = 256 << 10;
const GIVEN_SMALL_EVERY_SECONDS: u64 = 10;
const GIVEN_LARGE_EVERY_SECONDS: u64 = 60;
/// How long stored sightings of a day that is over are held: longer than any request takes that is not a tunnel.
const FORGET_AFTER_SECONDS: u64 = 900;
/// How many days are remembered as closed.
const CLOSED_MAX: usize = 16;

/// What was seen in a day of a zone's requests that no operation matches.
#[derive(Clone, Debug)]
pub struct SightedDay {
    /// The zone's requests that no operation matches.
    pub key: RecordKey,
    /// The first second of the day in UTC, since the epoch.
    pub day: u64,
    /// Of two states, the later one has the higher.
    pub sequence: u64,
    /// As [`Sightings::encode`] writes it.
    pub sightings: Vec<u8>,
}

/// Sightings of all zones.
#[derive(Default)]
pub(super) struct Strays {
    held: BTreeMap<(RecordKey, u64), Held>,
    /// Days of which stored sightings were forgotten. They must not begin anew: once they had grown beyond what is
    /// stored, they would take its place.
    closed: BTreeSet<u64>,
    counts: StrayCounts,
}

#[derive(Default)]
struct Held {
    sightings: Sightings,
    stored: u64,
    /// When it was given out last, in seconds since the epoch.
    given: Option<u64>,
}

/// How much is held, and what became of what was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StrayCounts {
    pub(super) bytes: usize,
    pub(super) requests: u64,
    /// Requests that were not noted, since there was no room or their day is closed.
    pub(super) dropped: u64,
}

impl Strays {
    pub(super) fn take(&mut self, stray: &Stray<'_>) {
        let Self { held, closed, counts } = self;
        let day = Sightings::day_of(stray.seconds);
        let held = match held.entry((stray.key, day)) {
            Entry::Occupied(entry) if counts.bytes < BYTES_MAX => entry.into_mut(),
            Entry::Vacant(entry) if counts.bytes < BYTES_MAX && !closed.contains(&day) => {
                counts.bytes += DAY_BYTES;
                entry.insert(Held::default())
            }
            _ => {
                counts.dropped += 1;
                return;
            }
        };
        let before = held.sightings.bytes();
        held.sightings.observe(&Sighting {
            method: stray.method,
            host: stray.host,
            path: stray.path,
            caller: stray.supporter.0,
            has_session: stray.has_session,
            nonce: stray.nonce,
            seconds: stray.seconds,
        });
        counts.bytes = counts.bytes + held.sightings.bytes() - before;
        counts.requests += 1;
    }

    /// Sightings that have grown since they were stored: one day of what was not given out for a while, or of anything at
    /// the `end`.
    pub(super) fn changed(&mut self, now: u64, end: bool) -> Option<SightedDay> {
        self.forget(now);
        // Clocks are set back too.
        let is_due = |held: &Held| end || held.given.is_none_or(|given| given.abs_diff(now) >= held.given_every());
        let mut due = self.held.iter_mut().filter(|(_, held)| !held.is_stored() && is_due(held));
        due.next().map(|((key, day), held)| {
            held.given = Some(now);
            let (sequence, sightings) = (held.sightings.requests(), held.sightings.encode());
            SightedDay { key: *key, day: *day, sequence, sightings }
        })
    }

    /// Notes what is stored.
    pub(super) fn stored(&mut self, key: RecordKey, day: u64, sequence: u64) {
        if let Some(held) = self.held.get_mut(&(key, day)) {
            held.stored = held.stored.max(sequence);
        }
    }

    pub(super) fn counts(&self) -> StrayCounts {
        self.counts
    }

    fn forget(&mut self, now: u64) {
        let Self { held, closed, counts } = self;
        held.retain(|(_, day), held| {
            let goes = day.saturating_add(DAY_SECONDS + FORGET_AFTER_SECONDS) <= now && held.is_stored();
            if goes {
                closed.insert(*day);
                counts.bytes -= held.sightings.bytes() + DAY_BYTES;
            }
            !goes
        });
        while closed.len() > CLOSED_MAX {
            closed.pop_first();
        }
    }
}

impl Held {
    fn is_stored(&self) -> bool {
        self.stored == self.sightings.requests()
    }

    fn given_every(&self) -> u64 {
        if self.sightings.bytes() <= SMALL_BYTES_MAX { GIVEN_SMALL_EVERY_SECONDS } else { GIVEN_LARGE_EVERY_SECONDS }
    }
}

#[cfg(test)]
mod tests {
    use demilune_inventory::Method;
    use demilune_schema::learn::Supporter;

    use super::*;

    const DAY: u64 = 20_000 * DAY_SECONDS;

    fn key(zone: &str) -> RecordKey {
        RecordKey::new(&zone.parse().unwrap(), None)
    }

    fn see(strays: &mut Strays, zone: &str, seconds: u64, path: &str, nonce: u64) {
        let (key, method, supporter) = (key(zone), Method::Get, Supporter(7));
        strays.take(&Stray { key, method, host: "a.example", path, supporter, has_session: true, nonce, seconds });
    }

    fn store_all(strays: &mut Strays, now: u64) -> usize {
        let mut count = 0;
        while let Some(day) = strays.changed(now, true) {
            strays.stored(day.key, day.day, day.sequence);
            count += 1;
        }
        count
    }

    #[test]
    fn a_day_is_given_every_ten_seconds_while_it_grows() {
        let mut strays = Strays::default();
        see(&mut strays, "z", DAY + 5, "/a", 1);
        let given = strays.changed(DAY + 5, false).unwrap();
        assert_eq!((given.day, given.sequence), (DAY, 1));
        assert_eq!(Sightings::decode(&given.sightings).unwrap().requests(), 1);
        assert!(strays.changed(DAY + 14, false).is_none());
        assert!(strays.changed(DAY + 15, false).is_some(), "it was not stored");
        strays.stored(given.key, given.day, given.sequence);
        assert!(strays.changed(DAY + 130, false).is_none());
        see(&mut strays, "z", DAY + 131, "/a", 2);
        assert_eq!(strays.changed(DAY + 131, false).unwrap().sequence, 2);
    }

    #[test]
    fn each_zone_has_days_of_its_own() {
        let mut strays = Strays::default();
        for (zone, seconds) in [("y", DAY), ("z", DAY), ("z", DAY + DAY_SECONDS - 1), ("z", DAY + DAY_SECONDS)] {
            see(&mut strays, zone, seconds, "/a", 1);
        }
        assert_eq!((store_all(&mut strays, DAY), strays.counts().requests), (3, 4));
    }

    #[test]
    fn a_day_that_was_forgotten_never_begins_anew() {
        let mut strays = Strays::default();
        see(&mut strays, "z", DAY, "/a", 1);
        store_all(&mut strays, DAY);
        assert!(strays.changed(DAY + DAY_SECONDS + FORGET_AFTER_SECONDS, false).is_none());
        assert_eq!(strays.counts().bytes, 0);
        see(&mut strays, "z", DAY + 1, "/a", 1);
        assert_eq!(strays.counts(), StrayCounts { bytes: 0, requests: 1, dropped: 1 });
    }

    #[test]
    fn many_zones_stay_within_the_bound() {
        let mut strays = Strays::default();
        (0..20_000).for_each(|zone| see(&mut strays, &format!("z{zone}"), DAY, "/a", 1));
        let StrayCounts { bytes, dropped, .. } = strays.counts();
        assert!(bytes < BYTES_MAX + DAY_BYTES && dropped > 1_000, "{bytes} {dropped}");
    }
}
