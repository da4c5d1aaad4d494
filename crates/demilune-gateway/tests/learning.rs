//! What a gateway learns from requests, and what it does not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use demilune_gateway::LearnedHour;
use demilune_policy::rule::Unmatched;
use demilune_schema::learn::{Evidence, Learned, Profile};
use demilune_traffic::Hour;
use support::{Rules, TestGateway, TestOrigin, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn rules(origin: &TestOrigin) -> Rules {
    Rules::to(origin.address).operation("GET", "/users/{id}").operation("POST", "/users")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// All that was learned, by operation: evidence of adjacent hours is summed up.
fn learned(gateway: &TestGateway) -> Vec<Evidence> {
    let changed = gateway.gateway.learner().unwrap().changed(now(), 1_000, true);
    let mut sums: BTreeMap<_, Evidence> = BTreeMap::new();
    for LearnedHour { key, evidence, .. } in changed {
        let sum = sums.entry(key.operation.unwrap()).or_insert_with(|| Evidence::new(Arc::default()));
        sum.merge(&Evidence::decode(&evidence).unwrap());
    }
    sums.into_values().collect()
}

/// Requests and bodies that were learned from, of all operations.
fn counts(gateway: &TestGateway) -> (u64, u64) {
    let learned = learned(gateway);
    let sum = |count: fn(&Evidence) -> u64| learned.iter().map(count).sum();
    (sum(Evidence::requests), sum(Evidence::bodies))
}

fn post(fields: &str, body: &str) -> String {
    format!("POST /users HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n{fields}\r\n{body}")
}

fn json(body: &str) -> String {
    post(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()), body)
}

#[test]
fn parameters_and_bodies_are_learned() {
    let origin = TestOrigin::answering(OK);
    let gateway = TestGateway::start(rules(&origin));
    for number in 0..1_000 {
        // Without a key it would be one network that sends all of them.
        let key = format!("X-Key: key-{}\r\n", number % 7);
        gateway.ask(&format!("GET /users/{number}?limit={}", number % 10), if number % 2 == 0 { &key } else { "" });
    }
    gateway.raw(json(r#"{"name":"ada"}"#));
    let learned = learned(&gateway);
    let parameters = learned.iter().find(|evidence| evidence.requests() == 1_000).unwrap();
    let schema = Learned::of(parameters, &["var1"], Profile::Document).unwrap().fragment();
    assert_eq!(schema["parameters"][0]["schema"]["type"], "integer", "{schema}");
    assert_eq!(schema["parameters"][1]["name"], "limit", "{schema}");
    let bodies = learned.iter().find(|evidence| evidence.requests() == 1).unwrap();
    assert_eq!((bodies.bodies(), bodies.unreadable_bodies()), (1, 0));
}

#[test]
fn a_body_is_learned_from_however_it_is_framed() {
    let origin = TestOrigin::answering(OK);
    let gateway = TestGateway::start(rules(&origin));
    let chunked = "Content-Type: application/merge-patch+json\r\nTransfer-Encoding: chunked\r\n";
    gateway.raw(post(chunked, "5\r\n{\"a\":\r\n3\r\n12}\r\n0\r\n\r\n"));
    gateway.raw(json(&format!("[{}1]", "1,".repeat(32_000))));
    assert_eq!(counts(&gateway), (2, 2));
}

#[test]
fn what_did_not_succeed_teaches_nothing() {
    let origin = TestOrigin::answering("HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 0\r\n\r\n");
    let gateway = TestGateway::start(rules(&origin).settings(|settings| settings.unmatched = Unmatched::Block));
    assert_eq!(status(&gateway.raw(json("{}"))), 422);
    assert_eq!(status(&gateway.ask("GET /users/7?x=1", "")), 422);
    assert_eq!(status(&gateway.ask("GET /elsewhere", "")), 403);
    assert_eq!(counts(&gateway), (0, 0));
}

#[test]
fn other_bodies_are_passed_on_and_not_looked_at() {
    let origin = TestOrigin::answering(OK);
    let gateway = TestGateway::start(rules(&origin));
    let length = |body: &str| format!("Content-Length: {}\r\n", body.len());
    let large = format!("[{}1]", "1,".repeat(33_000));
    let chunked = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    for request in [
        post(&format!("Content-Type: text/plain\r\n{}", length("{}")), "{}"),
        post(&format!("Content-Type: application/json\r\nContent-Encoding: gzip\r\n{}", length("{}")), "{}"),
        post(&length("{}"), "{}"),
        json(&large),
        post("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", &chunked),
    ] {
        assert_eq!(status(&gateway.raw(request)), 200);
    }
    assert_eq!(counts(&gateway), (5, 0));
    gateway.raw(json("no JSON"));
    assert_eq!(learned(&gateway)[0].unreadable_bodies(), 1);
}

#[test]
fn evidence_is_given_once_a_minute_and_until_it_is_stored() {
    let origin = TestOrigin::answering(OK);
    let gateway = TestGateway::start(rules(&origin));
    let learner = gateway.gateway.learner().unwrap();
    gateway.ask("GET /users/7", "");
    let given = learner.changed(now(), 10, true);
    assert_eq!(given.len(), 1);
    gateway.ask("GET /users/8", "");
    let again = learner.changed(now(), 10, true);
    assert!(again[0].sequence > given[0].sequence);
    assert!(learner.changed(now(), 10, false).is_empty(), "it was given just now");
    assert_eq!(learner.changed(now() + 60, 10, false).len(), 1);
    learner.stored(&[(again[0].key, again[0].hour, again[0].sequence)]);
    assert!(learner.changed(now() + 120, 10, false).is_empty());
    assert!(again[0].hour <= Hour::of(now()));
}

#[test]
fn a_gateway_without_a_learner_learns_nothing() {
    let origin = TestOrigin::answering(OK);
    let gateway = TestGateway::start_as(rules(&origin), |setup| setup.learning = false);
    assert_eq!(status(&gateway.raw(json("{}"))), 200);
    assert!(gateway.gateway.learner().is_none());
    assert!(!gateway.metrics().contains("learning"));
}
