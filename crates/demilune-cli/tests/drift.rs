//! `demilune drift`: a document and the requests of real gateways disagree, and an exit status says so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use support::{
    Server, call, check_failure,
    gateway::{Client, HOST, Origin, wait_for},
};

const PATIENCE: Duration = Duration::from_secs(40);
/// More than the 1,000 that a schema rests on.
const REQUESTS: u32 = 1_040;

/// Says what requests do, apart from what each test changes.
const AGREED: &str = r#"
openapi: 3.0.4
info: { title: Orders, version: "1" }
servers: [{ url: "https://api.example.com" }]
paths:
  /users/{id}/orders:
    get:
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: state, in: query, required: true, schema: { type: string } }
        - { name: from, in: query, required: true, schema: { type: string, format: date } }
      responses: {}
  /health: { get: { responses: {} } }
  /customers/{id}: { get: { parameters: [{ name: id, in: path, required: true, schema: { type: integer } }], responses: {} } }
"#;

fn file(server: &Server, text: &str) -> PathBuf {
    let path = server.data().join("document.yaml");
    fs::write(&path, text).unwrap();
    path
}

/// A server with two saved operations and one that nobody saved, all of which had requests.
fn served() -> Server {
    let mut server = Server::start_local(&[]);
    let identifiers = json!([{ "type": "header", "name": "X-Client" }]);
    server.zone_call("PUT", "/configuration", &json!({ "auth_id_characteristics": identifiers }));
    server.add("GET", "/users/{id}/orders");
    server.add("GET", "/health");
    server.set_origin(&Origin::start("origin"));
    let mut client = Client::new(&server.gateway());
    wait_for("the rules are in force", PATIENCE, || client.get("/ready").status == 200);
    for number in 0..REQUESTS {
        let fields = format!("X-Client: client-{}\r\n", number % 20);
        let mut send = |path: &str| assert_eq!(client.send("GET", HOST, path, &fields).unwrap().status, 200, "{path}");
        let from = format!("2026-{:02}-{:02}", number % 12 + 1, number % 28 + 1);
        send(&format!("/users/{number}/orders?state={}&from={from}", ["open", "paid"][(number % 2) as usize]));
        send(&format!("/customers/{}", 5_000 + number));
        send("/health");
    }
    // What was seen is stored at the end, and within a minute otherwise.
    assert!(server.stop().success(), "{}", server.log());
    server.start_again();
    server
}

/// The exit status and the report.
fn drift(server: &Server, document: &str, more: &[&str]) -> (i32, Value) {
    let path = file(server, document);
    let output = server.run(&[&["drift", "--schema", path.to_str().unwrap(), "--output", "json"], more].concat());
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), report.unwrap_or_else(|_| panic!("{}", support::stderr(&output))))
}

/// Each finding as a line.
fn lines(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |found: &Value| {
        let words = ["kind", "method", "endpoint", "place", "keyword"].map(|name| text(&found[name]));
        format!("{} {}/{}", words.join(" "), found["count"], found["of"])
    };
    report["findings"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn a_document_and_its_requests_are_compared() {
    let server = served();
    a_document_that_agrees_ends_with_0(&server);
    every_kind_of_difference_is_found_with_counts_and_since_when(&server);
    the_exit_status_follows_what_was_asked_for(&server);
    the_api_says_the_same(&server);
    what_cannot_be_compared_ends_with_2(&server);
}

fn a_document_that_agrees_ends_with_0(server: &Server) {
    let (code, report) = drift(server, AGREED, &[]);
    assert_eq!((code, lines(&report)), (0, Vec::<String>::new()), "{report}");
    assert_eq!(
        (&report["operations"], &report["operations_seen"], &report["operations_compared"]),
        (&json!(3), &json!(3), &json!(2)),
        "{report}"
    );
    assert_eq!(report["requests"], 3 * REQUESTS);
    let path = file(server, AGREED);
    let text = server.run_ok(&["drift", "--schema", path.to_str().unwrap()]);
    assert!(text.contains("They agree."), "{text}");
}

/// The same with a difference of each kind.
fn other() -> String {
    AGREED
        .replace("schema: { type: string } }", "schema: { type: string, enum: [open] } }")
        .replace("format: date", "maxLength: 500")
        .replace(
            "      responses: {}\n",
            "        - { name: cursor, in: query, schema: { type: string } }\n      responses: {}\n",
        )
        .replace("  /health: { get", "  /health: { delete")
        .replace("/customers/{id}", "/people/{id}")
}

fn every_kind_of_difference_is_found_with_counts_and_since_when(server: &Server) {
    let (code, report) = drift(server, &other(), &[]);
    assert_eq!(code, 1);
    let (orders, all) = ("/users/{var1}/orders", REQUESTS);
    let expected = [
        format!("tighter GET {orders} /query/state enum {}/{all}", all / 2),
        format!("undocumented GET /customers/{{var1}} - - {all}/{all}"),
        format!("undocumented GET /health - - {all}/{all}"),
        "unseen DELETE /health - - 0/0".to_owned(),
        "unseen GET /people/{var1} - - 0/0".to_owned(),
        format!("unseen GET {orders} /query/cursor parameters 0/{all}"),
        format!("looser GET {orders} /query/from format {all}/{all}"),
    ];
    assert_eq!(lines(&report), expected, "{report}");
    for found in report["findings"].as_array().unwrap() {
        assert!(found["since"].as_str().is_some_and(|since| since.ends_with('Z')), "{found}");
    }
    let by = |endpoint: &str, kind: &str| {
        let found = report["findings"].as_array().unwrap().iter();
        found.into_iter().find(|found| found["endpoint"] == endpoint && found["kind"] == kind).unwrap().clone()
    };
    assert!(by("/customers/{var1}", "undocumented")["discovered_id"].is_string());
    assert!(by("/health", "undocumented")["operation_id"].is_string());
    assert_eq!(report["counts"], json!({ "tighter": 1, "undocumented": 2, "unseen": 3, "looser": 1 }));
}

fn the_exit_status_follows_what_was_asked_for(server: &Server) {
    let looser = AGREED.replace(", format: date", "");
    assert_eq!(drift(server, &looser, &[]).0, 1);
    assert_eq!(drift(server, &looser, &["--fail-on", "tighter,undocumented"]).0, 0);
    assert_eq!(drift(server, &looser, &["--fail-on", "looser"]).0, 1);
    assert_eq!(drift(server, &other(), &["--fail-on", "none"]).0, 0);
}

fn the_api_says_the_same(server: &Server) {
    let base = format!("{}/demilune/v1", server.public_url());
    let path = format!("/zones/{}/drift", server.zone());
    let (status, answer) = call(&base, &server.token(), "POST", &path, Some(&json!({ "source": other() })));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(lines(&answer["result"]), lines(&drift(server, &other(), &[]).1));
}

fn what_cannot_be_compared_ends_with_2(server: &Server) {
    let path = file(server, "openapi: 2");
    let output = server.run(&["drift", "--schema", path.to_str().unwrap()]);
    check_failure(&output, 2, "nothing was compared");
    check_failure(&server.run(&["drift", "--schema", "nowhere.yaml"]), 2, "nowhere.yaml cannot be read as text");
    check_failure(&server.run(&["drift", "--zone", "nobody", "--schema", path.to_str().unwrap()]), 2, "nobody");
}
