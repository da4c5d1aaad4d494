//! Expressions for requests that no operation fits.

use serde_json::{Value, json};

use crate::http::testing::{Api, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER};

const PATH: &str = "/expression-template/fallthrough";

fn whole(zone: &str) -> String {
    format!("/client/v4/zones/{zone}/api_gateway{PATH}")
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn hosts(hosts: Value) -> Value {
    json!({ "hosts": hosts })
}

#[tokio::test]
async fn an_expression_names_its_hosts() {
    let api = Api::start().await;
    let answer =
        api.call("POST", PATH, Some(hosts(json!(["WWW.Example.com", "api.example.com", "www.example.com."])))).await;
    let expected = json!({
        "title": "Fallthrough Expression for [www.example.com, api.example.com]",
        "expression": r#"(cf.api_gateway.fallthrough_detected and http.host in {"www.example.com" "api.example.com"})"#,
    });
    assert_eq!(answer.result(), &expected);
}

#[tokio::test]
async fn a_variable_of_a_host_takes_one_label() {
    let api = Api::start().await;
    let answer = api.call("POST", PATH, Some(hosts(json!(["{zone}.domain1.tld", "a.example"])))).await;
    answer.result();
    insta::assert_json_snapshot!(answer.body);
}

#[tokio::test]
async fn every_host_that_is_none_is_named() {
    let api = Api::start().await;
    let answer = api.call("POST", PATH, Some(hosts(json!(["https://a.example", "a.example", 5, "*.example"])))).await;
    answer.check_failure(400, &[10400, 10400, 10400]);
    assert_eq!(answer.pointers(), ["/hosts/0", "/hosts/2", "/hosts/3"]);
}

#[tokio::test]
async fn an_expression_is_for_at_least_one_host() {
    let api = Api::start().await;
    let many: Vec<_> = (0..1001).map(|number| format!("h{number}.example")).collect();
    for body in [hosts(json!([])), hosts(json!("a.example")), hosts(json!(many)), json!({}), json!([])] {
        let answer = api.call("POST", PATH, Some(body)).await;
        answer.check_failure(400, &[10400]);
        assert_eq!(answer.pointers(), ["/hosts"]);
    }
    api.call("POST", PATH, Some(hosts(json!(many[..1000])))).await.result();
}

#[tokio::test]
async fn an_expression_needs_a_right_to_write_though_nothing_is_stored() {
    let api = Api::start().await;
    let body = Some(hosts(json!(["a.example"])));
    api.call_as(ZONE_WRITER, "POST", &whole(ZONE), body.clone()).await.result();
    api.call_as(READER, "POST", &whole(ZONE), body.clone()).await.check_failure(403, &[10000]);
    api.call_as(ZONE_WRITER, "POST", &whole(OTHER_ZONE), body.clone()).await.check_failure(403, &[9109]);
    let nowhere = whole("ffffffffffffffffffffffffffffffff");
    api.call_as(WRITER, "POST", &nowhere, body).await.check_failure(404, &[7003, 7000]);
    api.call_as(WRITER, "GET", &whole(ZONE), None).await.check_failure(405, &[10405]);
}
