//! Putting what was learned in force, from the evidence to what is shown of the operation.

use demilune_inventory::Timestamp;
use serde_json::{Value, json};

use super::schemas::{before, end, learn, see};
use crate::{
    clock::{self, hour_text, hour_time},
    http::testing::{Answer, Api, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER},
};

async fn apply(api: &Api, id: &str, query: &str) -> Answer {
    api.call("PUT", &format!("/operations/{id}/cloudflare_learned_schema{query}"), None).await
}

/// An operation with evidence of so many requests in the last complete hour.
async fn with_requests(requests: u32) -> (Api, String) {
    let api = Api::start().await;
    let id = api.add("POST", "a.example", "/users/{id}").await;
    see(&api, &id, "first", before(end(), 1), requests, "page=1").await;
    (api, id)
}

/// The schemas of the zone, with their sources.
async fn schemas(api: &Api) -> Vec<Value> {
    let path = format!("/client/v4/zones/{ZONE}/schema_validation/schemas");
    api.call_as(READER, "GET", &path, None).await.result().as_array().unwrap().clone()
}

async fn info(api: &Api, id: &str) -> Value {
    let operation = api.call("GET", &format!("/operations/{id}?feature=schema_info"), None).await.result().clone();
    operation["features"]["schema_info"].clone()
}

/// Has the zone block what does not fit.
async fn block(api: &Api) {
    let path = format!("/client/v4/zones/{ZONE}/schema_validation/settings");
    let settings = json!({"validation_default_mitigation_action": "block"});
    api.call_as(WRITER, "PATCH", &path, Some(settings)).await.result();
}

fn message(answer: &Answer) -> &str {
    answer.body["errors"][0]["message"].as_str().unwrap()
}

#[tokio::test]
async fn what_was_learned_is_put_in_force() {
    let (api, id) = with_requests(1_000).await;
    assert_eq!(*apply(&api, &id, "").await.result(), Value::Null);
    let [schema] = schemas(&api).await.try_into().unwrap();
    let day = clock::now().to_string()[..10].to_owned();
    assert_eq!(schema["name"], format!("learned-{id}-{day}"));
    assert_eq!((&schema["is_learned"], &schema["validation_enabled"]), (&json!(true), &json!(true)));
    let active = info(&api, &id).await["active_schema"].clone();
    assert_eq!((&active["id"], &active["is_learned"]), (&schema["schema_id"], &json!(true)));
}

#[tokio::test]
async fn the_document_describes_this_one_operation() {
    let (api, id) = with_requests(1_000).await;
    apply(&api, &id, "").await.result();
    let document: Value = serde_json::from_str(schemas(&api).await[0]["source"].as_str().unwrap()).unwrap();
    assert_eq!((&document["openapi"], &document["servers"][0]["url"]), (&json!("3.0.0"), &json!("https://a.example")));
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["/users/{var1}"]);
    let post = &paths["/users/{var1}"]["post"];
    let names: Vec<_> = post["parameters"].as_array().unwrap().iter().map(|parameter| &parameter["name"]).collect();
    assert_eq!(names, ["var1", "page"]);
    assert_eq!(post["requestBody"]["content"]["application/json"]["schema"]["type"], "object");
}

#[tokio::test]
async fn a_week_of_evidence_is_looked_at() {
    let (api, id) = with_requests(400).await;
    see(&api, &id, "second", before(end(), 150), 600, "page=1").await;
    apply(&api, &id, "").await.result();
    assert_eq!(schemas(&api).await.len(), 1);
}

#[tokio::test]
async fn too_little_evidence_puts_nothing_in_force_and_says_what_to_do() {
    let (api, id) = with_requests(400).await;
    let refused = apply(&api, &id, "").await;
    refused.check_failure(400, &[10434]);
    assert!(message(&refused).starts_with("400 of 1000 requests were seen in the last seven days; send more"));
    assert_eq!(schemas(&api).await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_operation_without_evidence_puts_nothing_in_force() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/").await;
    apply(&api, &id, "").await.check_failure(400, &[10434]);
}

#[tokio::test]
async fn what_is_in_force_stays_when_the_guard_refuses() {
    let (api, id) = with_requests(1_000).await;
    apply(&api, &id, "").await.result();
    let kept = schemas(&api).await;
    apply(&api, &id, "?timestamp=2020-01-01T00:00:00Z").await.check_failure(400, &[10400]);
    assert_eq!(schemas(&api).await, kept);
}

#[tokio::test]
async fn applying_again_replaces() {
    let (api, id) = with_requests(1_000).await;
    apply(&api, &id, "").await.result();
    let [first] = schemas(&api).await.try_into().unwrap();
    see(&api, &id, "second", before(end(), 2), 1_000, "size=1").await;
    apply(&api, &id, "").await.result();
    let [second] = schemas(&api).await.try_into().unwrap();
    assert_ne!(second["schema_id"], first["schema_id"]);
    assert!(second["source"].as_str().unwrap().contains("\"size\""), "{second}");
    assert_eq!(info(&api, &id).await["active_schema"]["id"], second["schema_id"]);
}

#[tokio::test]
async fn a_learned_schema_logs_what_it_would_block_for_a_day() {
    let (api, id) = with_requests(1_000).await;
    block(&api).await;
    assert_eq!(info(&api, &id).await["mitigation_action"], "block");
    apply(&api, &id, "").await.result();
    assert_eq!(info(&api, &id).await["mitigation_action"], "log");
    let id = id.parse().unwrap();
    let after = async |hours: i64| {
        let now = Timestamp::from_micros(clock::now().as_micros() + hours * 3_600_000_000).unwrap();
        api.store.schema_info(&ZONE.parse().unwrap(), vec![id], now).await.unwrap()[&id].action.as_str()
    };
    assert_eq!((after(23).await, after(24).await), ("log", "block"));
}

#[tokio::test]
async fn the_time_of_the_schema_that_was_seen_guards_it() {
    let (api, id) = with_requests(1_000).await;
    let check = async |time: &str, part: &str| {
        let refused = apply(&api, &id, &format!("?timestamp={time}")).await;
        refused.check_failure(400, &[10400]);
        assert_eq!(refused.pointers(), ["/timestamp"]);
        assert!(message(&refused).contains(part), "{}", refused.body);
    };
    check("yesterday", "must be a time").await;
    check(&hour_text(end()), "shows no learned schema yet").await;
    learn(&api, &id, end(), false).await;
    check(&hour_time(before(end(), 1)).to_string(), &hour_text(end())).await;
    assert_eq!(schemas(&api).await, Vec::<Value>::new());
    apply(&api, &id, &format!("?timestamp={}", hour_text(end()))).await.result();
}

#[tokio::test]
async fn an_unknown_operation_is_not_found() {
    let (api, id) = with_requests(1_000).await;
    apply(&api, "f174e90a-fafe-4643-bbbc-4a0ed4fc8415", "").await.check_failure(404, &[10404]);
    apply(&api, "unknown", "").await.check_failure(404, &[10404]);
    let elsewhere = format!("/client/v4/zones/{OTHER_ZONE}/api_gateway/operations/{id}/cloudflare_learned_schema");
    api.call_as(WRITER, "PUT", &elsewhere, None).await.check_failure(404, &[10404]);
}

#[tokio::test]
async fn those_who_may_not_change_the_inventory_put_nothing_in_force() {
    let (api, id) = with_requests(1_000).await;
    let path = format!("/client/v4/zones/{ZONE}/api_gateway/operations/{id}/cloudflare_learned_schema");
    api.call_as(READER, "PUT", &path, None).await.check_failure(403, &[10000]);
    api.call_as(ZONE_WRITER, "PUT", &path, None).await.result();
}

#[tokio::test]
async fn the_schema_goes_with_its_operation() {
    let (api, id) = with_requests(1_000).await;
    apply(&api, &id, "").await.result();
    api.call("DELETE", &format!("/operations/{id}"), None).await.result();
    assert_eq!(schemas(&api).await, Vec::<Value>::new());
}
