//! Operations that were discovered, as the API shows them.

use std::collections::BTreeMap;

use demilune_discovery::{Sighting, Sightings};
use demilune_inventory::{Method, Timestamp, ZoneId};
use demilune_store::SightingsRow;
use serde_json::{Value, json};

use crate::{
    DiscoveryJob, clock,
    clock::unix_seconds,
    http::testing::{Answer, Api, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER},
};

/// An id that nothing has.
const NOTHING: &str = "00000000-0000-8000-8000-000000000000";

async fn get(api: &Api, query: &str) -> Answer {
    api.call_as(READER, "GET", &format!("/client/v4/zones/{ZONE}/api_gateway/discovery{query}"), None).await
}

async fn patch(api: &Api, path: &str, body: Value) -> Answer {
    api.call("PATCH", &format!("/discovery/operations{path}"), Some(body)).await
}

/// Stores what a source saw a day ago: requests for each path, with its number in the place of `{}`.
async fn see(api: &Api, source: &str, requests: u64, seen: &[(Method, &str)]) {
    let yesterday = unix_seconds(clock::now()) - 86_400;
    let mut sightings = Sightings::default();
    for (method, path) in seen {
        for number in 0..requests {
            sightings.observe(&Sighting {
                method: *method,
                host: "a.example",
                path: &path.replace("{}", &(number + 1_000).to_string()),
                caller: u32::try_from(number % 30).unwrap().wrapping_mul(0x9E37_79B9),
                has_session: number.is_multiple_of(2),
                nonce: number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
                seconds: yesterday,
            });
        }
    }
    let row = SightingsRow {
        zone: ZONE.parse().unwrap(),
        source: source.parse().unwrap(),
        day: yesterday - yesterday % 86_400,
        sequence: sightings.requests(),
        sightings: sightings.encode(),
    };
    assert!(api.store.sightings_write(row, clock::now()).await.unwrap());
}

async fn compute(api: &Api) {
    let zone: ZoneId = ZONE.parse().unwrap();
    DiscoveryJob::new(api.store.clone()).recompute(&zone, clock::now()).await.unwrap();
}

/// Two operations, one of 900 requests and one of 600.
async fn discovered() -> (Api, BTreeMap<String, String>) {
    let api = Api::start().await;
    see(&api, "one", 600, &[(Method::Get, "/users/{}"), (Method::Post, "/users")]).await;
    see(&api, "two", 300, &[(Method::Get, "/users/{}")]).await;
    compute(&api).await;
    let ids = get(&api, "/operations").await;
    let id = |found: &Value| (found["endpoint"].as_str().unwrap().to_owned(), found["id"].as_str().unwrap().to_owned());
    let ids = ids.result().as_array().unwrap().iter().map(id).collect();
    (api, ids)
}

fn endpoints(answer: &Answer) -> Vec<&str> {
    answer.result().as_array().unwrap().iter().map(|found| found["endpoint"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_item_holds_what_sources_saw_together() {
    let (api, ids) = discovered().await;
    let answer = get(&api, "/operations?method=GET").await;
    let found = &answer.result()[0];
    let computed = found["last_updated"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let period = found["features"]["traffic_stats"]["period_seconds"].as_u64().unwrap();
    assert!((864_000..950_400).contains(&period), "{found}");
    let expected = json!({
        "id": ids["/users/{var1}"],
        "method": "GET",
        "host": "a.example",
        "endpoint": "/users/{var1}",
        "last_updated": computed.to_string(),
        "origin": ["ML"],
        "state": "review",
        "features": {"traffic_stats": {
            "last_updated": computed.to_string(), "period_seconds": period, "requests": 900,
        }},
    });
    assert_eq!(*found, expected);
    assert_eq!(
        answer.body["result_info"],
        json!({"page": 1, "per_page": 20, "count": 1, "total_count": 1, "total_pages": 1})
    );
}

#[tokio::test]
async fn filters_and_orders_combine() {
    let (api, _) = discovered().await;
    let check = async |query: &str, expected: &[&str]| {
        assert_eq!(endpoints(&get(&api, &format!("/operations{query}")).await), expected, "{query}");
    };
    let (one, all) = ("/users/{var1}", "/users");
    check("", &[all, one]).await;
    check("?direction=desc", &[one, all]).await;
    check("?order=traffic_stats.requests", &[all, one]).await;
    check("?order=traffic_stats.requests&direction=desc", &[one, all]).await;
    check("?order=method", &[one, all]).await;
    check("?order=traffic_stats.last_updated", &[all, one]).await;
    check("?host=A.example&method=post&method=PUT", &[all]).await;
    check("?endpoint=%7Bvar", &[one]).await;
    check("?host=b.example", &[]).await;
    check("?origin=SessionIdentifier", &[]).await;
    check("?origin=ml&state=review&diff=true", &[all, one]).await;
    check("?per_page=5&page=2", &[]).await;
    let refused =
        get(&api, "/operations?order=requests&direction=up&diff=1&origin=AI&state=new&host=a%20b&method=FETCH").await;
    refused.check_failure(400, &[10400; 7]);
    let mut pointers = refused.pointers();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/diff", "/direction", "/host", "/method", "/order", "/origin", "/state"]);
}

#[tokio::test]
async fn a_saved_operation_that_matches_makes_it_saved() {
    let (api, _) = discovered().await;
    api.add("GET", "{tenant}.example", "/{collection}/{id}").await;
    let saved = get(&api, "/operations?state=saved").await;
    assert_eq!(endpoints(&saved), ["/users/{var1}"]);
    assert_eq!(endpoints(&get(&api, "/operations?diff=true").await), ["/users"]);
    assert_eq!(endpoints(&get(&api, "/operations?diff=false").await).len(), 2);
}

#[tokio::test]
async fn what_is_ignored_stays_ignored_when_it_is_found_again() {
    let (api, ids) = discovered().await;
    let id = &ids["/users"];
    let answer = patch(&api, "", json!({id: {"state": "ignored"}, &ids["/users/{var1}"]: {}})).await;
    assert_eq!(*answer.result(), json!({id: {"state": "ignored"}, &ids["/users/{var1}"]: {"state": "review"}}));
    compute(&api).await;
    assert_eq!(endpoints(&get(&api, "/operations?state=ignored").await), ["/users"]);
    let answer = patch(&api, &format!("/{id}"), json!({"state": "Review"})).await;
    assert_eq!(*answer.result(), json!({"state": "review"}));
    assert_eq!(endpoints(&get(&api, "/operations?state=review").await).len(), 2);
    let answer = patch(&api, &format!("/{id}"), json!({})).await;
    assert_eq!(*answer.result(), json!({"state": "review"}), "nothing was asked for");
}

#[tokio::test]
async fn a_change_of_what_is_not_there_changes_nothing() {
    let (api, ids) = discovered().await;
    let id = &ids["/users"];
    let answer = patch(&api, "", json!({id: {"state": "ignored"}, NOTHING: {"state": "ignored"}})).await;
    answer.check_failure(404, &[10404]);
    assert_eq!(answer.pointers(), [format!("/{NOTHING}")]);
    patch(&api, &format!("/{NOTHING}"), json!({"state": "ignored"})).await.check_failure(404, &[10404]);
    patch(&api, "/not-an-id", json!({"state": "ignored"})).await.check_failure(404, &[10404]);
    for (body, pointers) in [
        (json!([]), vec![String::new()]),
        (json!({id: "ignored"}), vec![format!("/{id}")]),
        (json!({id: {"state": "saved"}}), vec![format!("/{id}/state")]),
        (
            json!({id: {"state": null}, "a/b": {"state": 7}}),
            vec![format!("/{id}/state"), "/a~1b".to_owned(), "/a~1b/state".to_owned()],
        ),
    ] {
        let answer = patch(&api, "", body.clone()).await;
        let mut found: Vec<String> = answer.pointers().into_iter().map(str::to_owned).collect();
        found.sort_unstable();
        let mut expected = pointers;
        expected.sort_unstable();
        assert_eq!((answer.status.as_u16(), found), (400, expected), "{body}");
    }
    assert_eq!(endpoints(&get(&api, "/operations?state=ignored").await).len(), 0);
}

#[tokio::test]
async fn writing_takes_a_token_that_may_write() {
    let (api, ids) = discovered().await;
    let path = format!("/client/v4/zones/{ZONE}/api_gateway/discovery/operations");
    let body = json!({&ids["/users"]: {"state": "ignored"}});
    api.call_as(READER, "PATCH", &path, Some(body.clone())).await.check_failure(403, &[10000]);
    assert_eq!(api.call_as(ZONE_WRITER, "PATCH", &path, Some(body)).await.status.as_u16(), 200);
    let elsewhere = format!("/client/v4/zones/{OTHER_ZONE}/api_gateway/discovery/operations");
    assert_eq!(*api.call_as(READER, "GET", &elsewhere, None).await.result(), json!([]));
    api.call_as(ZONE_WRITER, "GET", &elsewhere, None).await.check_failure(403, &[9109]);
}

#[tokio::test]
async fn documents_describe_each_host() {
    let (api, _) = discovered().await;
    let answer = get(&api, "").await;
    let schemas = answer.result()["schemas"].as_array().unwrap();
    assert_eq!(schemas.len(), 1);
    let paths: Vec<_> = schemas[0]["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((&schemas[0]["info"]["title"], paths), (&json!("a.example"), vec!["/users", "/users/{var1}"]));
    assert!(answer.result()["timestamp"].as_str().unwrap().parse::<Timestamp>().is_ok());
    let none = api.call_as(READER, "GET", &format!("/client/v4/zones/{OTHER_ZONE}/api_gateway/discovery"), None).await;
    assert_eq!(none.result()["schemas"], json!([]));
}

#[tokio::test]
async fn an_explanation_says_why_each_segment_is_what_it_is() {
    let (api, ids) = discovered().await;
    let explain = async |id: &str| {
        let path = format!("/demilune/v1/zones/{ZONE}/discovery/operations/{id}/explain");
        api.call_as(READER, "GET", &path, None).await
    };
    let answer = explain(&ids["/users/{var1}"]).await;
    let explanation = &answer.result()["explanation"];
    assert_eq!((&explanation["requests"], &explanation["requests_with_session"]), (&json!(900), &json!(450)));
    assert_eq!(explanation["is_estimate"], false);
    assert_eq!(explanation["example"], "/users/<integer>");
    let variable = &explanation["segments"][1];
    assert_eq!(variable["shapes"], json!([{"shape": "integer", "requests": 900}]));
    assert_eq!(variable["reason"], "What was seen here looks like ids.");
    explain(NOTHING).await.check_failure(404, &[10404]);
    let unknown = format!("/demilune/v1/zones/{}/discovery/operations/{NOTHING}/explain", "f".repeat(32));
    assert_eq!(api.call_as(WRITER, "GET", &unknown, None).await.status.as_u16(), 404);
}

#[tokio::test]
async fn damaged_sightings_are_left_out() {
    let (api, _) = discovered().await;
    let row = SightingsRow {
        zone: ZONE.parse().unwrap(),
        source: "damaged".parse().unwrap(),
        day: 86_400 * (unix_seconds(clock::now()) / 86_400),
        sequence: 7,
        sightings: b"nonsense".to_vec(),
    };
    api.store.sightings_write(row, clock::now()).await.unwrap();
    compute(&api).await;
    assert_eq!(get(&api, "/operations").await.result().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_job_looks_once_an_hour() {
    let api = Api::start().await;
    see(&api, "one", 600, &[(Method::Get, "/users/{}")]).await;
    let (job, now) = (DiscoveryJob::new(api.store.clone()), clock::now());
    job.compute_due(now).await.unwrap();
    assert_eq!(endpoints(&get(&api, "/operations").await), ["/users/{var1}"]);
    see(&api, "two", 600, &[(Method::Get, "/teams/{}")]).await;
    job.compute_due(now).await.unwrap();
    assert_eq!(endpoints(&get(&api, "/operations").await).len(), 1);
    let later = Timestamp::from_micros(now.as_micros() + 3_600_000_000).unwrap();
    job.compute_due(later).await.unwrap();
    assert_eq!(endpoints(&get(&api, "/operations").await).len(), 2);
}
