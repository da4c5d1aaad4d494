//! Gateways by themselves on a PostgreSQL database that they share: changes, crashes and times without the store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "what was measured is for people who run the tests with --nocapture")]

mod support;

use std::{
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use demilune_test_postgres::TestPostgres;
use serde_json::{Value, json};
use support::{
    Server,
    gateway::{Client, HOST, IN_FORCE_MAX, Node, Origin, Traffic, resident_mib, wait_for},
    operation,
};

/// The PostgreSQL server of the tests that let it live.
static POSTGRES: LazyLock<TestPostgres> = LazyLock::new(TestPostgres::start);
/// Clients of each gateway under load.
const CLIENTS: usize = 4;
/// How soon a gateway and the API are at work again after the store has come back: both wait a while between attempts.
const RECOVERY_MAX: Duration = Duration::from_secs(10);

/// An empty database; its URL.
fn database(postgres: &TestPostgres, name: &str) -> String {
    postgres.create_database(name);
    postgres.url(name)
}

/// The API on a database, with an origin for [`HOST`] that answers `origin`.
fn control(database: &str) -> Server {
    let server = Server::start_local(&["--role", "control", "--database", database]);
    server.set_origin(&Origin::start("origin"));
    server
}

/// A gateway on the database that serves already.
fn serving(database: &str) -> Node {
    let node = Node::start(database, &[]);
    wait_until_answered_by(&node, "origin", RECOVERY_MAX);
    node
}

/// Waits until `/users/1` is answered by an origin.
fn wait_until_answered_by(node: &Node, origin: &str, patience: Duration) {
    let mut client = Client::new(node.gateway());
    wait_for(&format!("{origin} answers"), patience, || client.get("/users/1").body == origin);
}

/// The time from a change until each gateway answers as it says.
fn time_until_all(clients: &mut [Client], origin: &str, change: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    change();
    for client in clients {
        wait_for("the change is in force", RECOVERY_MAX, || client.get("/users/1").body == origin);
    }
    begin.elapsed()
}

#[test]
fn a_hundred_changes_are_each_in_force_on_two_gateways_within_a_second() {
    let url = database(&POSTGRES, "changes");
    let server = control(&url);
    let nodes = [serving(&url), serving(&url)];
    let mut clients = nodes.each_ref().map(|node| Client::new(node.gateway()));
    let origins = ["one", "two"].map(|name| (name, format!("{}/{{var1}}", Origin::start(name).url())));
    let id = server.add("GET", "/users/{id}");
    let path = format!("/zones/{}/api_gateway/operations/{id}/route", server.zone());
    let mut times: Vec<_> = origins
        .iter()
        .cycle()
        .take(100)
        .map(|(origin, target)| {
            time_until_all(&mut clients, origin, || {
                assert_eq!(server.call("PUT", &path, Some(&json!({ "route": target }))).0, 200);
            })
        })
        .collect();
    times.sort_unstable();
    let [half, most, nearly_all] = [49, 89, 98].map(|rank: usize| times[rank]);
    println!("in force on both: p50 {half:?}, p90 {most:?}, p99 {nearly_all:?}, max {:?}", times[99]);
    assert!(nearly_all <= IN_FORCE_MAX, "{times:?}");
}

#[test]
fn eight_seconds_without_the_store_fail_no_request_and_take_no_rule_away() {
    let postgres = TestPostgres::start();
    let url = database(&postgres, "outage");
    let server = control(&url);
    let id = server.add("GET", "/users/{id}");
    server.route(&id, &format!("{}/{{var1}}", Origin::start("elsewhere").url()));
    let nodes = [Node::start(&url, &[]), Node::start(&url, &[])];
    for node in &nodes {
        wait_until_answered_by(node, "elsewhere", RECOVERY_MAX);
    }
    let traffic = nodes.each_ref().map(|node| Traffic::start(node.gateway(), CLIENTS, "/users/1"));
    thread::sleep(Duration::from_millis(300));
    postgres.kill();
    thread::sleep(Duration::from_secs(8));
    for node in &nodes {
        assert_eq!(Client::new(node.gateway()).get("/users/1").body, "elsewhere");
        assert_eq!(node.readiness(), 200);
        assert!(node.log().contains("the store does not answer; the rules in force stay"), "{}", node.log());
    }
    postgres.restart();
    let path = format!("/zones/{}/api_gateway/operations/{id}/route", zone_of(&server));
    let target = json!({ "route": format!("{}/{{var1}}", Origin::start("new").url()) });
    wait_for("the API writes again", RECOVERY_MAX, || server.call("PUT", &path, Some(&target)).0 == 200);
    for node in &nodes {
        wait_until_answered_by(node, "new", RECOVERY_MAX);
    }
    for traffic in traffic {
        traffic.finish().check_served();
    }
}

/// The first zone's id, as soon as the store can say it.
fn zone_of(server: &Server) -> String {
    let mut zone = None;
    wait_for("the store answers", RECOVERY_MAX, || {
        let (status, body) = server.call("GET", "/zones", None);
        zone = (status == 200).then(|| body["result"][0]["id"].as_str().unwrap().to_owned());
        zone.is_some()
    });
    zone.unwrap()
}

#[test]
fn a_gateway_that_starts_without_the_store_goes_by_the_rules_that_it_saved() {
    let postgres = TestPostgres::start();
    let url = database(&postgres, "away");
    let server = control(&url);
    let mut crashed = serving(&url);
    let mut stopped = serving(&url);
    wait_for("the rules are saved", RECOVERY_MAX, || crashed.data().join("rules.json").exists());
    crashed.kill9();
    assert!(stopped.stop().success());
    postgres.stop();

    let new = Node::start(&url, &[]);
    assert_eq!((new.readiness(), Client::new(new.gateway()).get("/users/1").status), (503, 421));
    for node in [&mut crashed, &mut stopped] {
        node.start_again();
        assert_eq!((node.readiness(), Client::new(node.gateway()).get("/users/1").body.as_str()), (200, "origin"));
    }

    postgres.restart();
    let set = ["origin", "set", "--host", HOST, &Origin::start("new").url()];
    wait_for("the server writes again", RECOVERY_MAX, || server.run(&set).status.success());
    for node in [&crashed, &stopped, &new] {
        wait_until_answered_by(node, "new", RECOVERY_MAX);
        assert_eq!(node.readiness(), 200);
    }
}

#[test]
fn a_crash_of_one_gateway_fails_no_request_of_the_other() {
    let url = database(&POSTGRES, "crash");
    let _server = control(&url);
    let (mut one, other) = (serving(&url), serving(&url));
    let doomed = Traffic::start(one.gateway(), CLIENTS, "/users/1");
    let traffic = Traffic::start(other.gateway(), CLIENTS, "/users/1");
    thread::sleep(Duration::from_millis(500));
    one.kill9();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(doomed.finish().turned_away, CLIENTS);
    traffic.finish().check_served();
}

#[test]
fn a_thousand_new_operations_under_load_fail_no_request_and_take_little_memory() {
    /// In MiB: a thousand operations take about one, and rules that nobody uses any more must not pile up.
    const GROWTH_MAX_MIB: u64 = 32;
    let url = database(&POSTGRES, "bulk");
    let server = control(&url);
    let node = serving(&url);
    let traffic = Traffic::start(node.gateway(), CLIENTS, "/users/1");
    thread::sleep(Duration::from_millis(500));
    let before = resident_mib(node.process_id());
    let begin = Instant::now();
    let mut last = Value::Null;
    for chunk in 0..50 {
        let operations = (0..20).map(|number| operation("GET", HOST, &format!("/things/{chunk}/{number}/{{id}}")));
        last = server.zone_call("POST", "/operations", &operations.collect());
    }
    let added = begin.elapsed();
    let last = last[19]["operation_id"].as_str().unwrap();
    server.route(last, &format!("{}/{{var1}}", Origin::start("last").url()));
    let mut client = Client::new(node.gateway());
    wait_for("the last operation is in force", RECOVERY_MAX, || client.get("/things/49/19/1").body == "last");
    thread::sleep(Duration::from_millis(500));
    let after = resident_mib(node.process_id());
    println!("1,000 operations in {added:?}; memory {before} MiB before, {after} MiB after");
    traffic.finish().check_served();
    assert!(after.saturating_sub(before) <= GROWTH_MAX_MIB, "{before} MiB, then {after} MiB");
}
