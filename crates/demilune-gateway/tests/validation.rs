//! Requests checked against the schema of their operation: what reaches the origin, what does not, and what is held.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, io::Write, sync::Arc, thread, time::Duration};

use demilune_gateway::{AccessLog, AccessLogTarget, Limits};
use demilune_inventory::Timestamp;
use demilune_policy::{InForce, rule::MitigationAction};
use demilune_traffic::SessionSample;
use flate2::{Compression, write::GzEncoder};
use support::{Rules, SCHEMA_ID, Setup, TestGateway, TestOrigin, eventually, status};

use MitigationAction::{Block, Log};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const DOCUMENT: &str = r#"
openapi: 3.0.4
info: { title: Pets, version: "1" }
servers: [{ url: "https://api.test" }]
paths:
  /pets/{id}:
    get:
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: limit, in: query, schema: { type: integer, maximum: 100 } }
      responses: {}
  /pets:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [name]
              properties: { name: { type: string }, age: { type: integer } }
          text/plain: {}
      responses: {}
"#;

/// A gateway that checks requests to the document's operations.
fn checking(origin: &TestOrigin, action: MitigationAction, change: impl FnOnce(&mut Setup)) -> TestGateway {
    let rules = Rules::to(origin.address).operation("GET", "/pets/{id}").operation("POST", "/pets");
    let gateway = TestGateway::start_as(rules.clone(), change);
    gateway.check(rules, DOCUMENT, action);
    gateway
}

fn blocking(origin: &TestOrigin) -> TestGateway {
    checking(origin, Block, |_| {})
}

fn limited(origin: &TestOrigin, action: MitigationAction, change: impl FnOnce(&mut Limits)) -> TestGateway {
    checking(origin, action, |setup| change(&mut setup.options.limits))
}

fn head(fields: &str) -> String {
    format!("POST /pets HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n{fields}\r\n")
}

fn post(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = head(&format!("Content-Length: {}\r\n{fields}", body.len()));
    [head.as_bytes(), body].concat()
}

fn json(body: impl AsRef<[u8]>) -> Vec<u8> {
    post("Content-Type: application/json\r\n", body)
}

fn gzipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    let coded = encoder.finish().unwrap();
    post("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", coded)
}

#[track_caller]
fn assert_blocked(answer: &str, keyword: &str, place: &str) {
    assert_eq!(status(answer), 403, "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("schema_violation"), "{answer}");
    assert!(answer.contains(&format!(r#"{{"keyword":"{keyword}","place":"{place}"}}"#)), "{answer}");
}

#[test]
fn a_blocked_request_opens_no_connection_to_the_origin() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking(&origin);
    assert_blocked(&gateway.ask("GET /pets/rex", ""), "type", "/path/id");
    assert_blocked(&gateway.ask("GET /pets/1?limit=101", ""), "maximum", "/query/limit");
    assert_blocked(&gateway.raw(json(r#"{"age":1}"#)), "required", "/body/name");
    assert_blocked(&gateway.raw(json(r#"{"name":"rex","name":"max"}"#)), "duplicate", "/body/name");
    assert_blocked(&gateway.raw(post("Content-Type: text/xml\r\n", "<a/>")), "contentType", "/header/content-type");
    assert_eq!(origin.connections(), 0);
}

#[test]
fn an_answer_says_nothing_that_the_client_sent() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking(&origin);
    for answer in [gateway.ask("GET /pets/hunter2", ""), gateway.raw(json(r#"{"name":7,"hunter2":"hunter2"}"#))] {
        assert!(status(&answer) == 403 && !answer.contains("hunter2"), "{answer}");
    }
}

#[test]
fn an_answer_says_no_more_than_the_operator_wants() {
    let origin = TestOrigin::answering(OK);
    let gateway = checking(&origin, Block, |setup| setup.options.name_violations = false);
    let answer = gateway.ask("GET /pets/rex", "");
    assert!(status(&answer) == 403 && answer.contains("schema_violation"), "{answer}");
    assert!(!answer.contains("violations") && !answer.contains("keyword"), "{answer}");
}

#[test]
fn a_request_that_fits_arrives_as_it_was_sent() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking(&origin);
    assert_eq!(status(&gateway.ask("GET /pets/7?limit=100&more=x", "")), 200);
    assert_eq!(status(&gateway.raw(json(r#"{ "name" : "rex" }"#))), 200);
    let received = origin.received();
    assert!(received.contains("GET /pets/7?limit=100&more=x HTTP/1.1"), "{received}");
    assert!(received.ends_with("\r\n\r\n{ \"name\" : \"rex\" }"), "{received}");
    assert_eq!(gateway.metric("gateway_validation_held_bytes"), 0);
}

#[test]
fn a_body_in_chunks_arrives_whole_with_its_length() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking(&origin);
    let chunks = "5\r\n{\"nam\r\n8\r\ne\":\"rex\"\r\n1\r\n}\r\n0\r\n\r\n";
    let request = head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") + chunks;
    assert_eq!(status(&gateway.raw(request)), 200);
    let received = origin.received().to_ascii_lowercase();
    assert!(received.contains("content-length: 14") && !received.contains("transfer-encoding"), "{received}");
    assert!(received.ends_with("\r\n\r\n{\"name\":\"rex\"}"), "{received}");
}

#[test]
fn a_body_in_chunks_that_does_not_fit_is_blocked() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking(&origin);
    let chunks = "5\r\n{\"nam\r\n6\r\ne\":42}\r\n0\r\n\r\n";
    let request = head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") + chunks;
    assert_blocked(&gateway.raw(request), "type", "/body/name");
    assert_eq!(origin.connections(), 0);
}

#[test]
fn a_logged_request_goes_on_and_is_counted() {
    let origin = TestOrigin::answering(OK);
    let gateway = checking(&origin, Log, |_| {});
    assert_eq!(status(&gateway.raw(json(r#"{"name":42}"#))), 200);
    assert!(origin.received().ends_with(r#"{"name":42}"#));
    let metrics = gateway.metrics();
    let labels = r#"zone="z",method="POST",host="api.test",endpoint="/pets",action="log",keyword="type""#;
    assert!(metrics.contains(&format!("gateway_schema_violations_total{{{labels}}} 1")), "{metrics}");
}

#[test]
fn a_violation_is_a_line_of_the_access_log_without_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.log");
    let origin = TestOrigin::answering(OK);
    let target = AccessLogTarget::File(file.clone());
    let gateway = checking(&origin, Block, |setup| setup.access_log = Some(AccessLog::open(target).unwrap()));
    let answer = gateway.raw(post("Content-Type: application/json\r\nX-Key: abc\r\n", r#"{"name":4711}"#));
    assert_blocked(&answer, "type", "/body/name");
    let event = || fs::read_to_string(&file).unwrap().lines().find(|line| line.contains("event")).map(str::to_owned);
    eventually("the line is written", || event().is_some());
    let line = event().unwrap();
    assert!(!line.contains("4711"), "{line}");
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["event"], &event["action"]), (&"schema_violation".into(), &"block".into()));
    assert_eq!((&event["schema_id"], &event["violations"][0]["keyword"]), (&SCHEMA_ID.into(), &"type".into()));
    assert_eq!(event["violations"][0]["request_place"], "/body/name");
    assert!(event["session"].is_string() && event["request_id"].is_string(), "{event}");
}

#[test]
fn a_body_over_the_limit_does_not_fit() {
    let origin = TestOrigin::answering(OK);
    let gateway = limited(&origin, Block, |limits| limits.validated_bytes_max = 32);
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(32));
    assert_blocked(&gateway.raw(json(&long)), "size", "/body");
    let chunked = format!(
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n0\r\n",
        long.len()
    );
    assert_blocked(&gateway.raw(head(&chunked)), "size", "/body");
    assert_eq!(origin.connections(), 0);
}

#[test]
fn a_logged_body_over_the_limit_arrives_whole() {
    let origin = TestOrigin::answering(OK);
    let gateway = limited(&origin, Log, |limits| limits.validated_bytes_max = 1_000);
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(300_000));
    assert_eq!(status(&gateway.raw(json(&long))), 200);
    assert!(origin.received().ends_with(&format!("\r\n\r\n{long}")));
    let coded = head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
    let chunk = format!("{:x}\r\n{long}\r\n", long.len());
    assert_eq!(status(&gateway.raw(format!("{coded}{chunk}0\r\n\r\n"))), 200);
    assert_eq!(origin.received().matches('x').count() / 100_000, 6);
    assert_eq!(gateway.metric("gateway_validation_held_bytes"), 0);
}

#[test]
fn a_coded_body_is_checked_and_arrives_coded() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking(&origin);
    assert_eq!(status(&gateway.raw(gzipped(br#"{"name":"rex"}"#))), 200);
    assert!(
        origin.received().to_ascii_lowercase().contains("content-encoding: gzip") && !origin.received().contains("rex")
    );
    let connections = origin.connections();
    assert_blocked(&gateway.raw(gzipped(br#"{"name":7}"#)), "type", "/body/name");
    let fields = "Content-Type: application/json\r\nContent-Encoding: ";
    let plain = r#"{"name":"rex"}"#;
    assert_blocked(&gateway.raw(post(&format!("{fields}gzip\r\n"), plain)), "contentEncoding", "/body");
    assert_blocked(&gateway.raw(post(&format!("{fields}rot13\r\n"), plain)), "contentEncoding", "/body");
    assert_eq!(origin.connections(), connections);
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking(&origin);
    let bomb = format!(r#"{{"name":"{}"}}"#, "0".repeat(64 << 20));
    assert_blocked(&gateway.raw(gzipped(bomb.as_bytes())), "size", "/body");
    assert_eq!((origin.connections(), gateway.metric("gateway_validation_held_bytes")), (0, 0));
}

#[test]
fn a_request_that_finds_no_room_is_told_to_come_again() {
    let origin = TestOrigin::answering(OK);
    let gateway = limited(&origin, Block, |limits| limits.held_bytes_max = 10);
    let answer = gateway.raw(json(r#"{"name":"rex"}"#));
    assert!(status(&answer) == 503 && answer.to_ascii_lowercase().contains("retry-after: 1"), "{answer}");
    assert_eq!((origin.connections(), gateway.metric("gateway_validation_held_bytes")), (0, 0));
    assert_eq!(status(&gateway.ask("GET /pets/7", "")), 200);
}

#[test]
fn a_logged_request_that_finds_no_room_goes_on() {
    let origin = TestOrigin::answering(OK);
    let gateway = limited(&origin, Log, |limits| limits.held_bytes_max = 10);
    assert_eq!(status(&gateway.raw(json(r#"{"name":42}"#))), 200);
    assert!(origin.received().ends_with(r#"{"name":42}"#));
    assert_eq!(gateway.metric("gateway_validation_passed_over_total"), 1);
}

#[test]
fn content_that_is_not_read_streams() {
    let origin = TestOrigin::start(|exchange, _| {
        if exchange.head().is_some() && exchange.discard(5) {
            exchange.send(OK);
        }
    });
    let gateway = blocking(&origin);
    let mut client = gateway.connect();
    // The rest never comes, and the answer does.
    client.send(head("Content-Type: text/plain\r\nContent-Length: 10\r\n") + "first");
    assert_eq!(status(&client.rest()), 200);
}

#[test]
fn a_body_that_stops_while_it_is_held_is_answered() {
    let origin = TestOrigin::answering(OK);
    let gateway = limited(&origin, Block, |limits| limits.client_stall_max = Duration::from_millis(200));
    let begun = head("Content-Type: application/json\r\nContent-Length: 14\r\n") + r#"{"name""#;
    assert_eq!(status(&gateway.raw(&begun)), 408);
    let broken = head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") + "zz\r\n";
    assert_eq!(status(&gateway.raw(broken)), 400);
    assert_eq!((origin.connections(), gateway.metric("gateway_validation_held_bytes")), (0, 0));
}

#[test]
fn a_body_that_drips_is_not_held_for_ever() {
    let origin = TestOrigin::answering(OK);
    let gateway = limited(&origin, Block, |limits| limits.held_time_max = Duration::from_millis(300));
    let mut client = gateway.connect();
    client.send(head("Content-Type: application/json\r\nContent-Length: 1000\r\n"));
    let mut drip = client.stream.try_clone().unwrap();
    let dripping = thread::spawn(move || {
        while drip.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(status(&client.rest()), 408);
    drop(client);
    dripping.join().unwrap();
}

#[test]
fn a_client_that_waits_to_be_asked_is_asked() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking(&origin);
    let mut client = gateway.connect();
    client.send(head("Content-Type: application/json\r\nContent-Length: 14\r\nExpect: 100-continue\r\n"));
    client.send(r#"{"name":"rex"}"#);
    let answer = client.rest();
    assert!(answer.starts_with("HTTP/1.1 100") && answer.contains("HTTP/1.1 200"), "{answer}");
}

#[test]
fn many_large_bodies_stay_within_the_room() {
    let origin = TestOrigin::answering(OK);
    let gateway = Arc::new(limited(&origin, Block, |limits| limits.held_bytes_max = 4 << 20));
    let body = format!(r#"{{"name":"{}"}}"#, "x".repeat(900 << 10));
    let threads: Vec<_> = (0..32)
        .map(|_| {
            let (gateway, request) = (Arc::clone(&gateway), json(&body));
            thread::spawn(move || status(&gateway.raw(request)))
        })
        .collect();
    let statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(statuses.iter().all(|status| *status == 200 || *status == 503), "{statuses:?}");
    assert!(statuses.contains(&200), "{statuses:?}");
    assert_eq!(gateway.metric("gateway_validation_held_bytes"), 0);
}

/// A gateway whose rules block what does not fit, until a time with `log` in place of it.
fn blocking_after(origin: &TestOrigin, log_until: Option<Timestamp>, is_learned: bool) -> TestGateway {
    let rules = Rules::to(origin.address).operation("GET", "/pets/{id}");
    let gateway = TestGateway::start(rules.clone());
    gateway.check_with(rules, DOCUMENT, |validator| {
        let (action, schema) = (Block, SCHEMA_ID.into());
        InForce { action, log_until, is_learned, schema, validator }
    });
    gateway
}

#[test]
fn a_schema_logs_what_it_would_block_until_its_time() {
    let origin = TestOrigin::answering(OK);
    let check = |log_until, expected| {
        let gateway = blocking_after(&origin, log_until, false);
        assert_eq!(status(&gateway.ask("GET /pets/rex", "")), expected, "{log_until:?}");
        let actions: Vec<_> = gateway.gateway.events().take(9).into_iter().map(|event| event.action).collect();
        assert_eq!(actions, [if expected == 403 { Block } else { Log }]);
    };
    check(None, 403);
    check(Some(Timestamp::EPOCH), 403);
    check(Some(Timestamp::MAX), 200);
}

#[test]
fn a_request_that_does_not_fit_is_an_event_without_its_values() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking(&origin);
    gateway.raw(json(r#"{"name":"rex"}"#));
    let answer = gateway.raw(json(r#"{"name":7,"age":"hunter2"}"#));
    let events = gateway.gateway.events().take(9);
    let [event] = &events[..] else { panic!("{events:?}") };
    assert!(answer.contains(&format!("\"request_id\":\"{}\"", event.request_id)), "{answer} {event:?}");
    assert_eq!((event.action, &*event.schema, event.violations.len()), (Block, SCHEMA_ID, 2));
    assert!(!format!("{event:?}").contains("hunter2"));
}

/// Asks with the keys of so many sessions in turn, every 20th time for what does not fit; the statuses.
fn ask_as_sessions(gateway: &TestGateway, sessions: usize, requests: usize) -> Vec<u16> {
    let ask = |number: usize| {
        let path = if number.is_multiple_of(20) { "GET /pets/rex" } else { "GET /pets/1" };
        status(&gateway.ask(path, &format!("X-Key: {}\r\n", number % sessions)))
    };
    (0..requests).map(ask).collect()
}

#[test]
fn a_learned_schema_that_blocks_clients_of_before_only_logs_from_then_on() {
    let origin = TestOrigin::answering(OK);
    let gateway = blocking_after(&origin, None, true);
    // Their hashes, as records hold them.
    ask_as_sessions(&gateway, 33, 33);
    let taken = gateway.gateway.events().take(99);
    assert_eq!(taken.len(), 2, "{taken:?}");
    let mut known = SessionSample::default();
    for (_, _, snapshot) in gateway.gateway.records().changed(u64::MAX, 99) {
        known.merge(&snapshot.sessions);
    }
    let zone = gateway.gateway.board().revisions()[0].0.clone();
    gateway.gateway.fallbacks().watch([(zone, SCHEMA_ID.into())]);
    gateway.gateway.fallbacks().know(SCHEMA_ID, known);
    let statuses = ask_as_sessions(&gateway, 33, 1_200);
    let last_blocked = statuses.iter().rposition(|status| *status == 403).unwrap();
    assert!((900..=1_060).contains(&last_blocked), "{last_blocked}");
    let events = gateway.gateway.events().take(999);
    let fell: Vec<_> = events.iter().filter(|event| event.violations[0].keyword == "fallback").collect();
    assert_eq!(fell.len(), 1, "{fell:?}");
    assert_eq!(gateway.gateway.fallbacks().untold().len(), 1);
}
