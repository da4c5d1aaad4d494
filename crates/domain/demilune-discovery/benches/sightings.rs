//! What looking at a request without an operation costs, merging what was seen, and finding operations in it, beside
//! counting paths as they are.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::{collections::HashMap, fmt::Write, hint::black_box};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use demilune_discovery::{DiscoveryOptions, Sighting, Sightings, candidates};
use demilune_inventory::Method;

/// Operations of GitHub, without the methods; a variable is a number, a hash or a name.
const ROUTES: &str = include_str!("../../../../bench/data/routes-github.txt");

struct Request {
    path: String,
    caller: u32,
    nonce: u64,
}

/// Requests to all of them in no order that a cache could use.
fn requests(count: u64) -> Vec<Request> {
    let templates: Vec<&str> =
        ROUTES.lines().filter_map(|line| line.split_once(' ')).map(|(_, template)| template).collect();
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 20
    };
    let mut request = |_| {
        let mut path = String::new();
        let template = templates[usize::try_from(random()).unwrap_or(0) % templates.len()];
        for segment in template.split('/').skip(1) {
            path.push('/');
            // Writing to a string does not fail.
            let _ = match (segment.starts_with('{'), random() % 3) {
                (false, _) => write!(path, "{segment}"),
                (true, 0) => write!(path, "{}", random() % 100_000),
                (true, 1) => write!(path, "{:016x}", random()),
                (true, _) => write!(path, "name-{}", random() % 50),
            };
        }
        Request {
            path,
            caller: u32::try_from(random() % 1_000).unwrap_or(0).wrapping_mul(0x9E37_79B9),
            nonce: random(),
        }
    };
    (0..count).map(&mut request).collect()
}

fn sighting(request: &Request) -> Sighting<'_> {
    Sighting {
        method: Method::Get,
        host: "api.github.com",
        path: &request.path,
        caller: request.caller,
        has_session: true,
        nonce: request.nonce,
        seconds: 1_767_225_600,
    }
}

fn filled(requests: &[Request]) -> Sightings {
    let mut sightings = Sightings::default();
    for request in requests {
        sightings.observe(&sighting(request));
    }
    sightings
}

fn observe(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("observe");
    let requests = requests(1 << 17);
    let mut sightings = filled(&requests);
    let mut next = requests.iter().cycle();
    group.bench_function("github", |bencher| {
        bencher.iter(|| next.next().map(|request| sightings.observe(black_box(&sighting(request)))));
    });
    let mut counts: HashMap<String, u64> = HashMap::new();
    group.bench_function("github_count_only", |bencher| {
        bencher.iter(|| next.next().map(|request| *counts.entry(request.path.clone()).or_default() += 1));
    });
    group.finish();
}

fn merge(criterion: &mut Criterion) {
    let requests = requests(1 << 20);
    let (one, other) = requests.split_at(requests.len() / 2);
    let (one, other) = (filled(one), filled(other));
    let bytes = one.encode();
    let mut group = criterion.benchmark_group("sightings_of_half_a_million");
    group.sample_size(10);
    group.bench_function("merge", |bencher| {
        bencher.iter_batched(|| one.clone(), |mut sum| sum.merge(&other), BatchSize::LargeInput);
    });
    group.bench_function("encode", |bencher| bencher.iter(|| one.encode()));
    group.bench_function("decode", |bencher| bencher.iter(|| Sightings::decode(black_box(&bytes))));
    group.bench_function("candidates", |bencher| bencher.iter(|| candidates(&one, &DiscoveryOptions::default())));
    group.finish();
}

criterion_group!(benches, observe, merge);
criterion_main!(benches);
