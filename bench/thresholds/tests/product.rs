//! The product's own sample holds the sessions that this benchmark learns from, and estimates as many in all.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use demilune_bench_thresholds::{
    day::Traffic,
    random::{Stream, number},
    sample,
    scenario::SCENARIOS,
};
use demilune_traffic::{Bucket, Hour, SessionHash, SessionSample, SessionWindow};

#[test]
fn the_product_samples_the_same_sessions() {
    let traffic = Traffic::of(SCENARIOS.iter().find(|scenario| scenario.name == "checkout").unwrap());
    let (run, end) = (4, Hour::of(1_767_312_000));
    let day = traffic.first_day(run, 0.02);

    let mut product = SessionSample::default();
    for (session, most) in (0..).zip(day.legitimate.iter().chain(&day.abusers)) {
        let hash = SessionHash::of(number(3_000 + run, Stream::Hash, session));
        (0..*most).for_each(|_| product.observe(Some(hash)));
    }
    let mut window = SessionWindow::ending_at(end);
    window.add(Bucket::of(end.start() - 1), &product);
    let product = window.finish();

    let ours = day.sample(run, traffic.abusers_at(0.02), sample::SESSIONS_MAX);
    assert_eq!(product.maxima, ours.maxima);
    assert!((product.sessions_estimated / ours.sessions_estimated - 1.0).abs() < 1e-9);
}
