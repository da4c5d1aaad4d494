//! Origins and settings, through the running server and straight on the store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use support::{Server, call, check_failure, run_json, run_ok};

/// One call of the API beside the contract, with the first token; status and body.
fn own_call(server: &Server, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let base_url = format!("{}/demilune/v1/zones/{}", server.public_url(), server.zone());
    call(&base_url, &server.token(), method, path, body)
}

#[test]
fn an_origin_is_set_listed_and_deleted_through_the_running_server() {
    let server = Server::start(&[]);
    let host = "{tenant}.Example.com";
    let set =
        server.run_json(&["origin", "set", "--host", host, "--host-header", "api.internal", "http://10.0.0.7:80"]);
    assert_eq!(set["host"], "{hostVar1}.example.com");
    assert_eq!(set["url"], "http://10.0.0.7");
    assert_eq!(set["host_header"], "api.internal");
    let (status, body) = own_call(&server, "GET", "/origins", None);
    assert_eq!((status, &body["result"]), (200, &json!([set])));
    assert_eq!(server.run_json(&["origin", "list"]), json!([set]));

    let replaced = server.run_json(&["origin", "set", "--host", host, "https://api.internal"]);
    assert_eq!(replaced["host_header"], Value::Null);
    assert_eq!(server.run_json(&["origin", "list"]), json!([replaced]));
    let deleted = server.run_json(&["origin", "delete", "--host", "{x}.example.com"]);
    assert_eq!(deleted, json!({ "deleted": replaced }));
    assert_eq!(server.run_json(&["origin", "list"]), json!([]));
}

#[test]
fn an_origin_outlives_the_server_and_is_read_without_one() {
    let mut server = Server::start(&[]);
    let body = json!({"host": "a.example.com", "url": "http://h:8080"});
    assert_eq!(own_call(&server, "PUT", "/origins", Some(&body)).0, 200);
    server.stop();
    let data = server.data();
    let data = data.to_str().unwrap();
    assert_eq!(run_json(&["origin", "list", "--data", data])[0]["url"], "http://h:8080");
    run_ok(&["origin", "set", "--host", "b.example.com", "http://h", "--data", data]);
    let deleted = run_ok(&["origin", "delete", "--host", "a.example.com", "--data", data]);
    assert_eq!(deleted, "deleted the origin http://h:8080 of a.example.com\n");
    server.start_again();
    assert_eq!(own_call(&server, "GET", "/origins", None).1["result"][0]["host"], "b.example.com");
}

#[test]
fn origins_are_printed_for_people() {
    let server = Server::start(&[]);
    let one = server.run_ok(&["origin", "set", "--host", "a.example.com", "http://h"]);
    assert!(one.contains("host_header   (the client's)\n"), "{one}");
    server.run_ok(&["origin", "set", "--host", "b.example.com", "--host-header", "x:81", "http://h"]);
    let list = server.run_ok(&["origin", "list"]);
    let columns: Vec<Vec<_>> =
        list.lines().map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect()).collect();
    assert_eq!(columns[0], ["HOST", "URL", "HOST_HEADER", "LAST_UPDATED"]);
    assert_eq!(columns[1][..3], ["a.example.com", "http://h", "(the client's)"]);
    assert_eq!(columns[2][..3], ["b.example.com", "http://h", "x:81"]);
}

#[test]
fn a_command_that_cannot_be_executed_says_what_to_change() {
    let server = Server::start(&[]);
    let set = |args: &[&str]| server.run(&[&["origin", "set"], args].concat());
    check_failure(&set(&["--host", "a.example.com:80", "http://h"]), 1, "the host has a port; leave it out");
    check_failure(&set(&["--host", "a.example.com", "h"]), 1, "start it with http:// or https://");
    check_failure(&set(&["--host", "a.example.com", "http://h/x"]), 1, "ends behind its host and port");
    check_failure(&set(&["--host", "a.example.com", "--host-header", "a b", "http://h"]), 1, "host:port");
    check_failure(&set(&["http://h"]), 2, "--host");
    check_failure(&server.run(&["origin", "delete", "--host", "b.example.com"]), 1, "has no origin for b.example.com");
    assert_eq!(server.run_json(&["origin", "list"]), json!([]));
}

#[test]
fn a_host_belongs_to_one_zone() {
    let server = Server::start(&[]);
    let first = server.zone();
    server.run_ok(&["zone", "create", "second"]);
    check_failure(&server.run(&["origin", "list"]), 1, "there are 2 zones: name one with --zone");
    server.run_ok(&["origin", "set", "--zone", &first, "--host", "{x}.example.com", "http://h"]);
    let taken = server.run(&["origin", "set", "--zone", "second", "--host", "a.example.com", "http://h"]);
    check_failure(&taken, 1, "a host belongs to one zone");
    assert_eq!(server.run_json(&["origin", "list", "--zone", "second"]), json!([]));
    server.run_ok(&["origin", "delete", "--zone", &first, "--host", "{x}.example.com"]);
    server.run_ok(&["origin", "set", "--zone", "second", "--host", "a.example.com", "http://h"]);
}

#[test]
fn settings_are_shown_and_changed_one_by_one() {
    let mut server = Server::start(&[]);
    let mut expected = json!({
        "unmatched": "pass", "forward_path": "normalized", "head_as_get": true,
        "validated_bytes_max": null, "schemas_max": 100, "schemas_bytes_max": 32 << 20,
    });
    assert_eq!(server.run_json(&["settings", "show"]), expected);
    for (flag, text, member, value) in [
        ("--unmatched", "block", "unmatched", json!("block")),
        ("--forward-path", "raw", "forward_path", json!("raw")),
        ("--head-as-get", "false", "head_as_get", json!(false)),
        ("--validated-bytes-max", "4096", "validated_bytes_max", json!(4096)),
        ("--schemas-max", "5", "schemas_max", json!(5)),
        ("--schemas-bytes-max", "1000", "schemas_bytes_max", json!(1000)),
    ] {
        expected[member] = value;
        assert_eq!(server.run_json(&["settings", "set", flag, text]), expected);
    }
    assert_eq!(own_call(&server, "GET", "/settings", None).1["result"], expected);
    assert_eq!(own_call(&server, "PATCH", "/settings", Some(&json!({"unmatched": "log"}))).0, 200);
    server.stop();
    let printed = "unmatched            log\nforward_path         raw\nhead_as_get          false\n\
                   validated_bytes_max  4096\nschemas_max          5\nschemas_bytes_max    1000\n";
    assert_eq!(server.run_ok(&["settings", "show"]), printed);
    server.run_ok(&["settings", "set", "--head-as-get", "true"]);
    assert_eq!(server.run_json(&["settings", "show"])["head_as_get"], true);
}

#[test]
fn settings_take_their_own_values_alone() {
    let server = Server::start(&[]);
    let set = |args: &[&str]| server.run(&[&["settings", "set"], args].concat());
    check_failure(&set(&["--unmatched", "drop"]), 1, "write pass, log or block");
    check_failure(&set(&["--unmatched", "block", "--forward-path", "RAW"]), 1, "write normalized or raw");
    check_failure(&set(&["--head-as-get", "maybe"]), 2, "--head-as-get");
    check_failure(&set(&[]), 2, "--unmatched");
    check_failure(&set(&["--unmatched", "log", "--zone", "nowhere"]), 1, "there is no zone \"nowhere\"");
    assert_eq!(server.run_json(&["settings", "show"])["unmatched"], "pass");
}

#[test]
fn a_token_of_the_contract_reads_origins_and_an_operators_token_sets_them() {
    let server = Server::start(&[]);
    let base_url = format!("{}/demilune/v1/zones/{}", server.public_url(), server.zone());
    let token =
        |group: &str| server.run_json(&["token", "create", "--group", group])["token"].as_str().unwrap().to_owned();
    let (writer, operator) = (token("Domain API Gateway"), token("Demilune Operator"));
    let body = json!({"host": "a.example.com", "url": "http://h"});
    assert_eq!(call(&base_url, &writer, "PUT", "/origins", Some(&body)).0, 403);
    assert_eq!(call(&base_url, &operator, "PUT", "/origins", Some(&body)).0, 200);
    assert_eq!(call(&base_url, &writer, "GET", "/origins", None).1["result"][0]["url"], "http://h");
    let operations = format!("/zones/{}/api_gateway/operations", server.zone());
    assert_eq!(server.call_as(&operator, "GET", &operations, None).0, 403);
}
