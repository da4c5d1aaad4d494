//! `demilune schema export`: documents of what is saved, which other tools and `demilune import` read.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Server, check_failure, operation};

const HOST: &str = "{tenant}.shop.example";

/// A server with some operations of a host pattern, and one of another host.
fn server() -> Server {
    let server = Server::start(&[]);
    let path = format!("/zones/{}/api_gateway/operations", server.zone());
    let operations = json!([
        operation("GET", HOST, "/users/{id}"),
        operation("POST", HOST, "/users"),
        operation("DELETE", HOST, "/users/{id}/files/{name}.{extension}"),
        operation("GET", HOST, "/yes"),
        operation("GET", "other.example", "/"),
    ]);
    let (status, body) = server.call("POST", &path, Some(&operations));
    assert_eq!(status, 200, "{body}");
    server
}

#[test]
fn the_same_operations_make_the_same_bytes() {
    let server = server();
    let export = ["schema", "export", "--host", HOST];
    let yaml = server.run_ok(&export);
    assert!(yaml.starts_with("info:\n  title: \"{hostVar1}.shop.example\"\n"), "{yaml}");
    assert!(yaml.contains("\n  /users/{var1}:\n    get:\n      operationId: get_users_var1\n"), "{yaml}");
    assert!(!yaml.contains("other.example"), "{yaml}");
    let (status, body) = server.call(
        "POST",
        &format!("/zones/{}/api_gateway/operations/item", server.zone()),
        Some(&operation("POST", HOST, "/users")),
    );
    assert_eq!(status, 200, "{body}");
    assert_eq!(server.run_ok(&export), yaml);
    let json: Value = serde_json::from_str(&server.run_ok(&[&export[..], &["--format", "json"]].concat())).unwrap();
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), json);
    assert_eq!(json["paths"]["/users"]["post"]["responses"]["default"]["description"], "Not described.");
}

#[test]
fn what_is_exported_can_be_imported() {
    let server = server();
    let file = server.data().join("shop.yaml");
    let file = file.to_str().unwrap();
    assert_eq!(server.run_ok(&["schema", "export", "--host", HOST, "--output", file]), "");
    assert!(fs::read_to_string(file).unwrap().contains("/yes"));
    let again = server.run_json(&["import", file]);
    assert_eq!((&again["added"], &again["already_there"], &again["refused"]), (&json!(0), &json!(4), &json!([])));
}

#[test]
fn a_host_without_operations_is_not_exported() {
    let server = server();
    let absent = server.run(&["schema", "export", "--host", "nobody.example"]);
    check_failure(&absent, 1, "the zone has no operation of the host nobody.example");
    check_failure(&server.run(&["schema", "export", "--host", "a b"]), 2, "the host holds the character ' '");
    let unwritable = server.run(&["schema", "export", "--host", HOST, "--output", "/nowhere/at/all.yaml"]);
    check_failure(&unwritable, 1, "/nowhere/at/all.yaml cannot be written");
}

#[test]
fn the_status_says_how_many_operations_have_schemas() {
    let server = server();
    let status = server.run_ok(&["status"]);
    assert!(status.contains("0 of 5 operations have thresholds, 0 have a learned schema"), "{status}");
    assert_eq!(server.run_json(&["recompute"])["with_schemas"], 0);
}
