//! A zone's session identifiers.

use serde_json::{Value, json};

use crate::http::testing::{Api, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER};

fn path(zone: &str) -> String {
    format!("/client/v4/zones/{zone}/api_gateway/configuration")
}

fn configuration(characteristics: &[(&str, &str)]) -> Value {
    let one = |(kind, name): &(&str, &str)| json!({"type": kind, "name": name});
    json!({ "auth_id_characteristics": characteristics.iter().map(one).collect::<Vec<_>>() })
}

async fn get(api: &Api, query: &str) -> Value {
    api.call("GET", &format!("/configuration{query}"), None).await.result().clone()
}

#[tokio::test]
async fn a_zone_that_was_never_configured_has_an_empty_list() {
    let api = Api::start().await;
    assert_eq!(get(&api, "").await, configuration(&[]));
}

#[tokio::test]
async fn a_configuration_reads_back_in_its_order_and_spelling() {
    let api = Api::start().await;
    let wanted = configuration(&[("cookie", "SID"), ("header", "X-Api-Key")]);
    let put = api.call("PUT", "/configuration", Some(wanted.clone())).await;
    assert_eq!(put.result(), &wanted);
    assert_eq!(get(&api, "").await, wanted);
    assert_eq!(get(&api, "?normalize=false&properties=auth_id_characteristics").await, wanted);
    api.call("PUT", "/configuration", Some(configuration(&[]))).await.result();
    assert_eq!(get(&api, "").await, configuration(&[]));
}

#[tokio::test]
async fn a_normalized_configuration_has_header_names_in_lower_case() {
    let api = Api::start().await;
    let given = configuration(&[("header", "X-Api-Key"), ("cookie", "SID")]);
    let normalized = configuration(&[("header", "x-api-key"), ("cookie", "SID")]);
    api.call("PUT", "/configuration", Some(given.clone())).await.result();
    assert_eq!(get(&api, "?normalize=true").await, normalized);
    assert_eq!(get(&api, "").await, given);
    let put = api.call("PUT", "/configuration?normalize=true", Some(given)).await;
    assert_eq!(put.result(), &normalized);
    assert_eq!(get(&api, "").await, normalized);
}

#[tokio::test]
async fn a_claim_of_a_token_is_refused_at_its_type() {
    let api = Api::start().await;
    let body = configuration(&[("header", "a"), ("jwt", "id:$.sub")]);
    let answer = api.call("PUT", "/configuration", Some(body)).await;
    answer.check_failure(400, &[10400]);
    insta::assert_json_snapshot!(answer.body);
    assert_eq!(get(&api, "").await, configuration(&[]));
}

#[tokio::test]
async fn every_defect_of_a_configuration_has_its_place() {
    let api = Api::start().await;
    let characteristics = json!([{"type": "body", "name": "a"}, {"type": "cookie", "name": ""}, {}]);
    let answer = api.call("PUT", "/configuration", Some(json!({"auth_id_characteristics": characteristics}))).await;
    assert_eq!(answer.status, 400);
    let member = "/auth_id_characteristics";
    let expected = ["/0/type", "/1/name", "/2/type", "/2/name"].map(|place| format!("{member}{place}"));
    assert_eq!(answer.pointers(), expected);
    for body in [json!([]), json!({}), json!({"auth_id_characteristics": {}})] {
        let answer = api.call("PUT", "/configuration", Some(body)).await;
        answer.check_failure(400, &[10400]);
        assert_eq!(answer.pointers(), [member]);
    }
}

#[tokio::test]
async fn a_wrong_query_is_named() {
    let api = Api::start().await;
    let answer = api.call("GET", "/configuration?normalize=yes&properties=all", None).await;
    answer.check_failure(400, &[10400, 10400]);
    assert_eq!(answer.pointers(), ["/normalize", "/properties"]);
    let answer = api.call("PUT", "/configuration?normalize=1", Some(configuration(&[]))).await;
    answer.check_failure(400, &[10400]);
    assert_eq!(answer.pointers(), ["/normalize"]);
}

#[tokio::test]
async fn a_configuration_belongs_to_its_zone() {
    let api = Api::start().await;
    let wanted = configuration(&[("header", "a")]);
    api.call_as(ZONE_WRITER, "PUT", &path(ZONE), Some(wanted.clone())).await.result();
    assert_eq!(api.call_as(READER, "GET", &path(OTHER_ZONE), None).await.result(), &configuration(&[]));
    assert_eq!(api.call_as(READER, "GET", &path(ZONE), None).await.result(), &wanted);
    for (method, body) in [("GET", None), ("PUT", Some(wanted.clone()))] {
        api.call_as(ZONE_WRITER, method, &path(OTHER_ZONE), body).await.check_failure(403, &[9109]);
    }
    api.call_as(READER, "PUT", &path(ZONE), Some(configuration(&[]))).await.check_failure(403, &[10000]);
    let nowhere = path("ffffffffffffffffffffffffffffffff");
    api.call_as(WRITER, "GET", &nowhere, None).await.check_failure(404, &[7003, 7000]);
    api.call_as(WRITER, "PUT", &nowhere, Some(wanted)).await.check_failure(404, &[7003, 7000]);
}
