//! What holds for every call: routing, media types, sizes, ids of requests, and the service's own pages.

use axum::{body::Body, http::Request};
use serde_json::json;

use crate::http::testing::{Answer, Api, READER, WRITER, ZONE};

fn item() -> String {
    format!("/client/v4/zones/{ZONE}/api_gateway/operations/item")
}

async fn post(api: &Api, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method("POST").uri(item()).header("authorization", format!("Bearer {WRITER}"));
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    api.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn an_unknown_path_leads_nowhere() {
    let api = Api::start().await;
    let zone = format!("/client/v4/zones/{ZONE}");
    for path in [
        "/".to_owned(),
        "/client/v4".to_owned(),
        format!("{zone}/"),
        format!("{zone}/api_gateway/discovery/"),
        format!("{zone}/api_gateway/operations/"),
        format!("{zone}/api_gateway/operations/labels"),
        format!("{zone}/api_gateway/operations/f174e90a-fafe-4643-bbbc-4a0ed4fc8415/routes"),
    ] {
        let answer = api.call_as(WRITER, "GET", &path, None).await;
        answer.check_failure(404, &[7003, 7000]);
        assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains(&path), "{path}");
    }
}

#[tokio::test]
async fn the_prefix_may_be_left_out() {
    let api = Api::start().await;
    api.call_as(READER, "GET", &format!("/zones/{ZONE}/api_gateway/operations"), None).await.result();
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let api = Api::start().await;
    let answer = api.call_as(WRITER, "GET", &item(), None).await;
    answer.check_failure(405, &[10405]);
    assert_eq!(answer.headers["allow"], "POST");
    let operations = format!("/client/v4/zones/{ZONE}/api_gateway/operations");
    let answer = api.call_as(WRITER, "PUT", &operations, None).await;
    answer.check_failure(405, &[10405]);
    let allowed = answer.headers["allow"].to_str().unwrap();
    for method in ["GET", "POST", "DELETE"] {
        assert!(allowed.contains(method), "{allowed}");
    }
}

#[tokio::test]
async fn a_body_is_declared_as_json() {
    let api = Api::start().await;
    let body = json!({"method": "GET", "host": "a.example", "endpoint": "/"}).to_string();
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        post(&api, content_type, body.clone()).await.check_failure(415, &[10415]);
    }
    post(&api, Some("application/json; charset=utf-8"), body).await.result();
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let api = Api::start().await;
    let deep = "[".repeat(100_000);
    for body in ["", " ", "{", "nonsense", "{\"a\":1}x", "\u{feff}{}", deep.as_str()] {
        post(&api, Some("application/json"), body.to_owned()).await.check_failure(400, &[10400]);
    }
    post(&api, Some("application/json"), vec![b'"', 0xff, b'"']).await.check_failure(400, &[10400]);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let api = Api::start().await;
    let answer = post(&api, Some("application/json"), vec![b' '; 1024 * 1024 + 1]).await;
    answer.check_failure(413, &[10413]);
    let message = answer.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("1048576"), "{message}");
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let api = Api::start().await;
    let first = api.call_as(READER, "GET", "/client/v4/zones", None).await;
    let second = api.call_as(READER, "GET", "/nowhere", None).await;
    assert_eq!(first.headers["x-request-id"].len(), 36);
    assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
}

#[tokio::test]
async fn every_error_links_to_its_explanation() {
    let api = Api::start().await;
    let answer = api.call_as(WRITER, "GET", "/nowhere", None).await;
    let link = answer.body["errors"][0]["documentation_url"].as_str().unwrap();
    let (page, anchor) = link.strip_prefix("http://127.0.0.1:8787").unwrap().split_once('#').unwrap();
    let page = api.call_as(READER, "GET", page, None).await;
    assert!(page.body.as_str().unwrap().contains(&format!("id=\"{anchor}\"")), "{anchor}");
}

#[tokio::test]
async fn the_service_shows_its_state() {
    let api = Api::start().await;
    let get = async |path: &str| api.send(Request::builder().uri(path).body(Body::empty()).unwrap()).await;
    assert_eq!(get("/healthz").await.body, json!("ok\n"));
    assert_eq!(get("/readyz").await.body, json!("ready\n"));
    api.call_as(READER, "GET", "/client/v4/zones", None).await.result();
    let metrics = get("/metrics").await;
    let text = metrics.body.as_str().unwrap();
    for line in [
        "demilune_control_requests_total{method=\"GET\",route=\"/client/v4/zones\",status=\"200\"} 1",
        "demilune_store_read_seconds_bucket{le=\"",
        "demilune_store_batch_requests_count",
        "demilune_store_writes_waiting 0",
        "demilune_store_traffic_records 0",
        "demilune_store_traffic_bytes 0",
        "demilune_store_traffic_written_total 0",
        "demilune_store_traffic_refused_late_total 0",
        "demilune_store_traffic_pruned_total 0",
        "demilune_store_traffic_damaged_total 0",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let api = Api::start().await;
    api.call_as(WRITER, "GET", "/client/v4/zones", None).await.result();
    api.store.close().await;
    let body = json!({"method": "GET", "host": "a.example", "endpoint": "/"});
    for answer in [
        api.call_as(WRITER, "GET", "/client/v4/zones", None).await,
        api.call_as(WRITER, "POST", &item(), Some(body)).await,
        api.call_as(WRITER, "GET", "/readyz", None).await,
    ] {
        answer.check_failure(503, &[10503]);
        assert_eq!(answer.headers["retry-after"], "1");
    }
}

#[tokio::test]
async fn the_api_description_is_served() {
    let api = Api::start().await;
    let answer = api.call_as(READER, "GET", "/demilune/openapi.json", None).await;
    assert_eq!(answer.status, 200);
    let paths = answer.body["paths"].as_object().unwrap();
    assert!(paths.contains_key("/client/v4/zones/{zone_id}/api_gateway/operations/item"));
}
