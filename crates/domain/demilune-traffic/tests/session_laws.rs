//! The laws of samples of sessions: whatever way requests are split over sources, buckets, hours and deliveries, the
//! same ones end in the same bytes and the same thresholds.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use demilune_traffic::{
    Bucket, Hour, HourSessions, SessionHash, SessionSample, SessionWindow, Thresholds, WindowTotals,
};
use proptest::{collection::vec, prelude::*, sample::Index};

const END: Hour = Hour::of(1_767_312_000);

/// Hashes in no order.
fn session(number: u64) -> SessionHash {
    SessionHash::of(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Requests of many sessions at once: a run of sessions makes some requests each.
#[derive(Clone, Debug)]
struct Burst {
    source: usize,
    bucket: Bucket,
    first: u64,
    sessions: u64,
    requests: u8,
}

const SOURCES: usize = 3;

prop_compose! {
    /// Small and large ones, so that samples are full here and there.
    fn bursts()(
        source in 0..SOURCES, number in 0..30_u64, first in 0..2_000_u64, small in 0..20_u64, large in 0..4_000_u64,
        is_large in prop::bool::weighted(0.2), requests in 1..4_u8,
    ) -> Burst {
        let bucket = Bucket::of(END.start() - 7_200 + number * Bucket::SECONDS);
        Burst { source, bucket, first, sessions: if is_large { large } else { small }, requests }
    }
}

fn observe(sample: &mut SessionSample, burst: &Burst) {
    for number in burst.first..burst.first + burst.sessions {
        for _ in 0..burst.requests {
            sample.observe(Some(session(number)));
        }
    }
    sample.observe(None);
}

fn of(bursts: &[Burst]) -> SessionSample {
    let mut sample = SessionSample::default();
    for burst in bursts {
        observe(&mut sample, burst);
    }
    sample
}

fn merged(one: &SessionSample, other: &SessionSample) -> SessionSample {
    let mut sum = one.clone();
    sum.merge(other);
    sum
}

/// The cumulative snapshots of every source and bucket, one after each burst, with their sequences.
fn snapshots(bursts: &[Burst]) -> Vec<(usize, Bucket, u64, SessionSample)> {
    let mut so_far: BTreeMap<_, SessionSample> = BTreeMap::new();
    let taken = bursts.iter().map(|burst| {
        let sample = so_far.entry((burst.source, burst.bucket)).or_default();
        observe(sample, burst);
        (burst.source, burst.bucket, sample.requests(), sample.clone())
    });
    taken.collect()
}

/// What one that saw everything would tell.
fn whole(bursts: &[Burst]) -> WindowTotals {
    let mut buckets: BTreeMap<Bucket, SessionSample> = BTreeMap::new();
    for burst in bursts {
        observe(buckets.entry(burst.bucket).or_default(), burst);
    }
    let mut window = SessionWindow::ending_at(END);
    for (bucket, sample) in &buckets {
        window.add(*bucket, sample);
    }
    window.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_split_order_delay_and_repetition_gives_the_same_bytes_and_thresholds(
        bursts in vec(bursts(), 0..24), again in vec(any::<Index>(), 0..20), order in any::<u64>(),
        packed_first in any::<bool>(),
    ) {
        let sent = snapshots(&bursts);
        let repeated = again.iter().filter(|_| !sent.is_empty()).map(|index| index.index(sent.len()));
        let mut deliveries: Vec<usize> = (0..sent.len()).chain(repeated).collect();
        deliveries.sort_by_key(|number| (*number as u64 + 1).wrapping_mul(order | 1));
        // Sources pack their hours; late snapshots go into the packed hour.
        let mut hours: BTreeMap<(usize, Hour), HourSessions> = BTreeMap::new();
        for number in deliveries {
            let (source, bucket, sequence, sample) = &sent[number];
            let hour = hours.entry((*source, bucket.hour())).or_default();
            hour.put(*bucket, *sequence, sample);
            if packed_first {
                *hour = HourSessions::decode(&hour.encode()).unwrap();
            }
        }
        let mut window = SessionWindow::ending_at(END);
        for ((_, hour), sessions) in hours.iter().rev() {
            window.add_hour(*hour, sessions);
        }
        let (found, expected) = (window.finish(), whole(&bursts));
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(Thresholds::of(END, found), Thresholds::of(END, expected));
    }

    #[test]
    fn a_sum_is_associative_and_commutative(
        a in vec(bursts(), 0..4), b in vec(bursts(), 0..4), c in vec(bursts(), 0..4),
    ) {
        let all = [&a[..], &b, &c].concat();
        let [a, b, c] = [a, b, c].map(|bursts| of(&bursts));
        let sums = [merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)), merged(&c, &merged(&b, &a)), of(&all)];
        for sum in &sums {
            prop_assert_eq!(sum.encode(), sums[3].encode());
        }
        prop_assert_eq!(merged(&a, &SessionSample::default()), a);
    }

    #[test]
    fn a_sample_reads_back(bursts in vec(bursts(), 0..4)) {
        let sample = of(&bursts);
        prop_assert_eq!(SessionSample::decode(&sample.encode()).unwrap(), sample);
    }

    #[test]
    fn what_is_accepted_is_the_one_encoding(
        bursts in vec(bursts(), 0..4), changes in vec((any::<Index>(), any::<u8>()), 0..4), length in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let mut hour = HourSessions::default();
        for (number, burst) in (1..).zip(&bursts) {
            hour.put(burst.bucket, number, &of(std::slice::from_ref(burst)));
        }
        for (is_hour, mut bytes) in [(false, of(&bursts).encode()), (true, hour.encode())] {
            for (place, byte) in &changes {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            if cut {
                bytes.truncate(length.index(bytes.len()));
            }
            if is_hour {
                if let Ok(decoded) = HourSessions::decode(&bytes) {
                    prop_assert_eq!(decoded.encode(), bytes);
                }
            } else if let Ok(decoded) = SessionSample::decode(&bytes) {
                prop_assert_eq!(decoded.encode(), bytes);
            }
        }
    }

    #[test]
    fn every_value_of_a_result_is_in_order(values in vec(1..5_000_u32, 50..400)) {
        let mut window = SessionWindow::ending_at(END);
        let mut sample = SessionSample::default();
        for (number, value) in (0..).zip(&values) {
            for _ in 0..=*value % 97 {
                sample.observe(Some(session(number)));
            }
        }
        window.add(Bucket::of(END.start() - 600), &sample);
        let result = Thresholds::of(END, window.finish()).unwrap();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let suggested = result.suggested_threshold as f64;
        for interval in [result.intervals.p90, result.intervals.p95, result.intervals.p99] {
            prop_assert!(interval.lower <= suggested && suggested <= interval.upper);
        }
        let percentiles = [50, 90, 99].map(|percent| result.maxima.percentile(percent));
        prop_assert!(percentiles.is_sorted() && u64::from(percentiles[2]) <= result.suggested_threshold);
    }
}
