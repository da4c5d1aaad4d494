//! Learned schemas, from what is stored to the answers of the API.

use std::sync::Arc;

use demilune_inventory::{OperationId, Timestamp};
use demilune_schema::learn::{Evidence, LearnKey, Supporter};
use demilune_store::{LearningRow, StoredSchema};
use demilune_traffic::Hour;
use serde_json::{Value, json};

use crate::{
    SchemasJob,
    clock::{self, hour_text, hour_time},
    http::testing::{Answer, Api, OPERATOR, READER, WRITER, ZONE},
    jobs::{hourly::last_complete_hour, schemas::Computed},
};

fn parameter(name: &str, place: &str) -> Value {
    json!({
        "name": name, "in": place, "required": place == "path", "description": "Learned.",
        "schema": {"type": "integer", "minimum": 1},
    })
}

fn request_body() -> Value {
    json!({"description": "Learned.", "content": {"application/json": {"schema": {"type": "object"}}}})
}

/// A schema as learned at the end of an hour.
fn schema(end: Hour, body: bool) -> StoredSchema {
    let parameters = [parameter("var1", "path"), parameter("page", "query")];
    StoredSchema {
        last_updated: hour_time(end),
        window_end: end,
        fragment: json!({"parameters": parameters, "responses": null}).to_string(),
        request_body: body.then(|| request_body().to_string()),
        explanation: json!({"requests": 4_000}).to_string(),
        published: Vec::new(),
    }
}

/// Stores it for an operation.
pub(super) async fn learn(api: &Api, id: &str, end: Hour, body: bool) {
    let id: OperationId = id.parse().unwrap();
    api.store.learned_schema_replace(&ZONE.parse().unwrap(), vec![(id, Some(schema(end, body)))]).await.unwrap();
}

pub(super) fn end() -> Hour {
    last_complete_hour(clock::now())
}

async fn get(api: &Api, path: &str) -> Answer {
    api.call_as(READER, "GET", &format!("/client/v4/zones/{ZONE}/api_gateway{path}"), None).await
}

async fn explanation(api: &Api, id: &str) -> Value {
    let path = format!("/demilune/v1/zones/{ZONE}/operations/{id}/parameter_schemas/explain");
    api.call_as(READER, "GET", &path, None).await.result().clone()
}

fn feature() -> Value {
    json!({"parameter_schemas": {
        "last_updated": hour_text(end()),
        "parameter_schemas": {"parameters": [parameter("var1", "path"), parameter("page", "query")], "responses": null},
    }})
}

#[tokio::test]
async fn what_was_learned_is_shown_where_it_is_asked_for() {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    let one = format!("/operations/{id}?feature=parameter_schemas");
    let nothing = json!({"parameter_schemas": {}});
    assert_eq!(get(&api, &one).await.result()["features"], nothing);
    assert_eq!(get(&api, "/operations?feature=parameter_schemas").await.result()[0]["features"], nothing);
    learn(&api, &id, end(), true).await;
    assert_eq!(get(&api, &one).await.result()["features"], feature());
    assert_eq!(get(&api, "/operations?feature=parameter_schemas").await.result()[0]["features"], feature());
    assert_eq!(get(&api, &format!("/operations/{id}")).await.result().get("features"), None);
    let body = json!({"method": "POST", "host": "a.example", "endpoint": "/users/{id}"});
    assert_eq!(api.call("POST", "/operations/item", Some(body)).await.result()["features"], feature());
}

#[tokio::test]
async fn the_schemas_of_an_operation_have_its_parameters_and_body() {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    let path = format!("/operations/{id}?with_schemas=true");
    assert_eq!(get(&api, &path).await.result()["schemas"], json!({"learned": null, "uploaded": null}));
    let parameters = [parameter("var1", "path"), parameter("page", "query")];
    learn(&api, &id, end(), false).await;
    let expected = json!({"learned": {"parameters": parameters}, "uploaded": null});
    assert_eq!(get(&api, &path).await.result()["schemas"], expected);
    learn(&api, &id, end(), true).await;
    let expected = json!({"learned": {"parameters": parameters, "requestBody": request_body()}, "uploaded": null});
    assert_eq!(get(&api, &path).await.result()["schemas"], expected);
}

#[tokio::test]
async fn the_newest_uploaded_schema_that_is_enabled_is_shown_beside_the_learned_one() {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    let path = format!("/operations/{id}?with_schemas=true");
    let document = |kind: &str| {
        json!({
            "openapi": "3.0.4", "servers": [{"url": "https://a.example"}], "paths": {"/users/{user}": {"post": {
                "parameters": [{"name": "user", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Id"}}],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}}},
            "components": {"schemas": {"Id": {"type": kind}}},
        })
    };
    let upload = async |kind: &str, enabled: bool| {
        let body = json!({"kind": "openapi_v3", "name": kind, "source": document(kind).to_string(), "validation_enabled": enabled});
        api.call_as(WRITER, "POST", &format!("/client/v4/zones/{ZONE}/schema_validation/schemas"), Some(body))
            .await
            .result();
    };
    upload("integer", true).await;
    upload("number", true).await;
    upload("string", false).await;
    let expected = json!({
        "parameters": [{"name": "user", "in": "path", "required": true, "schema": {"type": "number"}}],
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
    });
    assert_eq!(get(&api, &path).await.result()["schemas"], json!({"learned": null, "uploaded": expected}));
}

#[tokio::test]
async fn a_schema_that_cannot_be_read_is_a_failure_of_the_server() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/").await;
    let damaged = StoredSchema { fragment: "[".to_owned(), ..schema(end(), false) };
    let results = vec![(id.parse().unwrap(), Some(damaged))];
    api.store.learned_schema_replace(&ZONE.parse().unwrap(), results).await.unwrap();
    for path in [format!("/operations/{id}?feature=parameter_schemas"), "/schemas?feature=parameter_schemas".to_owned()]
    {
        get(&api, &path).await.check_failure(500, &[10500]);
    }
    get(&api, &format!("/operations/{id}")).await.result();
}

#[tokio::test]
async fn the_operations_of_each_host_are_a_document() {
    let api = Api::start().await;
    let users = api.add("GET", "a.example", "/users/{id}").await;
    api.add("PUT", "a.example", "/users/{id}").await;
    api.add("GET", "{tenant}.example", "/").await;
    learn(&api, &users, end(), true).await;
    let answer = get(&api, "/schemas").await;
    assert!(answer.result()["timestamp"].as_str().unwrap().ends_with('Z'));
    insta::assert_json_snapshot!("plain", answer.result()["schemas"]);
    for query in ["include_schema_kind=learned", "feature=parameter_schemas"] {
        let answer = get(&api, &format!("/schemas?host=a.example&{query}")).await;
        insta::assert_json_snapshot!("learned", answer.result()["schemas"]);
    }
}

#[tokio::test]
async fn documents_are_of_the_hosts_that_were_asked_for() {
    let api = Api::start().await;
    for host in ["a.example", "b.example", "c.example"] {
        api.add("GET", host, "/").await;
    }
    let check = async |query: &str, expected: &[&str]| {
        let answer = get(&api, &format!("/schemas{query}")).await;
        let schemas = answer.result()["schemas"].as_array().unwrap();
        let hosts: Vec<_> = schemas.iter().map(|document| document["info"]["title"].as_str().unwrap()).collect();
        assert_eq!(hosts, expected, "{query}");
    };
    check("", &["a.example", "b.example", "c.example"]).await;
    check("?host=C.example&host=a.example", &["a.example", "c.example"]).await;
    check("?host=d.example", &[]).await;
    check("?feature=schema_info&feature=thresholds", &["a.example", "b.example", "c.example"]).await;
}

#[tokio::test]
async fn more_than_an_answer_may_hold_is_refused() {
    let api = Api::start().await;
    for host in ["a.example", "b.example"] {
        for number in 0..5 {
            let id = api.add("GET", host, &format!("/{number}")).await;
            let long = json!({"parameters": [{"name": "x".repeat(4 << 20), "in": "query"}], "responses": null});
            let schema = StoredSchema { fragment: long.to_string(), ..schema(end(), false) };
            let results = vec![(id.parse().unwrap(), Some(schema))];
            api.store.learned_schema_replace(&ZONE.parse().unwrap(), results).await.unwrap();
        }
    }
    let answer = get(&api, "/schemas?include_schema_kind=learned").await;
    answer.check_failure(400, &[10400]);
    assert_eq!(answer.pointers(), ["/host"]);
    get(&api, "/schemas?include_schema_kind=learned&host=a.example").await.result();
    get(&api, "/schemas").await.result();
}

#[tokio::test]
async fn every_defect_of_the_query_is_named() {
    let api = Api::start().await;
    let answer = get(&api, "/schemas?host=a%20b&feature=x&include_schema_kind=uploaded").await;
    answer.check_failure(400, &[10400, 10400, 10400]);
    assert_eq!(answer.pointers(), ["/host", "/feature", "/include_schema_kind"]);
    insta::assert_json_snapshot!("defects", answer.body["errors"]);
}

#[tokio::test]
async fn those_who_may_not_read_the_inventory_see_no_document() {
    let api = Api::start().await;
    let path = format!("/client/v4/zones/{ZONE}/api_gateway/schemas");
    api.call_as(OPERATOR, "GET", &path, None).await.check_failure(403, &[10000]);
    let path = format!("/client/v4/zones/{}/api_gateway/schemas", "f".repeat(32));
    api.call_as(WRITER, "GET", &path, None).await.check_failure(404, &[7003, 7000]);
}

#[tokio::test]
async fn the_explanation_says_what_a_schema_rests_on() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/users/{id}").await;
    let learning = explanation(&api, &id).await;
    assert_eq!((&learning["state"], &learning["result"]), (&json!("learning"), &Value::Null));
    assert_eq!(
        learning["progress"],
        json!({"requests": 0, "requests_needed": 1_000, "requests_missing": 1_000, "bodies": 0})
    );
    learn(&api, &id, end(), true).await;
    let learned = explanation(&api, &id).await;
    assert_eq!((&learned["state"], &learned["progress"]), (&json!("learned"), &Value::Null));
    assert_eq!(learned["window"]["until"], hour_text(end()));
    assert_eq!(learned["result"], json!({"last_updated": hour_text(end()), "explanation": {"requests": 4_000}}));
}

#[tokio::test]
async fn an_older_schema_is_said_to_be_kept() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/users/{id}").await;
    learn(&api, &id, Hour::of(end().start() - 100 * Hour::SECONDS), false).await;
    let kept = explanation(&api, &id).await;
    assert_eq!(kept["state"], "kept");
    assert!(kept["summary"].as_str().unwrap().contains("100 hours"), "{kept}");
}

/// Stores what a source saw of an operation with one variable in an hour: requests of 60 callers, with these queries.
pub(super) async fn see(api: &Api, id: &str, source: &str, hour: Hour, requests: u32, query: &str) {
    let mut evidence = Evidence::new(Arc::default());
    for number in 0..requests {
        let (variable, supporter) = (number.to_string(), Supporter(number % 60 * 70_000_000));
        evidence.observe(&KEY, hour, supporter, &[&variable], Some(query));
        evidence.observe_body(&KEY, hour, supporter, br#"{"name":"x"}"#);
    }
    let row = LearningRow {
        zone: ZONE.parse().unwrap(),
        operation: id.parse().unwrap(),
        source: source.parse().unwrap(),
        hour,
        published: 0,
        sequence: evidence.sequence(),
        evidence: evidence.encode(),
    };
    assert_eq!(api.store.learning_write(vec![row], clock::now()).await.unwrap().stored, 1);
}

const KEY: LearnKey = LearnKey::new([7; 16]);

pub(super) fn before(hour: Hour, hours: u64) -> Hour {
    Hour::of(hour.start() - hours * Hour::SECONDS)
}

/// A moment at which the hour before this one is complete.
fn just_after(end: Hour) -> Timestamp {
    Timestamp::from_micros(i64::try_from(end.start() + 100).unwrap() * 1_000_000).unwrap()
}

async fn compute(api: &Api, end: Hour) {
    SchemasJob::new(api.store.clone()).compute_due(just_after(end)).await.unwrap();
}

async fn recompute(api: &Api, end: Hour, keep_newer: bool) -> Computed {
    SchemasJob::new(api.store.clone()).recompute(&ZONE.parse().unwrap(), end, keep_newer).await.unwrap()
}

/// When the schema last changed, the end of its window, and the names of its parameters.
async fn learned(api: &Api, id: &str) -> (String, String, String) {
    let operation = get(api, &format!("/operations/{id}?feature=parameter_schemas")).await.result().clone();
    let schemas = &operation["features"]["parameter_schemas"];
    let parameters = schemas["parameter_schemas"]["parameters"].as_array().cloned().unwrap_or_default();
    let names: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    let until = explanation(api, id).await["window"]["until"].as_str().unwrap().to_owned();
    (schemas["last_updated"].as_str().unwrap_or_default().to_owned(), until, names.join(" "))
}

fn expected(last_updated: Hour, until: Hour, names: &str) -> (String, String, String) {
    (hour_text(last_updated), hour_text(until), names.to_owned())
}

#[tokio::test]
async fn enough_requests_of_all_sources_and_hours_make_a_schema() {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    for hours in 1..=3 {
        see(&api, &id, "first", before(end(), hours), 200, "page=1").await;
        see(&api, &id, "second", before(end(), hours), 200, "page=1").await;
    }
    compute(&api, end()).await;
    assert_eq!(learned(&api, &id).await, expected(end(), end(), "var1 page"));
    let schemas = get(&api, &format!("/operations/{id}?with_schemas=true")).await.result()["schemas"].clone();
    let body = &schemas["learned"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["properties"]["name"]["type"], "string");
    assert_eq!(explanation(&api, &id).await["result"]["explanation"]["requests"], 1_200);
}

#[tokio::test]
async fn below_1000_requests_there_is_no_schema_and_the_explanation_says_how_many_are_missing() {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    see(&api, &id, "first", before(end(), 80), 300, "page=1").await;
    see(&api, &id, "first", before(end(), 1), 640, "page=1").await;
    compute(&api, end()).await;
    let learning = explanation(&api, &id).await;
    assert_eq!(learning["state"], "learning");
    // The older hour lies in the window or not, as the day goes on.
    let requests = learning["progress"]["requests"].as_u64().unwrap();
    assert!([640, 940].contains(&requests), "{learning}");
    assert_eq!(learning["progress"]["requests_missing"], 1_000 - requests);
    assert_eq!(learning["progress"]["bodies"], requests);
    assert!(learning["summary"].as_str().unwrap().starts_with(&format!("{requests} of 1000")), "{learning}");
}

#[tokio::test]
async fn a_schema_gets_a_new_time_only_when_it_changes() {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    let first = before(end(), 10);
    see(&api, &id, "first", before(first, 1), 1_200, "page=1").await;
    compute(&api, first).await;
    assert_eq!(learned(&api, &id).await, expected(first, first, "var1 page"));
    let second = before(end(), 8);
    see(&api, &id, "first", before(second, 1), 1_200, "page=1").await;
    compute(&api, second).await;
    assert_eq!(learned(&api, &id).await, expected(first, second, "var1 page"));
    see(&api, &id, "first", before(end(), 1), 1_200, "page=1&sort=up").await;
    compute(&api, end()).await;
    assert_eq!(learned(&api, &id).await, expected(end(), end(), "var1 page sort"));
}

#[tokio::test]
async fn a_schema_stays_when_its_evidence_has_gone() {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    let first = before(end(), 150);
    see(&api, &id, "first", before(first, 1), 1_200, "page=1").await;
    for end in [first, end()] {
        compute(&api, end).await;
        assert_eq!(learned(&api, &id).await, expected(first, first, "var1 page"));
    }
    // Too little for another.
    see(&api, &id, "first", before(end(), 1), 10, "page=1").await;
    assert_eq!(recompute(&api, end(), false).await, Computed { operations: 1, with_schemas: 1, changed: 0 });
    assert_eq!(learned(&api, &id).await, expected(first, first, "var1 page"));
    assert_eq!(explanation(&api, &id).await["state"], "kept");
}

#[tokio::test]
async fn an_earlier_hour_replaces_a_later_one_unless_newer_schemas_are_to_stay() {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    let earlier = before(end(), 30);
    see(&api, &id, "first", before(earlier, 1), 1_200, "page=1").await;
    see(&api, &id, "first", before(end(), 1), 1_200, "sort=up").await;
    let check = async |end: Hour, keep_newer: bool, names: &str, changed: u64| {
        assert_eq!(recompute(&api, end, keep_newer).await, Computed { operations: 1, with_schemas: 1, changed });
        assert_eq!(learned(&api, &id).await.2, names);
    };
    check(end(), false, "var1 page sort", 1).await;
    check(earlier, true, "var1 page sort", 0).await;
    check(earlier, false, "var1 page", 1).await;
    check(end(), true, "var1 page sort", 1).await;
}

#[tokio::test]
async fn evidence_of_an_operation_that_is_gone_is_left_alone() {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    see(&api, &id, "first", before(end(), 1), 1_200, "page=1").await;
    api.call("DELETE", &format!("/operations/{id}"), None).await;
    compute(&api, end()).await;
    let again = api.add("POST", "a.example", "/users/{id}").await;
    recompute(&api, end(), false).await;
    assert_eq!(
        get(&api, &format!("/operations/{again}?with_schemas=true")).await.result()["schemas"]["learned"],
        Value::Null
    );
}
