//! What a gateway learns from requests, and what it does not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    collections::BTreeMap,
    io::Read,
    sync::{Arc, Mutex, mpsc},
    time::{SystemTime, UNIX_EPOCH},
};

use demilune_gateway::LearnedHour;
use demilune_policy::rule::Unmatched;
use demilune_schema::learn::{Evidence, Learned, Profile};
use demilune_traffic::Hour;
use support::{PATIENCE, Rules, TestGateway, TestOrigin, eventually, status};

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
fn values_are_those_of_the_normalized_path() {
    let origin = TestOrigin::answering(OK);
    let gateway = TestGateway::start(rules(&origin));
    let mut client = gateway.connect();
    for number in 0..1_000 {
        client.send(format!("GET //x/../%75sers/%3{number} HTTP/1.1\r\nHost: api.test\r\n\r\n"));
        assert_eq!(status(&client.answer()), 200);
    }
    let schema = Learned::of(&learned(&gateway)[0], &["var1"], Profile::Document).unwrap().fragment();
    assert_eq!(schema["parameters"][0]["schema"]["type"], "integer", "{schema}");
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

/// Sends a body of a mebibyte, its second half when the first has come to the origin.
fn check_streams(framing: &str, half: &str, end: &str) {
    let (half_is_here, is_half_here) = mpsc::channel();
    let origin = TestOrigin::start(move |exchange, _| {
        exchange.head();
        exchange.discard(512 << 10);
        half_is_here.send(()).unwrap();
        exchange.discard(512 << 10);
        exchange.send(OK);
        while exchange.discard(1) {}
    });
    let gateway = TestGateway::start(rules(&origin));
    let mut client = gateway.connect();
    client.send(post(&format!("Content-Type: application/json\r\n{framing}"), half));
    is_half_here.recv_timeout(PATIENCE).unwrap();
    client.send(format!("{half}{end}"));
    assert_eq!(status(&client.rest()), 200);
    assert_eq!(counts(&gateway), (1, 0), "{framing}");
    assert_eq!(gateway.metric("gateway_learning_bodies_passed_over_total{reason=\"too_long\"}"), 1, "{framing}");
}

#[test]
fn a_long_body_streams_and_is_not_held() {
    let half = " ".repeat(512 << 10);
    check_streams("Content-Length: 1048576\r\n", &half, "");
    check_streams("Transfer-Encoding: chunked\r\n", &format!("80000\r\n{half}\r\n"), "0\r\n\r\n");
}

#[test]
fn a_stream_of_events_passes_and_teaches_when_it_is_over() {
    let (end, ended) = mpsc::channel();
    let ended = Mutex::new(ended);
    let origin = TestOrigin::start(move |exchange, _| {
        exchange.request();
        exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        exchange.send("9\r\ndata: 1\n\n\r\n");
        ended.lock().unwrap().recv().unwrap();
        exchange.send("0\r\n\r\n");
    });
    let gateway = TestGateway::start(rules(&origin));
    let mut client = gateway.connect();
    client.send(json(r#"{"stream":true}"#));
    let mut read = String::new();
    while !read.contains("data: 1") {
        let mut buffer = [0; 4096];
        let length = client.stream.read(&mut buffer).unwrap();
        read.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    assert_eq!(counts(&gateway), (0, 0), "it goes on");
    end.send(()).unwrap();
    client.rest();
    assert_eq!(counts(&gateway), (1, 1));
}

#[test]
fn who_leaves_before_the_answer_teaches_nothing() {
    let origin = TestOrigin::start(|exchange, _| {
        exchange.request();
        exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
        exchange.head();
    });
    let gateway = TestGateway::start(rules(&origin));
    let mut client = gateway.connect();
    client.send("GET /users/7 HTTP/1.1\r\nHost: api.test\r\n\r\n");
    client.stream.read_exact(&mut [0; 12]).unwrap();
    drop(client);
    let left = "gateway_requests_total{decision=\"client_left\",status=\"none\"} 1";
    eventually("the client is gone", || gateway.metrics().contains(left));
    assert_eq!(counts(&gateway), (0, 0));
}

#[test]
fn callers_behind_a_trusted_proxy_count_each_for_itself() {
    let origin = TestOrigin::answering(OK);
    let names = |trusted: &str| {
        let trusted = vec![trusted.parse().unwrap()];
        let gateway = TestGateway::start_with(rules(&origin), |options| options.trusted_networks = trusted);
        let mut client = gateway.connect();
        for number in 0..1_000 {
            let fields = format!("Host: api.test\r\nX-Forwarded-For: 192.0.{}.1", number % 7);
            client.send(format!("GET /users/{number}?limit=7 HTTP/1.1\r\n{fields}\r\n\r\n"));
            assert_eq!(status(&client.answer()), 200);
        }
        let evidence = learned(&gateway).remove(0);
        let fragment = Learned::of(&evidence, &["var1"], Profile::Document).unwrap().fragment();
        let parameters = fragment["parameters"].as_array().unwrap().iter();
        parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("127.0.0.0/8"), ["var1", "limit"]);
    assert_eq!(names("10.0.0.0/8"), ["var1"], "one network sent them all");
}

#[test]
fn metrics_say_what_was_learned_from() {
    let origin = TestOrigin::answering(OK);
    let gateway = TestGateway::start(rules(&origin));
    gateway.raw(json("{}"));
    gateway.raw(json("{"));
    gateway.ask("GET /users/7", "");
    assert_eq!(counts(&gateway), (3, 1));
    let check = |name: &str, expected: u64| assert_eq!(gateway.metric(name), expected, "{name}");
    check("gateway_learning_requests_total", 3);
    check("gateway_learning_dropped_total", 0);
    check("gateway_learning_bodies_total", 2);
    check("gateway_learning_bodies_invalid_total", 1);
    check("gateway_learning_evidence_cut_total", 0);
    for reason in ["not_chosen", "too_long", "no_room", "no_time"] {
        check(&format!("gateway_learning_bodies_passed_over_total{{reason=\"{reason}\"}}"), 0);
    }
    let metrics = gateway.metrics();
    for line in ["gateway_learning_evidence_held 2.0\n", "gateway_learning_body_share 1.0\n"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
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
