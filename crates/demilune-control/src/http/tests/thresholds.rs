//! Thresholds, from the sessions that gateways stored to the answers of the API.

use demilune_inventory::Timestamp;
use demilune_store::{TrafficKey, TrafficRow};
use demilune_traffic::{Bucket, Hour, SessionHash, SessionSample, Snapshot};
use serde_json::{Value, json};

use crate::{
    ThresholdsJob,
    clock::{self, hour_text, unix_seconds},
    http::testing::{Answer, Api, READER, WRITER, ZONE},
    jobs::{hourly::last_complete_hour, thresholds::Computed},
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(seconds).unwrap() * 1_000_000).unwrap()
}

/// The end of the last complete hour.
fn end() -> Hour {
    last_complete_hour(clock::now())
}

/// Stores sessions of one operation in the five minutes of a time: session number n makes n % 20 + 1 requests.
async fn see(api: &Api, operation: &str, seconds: u64, sessions: std::ops::Range<u64>) {
    let mut sample = SessionSample::default();
    for number in sessions {
        for _ in 0..=number % 20 {
            sample.observe(Some(SessionHash::of((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))));
        }
    }
    sample.observe(None);
    let row = TrafficRow {
        key: TrafficKey { zone: ZONE.parse().unwrap(), operation: Some(operation.parse().unwrap()) },
        bucket: Bucket::of(seconds),
        source: "test".parse().unwrap(),
        snapshot: Snapshot { sequence: sample.requests(), sessions: sample, ..Snapshot::default() },
    };
    assert_eq!(api.store.traffic_write(vec![row], clock::now()).await.unwrap().stored, 1);
}

async fn compute(api: &Api, now: Timestamp) {
    ThresholdsJob::new(api.store.clone()).compute_due(now).await.unwrap();
}

async fn recompute(api: &Api, end: Hour) -> Computed {
    ThresholdsJob::new(api.store.clone()).recompute(&ZONE.parse().unwrap(), end, false).await.unwrap()
}

async fn get(api: &Api, path: &str) -> Answer {
    api.call_as(READER, "GET", path, None).await
}

async fn features(api: &Api, id: &str) -> Value {
    let path =
        format!("/client/v4/zones/{ZONE}/api_gateway/operations/{id}?feature=thresholds&feature=confidence_intervals");
    get(api, &path).await.result()["features"].clone()
}

async fn explanation(api: &Api, id: &str) -> Value {
    let path = format!("/demilune/v1/zones/{ZONE}/operations/{id}/thresholds/explain");
    get(api, &path).await.result().clone()
}

#[tokio::test]
async fn a_day_with_enough_sessions_makes_thresholds() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    see(&api, &id, end().start() - 600, 0..100).await;
    assert_eq!(features(&api, &id).await, json!({"thresholds": {}, "confidence_intervals": {}}));
    compute(&api, clock::now()).await;
    let features = features(&api, &id).await;
    let thresholds = &features["thresholds"];
    let expected = json!({
        "auth_id_tokens": 100, "data_points": 100, "last_updated": hour_text(end()), "p50": 10, "p90": 18, "p99": 20,
        "period_seconds": 600, "requests": 1051, "suggested_threshold": thresholds["suggested_threshold"],
    });
    assert_eq!(thresholds, &expected);
    let suggested = thresholds["suggested_threshold"].as_u64().unwrap();
    let intervals = &features["confidence_intervals"];
    assert_eq!(intervals["last_updated"], hour_text(end()));
    assert!(intervals["suggested_threshold"]["mean"].is_f64());
    for level in ["p90", "p95", "p99"] {
        let bounds = &intervals["suggested_threshold"]["confidence_intervals"][level];
        let (lower, upper) = (bounds["lower"].as_f64().unwrap(), bounds["upper"].as_f64().unwrap());
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let suggested = suggested as f64;
        assert!(lower <= suggested && suggested <= upper, "{level} {bounds} {suggested}");
    }
}

#[tokio::test]
async fn a_document_has_thresholds_where_they_are_asked_for() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    api.add("GET", "a.example", "/b").await;
    see(&api, &id, end().start() - 600, 0..60).await;
    compute(&api, clock::now()).await;
    let features = features(&api, &id).await;
    let operation = async |query: &str, path: &str| {
        let path_of_call = format!("/client/v4/zones/{ZONE}/api_gateway/schemas{query}");
        get(&api, &path_of_call).await.result()["schemas"][0]["paths"][path]["get"].clone()
    };
    let both = operation("?feature=thresholds&feature=confidence_intervals", "/a").await;
    assert_eq!(both["x-demilune-thresholds"], features["thresholds"]);
    assert_eq!(both["x-demilune-confidence-intervals"], features["confidence_intervals"]);
    let one = operation("?feature=thresholds", "/a").await;
    assert_eq!(one.get("x-demilune-confidence-intervals"), None);
    for without in [operation("", "/a").await, operation("?feature=thresholds", "/b").await] {
        assert_eq!(without.get("x-demilune-thresholds"), None);
    }
}

#[tokio::test]
async fn an_insert_of_what_is_there_shows_its_thresholds() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    see(&api, &id, end().start() - 600, 0..60).await;
    compute(&api, clock::now()).await;
    let body = json!({"method": "GET", "host": "a.example", "endpoint": "/a"});
    let path = format!("/client/v4/zones/{ZONE}/api_gateway/operations/item");
    let answer = api.call_as(WRITER, "POST", &path, Some(body)).await;
    assert_eq!(answer.result()["features"], features(&api, &id).await);
}

#[tokio::test]
async fn below_50_sessions_there_is_no_suggestion_and_the_explanation_says_how_many_are_missing() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    let nothing = explanation(&api, &id).await;
    assert_eq!((&nothing["state"], &nothing["result"]), (&json!("learning"), &Value::Null));
    assert_eq!(nothing["last_24_hours"]["sessions_missing"], 50);
    see(&api, &id, end().start() - 600, 0..12).await;
    compute(&api, clock::now()).await;
    assert_eq!(features(&api, &id).await["thresholds"], json!({}));
    let learning = explanation(&api, &id).await;
    assert!(learning["summary"].as_str().unwrap().starts_with("12 of 50 sessions"), "{learning}");
    assert_eq!(learning["last_24_hours"]["sessions_missing"], 38);
}

#[tokio::test]
async fn the_explanation_shows_the_rule_at_work() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    see(&api, &id, end().start() - 600, 0..600).await;
    compute(&api, clock::now()).await;
    let shown = explanation(&api, &id).await;
    assert_eq!(shown["state"], "suggested");
    let result = &shown["result"];
    let limits = ["F", "V", "W"].map(|limit| result["limits"][limit].as_f64().unwrap());
    let largest = limits.into_iter().fold(0.0, f64::max);
    assert_eq!(result["limits"][result["decided_by"].as_str().unwrap()].as_f64(), Some(largest));
    let suggested = (largest * result["margin"].as_f64().unwrap()).ceil();
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let shown_threshold = result["suggested_threshold"].as_u64().unwrap() as f64;
    assert!((suggested - shown_threshold).abs() < f64::EPSILON);
    let sessions: u64 =
        result["histogram"].as_array().unwrap().iter().map(|bar| bar["sessions"].as_u64().unwrap()).sum();
    assert_eq!((sessions, &result["confidence"]["label"]), (600, &json!("high")));
    assert_eq!(result["requests_without_session"], 1);
}

#[tokio::test]
async fn a_result_is_kept_while_its_day_lies_within_the_week() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    let day = Hour::of(end().start() - 100 * Hour::SECONDS);
    see(&api, &id, day.start() - 600, 0..60).await;
    let check = async |hours_later: u64, kept: bool| {
        compute(&api, at(day.start() + hours_later * Hour::SECONDS + 100)).await;
        assert_eq!(features(&api, &id).await["thresholds"]["data_points"].is_u64(), kept, "{hours_later}");
    };
    check(0, true).await;
    // The window slides off the sessions after 24 hours; what was computed last stays.
    for hours in [1, 23, 24, 25, 100, 144 + 23] {
        check(hours, true).await;
    }
    assert_eq!(features(&api, &id).await["thresholds"]["last_updated"], hour_text(Hour::of(day.start() + 23 * 3_600)));
    assert_eq!(explanation(&api, &id).await["state"], "kept");
    check(144 + 24, false).await;
}

#[tokio::test]
async fn hours_that_were_missed_are_caught_up_with() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    let day = Hour::of(end().start() - 90 * Hour::SECONDS);
    // Enough sessions for no day but those that hold both.
    see(&api, &id, day.start() - 600, 0..30).await;
    see(&api, &id, day.start() - 20 * Hour::SECONDS - 600, 30..60).await;
    compute(&api, clock::now()).await;
    let expected = hour_text(Hour::of(day.start() + 3 * Hour::SECONDS));
    assert_eq!(features(&api, &id).await["thresholds"]["last_updated"], expected);
    // The records alone tell the same.
    assert_eq!(recompute(&api, end()).await, Computed { operations: 1, with_thresholds: 1 });
    assert_eq!(features(&api, &id).await["thresholds"]["last_updated"], expected);
}

#[tokio::test]
async fn an_earlier_hour_replaces_a_later_one_unless_newer_results_are_to_stay() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    see(&api, &id, end().start() - 600, 0..60).await;
    let earlier = Hour::of(end().start() - 30 * Hour::SECONDS);
    see(&api, &id, earlier.start() - 600, 0..90).await;
    let job = ThresholdsJob::new(api.store.clone());
    let zone = ZONE.parse().unwrap();
    for (end, keep_newer, sessions) in
        [(end(), false, 60), (earlier, true, 60), (earlier, false, 90), (end(), true, 60)]
    {
        let computed = job.recompute(&zone, end, keep_newer).await.unwrap();
        assert_eq!(computed.with_thresholds, 1);
        assert_eq!(features(&api, &id).await["thresholds"]["data_points"], sessions, "{}", hour_text(end));
    }
}

#[tokio::test]
async fn a_list_can_be_ordered_by_what_was_computed() {
    let api = Api::start().await;
    let [a, b, c] = [
        api.add("GET", "a.example", "/a").await,
        api.add("GET", "a.example", "/b").await,
        api.add("GET", "a.example", "/c").await,
    ];
    see(&api, &a, end().start() - 600, 0..60).await;
    see(&api, &b, end().start() - 600, 0..90).await;
    compute(&api, clock::now()).await;
    let check = async |query: &str, expected: [&str; 3]| {
        let path = format!("/client/v4/zones/{ZONE}/api_gateway/operations?feature=thresholds&{query}");
        let answer = get(&api, &path).await;
        let ids: Vec<_> =
            answer.result().as_array().unwrap().iter().map(|operation| &operation["operation_id"]).collect();
        assert_eq!(ids, expected, "{query}");
    };
    check("order=thresholds.requests", [&a, &b, &c]).await;
    check("order=thresholds.%24key&order=thresholds.auth_id_tokens&direction=desc", [&b, &a, &c]).await;
    check("order=thresholds.period_seconds", [&a, &b, &c]).await;
}

#[tokio::test]
async fn an_operation_that_is_added_again_starts_afresh() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    see(&api, &id, end().start() - 600, 0..60).await;
    compute(&api, clock::now()).await;
    let path = format!("/client/v4/zones/{ZONE}/api_gateway/operations/{id}");
    api.call_as(WRITER, "DELETE", &path, None).await;
    let again = api.add("GET", "a.example", "/a").await;
    recompute(&api, end()).await;
    assert_eq!(features(&api, &again).await["thresholds"], json!({}));
}

#[tokio::test]
async fn the_seconds_after_an_hour_still_belong_to_the_hour_before() {
    let hour = Hour::of(1_800_000_000);
    assert_eq!(last_complete_hour(at(hour.start() + 30)), Hour::of(hour.start() - 1));
    assert_eq!(last_complete_hour(at(hour.start() + 90)), hour);
    assert_eq!(unix_seconds(at(hour.start())), hour.start());
}
