//! How numbers are spread: counts by buckets that are exact near zero and grow with the number.

use super::tally::{Sighting, Tallies, Tally};

/// Numbers below this, with either sign, have a bucket each.
const EXACT: u64 = EXACT_CODE as u64;
const EXACT_CODE: Code = 16;
/// Buckets for each doubling above, at the finest level.
const PER_OCTAVE: u64 = 8;
/// Most buckets above: with more, two neighbours become one, until they are no more than this.
const WIDE_MAX: usize = 24;
/// At this level, all wide numbers of one sign are in one bucket.
pub(super) const LEVEL_MAX: u8 = 9;

/// The highest fine bucket above the exact ones: that of the highest number.
const WIDE_STEPS_MAX: u64 = (62 - 4) * PER_OCTAVE + PER_OCTAVE - 1;

/// A bucket of numbers: its code keeps their order.
pub(super) type Code = i16;

/// A histogram of whole numbers. Its level is the lowest at which there are few enough buckets, which follows from the
/// numbers alone; so it is the same however they are split and merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spread {
    pub(super) level: u8,
    pub(super) buckets: Tallies<Code>,
}

/// The numbers of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) lowest: i64,
    pub(crate) highest: i64,
}

impl Spread {
    /// Most buckets: the exact ones, and the others.
    pub(super) const BUCKETS_MAX: usize = 31 + WIDE_MAX;

    pub(super) fn add(&mut self, number: i64, sighting: Sighting) {
        if self.buckets.add(code(number, self.level), sighting) {
            self.coarsen();
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        while self.level < other.level {
            self.halve();
        }
        let shift = self.level - other.level;
        for (code, tally) in other.buckets.iter() {
            self.buckets.merge_one(halved(code, shift), tally);
        }
        self.coarsen();
    }

    /// What it counts for: never less after a merge than before it.
    pub(super) fn weight(&self) -> usize {
        if self.level == 0 {
            return self.buckets.0.len();
        }
        self.buckets.0.len() - self.wide() + WIDE_MAX
    }

    /// Buckets from the lowest numbers to the highest.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (Bounds, &Tally)> {
        self.buckets.iter().map(|(code, tally)| (bounds(code, self.level), tally))
    }

    pub(crate) fn count(&self) -> u64 {
        self.buckets.count()
    }

    /// Whether buckets read from bytes may stand together at this level.
    pub(super) fn is_possible(&self) -> bool {
        let highest = EXACT + (WIDE_STEPS_MAX >> self.level);
        let exists = |(code, _): &(Code, Tally)| u64::from(code.unsigned_abs()) <= highest;
        self.wide() <= WIDE_MAX && self.buckets.0.iter().all(exists)
    }

    fn wide(&self) -> usize {
        self.buckets.0.iter().filter(|(code, _)| is_wide(*code)).count()
    }

    fn coarsen(&mut self) {
        while self.level < LEVEL_MAX && self.buckets.0.len() > WIDE_MAX && self.wide() > WIDE_MAX {
            self.halve();
        }
    }

    fn halve(&mut self) {
        let finer = std::mem::take(&mut self.buckets);
        for (code, tally) in finer.iter() {
            self.buckets.merge_one(halved(code, 1), tally);
        }
        self.level += 1;
    }
}

fn is_wide(code: Code) -> bool {
    u64::from(code.unsigned_abs()) >= EXACT
}

/// The bucket of a number.
fn code(number: i64, level: u8) -> Code {
    let magnitude = number.unsigned_abs().min(i64::MAX as u64);
    let code = if magnitude < EXACT {
        magnitude
    } else {
        let octave = u64::from(magnitude.ilog2());
        let within = (magnitude >> (octave - 3)) & (PER_OCTAVE - 1);
        EXACT + (((octave - 4) * PER_OCTAVE + within) >> level)
    };
    // At most EXACT + WIDE_STEPS_MAX.
    let code = Code::try_from(code).unwrap_or(Code::MAX);
    if number < 0 { -code } else { code }
}

/// The bucket that this one is in, so many levels up.
fn halved(code: Code, levels: u8) -> Code {
    if !is_wide(code) {
        return code;
    }
    let exact = EXACT_CODE;
    let wide = exact + ((code.abs() - exact) >> levels);
    if code < 0 { -wide } else { wide }
}

/// The numbers of a bucket.
fn bounds(code: Code, level: u8) -> Bounds {
    let magnitude = u64::from(code.unsigned_abs());
    let (low, high) = if magnitude < EXACT {
        (magnitude, magnitude)
    } else {
        let first = (magnitude - EXACT) << level;
        (start(first), start(first + (1 << level)) - 1)
    };
    let (low, high) = (i64::try_from(low).unwrap_or(i64::MAX), i64::try_from(high).unwrap_or(i64::MAX));
    if code < 0 { Bounds { lowest: -high, highest: -low } } else { Bounds { lowest: low, highest: high } }
}

/// The lowest number of the `step`th fine bucket above the exact ones.
fn start(step: u64) -> u64 {
    let (octave, within) = (4 + step / PER_OCTAVE, step % PER_OCTAVE);
    if octave >= 63 {
        return 1 << 63;
    }
    (1 << octave) + (within << (octave - 3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::learn::supporter::Supporter;

    const SIGHTING: Sighting = Sighting { supporter: Supporter(1), hour: 0 };

    fn of(numbers: &[i64]) -> Spread {
        let mut spread = Spread::default();
        for number in numbers {
            spread.add(*number, SIGHTING);
        }
        spread
    }

    #[test]
    fn small_numbers_have_a_bucket_each_and_others_an_eighth_of_an_octave() {
        let check = |number: i64, lowest: i64, highest: i64| {
            let spread = of(&[number]);
            assert_eq!(spread.iter().next().unwrap().0, Bounds { lowest, highest }, "{number}");
        };
        check(0, 0, 0);
        check(15, 15, 15);
        check(16, 16, 17);
        check(100, 96, 103);
        check(-100, -103, -96);
        check(-1, -1, -1);
        check(i64::MAX, 15 << 59, i64::MAX);
        check(i64::MIN, -i64::MAX, -(15 << 59));
    }

    proptest! {
        #[test]
        fn a_number_is_within_its_bucket_at_every_level(number: i64, level in 0..=LEVEL_MAX) {
            let bounds = bounds(code(number, level), level);
            let number = number.max(-i64::MAX);
            prop_assert!(bounds.lowest <= number && number <= bounds.highest);
        }

        #[test]
        fn buckets_are_the_same_however_numbers_are_split(
            numbers in prop::collection::vec(prop_oneof![any::<i64>(), -40_i64..400, (0_u32..63).prop_map(|bits| 1 << bits)], 0..120),
            at in any::<prop::sample::Index>(),
        ) {
            let at = at.index(numbers.len() + 1);
            let (mut left, right) = (of(&numbers[..at]), of(&numbers[at..]));
            left.merge(&right);
            let whole = of(&numbers);
            prop_assert!(whole.is_possible() && whole.weight() >= right.weight());
            prop_assert_eq!(left, whole);
        }
    }
}
