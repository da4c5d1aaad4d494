//! What counting a request costs, and adding records, beside adding one number under the same key.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::{collections::HashMap, hint::black_box};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use demilune_traffic::{Accumulator, Bucket, Ledger, Observation, Record};

const BUCKET: Bucket = Bucket::of(1_767_225_600);

/// Requests for some operations in no order that a cache could use; durations spread over ten octaves from 64 µs.
fn requests(operations: u64) -> Vec<(u128, Observation)> {
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut request = || {
        let key = u128::from(random() % operations).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let duration_us = (64 + random() % 64) << (random() % 10).min(random() % 10);
        (key, Observation { status: Some(200), bytes_in: 400, bytes_out: 1_200, duration_us, ..Observation::default() })
    };
    (0..1 << 16).map(|_| request()).collect()
}

fn filled(requests: &[(u128, Observation)]) -> Accumulator<u128> {
    let mut accumulator = Accumulator::new(100_000, usize::MAX);
    for (key, observation) in requests {
        accumulator.observe(*key, BUCKET, observation);
    }
    accumulator
}

fn observe(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("observe");
    for operations in [1, 100, 10_000] {
        let requests = requests(operations);
        let mut accumulator = filled(&requests);
        let mut next = requests.iter().cycle();
        group.bench_function(format!("{operations}_operations"), |bencher| {
            bencher.iter(|| {
                if let Some((key, observation)) = next.next() {
                    accumulator.observe(*key, BUCKET, black_box(observation));
                }
            });
        });
        let mut counts: HashMap<(u128, Bucket), u64> = HashMap::new();
        group.bench_function(format!("{operations}_operations_count_only"), |bencher| {
            bencher.iter(|| {
                if let Some((key, _)) = next.next() {
                    *counts.entry((*key, BUCKET)).or_default() += 1;
                }
            });
        });
    }
    group.finish();
}

fn merge(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    let mut record = Record::default();
    for (_, observation) in requests(1).iter().take(1_000) {
        record.observe(observation);
    }
    let bytes = record.encode();
    let mut sum = record.clone();
    group.bench_function("merge", |bencher| bencher.iter(|| sum.merge(black_box(&record))));
    group.bench_function("encode", |bencher| bencher.iter(|| black_box(&record).encode()));
    group.bench_function(format!("decode_{}_bytes", bytes.len()), |bencher| {
        bencher.iter(|| Record::decode(black_box(&bytes)));
    });
    group.bench_function("quantile", |bencher| bencher.iter(|| black_box(&record).durations().quantile(0.99)));
    group.finish();
}

fn flush(criterion: &mut Criterion) {
    let requests = requests(10_000);
    criterion.bench_function("fill_10000_operations_by_65536_requests", |bencher| {
        bencher.iter_with_large_drop(|| filled(black_box(&requests)));
    });
    let core = filled(&requests);
    let mut ledger = Ledger::new(100_000, usize::MAX);
    criterion.bench_function("absorb_10000_operations", |bencher| {
        bencher.iter_batched_ref(|| core.clone(), |core| ledger.absorb(core), BatchSize::LargeInput);
    });
}

criterion_group!(benches, observe, merge, flush);
criterion_main!(benches);
