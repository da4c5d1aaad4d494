//! What operations and zones saw.

use demilune_inventory::Timestamp;
use demilune_store::{TrafficKey, TrafficLimits, TrafficRow};
use demilune_traffic::{Bucket, Observation, Record, Snapshot};
use serde_json::{Value, json};

use crate::{
    clock,
    http::testing::{Answer, Api, OPERATOR, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER},
};

/// The start of an hour, 2027-01-15T08:00:00Z.
const START: u64 = 1_800_000_000;

fn zone_path(query: &str) -> String {
    format!("/demilune/v1/zones/{ZONE}/analytics{query}")
}

fn operation_path(id: &str, query: &str) -> String {
    format!("/demilune/v1/zones/{ZONE}/operations/{id}/analytics{query}")
}

async fn get(api: &Api, path: &str) -> Answer {
    api.call_as(READER, "GET", path, None).await
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(seconds).unwrap() * 1_000_000).unwrap()
}

fn now() -> u64 {
    u64::try_from(clock::now().as_micros() / 1_000_000).unwrap()
}

fn ok() -> Observation {
    Observation { status: Some(200), bytes_in: 10, bytes_out: 500, duration_us: 1_500, ..Observation::default() }
}

/// Stores what one operation, or none, saw in the five minutes of a time.
async fn count(api: &Api, operation: Option<&str>, seconds: u64, observations: &[Observation]) {
    let mut record = Record::default();
    for observation in observations {
        record.observe(observation);
    }
    let row = TrafficRow {
        key: TrafficKey { zone: ZONE.parse().unwrap(), operation: operation.map(|id| id.parse().unwrap()) },
        bucket: Bucket::of(seconds),
        source: "test".parse().unwrap(),
        snapshot: Snapshot { sequence: record.requests(), record, ..Snapshot::default() },
    };
    let written = api.store.traffic_write(vec![row], at(seconds)).await.unwrap();
    assert_eq!(written.stored, 1);
}

fn requests(answer: &Answer) -> u64 {
    answer.result()["totals"]["requests"].as_u64().unwrap()
}

/// Endpoints, or null, and their requests.
fn operations(answer: &Answer) -> Vec<(Option<&str>, u64)> {
    let operations = answer.result()["operations"].as_array().unwrap();
    let pair = |operation: &'_ Value| operation["totals"]["requests"].as_u64().unwrap();
    operations.iter().map(|operation| (operation["endpoint"].as_str(), pair(operation))).collect()
}

#[tokio::test]
async fn nothing_counted_is_zeros_and_no_durations() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    let zeros = json!({
        "requests": 0, "blocked": 0, "origin_errors": 0, "bytes_in": 0, "bytes_out": 0, "duration_ms": null,
        "status": {"none": 0, "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0},
    });
    let zone = get(&api, &zone_path("")).await;
    assert_eq!((&zone.result()["totals"], &zone.result()["series"]), (&zeros, &json!([])));
    assert_eq!(zone.result()["operations"], json!([]));
    assert_eq!(zone.body["messages"], json!([]));
    let operation = get(&api, &operation_path(&id, "")).await;
    assert_eq!((&operation.result()["totals"], &operation.result()["series"]), (&zeros, &json!([])));
    assert_eq!(operation.result().get("operations"), None);
}

#[tokio::test]
async fn what_an_operation_saw_is_shown_in_all_and_over_time() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    let blocked = Observation { status: Some(403), blocked: true, duration_us: 40, ..ok() };
    let failed = Observation { status: Some(502), origin_error: true, duration_us: 30_000_000, ..ok() };
    let left = Observation { status: None, ..ok() };
    count(&api, Some(&id), START, &[ok(), ok(), blocked]).await;
    count(&api, Some(&id), START + 900, &[failed, left]).await;
    count(&api, None, START, &[ok()]).await;
    let answer = get(&api, &operation_path(&id, "?since=2027-01-15T08:00:00Z&until=2027-01-15T09:00:00Z")).await;
    answer.result();
    insta::assert_json_snapshot!(answer.body);
}

#[tokio::test]
async fn a_zone_shows_its_operations_by_requests_page_by_page() {
    let api = Api::start().await;
    let window = format!("?since={START}&until={}", START + 3_600);
    for number in 0..7_u8 {
        let id = api.add("GET", "a.example", &format!("/{number}")).await;
        count(&api, Some(&id), START, &vec![ok(); usize::from(number) + 1]).await;
    }
    count(&api, None, START, &[ok(); 4]).await;
    let first = get(&api, &zone_path(&format!("{window}&per_page=5"))).await;
    let listed = [("/6", 7), ("/5", 6), ("/4", 5)].map(|(endpoint, requests)| (Some(endpoint), requests));
    assert_eq!(operations(&first)[..3], listed);
    assert_eq!(operations(&first)[3..], [(None, 4), (Some("/3"), 4)]);
    assert_eq!(
        first.body["result_info"],
        json!({"page": 1, "per_page": 5, "count": 5, "total_count": 8, "total_pages": 2})
    );
    let unmatched = &first.result()["operations"][3];
    for member in ["operation_id", "method", "host", "endpoint"] {
        assert_eq!(unmatched[member], Value::Null, "{member}");
    }
    let second = get(&api, &zone_path(&format!("{window}&per_page=5&page=2"))).await;
    assert_eq!(operations(&second), [(Some("/2"), 3), (Some("/1"), 2), (Some("/0"), 1)]);
    let past = get(&api, &zone_path(&format!("{window}&page=9"))).await;
    assert_eq!(operations(&past), []);
    for answer in [first, second, past] {
        assert_eq!(requests(&answer), 32, "totals are those of all pages");
        assert_eq!(answer.result()["series"][0]["requests"], 32);
    }
}

#[tokio::test]
async fn what_is_older_than_a_week_is_shown_by_the_hour() {
    let api = Api::start().await;
    count(&api, None, START, &[ok()]).await;
    count(&api, None, START + 600, &[ok(); 2]).await;
    count(&api, None, START + 7_200, &[ok()]).await;
    let later = START + 3_600 + 7 * 86_400 + 3_600;
    api.store.traffic_maintain(at(later), TrafficLimits::default()).await.unwrap();
    let answer = get(&api, &zone_path(&format!("?since={START}&until={}", START + 86_400))).await;
    let series = answer.result()["series"].as_array().unwrap();
    let points: Vec<_> = series.iter().map(|point| (&point["start"], &point["seconds"], &point["requests"])).collect();
    let (first, second) = (json!("2027-01-15T08:00:00.000000Z"), json!("2027-01-15T10:00:00.000000Z"));
    assert_eq!(points, [(&first, &json!(3_600), &json!(3)), (&second, &json!(300), &json!(1))]);
}

#[tokio::test]
async fn a_window_is_the_last_day_unless_told() {
    let api = Api::start().await;
    let now = now();
    count(&api, None, now - 60, &[ok()]).await;
    count(&api, None, now - 20 * 3_600, &[ok()]).await;
    count(&api, None, now - 30 * 3_600, &[ok()]).await;
    let check = async |query: &str, expected: u64| {
        assert_eq!(requests(&get(&api, &zone_path(query)).await), expected, "{query}");
    };
    check("", 2).await;
    check("?since=-1h", 1).await;
    check("?since=-2d", 3).await;
    check(&format!("?since={}", now - 25 * 3_600), 2).await;
    check("?since=-2d&until=-25h", 1).await;
    // A day before `until`, not before now.
    check("?until=-19h", 2).await;
    check("?since=-1h&since=-2d", 3).await;
}

#[tokio::test]
async fn every_defect_of_a_window_has_its_place() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    let check = async |query: &str, pointers: &[&str]| {
        for path in [zone_path(query), operation_path(&id, query)] {
            let answer = get(&api, &path).await;
            answer.check_failure(400, &vec![10400; pointers.len()]);
            assert_eq!(answer.pointers(), pointers, "{path}");
        }
    };
    check("?since=yesterday", &["/since"]).await;
    check("?until=", &["/until"]).await;
    check("?since=-1x&until=24h", &["/until", "/since"]).await;
    check("?since=-1h&until=-2h", &["/since"]).await;
    check("?since=2020-01-01T00:00:00Z&until=2027-01-01T00:00:00Z", &["/since"]).await;
    check("?since=-99999999999999d", &["/since"]).await;
    let answer = get(&api, &zone_path("?page=x&per_page=y&since=z")).await;
    assert_eq!(answer.pointers(), ["/since", "/page", "/per_page"]);
}

#[tokio::test]
async fn an_operation_that_is_not_there_has_no_analytics() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    count(&api, Some(&id), now(), &[ok()]).await;
    let elsewhere = format!("/demilune/v1/zones/{OTHER_ZONE}/operations/{id}/analytics");
    for path in [operation_path("0198f0a2-0000-7000-8000-000000000000", ""), operation_path("x", ""), elsewhere] {
        get(&api, &path).await.check_failure(404, &[10404]);
    }
    api.call("DELETE", &format!("/operations/{id}"), None).await.result();
    get(&api, &operation_path(&id, "")).await.check_failure(404, &[10404]);
    let zone = get(&api, &zone_path("")).await;
    assert_eq!((requests(&zone), operations(&zone)), (0, vec![]), "its records went along");
    let nowhere = format!("/demilune/v1/zones/{}/analytics", "f".repeat(32));
    get(&api, &nowhere).await.check_failure(404, &[7003, 7000]);
}

#[tokio::test]
async fn who_reads_the_inventory_reads_the_analytics_and_nobody_else() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    for path in [zone_path(""), operation_path(&id, "")] {
        for token in [WRITER, READER, ZONE_WRITER] {
            api.call_as(token, "GET", &path, None).await.result();
        }
        api.call_as(OPERATOR, "GET", &path, None).await.check_failure(403, &[10000]);
        api.call_as("unknown-token-0123456789", "GET", &path, None).await.check_failure(403, &[10000]);
        api.call_as(ZONE_WRITER, "GET", &path.replace(ZONE, OTHER_ZONE), None).await.check_failure(403, &[9109]);
        api.call_as(WRITER, "POST", &path, Some(json!({}))).await.check_failure(405, &[10405]);
    }
}
