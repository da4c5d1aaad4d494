//! Before a document is put in force: `demilune schema trial` on live requests, `demilune schema check` on those of files.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use support::{
    Server, call, check_failure, demilune,
    gateway::{Client, Origin, wait_for},
};

const PATIENCE: Duration = Duration::from_secs(30);
const DOCUMENT: &str = r#"
openapi: 3.0.4
info: { title: Orders, version: "1" }
servers: [{ url: "https://api.example.com" }]
paths:
  /orders/{id}:
    get:
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: X-Trace, in: header, required: true, schema: { type: string } }
      responses: {}
  /orders:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema: { type: object, required: [book], properties: { book: { type: integer } } }
      responses: {}
  /nobody: { get: { parameters: [{ name: f, in: query, style: deepObject, schema: { type: object } }], responses: {} } }
"#;

fn file(server: &Server, name: &str, text: &str) -> PathBuf {
    let path = server.data().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn trial(server: &Server, args: &[&str]) -> Value {
    server.run_json(&[&["schema", "trial"], args].concat())
}

#[test]
fn live_requests_are_counted_and_go_on_as_before() {
    let server = Server::start_local(&[]);
    server.set_origin(&Origin::start("origin"));
    let id = server.add("GET", "/orders/{id}");
    server.add("POST", "/orders");
    let document = file(&server, "orders.yaml", DOCUMENT);
    let begun = trial(&server, &[document.to_str().unwrap()]);
    assert_eq!((&begun["name"], &begun["not_saved"]), (&json!("orders.yaml"), &json!(1)), "{begun}");
    let mut client = Client::new(&server.gateway());
    let mut counted = Value::Null;
    wait_for("requests are counted", PATIENCE, || {
        assert_eq!(client.get("/orders/rex").status, 200);
        let fields = "Content-Type: application/json\r\nContent-Length: 12\r\n";
        assert_eq!(
            client.send_body("POST", support::gateway::HOST, "/orders", fields, r#"{"book":"7"}"#).unwrap().status,
            200
        );
        counted = trial(&server, &["show"]);
        counted["report"]["misfits"].as_u64() > Some(1)
    });
    let operations = counted["report"]["operations"].as_array().unwrap();
    let of = |endpoint: &str| operations.iter().find(|operation| operation["endpoint"] == endpoint).unwrap();
    assert_eq!(of("/orders/{var1}")["operation_id"], json!(id));
    let places = |operation: &Value| {
        let mut places: Vec<_> = operation["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| {
                format!("{} {}", finding["keyword"].as_str().unwrap(), finding["request_place"].as_str().unwrap())
            })
            .collect();
        places.sort();
        places
    };
    assert_eq!(places(of("/orders/{var1}")), ["required /header/X-Trace", "type /path/id"]);
    assert_eq!(places(of("/orders")), ["type /body/book"]);
    let printed = server.run_ok(&["schema", "trial", "show"]);
    for part in [
        "GET api.example.com/orders/{var1}: ",
        "type ",
        "enforced: ",
        "ignored: style: deepObject",
        "not in the inventory",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(!printed.contains("rex"), "{printed}");
    assert_eq!(server.run_ok(&["schema", "trial", "end"]), "The trial was ended.\n");
    check_failure(&server.run(&["schema", "trial", "show"]), 1, "nothing is tried on the requests of zone");
}

#[test]
fn the_same_is_done_over_the_api() {
    let server = Server::start_local(&[]);
    let base = format!("http://{}/demilune/v1", server.address());
    let path = format!("/zones/{}/schema_trial", server.zone());
    let ask = |method: &str, body: Option<&Value>| call(&base, &server.token(), method, &path, body);
    assert_eq!(ask("GET", None).0, 404);
    let (status, begun) = ask("PUT", Some(&json!({ "name": "orders", "source": DOCUMENT })));
    assert_eq!((status, &begun["result"]["not_saved"]), (200, &json!(3)), "{begun}");
    let (status, shown) = ask("GET", None);
    assert_eq!((status, &shown["result"]), (200, &begun["result"]));
    let keywords = shown["result"]["report"]["keywords"].as_array().unwrap();
    assert!(keywords.iter().any(|line| line["keyword"] == "type" && line["treatment"] == "enforced"), "{shown}");
    let (status, refused) = ask("PUT", Some(&json!({ "source": "openapi: 3.0.4\npaths: 7\n" })));
    assert_eq!((status, &refused["errors"][0]["source"]["pointer"]), (400, &json!("/source")), "{refused}");
    for body in [json!({}), json!({ "sauce": "x", "source": DOCUMENT }), json!({ "learned_from": "7", "name": "x" })] {
        assert_eq!(ask("PUT", Some(&body)).0, 400, "{body}");
    }
    assert_eq!((ask("DELETE", None).0, ask("DELETE", None).0), (200, 404));
}

fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "entries": entries } }).to_string()
}

fn entry(method: &str, target: &str, status: u16, body: Option<&str>) -> Value {
    let mut request = json!({
        "method": method, "url": format!("https://api.example.com{target}"),
        "headers": [{ "name": "X-Trace", "value": "secret-trace" }], "cookies": [], "queryString": [],
    });
    if let Some(body) = body {
        request["postData"] = json!({ "mimeType": "application/json", "text": body });
    }
    json!({ "startedDateTime": "2026-11-24T10:00:00Z", "time": 1, "request": request, "response": { "status": status } })
}

/// Runs `schema check` without a server, on files in a folder of its own; the exit code and what was printed.
fn check(traffic: &str, args: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let [document, log] = [("orders.yaml", DOCUMENT), ("traffic", traffic)].map(|(name, text)| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    });
    let output = demilune()
        .args(["schema", "check"])
        .arg(document)
        .arg("--traffic")
        .arg(log)
        .args(args)
        .env("DEMILUNE_DATA", folder.path().join("data"))
        .output()
        .unwrap();
    assert!(output.stderr.is_empty() || output.status.code() == Some(2), "{output:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn requests_of_a_har_file_are_judged_whole() {
    let good = [entry("GET", "/orders/7", 200, None), entry("POST", "/orders", 201, Some(r#"{"book":7}"#))];
    let (code, printed) = check(&har(&good), &[]);
    assert_eq!(code, 0, "{printed}");
    assert!(
        printed.starts_with("2 requests, of which 0 do not fit; 1 operations of the document had none."),
        "{printed}"
    );
    let bad = [
        entry("GET", "/orders/rex", 404, None),
        entry("POST", "/orders", 201, Some(r#"{"book":"hunter2"}"#)),
        entry("GET", "/elsewhere", 200, None),
    ];
    let (code, printed) = check(&har(&[&good[..], &bad[..]].concat()), &["--output", "json"]);
    let report: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, &report["misfits"], &report["unmatched"]), (1, &json!(2), &json!(1)), "{report}");
    assert!(!printed.contains("hunter2") && !printed.contains("secret-trace"), "{printed}");
    let (_, successful) = check(&har(&bad), &["--output", "json", "--successful"]);
    let report: Value = serde_json::from_str(&successful).unwrap();
    assert_eq!((&report["requests"], &report["misfits"]), (&json!(1), &json!(1)), "{report}");
}

#[test]
fn of_an_access_log_only_what_it_holds_is_judged() {
    let line = |method: &str, path: &str| json!({ "time": 1, "method": method, "host": "api.example.com", "path": path, "status": 200 });
    let lines: Vec<_> = [line("GET", "/orders/7"), line("POST", "/orders"), line("GET", "/orders/rex")]
        .iter()
        .map(Value::to_string)
        .collect();
    let (code, printed) = check(&lines.join("\n"), &["--output", "json"]);
    let report: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, &report["requests"], &report["misfits"]), (1, &json!(3), &json!(1)), "{report}");
    assert_eq!(report["without_headers"], json!(3), "{report}");
    assert_eq!(report["operations"][0]["findings"].as_array().map(Vec::len), Some(1), "{report}");
}

#[test]
fn what_cannot_be_checked_ends_with_2() {
    let (code, _) = check("no log at all", &[]);
    assert_eq!(code, 2);
    let nowhere = demilune().args(["schema", "check", "/nowhere.yaml", "--traffic", "/nowhere.har"]).output().unwrap();
    check_failure(&nowhere, 2, "/nowhere.yaml cannot be read");
}
