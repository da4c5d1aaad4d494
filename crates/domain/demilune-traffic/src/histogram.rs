//! How long requests took: counts in buckets that are an eighth of an octave wide.

/// Counts of durations in microseconds. Below 16 each value has its own bucket; above, every octave has eight, so that
/// a value is known to within a sixteenth of itself. Counts and the sum saturate, and stay associative doing so.
///
/// Only the stretch from the lowest to the highest bucket in use is held: at most [`Self::BUCKETS`] counts of 8 bytes,
/// some hundred where durations lie between a tenth of a millisecond and a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LatencyHistogram {
    /// Index of the bucket that `counts[0]` counts; 0 when there is none.
    first: usize,
    /// The first and the last are not 0, so that equal contents are equal values.
    counts: Vec<u64>,
    sum_us: u64,
    max_us: u64,
}

impl LatencyHistogram {
    /// How many buckets the values of 64 bits have: 16 for the exact ones, 8 for each of the 60 octaves above.
    pub const BUCKETS: usize = 496;

    /// Counts one duration.
    pub fn record(&mut self, us: u64) {
        let index = index_of(us);
        let place = index.wrapping_sub(self.first);
        if place >= self.counts.len() {
            self.widen(index, index);
        }
        let count = &mut self.counts[index - self.first];
        *count = count.saturating_add(1);
        self.sum_us = self.sum_us.saturating_add(us);
        self.max_us = self.max_us.max(us);
    }

    /// Adds what the other has counted.
    pub fn merge(&mut self, other: &Self) {
        if other.counts.is_empty() {
            return;
        }
        self.widen(other.first, other.first + other.counts.len() - 1);
        let offset = other.first - self.first;
        for (count, more) in self.counts[offset..].iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.max_us = self.max_us.max(other.max_us);
    }

    /// The value of rank ⌈p·n⌉ among the n counted ones, the product taken in double precision; the lowest for a p
    /// below 0 and the highest for one above 1. It is the middle of that value's bucket, or the maximum if that is
    /// less: exact below 16 µs, and never off by more than a sixteenth of the true value. None when nothing was counted.
    /// From 2⁵³ durations on, the rank itself is rounded.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<u64> {
        let rank = rank(p, self.count());
        let mut seen = 0_u64;
        for (index, count) in self.filled() {
            seen = seen.saturating_add(count);
            if seen >= rank {
                return Some(middle_of(index).min(self.max_us));
            }
        }
        None
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The sum of all durations, in microseconds.
    #[must_use]
    pub const fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// The longest duration in microseconds, 0 when nothing was counted.
    #[must_use]
    pub const fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The buckets that counted something, in ascending order.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (usize, u64)> {
        let indexed = self.counts.iter().enumerate();
        indexed.filter(|(_, count)| **count > 0).map(|(place, count)| (self.first + place, *count))
    }

    /// The histogram with these counts; none when no durations have these counts, this sum and this maximum.
    pub(crate) fn from_parts(counts: &[u64; Self::BUCKETS], sum_us: u64, max_us: u64) -> Option<Self> {
        let first = counts.iter().position(|count| *count > 0);
        let last = counts.iter().rposition(|count| *count > 0);
        let (Some(first), Some(last)) = (first, last) else {
            return (sum_us == 0 && max_us == 0).then(Self::default);
        };
        let histogram = Self { first, counts: counts[first..=last].to_vec(), sum_us, max_us };
        (index_of(max_us) == last && histogram.sum_is_possible()).then_some(histogram)
    }

    fn sum_is_possible(&self) -> bool {
        let sum_of = |bound: fn(usize) -> u64| {
            let parts = self.filled().map(|(index, count)| bound(index).saturating_mul(count));
            parts.fold(0, u64::saturating_add)
        };
        (sum_of(lowest_of)..=sum_of(highest_of)).contains(&self.sum_us)
    }

    /// Makes the stretch hold these buckets, which the caller then fills.
    fn widen(&mut self, low: usize, high: usize) {
        if self.counts.is_empty() {
            self.first = low;
        }
        let before = self.first.saturating_sub(low);
        let length = before + self.counts.len().max((high + 1).saturating_sub(self.first));
        self.counts.reserve_exact(length - self.counts.len());
        self.counts.splice(0..0, std::iter::repeat_n(0, before));
        self.counts.resize(length, 0);
        self.first -= before;
    }
}

/// Values below it have a bucket each.
const EXACT: u64 = 16;

#[expect(clippy::cast_possible_truncation, reason = "it is below 496")]
const fn index_of(us: u64) -> usize {
    if us < EXACT {
        return us as usize;
    }
    let octave = us.ilog2();
    let eighth = us >> (octave - 3) & 7;
    octave as usize * 8 - 16 + eighth as usize
}

const fn lowest_of(index: usize) -> u64 {
    if index < 16 { index as u64 } else { (8 + index as u64 % 8) << (index / 8 - 1) }
}

const fn highest_of(index: usize) -> u64 {
    lowest_of(index) + (width_of(index) - 1)
}

const fn middle_of(index: usize) -> u64 {
    lowest_of(index) + width_of(index) / 2
}

const fn width_of(index: usize) -> u64 {
    if index < 16 { 1 } else { 1 << (index / 8 - 1) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the cast back saturates, and the rounding is documented"
)]
fn rank(p: f64, count: u64) -> u64 {
    ((p * count as f64).ceil() as u64).clamp(1, count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(durations: &[u64]) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::default();
        for us in durations {
            histogram.record(*us);
        }
        histogram
    }

    #[test]
    fn every_bucket_starts_where_the_one_before_ends() {
        assert_eq!(lowest_of(0), 0);
        for index in 1..LatencyHistogram::BUCKETS {
            assert_eq!(lowest_of(index), highest_of(index - 1) + 1, "{index}");
        }
        assert_eq!(highest_of(LatencyHistogram::BUCKETS - 1), u64::MAX);
    }

    #[test]
    fn the_ends_of_a_bucket_fall_into_it() {
        for index in 0..LatencyHistogram::BUCKETS {
            assert_eq!((index_of(lowest_of(index)), index_of(highest_of(index))), (index, index));
        }
    }

    #[test]
    fn the_middle_is_within_a_sixteenth_of_both_ends() {
        for index in 0..LatencyHistogram::BUCKETS {
            for end in [lowest_of(index), highest_of(index)] {
                assert!(middle_of(index).abs_diff(end) <= end / 16, "{index}");
            }
        }
    }

    #[test]
    fn a_quantile_is_the_value_of_its_rank() {
        let check =
            |durations: &[u64], p, expected| assert_eq!(of(durations).quantile(p), expected, "{durations:?} {p}");
        check(&[], 0.5, None);
        check(&[7], 0.0, Some(7));
        check(&[7], 0.5, Some(7));
        check(&[7], 1.0, Some(7));
        check(&[3, 1, 2, 4], 0.5, Some(2));
        check(&[3, 1, 2, 4], 0.51, Some(3));
        check(&[3, 1, 2, 4], 0.99, Some(4));
        check(&[3, 1, 2, 4], -1.0, Some(1));
        check(&[3, 1, 2, 4], 7.0, Some(4));
        check(&[3, 1, 2, 4], f64::NAN, Some(1));
        check(&[1_000_000], 0.5, Some(1_000_000));
        check(&[983_040, 1_048_575], 0.5, Some(1_015_808));
        check(&[u64::MAX], 0.5, Some(u64::MAX - (1 << 59) + 1));
    }

    #[test]
    fn count_sum_and_maximum_are_exact() {
        let histogram = of(&[1_000, 3, 70_000]);
        assert_eq!((histogram.count(), histogram.sum_us(), histogram.max_us()), (3, 71_003, 70_000));
    }

    #[test]
    fn the_order_of_durations_does_not_count() {
        let check = |durations: &[u64]| {
            let backwards: Vec<u64> = durations.iter().rev().copied().collect();
            assert_eq!(of(durations), of(&backwards));
        };
        check(&[0, u64::MAX]);
        check(&[5, 100_000, 17]);
        check(&[100_000, 5, 17, 0]);
    }

    #[test]
    fn merging_is_counting_both() {
        let check = |one: &[u64], other: &[u64]| {
            let mut merged = of(one);
            merged.merge(&of(other));
            assert_eq!(merged, of(&[one, other].concat()), "{one:?} {other:?}");
        };
        check(&[], &[]);
        check(&[], &[9, 4_000]);
        check(&[9, 4_000], &[]);
        check(&[9], &[4_000]);
        check(&[4_000], &[9]);
        check(&[9, 4_000], &[100, 200]);
        check(&[100, 200], &[9, 4_000]);
        check(&[0, 100], &[50, u64::MAX]);
    }

    #[test]
    fn counts_and_sums_saturate() {
        let mut histogram = of(&[1, u64::MAX]);
        for _ in 0..70 {
            histogram.merge(&histogram.clone());
        }
        assert_eq!((histogram.count(), histogram.sum_us(), histogram.max_us()), (u64::MAX, u64::MAX, u64::MAX));
        assert_eq!(histogram.quantile(0.5), Some(1));
    }
}
