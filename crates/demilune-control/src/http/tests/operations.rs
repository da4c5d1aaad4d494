//! The operations of a zone.

use serde_json::{Value, json};

use crate::http::testing::{Api, OTHER_ZONE, READER, WRITER, ZONE};

fn users() -> Value {
    json!({"method": "GET", "host": "www.example.com", "endpoint": "/api/v1/users/{id}"})
}

async fn endpoints(api: &Api, query: &str) -> Vec<String> {
    let answer = api.call("GET", &format!("/operations?{query}"), None).await;
    let operations = answer.result().as_array().unwrap();
    operations
        .iter()
        .map(|operation| {
            let text = |name: &str| operation[name].as_str().unwrap();
            format!("{} {}{}", text("method"), text("host"), text("endpoint"))
        })
        .collect()
}

#[tokio::test]
async fn a_new_operation_is_answered_in_canonical_form() {
    let api = Api::start().await;
    let answer = api.call("POST", "/operations/item", Some(users())).await;
    answer.result();
    insta::assert_json_snapshot!(answer.body, {".result.operation_id" => "[id]", ".result.last_updated" => "[time]"});
    assert_eq!(answer.body["result"]["operation_id"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn adding_again_keeps_the_id_and_moves_the_time() {
    let api = Api::start().await;
    let first = api.call("POST", "/operations/item", Some(users())).await;
    for endpoint in ["/api/v1/users/{id}", "/api/v1/users/{other}", "/api//v1/./users/{x}", "/api/v1/users/{var1}"] {
        let body = json!({"method": "get", "host": "WWW.Example.com.", "endpoint": endpoint});
        let again = api.call("POST", "/operations/item", Some(body)).await;
        assert_eq!(again.result()["operation_id"], first.result()["operation_id"], "{endpoint}");
        assert!(again.result()["last_updated"].as_str() > first.result()["last_updated"].as_str());
    }
}

#[tokio::test]
async fn encoded_braces_make_another_operation() {
    let api = Api::start().await;
    let body = json!({"method": "GET", "host": "www.example.com", "endpoint": "/api//v1/./users/%7Bx%7D"});
    let answer = api.call("POST", "/operations/item", Some(body)).await;
    assert_eq!(answer.result()["endpoint"], "/api/v1/users/%7Bx%7D");
}

#[tokio::test]
async fn a_get_prints_what_the_post_printed() {
    let api = Api::start().await;
    let posted = api.call("POST", "/operations/item", Some(users())).await;
    let id = posted.result()["operation_id"].as_str().unwrap();
    for _ in 0..2 {
        let got = api.call("GET", &format!("/operations/{id}"), None).await;
        assert_eq!(got.result(), posted.result());
    }
    let upper = api.call("GET", &format!("/operations/{}", id.to_uppercase()), None).await;
    assert_eq!(upper.result(), posted.result());
}

#[tokio::test]
async fn all_nine_methods_are_operations_of_their_own() {
    let api = Api::start().await;
    let mut ids = Vec::new();
    for method in ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "CONNECT", "PATCH", "TRACE"] {
        let body = json!({"method": method, "host": "foo.com", "endpoint": format!("/api/{method}/test")});
        let answer = api.call("POST", "/operations/item", Some(body)).await;
        assert_eq!(answer.result()["method"], method);
        assert_eq!(answer.result()["endpoint"], format!("/api/{method}/test"));
        ids.push(answer.result()["operation_id"].as_str().unwrap().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 9);
}

#[tokio::test]
async fn each_defect_has_an_entry_with_its_place() {
    let api = Api::start().await;
    let body = json!({"method": "FETCH", "host": "https://example.com/", "endpoint": "users/{id}"});
    let answer = api.call("POST", "/operations/item", Some(body)).await;
    answer.check_failure(400, &[10400, 10400, 10400]);
    insta::assert_json_snapshot!(answer.body);
}

#[tokio::test]
async fn the_shape_of_the_body_is_checked() {
    let api = Api::start().await;
    let check = async |body: Value, pointers: &[&str]| {
        let answer = api.call("POST", "/operations/item", Some(body.clone())).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.pointers(), pointers, "{body}");
    };
    check(json!([]), &[""]).await;
    check(json!("x"), &[""]).await;
    check(json!({}), &["/endpoint", "/host", "/method"]).await;
    check(json!({"endpoint": 1, "host": "a.example", "method": "GET"}), &["/endpoint"]).await;
    check(json!({"endpoint": "/a%zz", "host": "a.example", "method": "GET"}), &["/endpoint"]).await;
    check(json!({"endpoint": "/", "host": "a.example:80", "method": "GET"}), &["/host"]).await;
    check(json!({"endpoint": "/", "host": "a".repeat(256), "method": "GET"}), &["/host"]).await;
    check(json!({"endpoint": format!("/{}", "a".repeat(4096)), "host": "a.b", "method": "GET"}), &["/endpoint"]).await;
}

#[tokio::test]
async fn features_that_were_asked_for_are_empty_until_there_are_data() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/").await;
    let all = "feature=thresholds&feature=parameter_schemas&feature=schema_info&feature=API_ROUTING\
               &feature=confidence_intervals&feature=thresholds";
    let expected = json!({"thresholds": {}, "parameter_schemas": {}, "schema_info": {"learned_available": false, "mitigation_action": "none"}, "api_routing": {},
        "confidence_intervals": {}});
    let got = api.call("GET", &format!("/operations/{id}?{all}"), None).await;
    assert_eq!(got.result()["features"], expected);
    let listed = api.call("GET", &format!("/operations?{all}"), None).await;
    assert_eq!(listed.result()[0]["features"], expected);
    let plain = api.call("GET", &format!("/operations/{id}"), None).await;
    assert!(plain.result().get("features").is_none());
    let wrong = api.call("GET", &format!("/operations/{id}?feature=everything"), None).await;
    wrong.check_failure(400, &[10400]);
    assert_eq!(wrong.pointers(), ["/feature"]);
}

#[tokio::test]
async fn schemas_are_shown_when_asked_for() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/").await;
    let got = api.call("GET", &format!("/operations/{id}?with_schemas=true"), None).await;
    assert_eq!(got.result()["schemas"], json!({"learned": null, "uploaded": null}));
    let plain = api.call("GET", &format!("/operations/{id}?with_schemas=false"), None).await;
    assert!(plain.result().get("schemas").is_none());
    api.call("GET", &format!("/operations/{id}?with_schemas=1"), None).await.check_failure(400, &[10400]);
}

#[tokio::test]
async fn a_list_is_paged_and_ends_with_an_empty_page() {
    let api = Api::start().await;
    for number in 0..12 {
        api.add("GET", "a.example", &format!("/{number:02}")).await;
    }
    let page = |answer: &crate::http::testing::Answer| answer.body["result_info"].clone();
    let first = api.call("GET", "/operations?per_page=5", None).await;
    assert_eq!(page(&first), json!({"page": 1, "per_page": 5, "count": 5, "total_count": 12, "total_pages": 3}));
    let third = api.call("GET", "/operations?per_page=5&page=3", None).await;
    assert_eq!(third.result().as_array().unwrap().len(), 2);
    let past = api.call("GET", "/operations?per_page=5&page=4", None).await;
    assert_eq!(past.result(), &json!([]));
    assert_eq!(page(&past)["total_count"], 12);
    let far = api.call("GET", "/operations?page=99999999999999999999", None).await;
    assert_eq!(far.result(), &json!([]));
    let clamped = api.call("GET", "/operations?per_page=5000&page=0", None).await;
    assert_eq!(page(&clamped), json!({"page": 1, "per_page": 50, "count": 12, "total_count": 12, "total_pages": 1}));
}

#[tokio::test]
async fn a_list_is_filtered_and_sorted() {
    let api = Api::start().await;
    for (method, host, endpoint) in
        [("POST", "b.example", "/Users"), ("GET", "b.example", "/users"), ("GET", "a.example", "/z/{id}")]
    {
        api.add(method, host, endpoint).await;
    }
    let check = async |query: &str, expected: &[&str]| assert_eq!(endpoints(&api, query).await, expected, "{query}");
    let (z, upper, lower) = ("GET a.example/z/{var1}", "POST b.example/Users", "GET b.example/users");
    check("", &[z, upper, lower]).await;
    check("direction=desc", &[lower, upper, z]).await;
    check("order=endpoint", &[upper, lower, z]).await;
    check("order=method", &[z, lower, upper]).await;
    check("order=METHOD&direction=DESC", &[upper, lower, z]).await;
    check("order=thresholds.p99&feature=thresholds", &[z, upper, lower]).await;
    check("host=A.example", &[z]).await;
    check("host=a.example&host=b.example&method=get", &[z, lower]).await;
    check("endpoint=ser", &[upper, lower]).await;
    check("endpoint=%2Fusers", &[lower]).await;
    check("endpoint=%7Bvar1%7D", &[z]).await;
    check("endpoint=%25", &[]).await;
    check("endpoint=", &[z, upper, lower]).await;
    check("host=c.example", &[]).await;
}

#[tokio::test]
async fn a_list_names_every_defect_of_its_query() {
    let api = Api::start().await;
    let query = "page=x&order=size&direction=up&method=FETCH&host=a%20b&feature=all";
    let answer = api.call("GET", &format!("/operations?{query}"), None).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.pointers(), ["/feature", "/order", "/direction", "/host", "/method", "/page"]);
    let alone = api.call("GET", "/operations?order=thresholds.p99", None).await;
    assert_eq!(alone.pointers(), ["/order"]);
    let unknown = api.call("GET", "/operations?order=thresholds.p42&feature=thresholds", None).await;
    assert_eq!(unknown.pointers(), ["/order"]);
}

#[tokio::test]
async fn several_operations_are_added_in_order() {
    let api = Api::start().await;
    let body = json!([
        {"method": "GET", "host": "b.example", "endpoint": "/{x}"},
        {"method": "GET", "host": "a.example", "endpoint": "/"},
        {"method": "get", "host": "b.example", "endpoint": "/{y}"},
    ]);
    let answer = api.call("POST", "/operations", Some(body)).await;
    let added = answer.result().as_array().unwrap();
    assert_eq!(added.len(), 3);
    assert_eq!(added[0]["endpoint"], "/{var1}");
    assert_eq!(added[1]["host"], "a.example");
    assert_eq!(added[0], added[2]);
    assert!(added[0].get("features").is_none());
}

#[tokio::test]
async fn one_defect_keeps_all_of_a_call_out() {
    let api = Api::start().await;
    let body = json!([users(), {"method": "GET", "host": "", "endpoint": "/"}, 5]);
    let answer = api.call("POST", "/operations", Some(body)).await;
    answer.check_failure(400, &[10400, 10400]);
    assert_eq!(answer.pointers(), ["/1/host", "/2"]);
    assert!(endpoints(&api, "").await.is_empty());
}

#[tokio::test]
async fn a_call_adds_one_to_twenty_operations() {
    let api = Api::start().await;
    let many = |count: usize| {
        let one = |number: usize| json!({"method": "GET", "host": "a.example", "endpoint": format!("/{number}")});
        Value::Array((0..count).map(one).collect())
    };
    for count in [0, 21] {
        api.call("POST", "/operations", Some(many(count))).await.check_failure(400, &[10400]);
    }
    api.call("POST", "/operations", Some(users())).await.check_failure(400, &[10400]);
    assert_eq!(api.call("POST", "/operations", Some(many(20))).await.result().as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_full_zone_refuses_new_operations_alone() {
    let api = Api::start().await;
    for number in 0..60 {
        api.add("GET", "a.example", &format!("/{number}")).await;
    }
    api.call("POST", "/operations/item", Some(users())).await.check_failure(400, &[10430]);
    let bulk = json!([{"method": "GET", "host": "a.example", "endpoint": "/0"}, users()]);
    api.call("POST", "/operations", Some(bulk)).await.check_failure(400, &[10430]);
    let id = api.add("GET", "a.example", "/0").await;
    api.call("DELETE", &format!("/operations/{id}"), None).await.result();
    api.add("GET", "a.example", "/new").await;
}

#[tokio::test]
async fn a_deleted_operation_is_gone_and_comes_back_with_another_id() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/").await;
    let path = format!("/operations/{id}");
    let deleted = api.call("DELETE", &path, None).await;
    assert_eq!(deleted.result(), &json!({}));
    api.call("GET", &path, None).await.check_failure(404, &[10404]);
    api.call("DELETE", &path, None).await.check_failure(404, &[10404]);
    assert_ne!(api.add("GET", "a.example", "/").await, id);
}

#[tokio::test]
async fn several_operations_are_deleted_and_unknown_ids_are_named() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/").await;
    api.add("GET", "a.example", "/kept").await;
    let unknown = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415";
    let body = json!([{"operation_id": id}, {"operation_id": unknown}, {"operation_id": id}]);
    let answer = api.call("DELETE", "/operations", Some(body)).await;
    assert_eq!(answer.result(), &json!({}));
    let messages = answer.body["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    assert!(messages[0]["message"].as_str().unwrap().contains(unknown));
    assert_eq!(endpoints(&api, "").await, ["GET a.example/kept"]);
}

#[tokio::test]
async fn a_bulk_delete_without_ids_deletes_nothing() {
    let api = Api::start().await;
    api.add("GET", "a.example", "/").await;
    for body in [None, Some(json!([])), Some(json!({})), Some(json!(["x"])), Some(json!([{"operation_id": "x"}]))] {
        api.call("DELETE", "/operations", body).await.check_failure(400, &[10400]);
    }
    let request = axum::http::Request::builder()
        .method("DELETE")
        .uri(format!("/client/v4/zones/{ZONE}/api_gateway/operations"))
        .header("authorization", format!("Bearer {WRITER}"))
        .header("content-type", "application/json");
    api.send(request.body(axum::body::Body::empty()).unwrap()).await.check_failure(400, &[10400]);
    assert_eq!(endpoints(&api, "").await.len(), 1);
}

#[tokio::test]
async fn an_operation_of_another_zone_is_not_found() {
    let api = Api::start().await;
    let id = api.add("GET", "a.example", "/").await;
    let path = format!("/client/v4/zones/{OTHER_ZONE}/api_gateway/operations/{id}");
    for method in ["GET", "DELETE"] {
        api.call_as(WRITER, method, &path, None).await.check_failure(404, &[10404]);
    }
    let list = format!("/client/v4/zones/{OTHER_ZONE}/api_gateway/operations");
    assert_eq!(api.call_as(READER, "GET", &list, None).await.result(), &json!([]));
}

#[tokio::test]
async fn an_unknown_zone_leads_nowhere() {
    let api = Api::start().await;
    let id = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415";
    for zone in ["ffffffffffffffffffffffffffffffff", "not%20a%20zone", &"a".repeat(33)] {
        let path = format!("/client/v4/zones/{zone}/api_gateway/operations");
        api.call_as(WRITER, "GET", &path, None).await.check_failure(404, &[7003, 7000]);
        api.call_as(WRITER, "POST", &format!("{path}/item"), Some(users())).await.check_failure(404, &[7003, 7000]);
        api.call_as(WRITER, "GET", &format!("{path}/{id}"), None).await.check_failure(404, &[7003, 7000]);
        api.call_as(WRITER, "DELETE", &format!("{path}/{id}"), None).await.check_failure(404, &[7003, 7000]);
    }
}

#[tokio::test]
async fn a_malformed_id_is_not_found() {
    let api = Api::start().await;
    for id in ["x", "%2e%2e", "f174e90afafe4643bbbc4a0ed4fc8415", "%ff"] {
        let answer = api.call("GET", &format!("/operations/{id}"), None).await;
        assert_eq!(answer.status, 404, "{id}");
    }
}
