//! The agreed vectors of the threshold rule come from this generator's sessions: it makes them anew.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use demilune_bench_thresholds::{
    day::Traffic,
    scenario::{SCENARIOS, Scenario},
};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|number| u32::try_from(number.as_u64().unwrap()).unwrap()).collect()
}

/// Reads "search seed0 eps0.01 k2048".
fn parse(name: &str) -> Option<(&'static Scenario, u64, f64, usize)> {
    let mut words = name.split(' ');
    let name = words.next()?;
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name)?;
    let seed = words.next()?.strip_prefix("seed")?.parse().ok()?;
    let share = words.next()?.strip_prefix("eps")?.parse().ok()?;
    let sessions_max = words.next()?.strip_prefix('k')?.parse().unwrap_or(usize::MAX);
    Some((scenario, seed, share, sessions_max))
}

fn check(vector: &Value) -> bool {
    let name = vector["name"].as_str().unwrap();
    let Some((scenario, seed, share, sessions_max)) = parse(name) else { return false };
    let traffic = Traffic::of(scenario);
    let sample = traffic.first_day(seed, share).sample(seed, traffic.abusers_at(share), sessions_max);

    let (values, counts): (Vec<u32>, Vec<u32>) = sample.maxima.pairs().unzip();
    assert_eq!(Some(sample.maxima.sessions()), vector["m"].as_u64(), "{name}");
    assert_eq!(values, numbers(&vector["values"]), "{name}");
    assert_eq!(counts, numbers(&vector["counts"]), "{name}");
    let sessions_estimated = vector["n_hat"].as_f64().unwrap();
    assert!((sample.sessions_estimated / sessions_estimated - 1.0).abs() < 1e-12, "{name}");
    true
}

#[test]
fn the_sessions_of_the_agreed_vectors_come_out() {
    let file = include_str!("../../../crates/domain/demilune-traffic/tests/data/threshold-golden.json");
    let vectors: Value = serde_json::from_str(file).unwrap();
    let reproduced = vectors.as_array().unwrap().iter().filter(|vector| check(vector)).count();
    assert_eq!(reproduced, 5);
}
