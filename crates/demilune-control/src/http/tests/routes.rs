//! The routes of operations.

use serde_json::{Value, json};

use crate::http::testing::{Api, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER};

const TARGET: &str = "https://api.example.net/v2/{var2}/{var1}";

async fn with_operation() -> (Api, String) {
    let api = Api::start().await;
    let id = api.add("GET", "www.example.com", "/users/{id}/posts/{post}").await;
    (api, format!("/operations/{id}/route"))
}

fn route(target: &str) -> Value {
    json!({ "route": target })
}

fn whole(zone: &str, path: &str) -> String {
    format!("/client/v4/zones/{zone}/api_gateway{path}")
}

#[tokio::test]
async fn a_route_is_set_read_replaced_and_removed() {
    let (api, path) = with_operation().await;
    assert_eq!(api.call("PUT", &path, Some(route(TARGET))).await.result(), &route(TARGET));
    assert_eq!(api.call("GET", &path, None).await.result(), &route(TARGET));
    let other = "HTTPS://Api.Example.org:443//{var1}/./{var2}";
    let canonical = route("https://api.example.org/{var1}/{var2}");
    assert_eq!(api.call("PUT", &path, Some(route(other))).await.result(), &canonical);
    assert_eq!(api.call("GET", &path, None).await.result(), &canonical);
    assert_eq!(api.call("DELETE", &path, None).await.result(), &json!({}));
    api.call("GET", &path, None).await.check_failure(404, &[10404]);
}

#[tokio::test]
async fn an_address_alone_is_spoken_to_with_the_operations_path() {
    let (api, path) = with_operation().await;
    let expected = route("https://93.184.216.34/users/{var1}/posts/{var2}");
    assert_eq!(api.call("PUT", &path, Some(route("93.184.216.34"))).await.result(), &expected);
}

#[tokio::test]
async fn an_operation_without_a_route_says_so() {
    let (api, path) = with_operation().await;
    let got = api.call("GET", &path, None).await;
    got.check_failure(404, &[10404]);
    insta::assert_json_snapshot!(got.body);
    let deleted = api.call("DELETE", &path, None).await;
    deleted.check_failure(404, &[10404]);
    assert_eq!(deleted.body, got.body);
}

#[tokio::test]
async fn every_variable_stands_in_the_target() {
    let (api, path) = with_operation().await;
    let check = async |target: &str, part: &str| {
        let answer = api.call("PUT", &path, Some(route(target))).await;
        answer.check_failure(400, &[10400]);
        assert_eq!(answer.pointers(), ["/route"], "{target}");
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(part), "{target}: {message}");
    };
    check("https://api.example.net/{var1}", "lacks the variable {var2}").await;
    check("https://api.example.net/{var1}/{var2}/{var3}", "{var1} to {var2}").await;
    check("https://{var1}.example.net/{var2}", "variable").await;
    check("https://api.example.net/{var1}/{var2}?x=1", "query").await;
    check("ftp://api.example.net/{var1}/{var2}", "http or https").await;
    check("api.example.net/{var1}/{var2}", "http://").await;
    check("", "scheme").await;
    check(&format!("https://h/{{var1}}/{{var2}}/{}", "a".repeat(8192)), "8192").await;
    api.call("GET", &path, None).await.check_failure(404, &[10404]);
}

#[tokio::test]
async fn the_body_is_an_object_with_a_route() {
    let (api, path) = with_operation().await;
    for body in [json!([]), json!({}), json!(TARGET), json!({"route": null}), json!({"route": {"url": TARGET}})] {
        let answer = api.call("PUT", &path, Some(body.clone())).await;
        answer.check_failure(400, &[10400]);
        assert_eq!(answer.pointers(), ["/route"], "{body}");
    }
}

#[tokio::test]
async fn a_route_does_not_lead_into_the_operators_network() {
    let (api, path) = with_operation().await;
    let private = "http://10.0.0.1/{var1}/{var2}";
    let answer = api.call("PUT", &path, Some(route(private))).await;
    answer.check_failure(400, &[10400]);
    insta::assert_json_snapshot!(answer.body);
    for target in ["127.0.0.1", "::1", "169.254.169.254", "http://api.localhost/{var1}/{var2}"] {
        let answer = api.call("PUT", &path, Some(route(target))).await;
        answer.check_failure(400, &[10400]);
        assert_eq!(answer.pointers(), ["/route"], "{target}");
    }
}

#[tokio::test]
async fn a_route_is_a_feature_of_its_operation() {
    let (api, path) = with_operation().await;
    let operation = path.strip_suffix("/route").unwrap();
    let features = async |query: &str| {
        let got = api.call("GET", &format!("{operation}{query}"), None).await.result().get("features").cloned();
        let listed = api.call("GET", &format!("/operations{query}"), None).await;
        assert_eq!(listed.result()[0].get("features").cloned(), got, "{query}");
        got
    };
    assert_eq!(features("?feature=api_routing").await, Some(json!({"api_routing": {}})));
    api.call("PUT", &path, Some(route(TARGET))).await.result();
    let shown = features("?feature=api_routing&feature=thresholds").await.unwrap();
    let last_updated = shown["api_routing"]["last_updated"].as_str().unwrap();
    assert_eq!(shown, json!({"api_routing": {"last_updated": last_updated, "route": TARGET}, "thresholds": {}}));
    assert_eq!(features("").await, None);
    assert_eq!(features("?feature=thresholds").await, Some(json!({"thresholds": {}})));
    api.call("PUT", &path, Some(route(TARGET))).await.result();
    let again = features("?feature=api_routing").await.unwrap();
    assert!(again["api_routing"]["last_updated"].as_str().unwrap() > last_updated);
    api.call("DELETE", &path, None).await.result();
    assert_eq!(features("?feature=api_routing").await, Some(json!({"api_routing": {}})));
}

#[tokio::test]
async fn adding_an_operation_again_shows_its_route_unless_other_features_are_asked_for() {
    let (api, path) = with_operation().await;
    let before = api.call("GET", path.strip_suffix("/route").unwrap(), None).await;
    api.call("PUT", &path, Some(route(TARGET))).await.result();
    let same = json!({"method": "GET", "host": "www.example.com", "endpoint": "/users/{a}/posts/{b}"});
    let add = async |query: &str| {
        let answer = api.call("POST", &format!("/operations/item{query}"), Some(same.clone())).await;
        assert_eq!(answer.result()["operation_id"], before.result()["operation_id"]);
        answer.result().get("features").cloned()
    };
    assert_eq!(add("").await.unwrap()["api_routing"]["route"], TARGET);
    assert_eq!(add("?feature=API_Routing").await.unwrap()["api_routing"]["route"], TARGET);
    let schema_info = json!({"learned_available": false, "mitigation_action": "none"});
    assert_eq!(add("?feature=schema_info").await, Some(json!({ "schema_info": schema_info })));
    let bulk = api.call("POST", "/operations", Some(json!([same]))).await;
    assert!(bulk.result()[0].get("features").is_none());
}

#[tokio::test]
async fn a_route_goes_with_its_operation() {
    let (api, path) = with_operation().await;
    api.call("PUT", &path, Some(route(TARGET))).await.result();
    let operation = path.strip_suffix("/route").unwrap();
    api.call("DELETE", operation, None).await.result();
    let id = api.add("GET", "www.example.com", "/users/{id}/posts/{post}").await;
    api.call("GET", &format!("/operations/{id}/route"), None).await.check_failure(404, &[10404]);
}

#[tokio::test]
async fn an_operation_that_is_not_there_has_no_route() {
    let (api, path) = with_operation().await;
    api.call("PUT", &path, Some(route(TARGET))).await.result();
    let missing = "/operations/f174e90a-fafe-4643-bbbc-4a0ed4fc8415/route";
    let nowhere = whole("ffffffffffffffffffffffffffffffff", &path);
    for (method, body) in [("GET", None), ("PUT", Some(route(TARGET))), ("DELETE", None)] {
        for path in [&whole(ZONE, missing), &whole(ZONE, "/operations/x/route"), &whole(OTHER_ZONE, &path)] {
            let answer = api.call_as(WRITER, method, path, body.clone()).await;
            answer.check_failure(404, &[10404]);
            let message = answer.body["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains("no operation with this id"), "{method} {path}: {message}");
        }
        api.call_as(WRITER, method, &nowhere, body).await.check_failure(404, &[7003, 7000]);
    }
    assert_eq!(api.call("GET", &path, None).await.result(), &route(TARGET));
}

#[tokio::test]
async fn a_route_is_read_by_readers_and_set_by_writers() {
    let (api, path) = with_operation().await;
    let (here, elsewhere) = (whole(ZONE, &path), whole(OTHER_ZONE, &path));
    api.call_as(ZONE_WRITER, "PUT", &here, Some(route(TARGET))).await.result();
    assert_eq!(api.call_as(READER, "GET", &here, None).await.result(), &route(TARGET));
    api.call_as(READER, "PUT", &here, Some(route(TARGET))).await.check_failure(403, &[10000]);
    api.call_as(READER, "DELETE", &here, None).await.check_failure(403, &[10000]);
    for method in ["GET", "DELETE"] {
        api.call_as(ZONE_WRITER, method, &elsewhere, None).await.check_failure(403, &[9109]);
    }
}
