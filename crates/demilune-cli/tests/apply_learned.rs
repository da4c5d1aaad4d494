//! `demilune schema apply-learned`: from an imported log to a request that is blocked.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use support::{
    Server, call, check_failure,
    gateway::{Client, HOST, Origin, wait_for},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A server with `GET /orders/{id}`, whose zone blocks; the operation's id.
fn blocking() -> (Server, String) {
    let server = Server::start_local(&[]);
    server.set_origin(&Origin::start("origin"));
    let identifiers = json!([{ "type": "header", "name": "X-Api-Key" }]);
    server.zone_call("PUT", "/configuration", &json!({ "auth_id_characteristics": identifiers }));
    let path = format!("/zones/{}/schema_validation/settings", server.zone());
    let settings = json!({ "validation_default_mitigation_action": "block" });
    let (status, answer) = server.call("PUT", &path, Some(&settings));
    assert_eq!(status, 200, "{answer}");
    let id = server.add("GET", "/orders/{id}");
    (server, id)
}

/// Imports so many requests for orders with numbers, of 100 sessions.
fn import(server: &Server, requests: u64) {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - 600;
    let mut lines = String::new();
    for number in 0..requests {
        let line = json!({
            "time": time, "remote_addr": "192.0.2.7", "method": "GET", "host": HOST, "path": format!("/orders/{number}"),
            "status": 200, "request_headers": { "X-Api-Key": format!("key-{}", number % 100) }, "duration_ms": 12.5,
        });
        writeln!(lines, "{line}").unwrap();
    }
    let log = server.data().join("access.jsonl");
    fs::write(&log, lines).unwrap();
    server.run_ok(&["traffic", "import", log.to_str().unwrap()]);
}

fn info(server: &Server, id: &str) -> Value {
    let path = format!("/operations/{id}?feature=schema_info");
    server.zone_call("GET", &path, &Value::Null)["features"]["schema_info"].clone()
}

#[test]
fn requests_unlike_those_of_the_log_are_blocked() {
    let (server, id) = blocking();
    import(&server, 1_200);
    let mut client = Client::new(&server.gateway());
    wait_for("the rules are in force", PATIENCE, || client.get("/orders/rex").status == 200);
    let applied = server.run_json(&["schema", "apply-learned", "--operation", &id, "--now"]);
    assert_eq!((&applied["operation"], &applied["log_until"]), (&json!(id), &Value::Null));
    let info = info(&server, &id);
    assert_eq!((&info["active_schema"]["id"], &info["mitigation_action"]), (&applied["schema_id"], &json!("block")));
    wait_for("it is blocked", PATIENCE, || client.get("/orders/rex").status == 403);
    assert_eq!(client.get("/orders/7").status, 200);
}

#[test]
fn what_is_applied_logs_for_a_day_and_applying_again_replaces_it() {
    let (server, id) = blocking();
    import(&server, 1_200);
    let apply = |more: &[&str]| server.run_json(&[&["schema", "apply-learned", "--operation", &id], more].concat());
    let first = apply(&[]);
    assert!(first["log_until"].as_str().unwrap() > first["created_at"].as_str().unwrap(), "{first}");
    assert_eq!(info(&server, &id)["mitigation_action"], "log");
    let second = apply(&["--now"]);
    assert_eq!(info(&server, &id)["mitigation_action"], "block");
    let (_, listed) = server.call("GET", &format!("/zones/{}/schema_validation/schemas", server.zone()), None);
    let ids: Vec<_> = listed["result"].as_array().unwrap().iter().map(|schema| &schema["schema_id"]).collect();
    assert_eq!(ids, [&second["schema_id"]]);
}

/// The events of the zone that a query asks for.
fn events(server: &Server, query: &str) -> Vec<Value> {
    let base = format!("http://{}/demilune/v1", server.address());
    let path = format!("/zones/{}/events?{query}", server.zone());
    let (status, mut answer) = call(&base, &server.token(), "GET", &path, None);
    assert_eq!(status, 200, "{answer}");
    serde_json::from_value(answer["result"].take()).unwrap()
}

#[test]
fn a_schema_that_blocks_the_clients_of_the_log_only_logs_from_then_on() {
    let (server, id) = blocking();
    import(&server, 1_200);
    let applied = server.run_json(&["schema", "apply-learned", "--operation", &id, "--now"]);
    let mut client = Client::new(&server.gateway());
    wait_for("it is blocked", PATIENCE, || client.get("/orders/rex").status == 403);
    // A new version of the client asks by name: one request in ten, and soon from most sessions.
    let mut ask = |number: usize| {
        let path = if number.is_multiple_of(10) { "/orders/latest" } else { "/orders/7" };
        client.send("GET", HOST, path, &format!("X-Api-Key: key-{}\r\n", number % 99)).unwrap().status
    };
    // Which sessions are known is asked for once a second.
    let blocked = |ask: &mut dyn FnMut(usize) -> u16| (0..1_500).filter(|number| ask(*number) == 403).count();
    wait_for("it falls back", PATIENCE, || blocked(&mut ask) == 0);
    wait_for("the store knows", PATIENCE, || info(&server, &id)["mitigation_action"] == "log");
    wait_for("there is an event", PATIENCE, || events(&server, "keyword=fallback").len() == 1);
    let event = &events(&server, "keyword=fallback")[0];
    assert_eq!((&event["schema_id"], &event["operation_id"]), (&applied["schema_id"], &json!(id)));
    assert!(Client::new(server.address()).get("/metrics").body.contains("schema_fallbacks_total 1"));
    let again = server.run_json(&["schema", "apply-learned", "--operation", &id, "--now"]);
    assert_ne!(again["schema_id"], applied["schema_id"]);
    assert_eq!(info(&server, &id)["mitigation_action"], "block");
}

#[test]
fn an_operation_without_enough_requests_is_refused_with_what_to_do() {
    let (server, id) = blocking();
    import(&server, 300);
    let refused = server.run(&["schema", "apply-learned", "--operation", &id]);
    check_failure(&refused, 1, "300 of 1000 requests were seen in the last seven days; send more");
    check_failure(&server.run(&["schema", "apply-learned", "--operation", "7"]), 1, "cannot be the id of an operation");
}
