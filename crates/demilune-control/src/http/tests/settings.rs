//! The settings of a zone.

use serde_json::{Value, json};

use crate::http::testing::{Answer, Api, EMAIL, KEY, OPERATOR, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER};

fn path(zone: &str) -> String {
    format!("/demilune/v1/zones/{zone}/settings")
}

fn settings(unmatched: &str, forward_path: &str, head_as_get: bool) -> Value {
    json!({
        "unmatched": unmatched, "forward_path": forward_path, "head_as_get": head_as_get,
        "validated_bytes_max": null, "schemas_max": 100, "schemas_bytes_max": 32 << 20,
    })
}

/// Settings with these members in place of the usual ones.
fn whole(members: &Value) -> Value {
    let mut all = settings("log", "raw", true);
    for (name, value) in members.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

async fn call(api: &Api, method: &str, body: Value) -> Answer {
    api.call_as(OPERATOR, method, &path(ZONE), Some(body)).await
}

async fn get(api: &Api, zone: &str) -> Value {
    api.call_as(OPERATOR, "GET", &path(zone), None).await.result().clone()
}

#[tokio::test]
async fn settings_start_as_they_are_documented() {
    let api = Api::start().await;
    assert_eq!(get(&api, ZONE).await, settings("pass", "normalized", true));
}

#[tokio::test]
async fn settings_are_replaced_whole() {
    let api = Api::start().await;
    let wanted = settings("block", "raw", false);
    assert_eq!(call(&api, "PUT", wanted.clone()).await.result(), &wanted);
    assert_eq!(get(&api, ZONE).await, wanted);
    assert_eq!(get(&api, OTHER_ZONE).await, settings("pass", "normalized", true));
    let part = call(&api, "PUT", json!({"unmatched": "log"})).await;
    part.check_failure(400, &[10400; 5]);
    let missing = ["/forward_path", "/head_as_get", "/validated_bytes_max", "/schemas_max", "/schemas_bytes_max"];
    assert_eq!(part.pointers(), missing);
    assert_eq!(get(&api, ZONE).await, wanted);
}

#[tokio::test]
async fn settings_are_changed_one_by_one() {
    let api = Api::start().await;
    let check = async |change: Value, expected: Value| {
        assert_eq!(call(&api, "PATCH", change).await.result(), &expected);
        assert_eq!(get(&api, ZONE).await, expected);
    };
    check(json!({"unmatched": "log"}), settings("log", "normalized", true)).await;
    check(json!({"forward_path": "raw"}), settings("log", "raw", true)).await;
    check(json!({"head_as_get": false}), settings("log", "raw", false)).await;
    check(json!({}), settings("log", "raw", false)).await;
    let mut limited = settings("log", "raw", false);
    limited["validated_bytes_max"] = json!(4096);
    check(json!({"validated_bytes_max": 4096}), limited.clone()).await;
    limited["schemas_max"] = json!(0);
    check(json!({"schemas_max": 0}), limited).await;
    check(json!({"validated_bytes_max": null, "schemas_max": 100}), settings("log", "raw", false)).await;
}

#[tokio::test]
async fn every_defect_of_settings_has_its_place() {
    let api = Api::start().await;
    let check = async |body: Value, pointers: &[&str]| {
        for method in ["PUT", "PATCH"] {
            let answer = call(&api, method, body.clone()).await;
            assert_eq!(answer.status, 400, "{method} {body}");
            assert_eq!(answer.pointers(), pointers, "{method} {body}");
        }
    };
    check(json!("block"), &[""]).await;
    check(
        whole(&json!({"unmatched": "drop", "forward_path": 1, "head_as_get": "true"})),
        &["/unmatched", "/forward_path", "/head_as_get"],
    )
    .await;
    check(
        whole(&json!({"unmatched": null, "forward_path": "RAW", "head_as_get": null})),
        &["/unmatched", "/forward_path", "/head_as_get"],
    )
    .await;
    check(
        whole(&json!({"validated_bytes_max": 0, "schemas_max": 1001, "schemas_bytes_max": 1.5})),
        &["/validated_bytes_max", "/schemas_max", "/schemas_bytes_max"],
    )
    .await;
    check(whole(&json!({"unmached": "block"})), &["/unmached"]).await;
    let answer = call(&api, "PATCH", json!({"unmatched": "drop"})).await;
    insta::assert_json_snapshot!(answer.body);
    assert_eq!(get(&api, ZONE).await, settings("pass", "normalized", true));
}

#[tokio::test]
async fn operators_change_settings_and_everybody_with_a_grant_on_the_zone_reads_them() {
    let api = Api::start().await;
    let body = settings("block", "raw", false);
    for token in [OPERATOR, WRITER, READER, ZONE_WRITER] {
        api.call_as(token, "GET", &path(ZONE), None).await.result();
    }
    for method in ["PUT", "PATCH"] {
        for token in [WRITER, READER, ZONE_WRITER] {
            api.call_as(token, method, &path(ZONE), Some(body.clone())).await.check_failure(403, &[10000]);
        }
        api.call_as(ZONE_WRITER, method, &path(OTHER_ZONE), Some(body.clone())).await.check_failure(403, &[9109]);
    }
    api.call_as(ZONE_WRITER, "GET", &path(OTHER_ZONE), None).await.check_failure(403, &[9109]);
    assert_eq!(get(&api, ZONE).await, settings("pass", "normalized", true));
}

#[tokio::test]
async fn a_global_key_operates() {
    let api = Api::start().await;
    let request = axum::http::Request::builder()
        .method("PATCH")
        .uri(path(ZONE))
        .header("x-auth-email", EMAIL)
        .header("x-auth-key", KEY)
        .header("content-type", "application/json");
    api.send(request.body(axum::body::Body::from(r#"{"unmatched":"log"}"#)).unwrap()).await.result();
}

#[tokio::test]
async fn an_unknown_zone_has_no_settings() {
    let api = Api::start().await;
    let nowhere = path("ffffffffffffffffffffffffffffffff");
    for (method, body) in [("GET", None), ("PUT", Some(settings("log", "raw", true))), ("PATCH", Some(json!({})))] {
        api.call_as(OPERATOR, method, &nowhere, body).await.check_failure(404, &[7003, 7000]);
    }
}
