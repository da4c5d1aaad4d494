//! What sampling the session of a request costs, and making thresholds of a day of samples.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::{
    hint::black_box,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use demilune_traffic::{
    Accumulator, Bucket, Hour, HourSessions, Observation, SessionHash, SessionSample, SessionWindow, Thresholds,
    WindowTotals,
};

const END: Hour = Hour::of(1_767_312_000);
const BUCKET: Bucket = Bucket::of(END.start() - 3_600);

/// A number as good as random for each number.
const fn random(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn session(number: u64) -> SessionHash {
    SessionHash::of(random(number))
}

/// The sample of this many sessions, which make up to eight requests each.
fn sample(sessions: u64) -> SessionSample {
    let mut sample = SessionSample::default();
    for number in 0..sessions {
        for _ in 0..=random(number) % 8 {
            sample.observe(Some(session(number)));
        }
    }
    sample
}

/// Requests of some sessions in no order that a cache could use.
fn requests(sessions: u64) -> Vec<SessionHash> {
    (0..1 << 16).map(|number| session(random(number) % sessions)).collect()
}

fn observe(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("session");
    for sessions in [50, 2_000, 1_000_000] {
        let requests = requests(sessions);
        let mut next = requests.iter().cycle();
        let mut sample = sample(sessions);
        group.bench_function(format!("observe_{sessions}_sessions"), |bencher| {
            bencher.iter(|| sample.observe(black_box(next.next().copied())));
        });
    }
    group.finish();
}

/// A request's way into the summaries of its core, with its session and without, behind the core's own lock; alone,
/// and while another thread does the same on a core of its own.
fn accumulate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("accumulator");
    let requests = requests(2_000);
    for (name, matched) in [("without_sessions", false), ("with_sessions", true)] {
        for others in [0, 1] {
            let stop = AtomicBool::new(false);
            let cores: Vec<_> = (0..=others).map(|_| Mutex::new(Accumulator::new(100_000, 4 << 20))).collect();
            let count = |core: &Mutex<Accumulator<u64>>, number: usize| {
                let session = requests.get(number % requests.len()).copied();
                let observation =
                    Observation { status: Some(200), duration_us: 900, matched, session, ..Observation::default() };
                if let Ok(mut core) = core.lock() {
                    core.observe(number as u64 % 100, BUCKET, &observation);
                }
            };
            thread::scope(|scope| {
                for core in &cores[1..] {
                    let (stop, count) = (&stop, &count);
                    scope.spawn(move || {
                        let mut number = 0;
                        while !stop.load(Ordering::Relaxed) {
                            count(core, number);
                            number += 1;
                        }
                    });
                }
                let mut number = 0;
                group.bench_function(format!("{name}_{}_threads", others + 1), |bencher| {
                    bencher.iter(|| {
                        count(&cores[0], number);
                        number += 1;
                    });
                });
                stop.store(true, Ordering::Relaxed);
            });
        }
    }
    group.finish();
}

fn keep(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("full_sample");
    let (one, other) = (sample(4_000), sample(3_000));
    group.bench_function("merge", |bencher| {
        bencher.iter_batched_ref(|| one.clone(), |one| one.merge(black_box(&other)), BatchSize::SmallInput);
    });
    let bytes = one.encode();
    group.bench_function("encode", |bencher| bencher.iter(|| black_box(&one).encode()));
    group.bench_function(format!("decode_{}_bytes", bytes.len()), |bencher| {
        bencher.iter(|| SessionSample::decode(black_box(&bytes)));
    });
    let hour = hour(&one);
    let packed = hour.encode();
    group.bench_function("encode_hour", |bencher| bencher.iter(|| black_box(&hour).encode()));
    group.bench_function(format!("decode_hour_{}_bytes", packed.len()), |bencher| {
        bencher.iter(|| HourSessions::decode(black_box(&packed)));
    });
    group.finish();
}

/// An hour of a sample in every five minutes.
fn hour(sample: &SessionSample) -> HourSessions {
    let mut hour = HourSessions::default();
    for bucket in BUCKET.hour().buckets() {
        hour.put(bucket, 1, sample);
    }
    hour
}

/// What the hourly job does for one operation once its rows are read: decode and sum up 24 packed hours, and judge them.
fn judge(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("operation");
    group.sample_size(20);
    for sessions in [60, 4_000] {
        let packed = hour(&sample(sessions)).encode();
        group.bench_function(format!("sum_up_24_hours_of_{sessions}_sessions"), |bencher| {
            bencher.iter(|| totals(black_box(&packed)));
        });
        let totals = totals(&packed);
        group.bench_function(format!("thresholds_of_{}_sampled_sessions", totals.maxima.sessions()), |bencher| {
            bencher.iter(|| Thresholds::of(END, black_box(totals.clone())));
        });
    }
    group.finish();
}

fn totals(packed: &[u8]) -> WindowTotals {
    let mut window = SessionWindow::ending_at(END);
    for number in 1..=SessionWindow::HOURS {
        if let Ok(sessions) = HourSessions::decode(packed) {
            window.add_hour(Hour::of(END.start() - number * Hour::SECONDS), &sessions);
        }
    }
    window.finish()
}

criterion_group!(benches, observe, accumulate, keep, judge);
criterion_main!(benches);
