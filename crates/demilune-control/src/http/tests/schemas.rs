//! Learned schemas, from what is stored to the answers of the API.

use demilune_inventory::OperationId;
use demilune_store::StoredSchema;
use demilune_traffic::Hour;
use serde_json::{Value, json};

use crate::{
    clock::{self, hour_text, hour_time},
    http::testing::{Answer, Api, OPERATOR, READER, WRITER, ZONE},
    jobs::hourly::last_complete_hour,
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

/// Stores a schema for an operation, as learned at the end of an hour.
async fn learn(api: &Api, id: &str, end: Hour, body: bool) {
    let schema = StoredSchema {
        last_updated: hour_time(end),
        window_end: end,
        fragment: json!({"parameters": [parameter("var1", "path"), parameter("page", "query")], "responses": null})
            .to_string(),
        request_body: body.then(|| request_body().to_string()),
        explanation: json!({"requests": 4_000}).to_string(),
        published: Vec::new(),
    };
    let id: OperationId = id.parse().unwrap();
    api.store.learned_schema_replace(&ZONE.parse().unwrap(), vec![(id, Some(schema))]).await.unwrap();
}

fn end() -> Hour {
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
async fn a_schema_that_cannot_be_read_is_a_failure_of_the_server() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/").await;
    let damaged = StoredSchema {
        last_updated: clock::now(),
        window_end: end(),
        fragment: "[".to_owned(),
        request_body: None,
        explanation: String::new(),
        published: Vec::new(),
    };
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
