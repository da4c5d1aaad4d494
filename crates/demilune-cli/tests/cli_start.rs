//! `demilune serve` from an empty folder to an orderly end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use support::{Server, check_failure, demilune, operation, run, stderr};

const ZONE: &str = "023e105f4ecef8ad9ca31a8372d0c353";
const TOKEN: &str = "SupplIed-Token_0123456789";
/// Long enough for a message to arrive on a machine busy with other tests.
const A_MOMENT: Duration = Duration::from_millis(300);
const SUPPLIED: [(&str, &str); 2] =
    [("DEMILUNE_BOOTSTRAP_ZONE", "023e105f4ecef8ad9ca31a8372d0c353:shop"), ("DEMILUNE_BOOTSTRAP_TOKEN", TOKEN)];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_first_start_makes_a_folder_a_zone_and_a_token_that_works() {
    let server = Server::start(&[]);
    let path = format!("/zones/{}/api_gateway/operations/item", server.zone());
    let (status, body) = server.call("POST", &path, Some(&operation("GET", "www.example.com", "/api/v1/users/{id}")));
    assert_eq!((status, body["result"]["endpoint"].as_str()), (200, Some("/api/v1/users/{var1}")), "{body}");
}

#[test]
fn everything_in_the_data_folder_is_for_its_owner() {
    let server = Server::start(&[]);
    assert_eq!(mode(&server.data()), 0o700);
    for entry in fs::read_dir(server.data()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn the_token_is_never_logged() {
    let server = Server::start(&["--log-level", "trace"]);
    let (status, _) = server.call("GET", "/zones", None);
    assert_eq!(status, 200);
    assert!(server.log().contains("first-token"), "{}", server.log());
    assert!(!server.log().contains(&server.token()));
}

#[test]
fn a_supplied_zone_and_token_make_the_first_start_reproducible() {
    let server = Server::start_with(&SUPPLIED, &[]);
    assert_eq!(server.run_json(&["zone", "list"])[0]["name"], "shop");
    let (status, body) = server.call_as(TOKEN, "GET", &format!("/zones/{ZONE}"), None);
    assert_eq!(status, 200, "{body}");
}

#[test]
fn a_supplied_token_is_not_copied_to_the_data_folder() {
    let server = Server::start_with(&SUPPLIED, &[]);
    assert!(!server.data().join("first-token").exists());
    assert!(!server.log().contains(TOKEN));
}

#[test]
fn a_supplied_token_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let server = Server::start_in(folder, &[("DEMILUNE_BOOTSTRAP_TOKEN_FILE", &file)], &[]);
    assert_eq!(server.call_as(TOKEN, "GET", "/zones", None).0, 200);
}

#[test]
fn a_later_start_with_the_same_values_changes_nothing() {
    let mut server = Server::start_with(&SUPPLIED, &[]);
    let before = (server.run_json(&["zone", "list"]), server.run_json(&["token", "list"]));
    assert!(server.stop().success());
    server.start_again();
    assert_eq!((server.run_json(&["zone", "list"]), server.run_json(&["token", "list"])), before);
}

#[test]
fn a_later_start_with_other_values_changes_nothing() {
    let mut server = Server::start(&[]);
    let before = (server.run_json(&["zone", "list"]), server.run_json(&["token", "list"]), server.token());
    assert!(server.stop().success());
    let output =
        demilune().args(["migrate", "--data", server.data().to_str().unwrap()]).envs(SUPPLIED).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    server.start_again();
    assert_eq!((server.run_json(&["zone", "list"]), server.run_json(&["token", "list"]), server.token()), before);
}

#[test]
fn a_start_that_was_cut_short_before_its_token_was_active_is_made_good() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/first-token"), "0123456789abcdef0123456789abcdef01234567\n").unwrap();
    let server = Server::start_in(folder, &[], &[]);
    assert_eq!(server.call("GET", "/zones", None).0, 200);
}

#[test]
fn a_revoked_first_token_does_not_come_back() {
    let mut server = Server::start(&[]);
    let revoked = server.token();
    let id = server.run_json(&["token", "list"])[0]["id"].as_str().unwrap().to_owned();
    server.run_ok(&["token", "delete", &id]);
    assert!(server.stop().success());
    server.start_again();
    assert_ne!(server.token(), revoked);
    assert_ne!(server.call_as(&revoked, "GET", "/zones", None).0, 200);
    assert_eq!(server.call("GET", "/zones", None).0, 200);
    assert_eq!(server.run_json(&["zone", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let server = Server::start(&[]);
    let output = server.run(&["serve", "--listen", "127.0.0.1:0"]);
    check_failure(&output, 1, "another server runs on the data folder");
    assert!(stderr(&output).contains(server.address()));
}

#[test]
fn sigterm_ends_with_zero_and_takes_the_socket_away() {
    let mut server = Server::start(&[]);
    assert_eq!(server.stop().code(), Some(0));
    assert!(!server.data().join("control.sock").exists());
}

#[test]
fn ctrl_c_ends_with_zero() {
    let mut server = Server::start(&[]);
    assert_eq!(server.stop_by(Signal::INT).code(), Some(0));
}

/// A connection on which a request has begun that waits for its body.
fn begin_request(server: &Server, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "POST /client/v4/zones/{}/api_gateway/operations/item HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.zone(),
        server.token(),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(A_MOMENT);
    stream
}

#[test]
fn a_request_in_flight_is_finished_before_the_end() {
    let mut server = Server::start(&[]);
    let body = operation("GET", "a.example.com", "/slow").to_string();
    let mut slow = begin_request(&server, &body);
    server.signal(Signal::TERM);
    std::thread::sleep(A_MOMENT);
    assert!(server.is_running());
    slow.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut server = Server::start(&[]);
    let _stuck = begin_request(&server, "{}");
    server.signal(Signal::TERM);
    std::thread::sleep(A_MOMENT);
    assert!(server.is_running());
    let begin = Instant::now();
    assert_eq!(server.stop_by(Signal::INT).code(), Some(130));
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_data_folder_with_a_long_path_has_a_management_socket_too() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(120));
    fs::create_dir(&long).unwrap();
    let data = long.join("data");
    let mut child = demilune()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let give_up = Instant::now() + Duration::from_secs(20);
    while !data.join("control.sock").exists() && Instant::now() < give_up {
        std::thread::sleep(Duration::from_millis(20));
    }
    let printed = run(&["env", "--data", data.to_str().unwrap()]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(printed.status.success(), "{}", stderr(&printed));
}

#[test]
fn a_server_starts_after_a_crash() {
    let mut server = Server::start(&[]);
    server.kill9();
    assert!(server.data().join("control.sock").exists());
    server.start_again();
    assert_eq!(server.call("GET", "/zones", None).0, 200);
}

#[test]
fn other_machines_are_not_served_without_tls() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = run(&["serve", "--listen", "0.0.0.0:0", "--data", data.to_str().unwrap()]);
    check_failure(&output, 2, "--insecure-http");
    assert!(!data.exists());
}

#[test]
fn plain_http_to_other_machines_is_served_on_request() {
    let server = Server::start(&["--listen", "0.0.0.0:0", "--insecure-http"]);
    assert!(server.address().starts_with("0.0.0.0:"));
    assert!(server.public_url().starts_with("http://127.0.0.1:"));
    assert_eq!(server.call("GET", "/zones", None).0, 200);
}

#[test]
fn every_problem_of_the_configuration_is_reported_at_once() {
    let output = demilune()
        .args(["serve", "--listen", "nowhere", "--body-bytes-max", "0"])
        .env("DEMILUNE_CONNECTIONS_MAX", "many")
        .output()
        .unwrap();
    check_failure(&output, 2, "3 problems");
}

#[test]
fn an_unknown_flag_is_refused() {
    check_failure(&run(&["serve", "--lisen", "127.0.0.1:0"]), 2, "--lisen");
}

#[test]
fn an_unknown_variable_is_warned_about() {
    let output = demilune().arg("openapi").env("DEMILUNE_LISTN", "x").output().unwrap();
    assert!(output.status.success());
    assert!(stderr(&output).contains("DEMILUNE_LISTN"), "{}", stderr(&output));
}
