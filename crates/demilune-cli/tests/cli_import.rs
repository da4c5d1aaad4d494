//! `demilune import`: documents of other APIs, JSON and YAML.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{io::Write, process::Stdio};

use serde_json::json;
use support::{Server, check_failure, demilune};

const JSON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/shop.json");
const YAML: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/library.yaml");

fn endpoints(server: &Server) -> Vec<String> {
    let path = format!("/zones/{}/api_gateway/operations?per_page=50", server.zone());
    let (status, body) = server.call("GET", &path, None);
    assert_eq!(status, 200, "{body}");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let shown = |operation: &serde_json::Value| {
        format!("{} {}{}", text(&operation["method"]), text(&operation["host"]), text(&operation["endpoint"]))
    };
    body["result"].as_array().unwrap().iter().map(shown).collect()
}

#[test]
fn a_json_document_is_imported_and_a_second_import_adds_none() {
    let server = Server::start(&[]);
    let first = server.run_json(&["import", JSON]);
    assert_eq!((&first["added"], &first["already_there"], &first["refused"]), (&json!(4), &json!(0), &json!([])));
    let second = server.run_json(&["import", JSON]);
    assert_eq!((&second["added"], &second["already_there"]), (&json!(0), &json!(4)));
    assert_eq!(
        endpoints(&server),
        [
            "GET shop.example.com/v1/orders",
            "POST shop.example.com/v1/orders",
            "GET shop.example.com/v1/orders/{var1}",
            "PUT upload.example.com/orders/{var1}/receipt",
        ]
    );
}

#[test]
fn a_yaml_document_is_imported_and_a_second_import_adds_none() {
    let server = Server::start(&[]);
    let first = server.run_json(&["import", YAML]);
    assert_eq!((&first["added"], &first["refused"]), (&json!(5), &json!([])), "{first}");
    assert_eq!(server.run_json(&["import", YAML])["added"], 0);
    assert_eq!(
        endpoints(&server),
        [
            "DELETE eu.library.example.com/v2/books/{var1}",
            "GET eu.library.example.com/v2/books/{var1}",
            "GET search.library.example.com/books",
            "DELETE us.library.example.com/v2/books/{var1}",
            "GET us.library.example.com/v2/books/{var1}",
        ]
    );
}

#[test]
fn a_document_is_imported_without_a_server_too() {
    let mut server = Server::start(&[]);
    server.stop();
    assert_eq!(server.run_json(&["import", JSON])["added"], 4);
    server.start_again();
    assert_eq!(endpoints(&server).len(), 4);
}

#[test]
fn a_document_may_come_over_standard_input() {
    let server = Server::start(&[]);
    let mut child = demilune()
        .args(["import", "-", "--host", "api.example.com", "--output", "json", "--data"])
        .arg(server.data())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"openapi: 3.0.0\npaths: {/a: {get: {}}}\n").unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(endpoints(&server), ["GET api.example.com/a"]);
}

#[test]
fn what_is_refused_is_named_and_the_rest_is_stored() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mixed.json");
    let document = json!({"openapi": "3.1.0", "servers": [{"url": "https://a.example.com"}], "paths": {
        "/ok": {"get": {}}, "/{a}{b}": {"get": {}}, "/elsewhere": {"$ref": "other.json"},
    }});
    std::fs::write(&file, document.to_string()).unwrap();
    let output = server.run(&["import", file.to_str().unwrap()]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(printed.contains("GET a.example.com /{a}{b}: two variables touch"), "{printed}");
    assert!(printed.contains("/elsewhere: it refers to another document"), "{printed}");
    assert_eq!(endpoints(&server), ["GET a.example.com/ok"]);
}

#[test]
fn what_fits_below_the_cap_of_a_zone_is_stored() {
    let server = Server::start(&["--operations-per-zone-max", "3"]);
    let output = server.run(&["import", JSON, "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["added"], 3);
    assert!(summary["refused"][0]["reason"].as_str().unwrap().contains("may hold 3 operations"), "{summary}");
    assert_eq!(endpoints(&server).len(), 3);
}

#[test]
fn what_is_no_document_is_refused() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let check = |content: &str, sentence: &str| {
        let file = folder.path().join("document");
        std::fs::write(&file, content).unwrap();
        check_failure(&server.run(&["import", file.to_str().unwrap()]), 1, sentence);
    };
    check("{\"openapi\": ", "not valid JSON");
    check("a: [", "not valid YAML");
    check("swagger: \"2.0\"", "convert it to OpenAPI 3");
    check("just words", "no OpenAPI 3 document");
    check_failure(&server.run(&["import", "/does/not/exist"]), 1, "cannot be read");
}

#[test]
fn the_zone_of_an_import_is_chosen_by_name() {
    let server = Server::start(&[]);
    server.run_ok(&["zone", "create", "shop"]);
    check_failure(&server.run(&["import", JSON]), 1, "name one with --zone");
    assert_eq!(server.run_json(&["import", JSON, "--zone", "shop"])["zone"]["name"], "shop");
}
