//! Thresholds of real requests through real gateways: the same for one gateway and for several, and hard to poison.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    path::PathBuf,
    sync::LazyLock,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use demilune_inventory::Timestamp;
use demilune_test_postgres::TestPostgres;
use serde_json::{Value, json};
use support::{
    Server, call,
    gateway::{Client, HOST, Node, Origin, wait_for},
};

static POSTGRES: LazyLock<TestPostgres> = LazyLock::new(TestPostgres::start);
const HOUR_SECONDS: u64 = 3_600;
/// How long a test may take from its first request to its last: all of them must lie in one hour.
const TEST_SECONDS_MAX: u64 = 60;
/// How long a gateway may take until its rules are in force, or what it counted is stored.
const PATIENCE: Duration = Duration::from_secs(30);

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Waits for the next hour where this one is about to end; the end of the hour that it is then.
fn end_of_this_hour() -> String {
    let left = HOUR_SECONDS - now() % HOUR_SECONDS;
    if left < TEST_SECONDS_MAX {
        thread::sleep(Duration::from_secs(left));
    }
    let end = (now() / HOUR_SECONDS + 1) * HOUR_SECONDS;
    Timestamp::from_micros(i64::try_from(end).unwrap() * 1_000_000).unwrap().to_string()
}

/// A key file that all gateways of a test share.
fn secret() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.key");
    fs::write(&path, "the-same-key-for-every-gateway").unwrap();
    (folder, path)
}

/// An API with an operation whose sessions a header tells apart, and its origin; the operation's id.
fn prepare(server: &Server) -> String {
    let id = server.add("GET", "/users/{id}");
    server.add("GET", "/missing/{id}");
    let identifiers = json!([{ "type": "header", "name": "X-Client" }]);
    server.zone_call("PUT", "/configuration", &json!({ "auth_id_characteristics": identifiers }));
    server.set_origin(&Origin::start("origin"));
    id
}

fn wait_until_ready(client: &mut Client) {
    wait_for("the rules are in force", PATIENCE, || client.get("/elsewhere").status == 200);
}

/// One request of a session, or one without.
fn ask(client: &mut Client, session: Option<u32>, path: &str) -> u16 {
    let field = session.map(|number| format!("X-Client: client-{number}\r\n")).unwrap_or_default();
    client.send("GET", HOST, path, &field).unwrap().status
}

/// The requests of many sessions, in rounds: session n makes n % 17 + 1, beside some that do not count.
fn rounds(rounds: std::ops::Range<u32>, mut ask: impl FnMut(u32, Option<u32>, &str)) {
    for round in rounds {
        for session in (0..120).filter(|session| round <= session % 17) {
            ask(session + round, Some(session), &format!("/users/{session}"));
            match session % 20 {
                0 => ask(round, Some(session), "/missing/1"),
                7 => ask(round, Some(session), "/nobody/knows"),
                11 => ask(round, None, "/users/1"),
                _ => {}
            }
        }
    }
}

fn features(server: &Server, id: &str, at: &str) -> Value {
    server.run_ok(&["recompute", "--at", at]);
    let path = format!("/operations/{id}?feature=thresholds&feature=confidence_intervals");
    server.zone_call("GET", &path, &Value::Null)["features"].clone()
}

fn explanation(server: &Server, id: &str) -> Value {
    let base = format!("{}/demilune/v1", server.public_url());
    let path = format!("/zones/{}/operations/{id}/thresholds/explain", server.zone());
    let (status, mut body) = call(&base, &server.token(), "GET", &path, None);
    assert_eq!(status, 200, "{body}");
    body["result"].take()
}

/// What the API says after these gateways have served the rounds, and were all stopped and started again in the middle.
fn served_by(database: &str, gateways: usize, at: &str) -> Value {
    POSTGRES.create_database(database);
    let url = POSTGRES.url(database);
    let server = Server::start_local(&["--role", "control", "--database", &url]);
    let id = prepare(&server);
    let (_folder, key) = secret();
    let args = ["--secret-file", key.to_str().unwrap()];
    let mut nodes: Vec<Node> = (0..gateways).map(|_| Node::start(&url, &args)).collect();
    for half in [0..8, 8..17] {
        let mut clients: Vec<Client> = nodes.iter().map(|node| Client::new(node.gateway())).collect();
        clients.iter_mut().for_each(wait_until_ready);
        rounds(half.clone(), |turn, session, path| {
            ask(&mut clients[turn as usize % gateways], session, path);
        });
        drop(clients);
        for node in &mut nodes {
            assert!(node.stop().success(), "{}", node.log());
            if half.start == 0 {
                node.start_again();
            }
        }
    }
    features(&server, &id, at)
}

#[test]
fn two_gateways_that_share_sessions_and_restart_tell_what_one_would() {
    let at = end_of_this_hour();
    let [shared, alone] = [("shared", 2), ("alone", 1)].map(|(database, gateways)| served_by(database, gateways, &at));
    assert_eq!(shared.to_string(), alone.to_string());
    let requests: u32 = (0..120).map(|session| session % 17 + 1).sum();
    let anonymous = (0..120).filter(|session| session % 20 == 11).map(|session| session % 17 + 1).sum::<u32>();
    let thresholds = &shared["thresholds"];
    assert_eq!((&thresholds["auth_id_tokens"], &thresholds["data_points"]), (&json!(120), &json!(120)));
    assert_eq!(thresholds["requests"], requests + anonymous);
    assert_eq!((&thresholds["p50"], &thresholds["p99"]), (&json!(9), &json!(17)));
}

#[test]
fn a_crash_loses_what_was_not_stored_and_counts_nothing_twice() {
    let at = end_of_this_hour();
    POSTGRES.create_database("crashes");
    let url = POSTGRES.url("crashes");
    let server = Server::start_local(&["--role", "control", "--database", &url]);
    let id = prepare(&server);
    let mut node = Node::start(&url, &[]);
    let send = |node: &Node, requests: u32| {
        let mut client = Client::new(node.gateway());
        wait_until_ready(&mut client);
        for number in 0..requests {
            assert_eq!(ask(&mut client, Some(number % 60), "/users/1"), 200);
        }
    };
    send(&node, 120);
    wait_for("the first are stored", PATIENCE, || explanation(&server, &id)["last_24_hours"]["requests"] == 120);
    send(&node, 60);
    node.kill9();
    node.start_again();
    send(&node, 180);
    assert!(node.stop().success());
    let features = features(&server, &id, &at);
    let requests = features["thresholds"]["requests"].as_u64().unwrap();
    assert!((300..=360).contains(&requests), "{features}");
    let most = features["thresholds"]["p99"].as_u64().unwrap();
    assert!((5..=6).contains(&most), "{features}");
}

/// A server with everything, 100 sessions, and what more; stopped, so that all is stored, and started again.
fn poisoned(at: &str, poison: impl FnOnce(&mut Client)) -> (Value, Value) {
    let mut server = Server::start_local(&[]);
    let id = prepare(&server);
    server.run_ok(&["settings", "set", "--unmatched", "block"]);
    let mut client = server.client();
    wait_for("unmatched requests are blocked", PATIENCE, || client.get("/elsewhere").status == 403);
    for session in 0..100 {
        for _ in 0..=session % 10 {
            assert_eq!(ask(&mut client, Some(session), "/users/1"), 200);
        }
    }
    poison(&mut client);
    assert!(server.stop().success());
    server.start_again();
    (features(&server, &id, at), explanation(&server, &id)["result"].clone())
}

fn suggested(features: &Value) -> u64 {
    features["thresholds"]["suggested_threshold"].as_u64().unwrap_or_else(|| panic!("{features}"))
}

#[test]
fn failed_and_blocked_requests_move_nothing() {
    let at = end_of_this_hour();
    let (clean, _) = poisoned(&at, |_| {});
    let (flooded, _) = poisoned(&at, |client| {
        for number in 0..2_000 {
            assert_eq!(ask(client, Some(number % 300), "/missing/1"), 404);
            assert_eq!(ask(client, Some(number % 300), "/nobody/knows"), 403);
        }
    });
    assert_eq!(flooded, clean);
}

#[test]
fn one_giant_session_is_beyond_the_quantiles_that_count() {
    let at = end_of_this_hour();
    let (clean, _) = poisoned(&at, |_| {});
    let (giant, rule) = poisoned(&at, |client| {
        for _ in 0..5_000 {
            assert_eq!(ask(client, Some(1_000), "/users/1"), 200);
        }
    });
    // One of 101 sessions lies above the 99 % quantile, which is the highest that the rule looks at.
    assert!(rule["quantiles"]["p99"].as_f64().unwrap() < 11.0, "{rule}");
    let (giant, clean) = (suggested(&giant), suggested(&clean));
    assert!(giant.abs_diff(clean) <= 1, "{giant} beside {clean}");
}

#[test]
fn a_flood_of_one_request_sessions_lowers_the_threshold() {
    let at = end_of_this_hour();
    let (clean, _) = poisoned(&at, |_| {});
    // 98 % of all sessions; docs/thresholds.md has the effect of other shares.
    let (flooded, _) = poisoned(&at, |client| {
        for session in 1_000..7_000 {
            assert_eq!(ask(client, Some(session), "/users/1"), 200);
        }
    });
    assert!(suggested(&flooded) < suggested(&clean), "{flooded} beside {clean}");
}

#[test]
fn below_50_sessions_everybody_is_told_how_many_are_missing() {
    let mut server = Server::start_local(&[]);
    let id = prepare(&server);
    let mut client = server.client();
    wait_until_ready(&mut client);
    for session in 0..12 {
        assert_eq!(ask(&mut client, Some(session), "/users/1"), 200);
    }
    assert!(server.stop().success());
    server.start_again();
    let explanation = explanation(&server, &id);
    assert!(explanation["summary"].as_str().unwrap().starts_with("12 of 50 sessions"), "{explanation}");
    let status = server.run_ok(&["status"]);
    assert!(status.contains("GET api.example.com /users/{var1}") && status.contains("12 of 50 sessions"), "{status}");
    assert_eq!(features(&server, &id, &end_of_this_hour()), json!({ "thresholds": {}, "confidence_intervals": {} }));
}
