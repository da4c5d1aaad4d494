//! Requests that did not fit the schema of their operation.

use demilune_inventory::Timestamp;
use demilune_store::{EventViolation, MitigationAction, ValidationEvent};
use demilune_traffic::SessionHash;
use serde_json::{Value, json};

use crate::{
    clock,
    http::testing::{Answer, Api, OPERATOR, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER},
};

/// 2027-01-15T08:00:00Z.
const START: i64 = 1_800_000_000;
const GONE: &str = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415";
const SCHEMA: &str = "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e";

fn path(query: &str) -> String {
    format!("/demilune/v1/zones/{ZONE}/events{query}")
}

async fn get(api: &Api, query: &str) -> Answer {
    api.call_as(READER, "GET", &path(query), None).await
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

fn violation(keyword: &str) -> EventViolation {
    let document_place = format!("/paths/~1a/get/parameters/0/schema/{keyword}");
    EventViolation { keyword: keyword.to_owned(), request_place: "/query/limit".to_owned(), document_place }
}

/// An event some seconds after the start, its request named after the seconds.
fn event(operation: &str, seconds: i64) -> ValidationEvent {
    ValidationEvent {
        time: at(START + seconds),
        operation: operation.parse().unwrap(),
        action: MitigationAction::Log,
        schema: SCHEMA.parse().unwrap(),
        session: None,
        request_id: seconds.to_string(),
        violations: vec![violation("type")],
        has_more: false,
    }
}

async fn write(api: &Api, zone: &str, events: impl IntoIterator<Item = ValidationEvent>) {
    let zone = |event| (zone.parse().unwrap(), event);
    api.store.events_write(events.into_iter().map(zone).collect()).await.unwrap();
}

/// The ids of the requests on a page.
fn requests(answer: &Answer) -> Vec<&str> {
    answer.result().as_array().unwrap().iter().map(|event| event["request_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_event_says_what_did_not_fit_and_where() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    let event = ValidationEvent {
        action: MitigationAction::Block,
        session: Some(SessionHash::of(0xabc << 20)),
        violations: vec![violation("type"), violation("maximum")],
        has_more: true,
        ..event(&id, 0)
    };
    write(&api, ZONE, [event]).await;
    let answer = get(&api, "").await;
    let violation = |keyword: &str| {
        json!({
            "keyword": keyword,
            "request_place": "/query/limit",
            "document_place": format!("/paths/~1a/get/parameters/0/schema/{keyword}"),
        })
    };
    let expected = json!([{
        "time": "2027-01-15T08:00:00.000000Z",
        "operation_id": id,
        "method": "GET",
        "host": "a.example",
        "endpoint": "/a",
        "action": "block",
        "schema_id": SCHEMA,
        "session": "00000000abc",
        "request_id": "0",
        "violations": [violation("type"), violation("maximum")],
        "has_more": true,
    }]);
    assert_eq!(answer.result(), &expected);
    assert_eq!(answer.body["messages"], json!([]));
}

#[tokio::test]
async fn an_event_outlasts_its_operation() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    write(&api, ZONE, [event(&id, 0)]).await;
    api.call("DELETE", &format!("/operations/{id}"), None).await.result();
    let answer = get(&api, &format!("?operation_id={id}")).await;
    let event = &answer.result()[0];
    assert_eq!(event["operation_id"], json!(id));
    for member in ["method", "host", "endpoint", "session"] {
        assert_eq!(event.get(member), Some(&Value::Null), "{member}");
    }
}

#[tokio::test]
async fn events_are_listed_from_the_newest_on_page_by_page() {
    let api = Api::start().await;
    let info = |page: u64, count: u64| json!({"page": page, "per_page": 5, "count": count, "total_count": 7, "total_pages": 2});
    write(&api, ZONE, (0..7).map(|seconds| event(GONE, seconds))).await;
    let first = get(&api, "?per_page=5").await;
    assert_eq!((requests(&first), &first.body["result_info"]), (vec!["6", "5", "4", "3", "2"], &info(1, 5)));
    let second = get(&api, "?per_page=5&page=2").await;
    assert_eq!((requests(&second), &second.body["result_info"]), (vec!["1", "0"], &info(2, 2)));
    let past = get(&api, "?per_page=5&page=3").await;
    assert_eq!((requests(&past), &past.body["result_info"]), (vec![], &info(3, 0)));
}

#[tokio::test]
async fn each_parameter_keeps_what_it_names() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/a").await;
    let blocked = ValidationEvent { action: MitigationAction::Block, ..event(GONE, 1) };
    let of_session = ValidationEvent { session: Some(SessionHash::of(0xabc << 20)), ..event(GONE, 2) };
    let two = ValidationEvent { violations: vec![violation("type"), violation("enum")], ..event(GONE, 3) };
    write(&api, ZONE, [event(&id, 0), blocked, of_session, two]).await;
    write(&api, OTHER_ZONE, [event(GONE, 4)]).await;
    let check = async |query: &str, expected: &[&str]| {
        assert_eq!(requests(&get(&api, query).await), expected, "{query}");
    };
    check("", &["3", "2", "1", "0"]).await;
    check(&format!("?operation_id={id}"), &["0"]).await;
    check("?action=block", &["1"]).await;
    check("?action=LOG", &["3", "2", "0"]).await;
    check("?keyword=enum", &["3"]).await;
    check("?keyword=nothing", &[]).await;
    check("?session=00000000abc", &["2"]).await;
    check("?request_id=3", &["3"]).await;
    check("?keyword=&request_id=", &["3", "2", "1", "0"]).await;
    check(&format!("?since={}", START + 2), &["3", "2"]).await;
    check("?until=2027-01-15T08:00:01Z", &["0"]).await;
    check(&format!("?action=log&keyword=type&since={START}&until={}", START + 3), &["2", "0"]).await;
}

#[tokio::test]
async fn a_time_may_be_one_before_now() {
    let api = Api::start().await;
    let now = clock::now().as_micros() / 1_000_000 - START;
    write(&api, ZONE, [event(GONE, now - 60), event(GONE, now - 7_200)]).await;
    assert_eq!(requests(&get(&api, "?since=-1h").await), [(now - 60).to_string()]);
    assert_eq!(requests(&get(&api, "?until=-1h").await), [(now - 7_200).to_string()]);
}

#[tokio::test]
async fn every_defect_of_a_filter_has_its_place() {
    let api = Api::start().await;
    let check = async |query: &str, pointers: &[&str]| {
        let answer = get(&api, query).await;
        answer.check_failure(400, &vec![10400; pointers.len()]);
        assert_eq!(answer.pointers(), pointers, "{query}");
    };
    check("?operation_id=x", &["/operation_id"]).await;
    check("?action=none", &["/action"]).await;
    check("?action=", &["/action"]).await;
    check("?session=abc", &["/session"]).await;
    check("?since=-1h&until=-2h", &["/since"]).await;
    let all = "?per_page=x&page=x&until=x&since=x&session=x&action=x&operation_id=x";
    check(all, &["/operation_id", "/action", "/session", "/since", "/until", "/page", "/per_page"]).await;
}

#[tokio::test]
async fn who_reads_the_inventory_reads_events_and_nobody_else() {
    let api = Api::start().await;
    for token in [WRITER, READER, ZONE_WRITER] {
        api.call_as(token, "GET", &path(""), None).await.result();
    }
    api.call_as(OPERATOR, "GET", &path(""), None).await.check_failure(403, &[10000]);
    let elsewhere = path("").replace(ZONE, OTHER_ZONE);
    api.call_as(ZONE_WRITER, "GET", &elsewhere, None).await.check_failure(403, &[9109]);
    api.call_as(WRITER, "DELETE", &path(""), None).await.check_failure(405, &[10405]);
    let nowhere = format!("/demilune/v1/zones/{}/events", "f".repeat(32));
    api.call_as(READER, "GET", &nowhere, None).await.check_failure(404, &[7003, 7000]);
}
