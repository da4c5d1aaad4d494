//! Who may call what.

use axum::{body::Body, http::Request};
use serde_json::json;

use crate::http::testing::{Answer, Api, EMAIL, EXPIRED, KEY, OPERATOR, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER};

fn list_path(zone: &str) -> String {
    format!("/client/v4/zones/{zone}/api_gateway/operations")
}

async fn with_headers(api: &Api, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().uri(list_path(ZONE));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_token_and_a_key_are_both_good() {
    let api = Api::start().await;
    with_headers(&api, &[("authorization", &format!("Bearer {WRITER}"))]).await.result();
    with_headers(&api, &[("x-auth-email", EMAIL), ("x-auth-key", KEY)]).await.result();
    with_headers(&api, &[("x-auth-email", "USER@example.com"), ("x-auth-key", KEY)]).await.result();
}

#[tokio::test]
async fn malformed_headers_are_answered_as_clients_know_it() {
    let api = Api::start().await;
    let none = with_headers(&api, &[]).await;
    none.check_failure(400, &[6003]);
    let basic = with_headers(&api, &[("authorization", "Basic abc")]).await;
    basic.check_failure(400, &[6003]);
    insta::assert_json_snapshot!(basic.body);
    let stray = with_headers(&api, &[("x-auth-email", EMAIL)]).await;
    stray.check_failure(400, &[6003]);
    insta::assert_json_snapshot!(stray.body);
}

#[tokio::test]
async fn a_credential_that_is_not_good_is_forbidden() {
    let api = Api::start().await;
    for token in ["nobody-has-this-token", EXPIRED] {
        with_headers(&api, &[("authorization", &format!("Bearer {token}"))]).await.check_failure(403, &[10000]);
    }
    with_headers(&api, &[("x-auth-email", EMAIL), ("x-auth-key", "wrong")]).await.check_failure(403, &[10000]);
    with_headers(&api, &[("x-auth-email", "x@y"), ("x-auth-key", KEY)]).await.check_failure(403, &[10000]);
}

#[tokio::test]
async fn a_read_group_reads_and_does_not_write() {
    let api = Api::start().await;
    api.call_as(READER, "GET", &list_path(ZONE), None).await.result();
    let body = json!({"method": "GET", "host": "a.example", "endpoint": "/"});
    let path = format!("{}/item", list_path(ZONE));
    api.call_as(READER, "POST", &path, Some(body)).await.check_failure(403, &[10000]);
    api.call_as(READER, "DELETE", &list_path(ZONE), None).await.check_failure(403, &[10000]);
}

#[tokio::test]
async fn a_token_of_a_zone_is_none_elsewhere() {
    let api = Api::start().await;
    let body = json!({"method": "GET", "host": "a.example", "endpoint": "/"});
    let item = |zone| format!("{}/item", list_path(zone));
    api.call_as(ZONE_WRITER, "POST", &item(ZONE), Some(body.clone())).await.result();
    // Whether the other zone exists does not show.
    for zone in [OTHER_ZONE, "ffffffffffffffffffffffffffffffff"] {
        api.call_as(ZONE_WRITER, "POST", &item(zone), Some(body.clone())).await.check_failure(403, &[9109]);
    }
}

#[tokio::test]
async fn an_operator_has_no_right_in_the_inventory() {
    let api = Api::start().await;
    let zone = format!("/client/v4/zones/{ZONE}");
    api.call_as(OPERATOR, "GET", &zone, None).await.result();
    for (method, path) in [
        ("GET", "operations"),
        ("DELETE", "operations"),
        ("POST", "operations/item"),
        ("GET", "configuration"),
        ("PUT", "configuration"),
        ("POST", "expression-template/fallthrough"),
    ] {
        let path = format!("{zone}/api_gateway/{path}");
        api.call_as(OPERATOR, method, &path, Some(json!({}))).await.check_failure(403, &[10000]);
    }
}

#[tokio::test]
async fn credentials_are_checked_before_the_body() {
    let api = Api::start().await;
    let path = format!("{}/item", list_path(ZONE));
    api.call_as(READER, "POST", &path, Some(json!("nonsense"))).await.check_failure(403, &[10000]);
}

#[tokio::test]
async fn a_revoked_token_stops_at_once_where_it_is_revoked() {
    let api = Api::start().await;
    api.call_as(WRITER, "GET", &list_path(ZONE), None).await.result();
    assert!(api.store.token_delete(&format!("{:032x}", 0)).await.unwrap());
    api.cache.forget_all();
    api.call_as(WRITER, "GET", &list_path(ZONE), None).await.check_failure(403, &[10000]);
}

#[tokio::test]
async fn a_revoked_token_stops_within_a_second_elsewhere() {
    let api = Api::start().await;
    api.call_as(WRITER, "GET", &list_path(ZONE), None).await.result();
    assert!(api.store.token_delete(&format!("{:032x}", 0)).await.unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    api.call_as(WRITER, "GET", &list_path(ZONE), None).await.check_failure(403, &[10000]);
}

#[tokio::test]
async fn a_token_can_be_verified() {
    let api = Api::start().await;
    let path = "/client/v4/user/tokens/verify";
    let verified = api.call_as(READER, "GET", path, None).await;
    assert_eq!(verified.result(), &json!({"id": format!("{:032x}", 1), "status": "active"}));
    api.call_as("nobody-has-this-token", "GET", path, None).await.check_failure(401, &[1000]);
    let by_key = Request::builder().uri(path).header("x-auth-email", EMAIL).header("x-auth-key", KEY);
    api.send(by_key.body(Body::empty()).unwrap()).await.check_failure(401, &[1000]);
    let without = Request::builder().uri(path).body(Body::empty()).unwrap();
    api.send(without).await.check_failure(400, &[6003]);
}
