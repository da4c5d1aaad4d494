//! `demilune explain` and the gateway name the same operation, over every route of three real APIs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "what was measured is for people who run the tests with --nocapture")]

mod support;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{
    Server, check_failure, demilune,
    gateway::{HOST, IN_FORCE_MAX, Origin, wait_for},
};

/// The lists of `bench/data`, each the routes of one API.
const APIS: [(&str, &str); 3] = [
    ("github.example.com", include_str!("../../../bench/data/routes-github.txt")),
    ("stripe.example.com", include_str!("../../../bench/data/routes-stripe.txt")),
    ("cloudflare.example.com", include_str!("../../../bench/data/routes-cloudflare.txt")),
];
/// What stands in place of variables: plain, encoded without need, encoded with need, with dots.
const VALUES: [&str; 7] =
    ["7", "octo-cat", "v1.2", "caf%C3%A9", "%7euser", "A%20B", "0198a1b2-0000-7000-8000-000000000001"];
/// How long adding the operations and logging the requests may take on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request of the comparison.
struct Request {
    method: &'static str,
    host: &'static str,
    path: String,
}

/// Runs `demilune explain --requests -` on lines.
fn explain(server: &Server, args: &[&str], lines: &str) -> Output {
    let mut command = demilune();
    command.args(["explain", "--requests", "-", "--data"]).arg(server.data()).args(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A path for an endpoint, with made-up values in place of its variables.
fn filled(endpoint: &str, mut number: usize) -> String {
    let mut path = String::new();
    let mut rest = endpoint;
    while let Some((before, variable)) = rest.split_once('{') {
        path.push_str(before);
        path.push_str(VALUES[number % VALUES.len()]);
        number += 1;
        rest = variable.split_once('}').unwrap().1;
    }
    path + rest
}

/// A request for every route, and some more that fit none, or one only as HEAD, or in another spelling.
fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for (host, list) in APIS {
        for (number, line) in list.lines().enumerate() {
            let (method, endpoint) = line.split_once(' ').unwrap();
            let path = filled(endpoint, number);
            match number % 20 {
                0 => requests.push(Request { method: "HEAD", host, path: path.clone() }),
                1 => requests.push(Request { method: "GET", host, path: format!("{path}/and/then/nothing") }),
                2 => requests.push(Request { method, host, path: format!("/.{path}?page=2") }),
                _ => {}
            }
            requests.push(Request { method, host, path });
        }
    }
    requests
}

/// A document that describes every route.
fn document(host: &str, list: &str) -> Value {
    let mut paths = json!({});
    for line in list.lines() {
        let (method, endpoint) = line.split_once(' ').unwrap();
        paths[endpoint][method.to_lowercase()] = json!({ "responses": {} });
    }
    json!({ "openapi": "3.0.0", "servers": [{ "url": format!("https://{host}") }], "paths": paths })
}

/// A server with a zone for each list: its operations, and an origin for its host, all of it in force.
fn server_with_all_routes(access_log: &Path) -> Server {
    let server = Server::start_local(&["--access-log", access_log.to_str().unwrap()]);
    let folder = tempfile::tempdir().unwrap();
    let (origin, mut client) = (Origin::start("all"), server.client());
    for (host, list) in APIS {
        let file = folder.path().join(host);
        fs::write(&file, document(host, list).to_string()).unwrap();
        server.run_ok(&["zone", "create", host]);
        server.run_ok(&["import", "--zone", host, file.to_str().unwrap()]);
        server.run_ok(&["origin", "set", "--zone", host, "--host", host, &origin.url()]);
        wait_for("the origin is in force", PATIENCE, || client.send("GET", host, "/", "").unwrap().status == 200);
    }
    server
}

/// What the access log says of the last requests.
fn logged(access_log: &Path, count: usize) -> Vec<Value> {
    let lines = || fs::read_to_string(access_log).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    wait_for("all is logged", PATIENCE, || lines().len() >= count);
    let lines = lines();
    lines[lines.len() - count..].iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each request explained, by two processes at a time so that no core is idle.
fn explain_in_parts(server: &Server, requests: &[Request]) -> Vec<Value> {
    let part = |requests: &[Request]| {
        let lines = requests.iter().map(|Request { method, host, path }| format!("{method} http://{host}{path}\n"));
        let output = explain(server, &["--output", "json"], &lines.collect::<String>());
        assert!(output.status.success(), "{}", support::stderr(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let (first, second) = requests.split_at(requests.len() / 2);
    thread::scope(|scope| {
        let explaining = scope.spawn(|| part(first));
        let rest = part(second);
        [explaining.join().unwrap(), rest].concat()
    })
}

#[test]
fn explain_names_the_operation_that_the_gateway_finds_for_every_real_route() {
    let folder = tempfile::tempdir().unwrap();
    let access_log = folder.path().join("access.log");
    let server = server_with_all_routes(&access_log);
    let requests = requests();

    let begin = Instant::now();
    fs::write(&access_log, "").unwrap();
    let mut client = server.client();
    for Request { method, host, path } in &requests {
        assert_eq!(client.send(method, host, path, "").unwrap().status, 200, "{method} {path}");
    }
    let found = logged(&access_log, requests.len());
    let sent = begin.elapsed();

    let begin = Instant::now();
    let explained = explain_in_parts(&server, &requests);
    assert_eq!(explained.len(), requests.len());
    let took = begin.elapsed();

    let mut matched = 0;
    for ((request, found), explained) in requests.iter().zip(&found).zip(&explained) {
        let Request { method, host, path } = request;
        assert_eq!((&found["method"], &found["host"]), (&(*method).into(), &(*host).into()));
        assert_eq!(found["path"], path.split('?').next().unwrap());
        let named = (&explained["zone"], &explained["operation"]["operation_id"]);
        assert_eq!(named, (&found["zone"], &found["operation_id"]), "{method} {path}: {explained}");
        matched += usize::from(!named.1.is_null());
    }
    let routes: usize = APIS.iter().map(|(_, list)| list.lines().count()).sum();
    println!("{} requests, {matched} matched; sent in {sent:?}, explained in {took:?}", requests.len());
    assert!(matched >= routes, "{matched} of {} requests match; there are {routes} routes", requests.len());
}

/// A server whose only operation is `GET /users/{var1}`.
fn server_with_one_operation() -> Server {
    let server = Server::start(&[]);
    server.set_origin(&Origin::start("origin"));
    server.add("GET", "/users/{id}");
    server
}

#[test]
fn each_request_of_a_file_is_answered_in_a_line() {
    let server = server_with_one_operation();
    let url = format!("http://{HOST}/users/7");
    let output = explain(&server, &[], &format!("GET {url}\n\nPOST {url}\nGET http://other.test/\n"));
    // Something would be answered by the gateway.
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], format!("GET {url} → GET {HOST} /users/{{var1}}"));
    assert_eq!(lines[1], format!("POST {url} → no operation"));
    assert!(lines[2].starts_with("GET http://other.test/ → no operation; answered 421 by the gateway: "), "{text}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_line_that_is_no_request_is_named() {
    let server = server_with_one_operation();
    let output = explain(&server, &[], "GET http://h.test/\nGET\n");
    check_failure(&output, 1, "line 2 of - is no request: write METHOD URL");
    let output = explain(&server, &[], "GET /no-host\n");
    check_failure(&output, 1, "\"/no-host\" is no URL with a host");
}

#[test]
fn a_request_stands_on_the_command_line_or_in_a_file() {
    let output = support::run(&["explain", "GET"]);
    check_failure(&output, 2, "<URL>");
    check_failure(&support::run(&["explain"]), 2, "<METHOD>");
    check_failure(&support::run(&["explain", "--requests", "-", "GET", "http://h.test/"]), 2, "cannot be used with");
}

#[test]
fn one_request_is_explained_as_a_whole() {
    let server = server_with_one_operation();
    let url = format!("http://{HOST}/users/7");
    let explained = server.run_json(&["explain", "GET", &url]);
    assert_eq!(explained["operation"]["endpoint"], "/users/{var1}");
    assert_eq!(explained["variables"], json!([["var1", "7"]]));
    assert_eq!(explained["refusal"], Value::Null);
    assert_eq!(server.run(&["explain", "GET", "http://other.test/"]).status.code(), Some(1));
    let mut client = server.client();
    wait_for("the origin is in force", IN_FORCE_MAX, || client.get("/users/7").body == "origin");
}
