//! What a file's requests that no operation matches look like, by day.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use demilune_discovery::{Sighting, Sightings};
use siphasher::sip::SipHasher13;

/// Sightings of the requests of a file. Those of a day are bounded, and requests are of the last week, so that there are
/// at most nine days of them.
#[derive(Default)]
pub(crate) struct Strays {
    days: BTreeMap<u64, Sightings>,
}

impl Strays {
    /// Sees a request; false if it is one that no operation is found by, such as a static file.
    pub(super) fn take(&mut self, sighting: &Sighting<'_>) -> bool {
        let sightings = self.days.entry(Sightings::day_of(sighting.seconds)).or_default();
        let passed_over = sightings.passed_over();
        sightings.observe(sighting);
        sightings.passed_over() == passed_over
    }

    /// The next day, by its first second, and what was seen in it; none at the end.
    pub(super) fn next(&mut self) -> Option<(u64, Sightings)> {
        self.days.pop_first()
    }
}

/// A number for a record that is as good as random, and the same whenever the content is read: the same file gives the
/// same sightings. `number` is the record's place in the content, which equal requests do not share.
pub(super) fn nonce(number: u64, host: &str, path: &str, time_micros: i64) -> u64 {
    let mut hasher = SipHasher13::new();
    (number, host, path, time_micros).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use demilune_inventory::Method;

    use super::*;

    const DAY: u64 = 20_000 * Sightings::DAY_SECONDS;

    fn sighting(path: &str, seconds: u64) -> Sighting<'_> {
        let (method, host) = (Method::Get, "api.example.com");
        Sighting { method, host, path, caller: 7, has_session: false, nonce: 1, seconds }
    }

    #[test]
    fn each_day_has_sightings_of_its_own() {
        let mut strays = Strays::default();
        for seconds in [DAY + Sightings::DAY_SECONDS, DAY, DAY + Sightings::DAY_SECONDS - 1] {
            assert!(strays.take(&sighting("/users/1", seconds)));
        }
        let days = std::iter::from_fn(|| strays.next()).map(|(day, sightings)| (day, sightings.requests()));
        assert_eq!(days.collect::<Vec<_>>(), [(DAY, 2), (DAY + Sightings::DAY_SECONDS, 1)]);
    }

    #[test]
    fn what_no_operation_is_found_by_is_told() {
        let mut strays = Strays::default();
        assert!(!strays.take(&sighting("/logo.png", DAY)));
        assert!(!strays.take(&Sighting { method: Method::Options, ..sighting("/users/1", DAY) }));
        assert!(strays.take(&sighting("/users/1", DAY)));
    }

    #[test]
    fn a_record_keeps_its_number_and_no_other_has_it() {
        let first = nonce(7, "a.example", "/b", 1);
        // Sightings that are stored rest on it: another one would count requests twice.
        assert_eq!(first, 11_755_690_839_800_894_555);
        for other in [nonce(8, "a.example", "/b", 1), nonce(7, "a.example", "/c", 1), nonce(7, "a.example", "/b", 2)] {
            assert_ne!(other, first);
        }
    }
}
