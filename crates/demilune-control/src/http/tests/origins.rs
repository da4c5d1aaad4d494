//! The origins of a zone.

use serde_json::{Value, json};

use crate::http::testing::{Api, OPERATOR, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER};

const NOWHERE: &str = "ffffffffffffffffffffffffffffffff";

fn path(zone: &str) -> String {
    format!("/demilune/v1/zones/{zone}/origins")
}

async fn set(api: &Api, zone: &str, body: Value) -> crate::http::testing::Answer {
    api.call_as(OPERATOR, "PUT", &path(zone), Some(body)).await
}

async fn delete(api: &Api, zone: &str, host: &str) -> crate::http::testing::Answer {
    api.call_as(OPERATOR, "DELETE", &format!("{}/{host}", path(zone)), None).await
}

async fn hosts(api: &Api, zone: &str) -> Vec<String> {
    let answer = api.call_as(OPERATOR, "GET", &path(zone), None).await;
    let origins = answer.result().as_array().unwrap();
    origins.iter().map(|origin| origin["host"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_origin_is_set_replaced_listed_and_removed() {
    let api = Api::start().await;
    assert_eq!(hosts(&api, ZONE).await, [""; 0]);
    let first = set(&api, ZONE, json!({"host": "{tenant}.Example.com", "url": "HTTP://10.0.0.7:80/"})).await;
    let last_updated = first.result()["last_updated"].as_str().unwrap();
    let expected = json!({"host": "{hostVar1}.example.com", "url": "http://10.0.0.7", "host_header": null,
        "last_updated": last_updated});
    assert_eq!(first.result(), &expected);
    set(&api, ZONE, json!({"host": "a.example.net", "url": "https://h", "host_header": null})).await.result();
    let body = json!({"host": "{x}.example.com", "url": "https://api.internal:8443", "host_header": "Api.internal:81"});
    let second = set(&api, ZONE, body).await;
    assert_eq!(second.result()["url"], "https://api.internal:8443");
    assert_eq!(second.result()["host_header"], "api.internal:81");
    assert!(second.result()["last_updated"].as_str().unwrap() > last_updated);
    let listed = api.call_as(OPERATOR, "GET", &path(ZONE), None).await;
    assert_eq!(listed.result()[1], *second.result());
    assert_eq!(hosts(&api, ZONE).await, ["a.example.net", "{hostVar1}.example.com"]);
    assert_eq!(delete(&api, ZONE, "%7BhostVar1%7D.example.com").await.result(), &json!({}));
    assert_eq!(delete(&api, ZONE, "A.Example.NET.").await.result(), &json!({}));
    assert_eq!(hosts(&api, ZONE).await, [""; 0]);
}

#[tokio::test]
async fn every_defect_of_an_origin_has_its_place() {
    let api = Api::start().await;
    let check = async |body: Value, pointers: &[&str]| {
        let answer = set(&api, ZONE, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.pointers(), pointers, "{body}");
    };
    check(json!([]), &[""]).await;
    check(json!({}), &["/host", "/url"]).await;
    check(json!({"host": 1, "url": null, "host_header": false}), &["/host", "/url", "/host_header"]).await;
    check(
        json!({"host": "a.example:80", "url": "http://h/base", "host_header": "a b"}),
        &["/host", "/url", "/host_header"],
    )
    .await;
    check(json!({"host": "a.example", "url": "h"}), &["/url"]).await;
    check(json!({"host": "a.example", "url": "http://h", "host~header/": "b"}), &["/host~0header~1"]).await;
    assert_eq!(hosts(&api, ZONE).await, [""; 0]);
}

#[tokio::test]
async fn a_host_belongs_to_one_zone() {
    let api = Api::start().await;
    set(&api, ZONE, json!({"host": "{x}.example.com", "url": "http://h"})).await.result();
    let answer = set(&api, OTHER_ZONE, json!({"host": "api.example.com", "url": "http://h"})).await;
    answer.check_failure(400, &[10432]);
    insta::assert_json_snapshot!(answer.body);
    set(&api, ZONE, json!({"host": "api.example.com", "url": "http://h"})).await.result();
    assert_eq!(hosts(&api, OTHER_ZONE).await, [""; 0]);
}

#[tokio::test]
async fn a_zone_has_a_thousand_origins_at_most() {
    let api = Api::start().await;
    let zone = ZONE.parse().unwrap();
    for number in 0..demilune_store::ORIGINS_PER_ZONE_MAX {
        let origin = demilune_policy::rule::Origin {
            host: format!("h{number}.example").parse().unwrap(),
            url: "http://h".parse().unwrap(),
            host_header: demilune_policy::rule::HostHeader::Client,
        };
        api.store.origin_set(&zone, origin, crate::clock::now()).await.unwrap();
    }
    let answer = set(&api, ZONE, json!({"host": "one-more.example", "url": "http://h"})).await;
    answer.check_failure(400, &[10431]);
    assert_eq!(answer.pointers(), ["/host"]);
    set(&api, ZONE, json!({"host": "h1.example", "url": "http://other"})).await.result();
}

#[tokio::test]
async fn an_origin_that_is_not_there_cannot_be_removed() {
    let api = Api::start().await;
    set(&api, ZONE, json!({"host": "a.example", "url": "http://h"})).await.result();
    for host in ["b.example", "a.example:80", "%ff", "%7Bx%7D.example"] {
        let answer = delete(&api, ZONE, host).await;
        assert_eq!(answer.status, 404, "{host}");
    }
    delete(&api, ZONE, "b.example").await.check_failure(404, &[10404]);
    delete(&api, OTHER_ZONE, "a.example").await.check_failure(404, &[10404]);
    assert_eq!(hosts(&api, ZONE).await, ["a.example"]);
}

#[tokio::test]
async fn operators_change_origins_and_everybody_with_a_grant_on_the_zone_reads_them() {
    let api = Api::start().await;
    let body = json!({"host": "a.example", "url": "http://h"});
    set(&api, ZONE, body.clone()).await.result();
    for token in [OPERATOR, WRITER, READER, ZONE_WRITER] {
        assert_eq!(api.call_as(token, "GET", &path(ZONE), None).await.result()[0]["host"], "a.example");
    }
    api.call_as(ZONE_WRITER, "GET", &path(OTHER_ZONE), None).await.check_failure(403, &[9109]);
    for token in [WRITER, READER, ZONE_WRITER] {
        let answer = api.call_as(token, "PUT", &path(ZONE), Some(body.clone())).await;
        answer.check_failure(403, &[10000]);
        assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains("Demilune Operator"));
        let one = format!("{}/a.example", path(ZONE));
        api.call_as(token, "DELETE", &one, None).await.check_failure(403, &[10000]);
    }
    api.call_as(ZONE_WRITER, "PUT", &path(OTHER_ZONE), Some(body)).await.check_failure(403, &[9109]);
}

#[tokio::test]
async fn an_unknown_zone_has_no_origins() {
    let api = Api::start().await;
    let body = json!({"host": "a.example", "url": "http://h"});
    api.call_as(OPERATOR, "GET", &path(NOWHERE), None).await.check_failure(404, &[7003, 7000]);
    set(&api, NOWHERE, body).await.check_failure(404, &[7003, 7000]);
    delete(&api, NOWHERE, "a.example").await.check_failure(404, &[7003, 7000]);
}

#[tokio::test]
async fn the_calls_of_our_own_have_one_prefix() {
    let api = Api::start().await;
    for prefix in ["", "/client/v4", "/demilune"] {
        let path = format!("{prefix}/zones/{ZONE}/origins");
        api.call_as(OPERATOR, "GET", &path, None).await.check_failure(404, &[7003, 7000]);
    }
    let inventory = format!("/demilune/v1/zones/{ZONE}/api_gateway/operations");
    api.call_as(WRITER, "GET", &inventory, None).await.check_failure(404, &[7003, 7000]);
    api.call_as(OPERATOR, "POST", &path(ZONE), None).await.check_failure(405, &[10405]);
}
