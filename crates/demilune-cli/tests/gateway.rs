//! The gateway of `demilune serve`: from the first request to an orderly end, on real sockets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::{Value, json};
use support::{
    Server, check_failure,
    gateway::{Client, HOST, IN_FORCE_MAX, Origin, Traffic, wait_for},
    run,
};

/// What one client sends as its token, and nothing may keep.
const PLANTED: &str = "planted-0d5c5f0e-token-value";

/// A server that sends the requests of [`HOST`] to an origin called `origin`, and does so already.
fn server_with_origin(args: &[&str]) -> (Server, Client) {
    let server = Server::start_local(args);
    let mut client = server.client();
    server.set_origin(&Origin::start("origin"));
    wait_for("the origin is in force", IN_FORCE_MAX, || client.get("/").status == 200);
    (server, client)
}

#[test]
fn a_first_start_answers_421_and_its_log_names_the_command_that_helps() {
    let server = Server::start(&[]);
    let answer = server.client().get("/users/1");
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, problem["code"].as_str()), (421, Some("host_unknown")));
    wait_for("a line in the log", IN_FORCE_MAX, || server.log().contains("`demilune origin set --host HOST URL`"));
    assert!(server.log().contains(HOST), "{}", server.log());
}

#[test]
fn an_origin_that_is_set_is_in_force_within_a_second() {
    let server = Server::start(&[]);
    let mut client = server.client();
    assert_eq!(client.get("/users/1").status, 421);
    server.set_origin(&Origin::start("origin"));
    wait_for("the origin is in force", IN_FORCE_MAX, || client.get("/users/1").status == 200);
    assert_eq!(client.get("/users/1").body, "origin");
}

#[test]
fn an_origin_that_is_set_over_the_api_is_in_force_within_a_second() {
    let server = Server::start(&[]);
    let url = format!("{}/demilune/v1", server.public_url());
    let body = json!({ "host": HOST, "url": Origin::start("origin").url() });
    let path = format!("/zones/{}/origins", server.zone());
    let (status, answer) = support::call(&url, &server.token(), "PUT", &path, Some(&body));
    assert_eq!(status, 200, "{answer}");
    let mut client = server.client();
    wait_for("the origin is in force", IN_FORCE_MAX, || client.get("/users/1").body == "origin");
}

#[test]
fn an_origin_that_is_deleted_leaves_its_host_unknown() {
    let (server, mut client) = server_with_origin(&[]);
    server.run_ok(&["origin", "delete", "--host", HOST]);
    wait_for("the origin is gone", IN_FORCE_MAX, || client.get("/users/1").status == 421);
}

#[test]
fn a_route_sends_its_operation_elsewhere_and_is_shown_where_it_is_asked_for() {
    let (server, mut client) = server_with_origin(&[]);
    let target = format!("{}/people/{{var1}}", Origin::start("elsewhere").url());
    let id = server.add("GET", "/users/{id}");
    server.route(&id, &target);
    wait_for("the route is in force", IN_FORCE_MAX, || client.get("/users/1").body == "elsewhere");
    assert_eq!(client.get("/others/1").body, "origin");

    let shown = server.zone_call("GET", &format!("/operations/{id}?feature=api_routing"), &Value::Null);
    assert_eq!(shown["features"]["api_routing"]["route"], target);
    let silent = server.zone_call("GET", &format!("/operations/{id}"), &Value::Null);
    assert_eq!(silent.get("features"), None);
    // An answer to an addition has what is known without being asked.
    let again = server.zone_call("POST", "/operations/item", &support::operation("GET", HOST, "/users/{x}"));
    assert_eq!(
        (&again["operation_id"], &again["features"]["api_routing"]["route"]),
        (&id.into(), &target.into()),
        "{again}"
    );
}

#[test]
fn an_operation_takes_its_route_along_when_it_is_deleted() {
    let (server, mut client) = server_with_origin(&[]);
    let id = server.add("GET", "/users/{id}");
    server.route(&id, &format!("{}/{{var1}}", Origin::start("elsewhere").url()));
    wait_for("the route is in force", IN_FORCE_MAX, || client.get("/users/1").body == "elsewhere");
    server.zone_call("DELETE", &format!("/operations/{id}"), &Value::Null);
    wait_for("the route is gone", IN_FORCE_MAX, || client.get("/users/1").body == "origin");
    let again = server.zone_call("POST", "/operations/item", &support::operation("GET", HOST, "/users/{id}"));
    assert_eq!(again["features"].get("api_routing"), None);
    assert_eq!(client.get("/users/1").body, "origin");
}

#[test]
fn a_zone_that_blocks_what_is_unmatched_answers_403_in_place_of_the_origin() {
    let (server, mut client) = server_with_origin(&[]);
    server.add("GET", "/users/{id}");
    server.run_ok(&["settings", "set", "--unmatched", "block"]);
    wait_for("the setting is in force", IN_FORCE_MAX, || client.get("/unknown").status == 403);
    assert_eq!(client.get("/users/1").status, 200);
}

#[test]
fn a_control_process_has_no_gateway() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let server = Server::start(&["--role", "control", "--gateway-listen", &address]);
    assert_eq!(server.call("GET", "/zones", None).0, 200);
    assert!(!server.log().contains(&address), "{}", server.log());
    assert!(!server.data().join("secret.key").exists());
}

#[test]
fn a_gateway_address_that_is_taken_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output =
        run(&["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--gateway-listen", &address]);
    check_failure(&output, 1, &format!("the gateway cannot listen on {address}"));
    check_failure(&output, 1, "--gateway-listen");
}

#[test]
fn an_unknown_limit_is_answered_with_the_names_of_all() {
    let output = run(&["serve", "--gateway-limits", "body_max=1"]);
    check_failure(&output, 2, "--gateway-limits");
    check_failure(&output, 2, "body_bytes_max");
    check_failure(&output, 2, "drain_ms_max");
}

#[test]
fn a_stop_under_load_fails_no_request() {
    let (mut server, _) = server_with_origin(&[]);
    let traffic = Traffic::start(&server.gateway(), 8, "/users/1");
    thread::sleep(Duration::from_millis(500));
    let status = server.stop();
    let tally = traffic.finish();
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert_eq!((&tally.failed[..], tally.turned_away), (&[][..], 8), "of {} requests", tally.answered);
    assert!(tally.answered > 0);
}

#[test]
fn rules_are_in_force_at_once_after_a_crash() {
    let (mut server, mut client) = server_with_origin(&[]);
    let id = server.add("GET", "/users/{id}");
    server.route(&id, &format!("{}/{{var1}}", Origin::start("elsewhere").url()));
    wait_for("the route is in force", IN_FORCE_MAX, || client.get("/users/1").body == "elsewhere");
    server.kill9();
    server.start_again();
    assert_eq!(server.client().get("/users/1").body, "elsewhere");
}

#[test]
fn the_key_of_session_hashes_is_for_its_owner_and_stays() {
    let mut server = Server::start(&[]);
    let file = server.data().join("secret.key");
    let key = fs::read(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    server.kill9();
    server.start_again();
    assert_eq!(fs::read(&file).unwrap(), key);
}

/// The lines of an access log once there are as many; each is a JSON object.
fn lines(log: &Path, count: usize) -> Vec<Value> {
    let read = || fs::read_to_string(log).unwrap_or_default();
    wait_for("the access log is written", IN_FORCE_MAX, || read().lines().count() >= count);
    read().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A folder for an access log, and the log's path in it.
fn access_log() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    (folder, log)
}

#[test]
fn the_access_log_has_a_line_for_each_request_without_its_query() {
    let (_folder, log) = access_log();
    let (server, mut client) = server_with_origin(&["--access-log", log.to_str().unwrap()]);
    let id = server.add("GET", "/users/{id}");
    wait_for("the operation is in force", IN_FORCE_MAX, || {
        client.get("/users/12?secret=planted");
        lines(&log, 1).last().unwrap()["operation_id"] == id.as_str()
    });
    let last = lines(&log, 1).pop().unwrap();
    let members = [
        "time",
        "request_id",
        "zone",
        "operation_id",
        "endpoint",
        "method",
        "host",
        "path",
        "decision",
        "status",
        "duration_us",
        "origin_us",
        "bytes_in",
        "bytes_out",
        "session",
        "client",
    ];
    let mut expected = members.to_vec();
    expected.sort_unstable();
    assert_eq!(last.as_object().unwrap().keys().collect::<Vec<_>>(), expected);
    assert_eq!((&last["zone"], &last["endpoint"]), (&server.zone().into(), &"/users/{var1}".into()));
    assert_eq!((&last["host"], &last["path"], &last["status"]), (&HOST.into(), &"/users/12".into(), &200.into()));
    assert_eq!((&last["decision"], &last["bytes_out"]), (&"forwarded".into(), &6.into()));
    assert!(!fs::read_to_string(&log).unwrap().contains("planted"));
}

#[test]
fn the_access_log_goes_on_in_a_new_file_after_it_was_moved_and_a_signal() {
    let (folder, log) = access_log();
    let (server, mut client) = server_with_origin(&["--access-log", log.to_str().unwrap()]);
    client.get("/before");
    lines(&log, 2);
    let moved = folder.path().join("moved.log");
    fs::rename(&log, &moved).unwrap();
    server.signal(Signal::USR1);
    wait_for("a new file", IN_FORCE_MAX, || log.exists());
    client.get("/after");
    let (old, new) = (fs::read_to_string(&moved).unwrap(), lines(&log, 1));
    assert!(old.contains("/before") && !old.contains("/after"), "{old}");
    assert_eq!((new.len(), &new[0]["path"]), (1, &"/after".into()));
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn holds(file: &Path, text: &str) -> bool {
    fs::read(file).is_ok_and(|content| content.windows(text.len()).any(|part| part == text.as_bytes()))
}

#[test]
fn the_value_that_tells_sessions_apart_is_kept_nowhere() {
    let (folder, log) = access_log();
    let (mut server, mut client) = server_with_origin(&["--log-level", "trace", "--access-log", log.to_str().unwrap()]);
    let identifiers = json!([{ "name": "X-Api-Key", "type": "header" }, { "name": "sid", "type": "cookie" }]);
    server.zone_call("PUT", "/configuration", &json!({ "auth_id_characteristics": identifiers }));
    server.add("GET", "/users/{id}");
    for field in [format!("X-Api-Key: {PLANTED}\r\n"), format!("Cookie: a=b; sid={PLANTED}\r\n")] {
        wait_for("the session is known", IN_FORCE_MAX, || {
            client.send("GET", HOST, "/users/1", &field).unwrap();
            lines(&log, 1).last().unwrap()["session"].is_string()
        });
        client.get("/users/2");
    }
    // What an orderly end writes counts too.
    assert!(server.stop().success());
    let all: Vec<_> = [files(&server.data()), files(folder.path())].concat();
    assert!(all.len() > 3, "{all:?}");
    for file in all {
        assert!(!holds(&file, PLANTED), "{}", file.display());
    }
    assert!(!server.log().contains(PLANTED));
}

#[test]
fn metrics_name_operations_by_their_template_and_never_a_path() {
    let (server, mut client) = server_with_origin(&[]);
    server.add("GET", "/users/{id}");
    let mut control = Client::new(server.address());
    let mut counted = || {
        client.get("/users/4711");
        client.get("/unknown/4711");
        let metrics = control.get("/metrics").body;
        metrics.contains("endpoint=\"/users/{var1}\",status=\"2xx\"").then_some(metrics)
    };
    let mut metrics = None;
    wait_for("the operation is counted", IN_FORCE_MAX, || {
        metrics = counted();
        metrics.is_some()
    });
    let metrics = metrics.unwrap();
    let revision = format!("demilune_gateway_ruleset_revision{{zone=\"{}\"}} ", server.zone());
    assert!(metrics.contains(&revision), "{metrics}");
    assert!(metrics.contains("endpoint=\"unmatched\""), "{metrics}");
    assert!(!metrics.contains("4711"), "{metrics}");
}
