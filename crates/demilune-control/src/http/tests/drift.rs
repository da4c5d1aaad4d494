//! Documents that are compared with requests, as the API takes them.

use serde_json::{Value, json};

use crate::http::testing::{Answer, Api, OTHER_ZONE, READER, ZONE, ZONE_WRITER};

const DOCUMENT: &str = r#"{"openapi": "3.0.4", "info": {"title": "t", "version": "1"},
    "servers": [{"url": "https://a.example"}],
    "paths": {"/users/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true,
        "schema": {"type": "integer"}}], "responses": {}}}}}"#;

async fn compare(api: &Api, who: &str, zone: &str, body: Value) -> Answer {
    api.call_as(who, "POST", &format!("/demilune/v1/zones/{zone}/drift"), Some(body)).await
}

#[tokio::test]
async fn what_nobody_sends_is_unseen() {
    let api = Api::start().await;
    api.add("GET", "a.example", "/users/{id}").await;
    let answer = compare(&api, READER, ZONE, json!({ "source": DOCUMENT })).await;
    let report = answer.result();
    assert_eq!(report["counts"], json!({"tighter": 0, "undocumented": 0, "unseen": 1, "looser": 0}), "{report}");
    let found = &report["findings"][0];
    assert_eq!((&found["kind"], &found["endpoint"]), (&json!("unseen"), &json!("/users/{var1}")));
    assert_eq!(
        (&found["since"], &found["message"]),
        (&report["from"], &json!("No request was answered with success."))
    );
}

#[tokio::test]
async fn an_operation_that_another_one_stands_for_is_said_to_be() {
    let api = Api::start().await;
    api.add("GET", "a.example", "/{collection}/{id}").await;
    let answer = compare(&api, READER, ZONE, json!({ "source": DOCUMENT })).await;
    let message = answer.result()["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("count for GET a.example/{var1}/{var2}"), "{message}");
}

#[tokio::test]
async fn a_body_without_a_document_is_refused() {
    let api = Api::start().await;
    for (body, pointers) in [
        (json!({}), vec!["/source"]),
        (json!({"source": 7}), vec!["/source"]),
        (json!({"source": DOCUMENT, "name": "n"}), vec!["/name"]),
    ] {
        let answer = compare(&api, READER, ZONE, body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.pointers()), (400, pointers), "{body}");
    }
    let answer = compare(&api, READER, ZONE, json!({"source": "swagger: '2.0'"})).await;
    assert_eq!((answer.status.as_u16(), answer.pointers()), (400, vec!["/source"]));
}

#[tokio::test]
async fn reading_is_enough_in_a_zone_of_ones_own() {
    let api = Api::start().await;
    let body = json!({ "source": DOCUMENT });
    assert_eq!(compare(&api, READER, OTHER_ZONE, body.clone()).await.status.as_u16(), 200);
    compare(&api, ZONE_WRITER, OTHER_ZONE, body).await.check_failure(403, &[9109]);
}
