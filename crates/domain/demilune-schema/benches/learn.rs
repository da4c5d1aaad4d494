//! What learning costs: a request, a body beside its mere reading, the sum of a window, and the rules.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "sizes are shown beside times")]

use std::{hint::black_box, sync::Arc};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use demilune_schema::learn::{Evidence, LearnKey, Learned, Profile, Supporter};
use demilune_traffic::Hour;
use serde_json::{Value, json};

const KEY: LearnKey = LearnKey::new(*b"0123456789abcdef");
const HOUR: Hour = Hour::of(1_767_312_000);

/// An order of about a kibibyte, different for each number.
fn order(number: u64) -> String {
    let items: Vec<Value> = (0..10)
        .map(|item| json!({"sku": format!("ABC-{:04}", (number + item) % 10_000), "count": (number + item) % 9 + 1, "price": 9.5, "gift": item % 2 == 0}))
        .collect();
    let order = json!({"id": number, "email": format!("ada{number}@example.com"), "tags": ["new", "europe"], "kind": "new",
        "note": "Please ring twice, and leave it with the neighbours if nobody opens the door.",
        "items": items, "address": {"street": "1 Main Street", "zip": "12345", "country": "DE"}});
    order.to_string()
}

fn supporter(number: u64) -> Supporter {
    Supporter(u32::try_from(number * 2_654_435_761 % 300).unwrap_or(0) * 10_000_000)
}

/// An hour with so many requests, each with a body.
fn filled(requests: u64) -> Evidence {
    let mut evidence = Evidence::new(Arc::default());
    for number in 0..requests {
        let id = (number % 5_000).to_string();
        let query = format!("limit={}&state=open&cursor=abc{number}", number % 100);
        evidence.observe(&KEY, HOUR, supporter(number), &[&id], Some(&query));
        evidence.observe_body(&KEY, HOUR, supporter(number), order(number).as_bytes());
    }
    evidence
}

fn learn(criterion: &mut Criterion) {
    let full = filled(2_000);
    let mut group = criterion.benchmark_group("learn");
    let mut evidence = full.clone();
    let mut number = 0_u64;
    group.bench_function("request_with_a_variable", |bencher| {
        bencher.iter(|| {
            number += 1;
            evidence.observe(&KEY, HOUR, supporter(number), black_box(&["48213"]), None);
        });
    });
    group.bench_function("request_with_a_variable_and_three_parameters", |bencher| {
        bencher.iter(|| {
            number += 1;
            let query = black_box("limit=20&state=open&cursor=abcdefgh");
            evidence.observe(&KEY, HOUR, supporter(number), black_box(&["48213"]), Some(query));
        });
    });
    let body = order(7);
    group.throughput(criterion::Throughput::Bytes(body.len() as u64));
    group.bench_function("body_of_a_kibibyte", |bencher| {
        bencher.iter(|| {
            number += 1;
            evidence.observe_body(&KEY, HOUR, supporter(number), black_box(body.as_bytes()));
        });
    });
    group.bench_function("body_of_a_kibibyte/serde_json_value", |bencher| {
        bencher.iter(|| serde_json::from_str::<Value>(black_box(&body)).expect("is JSON"));
    });
    group.finish();
}

fn sum(criterion: &mut Criterion) {
    let full = filled(2_000);
    let bytes = full.encode();
    println!("evidence: {} bytes accounted for, {} encoded", full.bytes(), bytes.len());
    let mut group = criterion.benchmark_group("evidence");
    group.bench_function("encode", |bencher| bencher.iter(|| black_box(&full).encode()));
    group
        .bench_function("decode", |bencher| bencher.iter(|| Evidence::decode(black_box(&bytes)).expect("was encoded")));
    group.bench_function("merge", |bencher| {
        bencher.iter_batched_ref(|| full.clone(), |sum| sum.merge(black_box(&full)), BatchSize::SmallInput);
    });
    group.bench_function("rules", |bencher| {
        bencher.iter(|| Learned::of(black_box(&full), &["var1"], Profile::Document).expect("is enough"));
    });
    group.finish();
}

criterion_group!(benches, learn, sum);
criterion_main!(benches);
