//! Canonical forms, each beside a copy of the same bytes into an owned string: the least that keeping them costs.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use demilune_inventory::{Endpoint, Host, NormalizedPath};

const ENDPOINTS: [(&str, &str); 3] = [
    ("canonical", "/api/v1/users/{var1}/posts/{var2}"),
    ("renamed", "/api/v1/users/{user_id}/posts/{post_id}"),
    ("needs_work", "/api//v1/./users/%7Ejoe/../{user_id}/caf%c3%a9"),
];

const HOSTS: [(&str, &str); 3] =
    [("canonical", "api.example.com"), ("upper_case", "API.Example.COM."), ("idna", "bücher.example.com")];

const PATHS: [(&str, &str); 2] =
    [("normal", "/api/v1/users/12345/posts/67890"), ("needs_work", "/api//v1/./users/%31%32345/posts/67890")];

fn canonical(criterion: &mut Criterion) {
    let mut endpoints = criterion.benchmark_group("endpoint");
    for (name, text) in ENDPOINTS {
        endpoints.bench_function(name, |bencher| bencher.iter(|| black_box(text).parse::<Endpoint>()));
        endpoints.bench_function(format!("{name}_copy"), |bencher| bencher.iter(|| black_box(text).to_owned()));
    }
    let long = "/a%20{b}".repeat(128);
    endpoints.bench_function("kibibyte", |bencher| bencher.iter(|| black_box(&long).parse::<Endpoint>()));
    endpoints.bench_function("kibibyte_copy", |bencher| bencher.iter(|| black_box(&long).clone()));
    endpoints.finish();

    let mut hosts = criterion.benchmark_group("host");
    for (name, text) in HOSTS {
        hosts.bench_function(name, |bencher| bencher.iter(|| black_box(text).parse::<Host>()));
        hosts.bench_function(format!("{name}_copy"), |bencher| bencher.iter(|| black_box(text).to_owned()));
    }
    hosts.finish();

    let mut paths = criterion.benchmark_group("live_path");
    for (name, text) in PATHS {
        paths.bench_function(name, |bencher| {
            bencher.iter(|| NormalizedPath::from_live(black_box(text).as_bytes()).map(|path| path.as_str().len()));
        });
        paths.bench_function(format!("{name}_copy"), |bencher| bencher.iter(|| black_box(text).to_owned()));
    }
    paths.finish();
}

criterion_group!(benches, canonical);
criterion_main!(benches);
