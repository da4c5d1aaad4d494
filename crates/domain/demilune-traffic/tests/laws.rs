//! The laws of summaries: whatever way requests are split, delayed and repeated, the same ones end in the same bytes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use demilune_traffic::{
    Accumulator, Bucket, DecodeError, LatencyHistogram, Ledger, Observation, Record, SessionHash, SessionSample,
    Snapshot, Source, Summary,
};
use proptest::{collection::vec, option, prelude::*, sample::Index};

/// A number of any length in bits.
fn numbers() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64_u32).prop_map(|(bits, shift)| bits >> shift)
}

prop_compose! {
    fn observations()(
        status in option::of(90..610_u16), blocked in any::<bool>(), origin_error in any::<bool>(),
        bytes_in in numbers(), bytes_out in numbers(), duration_us in numbers(),
        matched in any::<bool>(), session in option::of((0..40_u64).prop_map(session)),
    ) -> Observation {
        Observation { status, blocked, origin_error, bytes_in, bytes_out, duration_us, matched, session }
    }
}

prop_compose! {
    /// Records of a few requests, doubled until some of their counts saturate.
    fn records()(observations in vec(observations(), 0..12), doublings in 0..80_u32) -> Record {
        let mut record = of(&observations);
        for _ in 0..doublings.saturating_sub(16) {
            record.merge(&record.clone());
        }
        record
    }
}

/// Hashes in no order.
fn session(number: u64) -> SessionHash {
    SessionHash::of(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn of(observations: &[Observation]) -> Record {
    let mut record = Record::default();
    for observation in observations {
        record.observe(observation);
    }
    record
}

fn merged(one: &Record, other: &Record) -> Record {
    let mut sum = one.clone();
    sum.merge(other);
    sum
}

/// What happens to three nodes of two cores each.
#[derive(Clone, Debug)]
enum Event {
    Request {
        core: usize,
        key: u8,
        bucket: Bucket,
        observation: Observation,
    },
    /// A node collects its cores and sends what changed; the store answers if `stored`.
    Flush {
        node: usize,
        stored: bool,
    },
    /// A node forgets what is stored.
    Forget {
        node: usize,
        now: u64,
    },
}

const NODES: usize = 3;
const CORES: usize = 2;

fn events() -> impl Strategy<Value = Vec<Event>> {
    let buckets = (0..26_u64).prop_map(|number| Bucket::of(number * Bucket::SECONDS));
    let request = (0..NODES * CORES, 0..3_u8, buckets, observations());
    let request =
        request.prop_map(|(core, key, bucket, observation)| Event::Request { core, key, bucket, observation });
    let flush = (0..NODES, any::<bool>()).prop_map(|(node, stored)| Event::Flush { node, stored });
    let forget = (0..NODES, 0..26 * Bucket::SECONDS).prop_map(|(node, now)| Event::Forget { node, now });
    vec(prop_oneof![8 => request, 2 => flush, 1 => forget], 0..120)
}

type Key = (Source, u8, Bucket);

/// Nodes, and every snapshot that they ever sent.
struct World {
    cores: Vec<Accumulator<u8>>,
    ledgers: Vec<Ledger<u8>>,
    store: BTreeMap<Key, Snapshot>,
    sent: Vec<(Key, Snapshot)>,
}

impl World {
    fn new(core_keys_max: usize, ledger_keys_max: usize) -> Self {
        Self {
            cores: vec![Accumulator::new(core_keys_max, usize::MAX); NODES * CORES],
            ledgers: vec![Ledger::new(ledger_keys_max, usize::MAX); NODES],
            store: BTreeMap::new(),
            sent: Vec::new(),
        }
    }

    fn happens(&mut self, event: &Event) {
        match event {
            Event::Request { core, key, bucket, observation } => self.cores[*core].observe(*key, *bucket, observation),
            Event::Flush { node, stored } => self.flush(*node, *stored),
            Event::Forget { node, now } => self.ledgers[*node].forget(*now, 0),
        }
    }

    fn flush(&mut self, node: usize, stored: bool) {
        let source: Source = format!("node-{node}").parse().unwrap();
        let ledger = &mut self.ledgers[node];
        for core in &mut self.cores[node * CORES..][..CORES] {
            ledger.absorb(core);
        }
        let changed: Vec<_> = ledger.changed().collect();
        if stored {
            let sequences: Vec<_> = changed.iter().map(|(key, bucket, sent)| (*key, *bucket, sent.sequence)).collect();
            ledger.acknowledge(&sequences);
        }
        for (key, bucket, snapshot) in changed {
            self.sent.push(((source.clone(), key, bucket), snapshot));
            if stored {
                self.deliver(self.sent.len() - 1);
            }
        }
    }

    /// A snapshot arrives, for the first time or again.
    fn deliver(&mut self, sent: usize) {
        let (key, snapshot) = self.sent[sent].clone();
        let held = self.store.remove(&key).unwrap_or_default();
        self.store.insert(key, held.join(snapshot));
    }

    /// The sum over the sources, for each operation and bucket.
    fn sums(&self) -> BTreeMap<(u8, Bucket), Summary> {
        let mut sums: BTreeMap<_, Summary> = BTreeMap::new();
        for ((_, key, bucket), snapshot) in &self.store {
            let sum = sums.entry((*key, *bucket)).or_default();
            sum.record.merge(&snapshot.record);
            sum.sessions.merge(&snapshot.sessions);
        }
        sums
    }

    fn dropped(&self) -> u64 {
        self.ledgers.iter().map(Ledger::dropped).sum()
    }
}

/// What one that saw everything would hold.
fn whole(events: &[Event]) -> BTreeMap<(u8, Bucket), Summary> {
    let mut whole: BTreeMap<_, Summary> = BTreeMap::new();
    for event in events {
        if let Event::Request { key, bucket, observation, .. } = event {
            let sum = whole.entry((*key, *bucket)).or_default();
            sum.record.observe(observation);
            if observation.counts_for_thresholds() {
                sum.sessions.observe(observation.session);
            }
        }
    }
    whole
}

proptest! {
    #[test]
    fn any_split_order_delay_and_repetition_gives_the_same_bytes(
        events in events(), again in vec(any::<Index>(), 0..60), order in any::<u64>(),
    ) {
        let mut world = World::new(usize::MAX, usize::MAX);
        for event in events.iter().filter(|event| !matches!(event, Event::Forget { .. })) {
            world.happens(event);
        }
        for node in 0..NODES {
            world.flush(node, false);
        }
        let sent = world.sent.len();
        let repeated = again.iter().filter(|_| sent > 0).map(|index| index.index(sent));
        let mut deliveries: Vec<usize> = (0..sent).chain(repeated).collect();
        deliveries.sort_by_key(|number| (*number as u64 + 1).wrapping_mul(order | 1));
        for number in deliveries {
            world.deliver(number);
        }
        let (sums, whole) = (world.sums(), whole(&events));
        let bytes = |summaries: &BTreeMap<_, Summary>| -> Vec<_> {
            summaries.values().map(|summary| (summary.record.encode(), summary.sessions.encode())).collect()
        };
        prop_assert_eq!(bytes(&sums), bytes(&whole));
        prop_assert_eq!(sums, whole);
        prop_assert_eq!(world.dropped(), 0);
    }

    #[test]
    fn whatever_the_bounds_every_request_is_stored_or_counted_as_dropped(
        events in events(), core_keys_max in 0..6_usize, ledger_keys_max in 0..9_usize,
    ) {
        let mut world = World::new(core_keys_max, ledger_keys_max);
        for event in &events {
            world.happens(event);
            for ledger in &world.ledgers {
                prop_assert!(ledger.keys() <= ledger_keys_max);
            }
        }
        for node in 0..NODES {
            world.flush(node, true);
        }
        let requests = |summaries: &BTreeMap<_, Summary>| -> u64 {
            summaries.values().map(|summary| summary.record.requests()).sum()
        };
        prop_assert_eq!(requests(&world.sums()) + world.dropped(), requests(&whole(&events)));
    }

    #[test]
    fn an_hour_is_the_sum_of_its_buckets(events in events()) {
        let (buckets, mut hours) = (whole(&events), BTreeMap::<_, Record>::new());
        for event in &events {
            if let Event::Request { key, bucket, observation, .. } = event {
                hours.entry((*key, bucket.hour())).or_default().observe(observation);
            }
        }
        for ((key, hour), record) in hours {
            let records = hour.buckets().filter_map(|bucket| Some(&buckets.get(&(key, bucket))?.record));
            let sum: Record = records.sum();
            prop_assert_eq!(sum.encode(), record.encode());
        }
    }

    #[test]
    fn a_sum_is_associative_and_commutative_and_saturates(a in records(), b in records(), c in records()) {
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&a, &Record::default()), a.clone());
        prop_assert_eq!(merged(&a, &b).requests(), a.requests().saturating_add(b.requests()));
    }

    #[test]
    fn a_join_is_associative_commutative_and_idempotent(
        a in (0..3_u64, records()), b in (0..3_u64, records()), c in (0..3_u64, records()),
    ) {
        let [a, b, c] = [a, b, c].map(|(sequence, record)| {
            let mut sessions = SessionSample::default();
            sessions.observe(Some(session(record.requests())));
            Snapshot { sequence, record, sessions }
        });
        prop_assert_eq!(a.clone().join(b.clone()).join(c.clone()), a.clone().join(b.clone().join(c)));
        prop_assert_eq!(a.clone().join(b.clone()), b.join(a.clone()));
        prop_assert_eq!(a.clone().join(a.clone()), a);
    }

    #[test]
    fn a_quantile_is_within_a_sixteenth_of_the_true_one(
        mut durations in vec(numbers(), 1..200), p in 0.0..=1.0_f64,
    ) {
        let mut histogram = LatencyHistogram::default();
        for us in &durations {
            histogram.record(*us);
        }
        durations.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "small")]
        let rank = ((p * durations.len() as f64).ceil() as usize).max(1);
        let (exact, estimate) = (durations[rank - 1], histogram.quantile(p).unwrap());
        prop_assert!(estimate.abs_diff(exact) <= exact / 16, "{} for {}", estimate, exact);
        prop_assert!(estimate <= histogram.max_us());
    }

    #[test]
    fn a_record_reads_back(record in records()) {
        prop_assert_eq!(Record::decode(&record.encode()), Ok(record));
    }

    #[test]
    fn what_is_accepted_is_the_one_encoding(
        record in records(), changes in vec((any::<Index>(), any::<u8>()), 0..4), length in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = record.encode();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        if let Ok(decoded) = Record::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn small_numbers_in_any_combination_are_read_or_refused(numbers in vec(0..4_u8, 9..20)) {
        let bytes = [&[1], &numbers[..]].concat();
        match Record::decode(&bytes) {
            Ok(record) => prop_assert_eq!(record.encode(), bytes),
            Err(error) => prop_assert!(!matches!(error, DecodeError::Version(_) | DecodeError::Number)),
        }
    }
}
