//! The matcher beside `matchit` on real and made-up lists of routes: hits, misses, building and memory.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that cannot go on says so and stops")]

mod lists;
mod routers;

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use demilune_inventory::{Matcher, MatcherOptions, Method, OperationKey, Variables};
use lists::{List, Request};
use peak_alloc::PeakAlloc;
use routers::Routers;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

fn matchers(criterion: &mut Criterion) {
    for list in lists::all() {
        let list = without_refused(&list);
        let matcher = build(&list.operations);
        let (routers, _) = Routers::build(&list.operations);
        report_memory(&list);
        let agreeing = |requests: Vec<Request>| agreeing(requests, &matcher, &routers);
        let (hits, misses) = (agreeing(list.hits()), agreeing(list.misses()));
        assert!(hits.len() == list.operations.len() && misses.len() > list.operations.len() / 2);
        let mut group = criterion.benchmark_group(list.name);
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(30);
        for (name, requests) in [("hit", hits), ("miss", misses)] {
            bench_find(&mut group, name, &requests, &matcher);
            let mut next = requests.iter().cycle();
            group.bench_function(format!("{name}/matchit"), |bencher| {
                bencher.iter(|| routers.find(next.next().unwrap()));
            });
        }
        group.sample_size(10);
        group.bench_function("build/demilune", |bencher| bencher.iter(|| build(&list.operations)));
        group.bench_function("build/matchit", |bencher| bencher.iter(|| Routers::build(&list.operations)));
        group.finish();
    }
}

/// All misses among mixes of text and variables, beside a hit of the same depth.
fn adversarial(criterion: &mut Criterion) {
    let list = lists::adversarial();
    let matcher = build(&list.operations);
    println!("{}: at most {} visits", list.name, matcher.visits_max());
    let mut group = criterion.benchmark_group(list.name);
    for (name, path) in [("hit", "/a/a/a/a/a/a/a/a/a/a/a/a/end"), ("miss", "/a/a/a/a/a/a/a/a/a/a/a/a/no")] {
        bench_find(&mut group, name, &[lists::request(Method::Get, "h", path)], &matcher);
    }
    group.finish();
}

fn build(operations: &[OperationKey]) -> Matcher {
    Matcher::build(operations, MatcherOptions::default())
}

fn bench_find(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, requests: &[Request], matcher: &Matcher) {
    let mut next = requests.iter().cycle();
    let mut variables = Variables::default();
    group.bench_function(format!("{name}/demilune"), |bencher| {
        bencher.iter(|| {
            let request = next.next().unwrap();
            black_box(matcher.find(Some(request.method), &request.host, &request.path, &mut variables))
        });
    });
}

/// The list without what `matchit` refuses, so that both are given the same.
fn without_refused(list: &List) -> List {
    let (_, refused) = Routers::build(&list.operations);
    println!("{}: {} operations; matchit refuses {} paths", list.name, list.operations.len(), refused.len());
    let is_refused = |key: &OperationKey| refused.iter().any(|other| other.endpoint == key.endpoint);
    let operations = list.operations.iter().filter(|key| !is_refused(key)).cloned().collect();
    List { name: list.name, operations }
}

/// The requests to which both give the same answer: `matchit` does not look on where a path lacks the method.
fn agreeing(requests: Vec<Request>, matcher: &Matcher, routers: &Routers) -> Vec<Request> {
    let mut variables = Variables::default();
    let agree = |request: &Request| {
        let found = matcher.find(Some(request.method), &request.host, &request.path, &mut variables);
        found.map(|found| (found.operation, variables.len())) == routers.find(request)
    };
    requests.into_iter().filter(agree).collect()
}

/// Bytes for each template. The routers count without what tells operations by method.
fn report_memory(list: &List) {
    let mut templates: Vec<_> = list.operations.iter().map(|key| (&key.host, &key.endpoint)).collect();
    templates.dedup();
    let (_matcher, ours) = allocated(|| build(&list.operations));
    let (_routers, theirs) = allocated(|| routers::without_methods(&list.operations));
    println!(
        "{}: {} templates, bytes each: demilune {:.0}, matchit {:.0}, ratio {:.3}; {} visits at most",
        list.name,
        templates.len(),
        quotient(ours, templates.len()),
        quotient(theirs, templates.len()),
        quotient(ours, theirs),
        build(&list.operations).visits_max(),
    );
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn quotient(a: usize, b: usize) -> f64 {
    a as f64 / b as f64
}

/// What is made, and the bytes that it holds.
fn allocated<T>(build: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.current_usage();
    let made = build();
    (made, ALLOCATED.current_usage() - before)
}

criterion_group!(benches, matchers, adversarial);
criterion_main!(benches);
