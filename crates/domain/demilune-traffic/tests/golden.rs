//! The agreed vectors of the threshold rule: whole numbers exact, others to 1e-9 of their size.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use demilune_traffic::{Distribution, Interval, Intervals, Rule};
use serde_json::Value;

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs()
}

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|number| u32::try_from(number.as_u64().unwrap()).unwrap()).collect()
}

fn check(vector: &Value) {
    let name = vector["name"].as_str().unwrap();
    let pairs = numbers(&vector["values"]).into_iter().zip(numbers(&vector["counts"]));
    let distribution =
        Distribution::of(pairs.flat_map(|(value, sessions)| std::iter::repeat_n(value, sessions as usize)));
    let sessions_estimated = vector["n_hat"].as_f64().unwrap();
    let rule = Rule::of(&distribution);

    assert_eq!(Some(distribution.sessions()), vector["m"].as_u64(), "{name}");
    for (member, percent) in [("p50", 50), ("p90", 90), ("p99", 99)] {
        assert_eq!(Some(u64::from(distribution.percentile(percent))), vector[member].as_u64(), "{name} {member}");
    }
    assert!(close(rule.threshold(), vector["T_raw"].as_f64().unwrap()), "{name}");
    assert_eq!(Some(rule.suggestion(sessions_estimated)), vector["suggested_threshold"].as_u64(), "{name}");

    let intervals = Intervals::of(&distribution, sessions_estimated);
    assert!(close(intervals.mean, vector["mean"].as_f64().unwrap()), "{name}");
    for (member, Interval { lower, upper }) in [("p90", intervals.p90), ("p95", intervals.p95), ("p99", intervals.p99)]
    {
        let expected = &vector["ci"][member];
        let expected = (expected["lower"].as_f64().unwrap(), expected["upper"].as_f64().unwrap());
        assert_eq!((lower, upper), expected, "{name} {member}");
    }
}

#[test]
fn the_agreed_vectors_come_out() {
    let vectors: Value = serde_json::from_str(include_str!("data/threshold-golden.json")).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert_eq!(vectors.len(), 6);
    vectors.iter().for_each(check);
}
