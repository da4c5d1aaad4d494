//! Operations that nobody saved, found in real requests through real gateways: the same for one gateway and for several.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, sync::LazyLock, time::Duration};

use demilune_test_postgres::TestPostgres;
use serde_json::{Value, json};
use support::{
    Server, call,
    gateway::{Client, HOST, Node, Origin, wait_for},
};

static POSTGRES: LazyLock<TestPostgres> = LazyLock::new(TestPostgres::start);
const PATIENCE: Duration = Duration::from_secs(40);
/// More than the 500 that discovery asks for.
const REQUESTS: u32 = 520;

fn prepare(server: &Server) {
    let identifiers = json!([{ "type": "header", "name": "X-Client" }]);
    server.zone_call("PUT", "/configuration", &json!({ "auth_id_characteristics": identifiers }));
    server.set_origin(&Origin::start("origin"));
}

fn ready(client: &mut Client) {
    wait_for("the rules are in force", PATIENCE, || client.get("/ready").status == 200);
}

/// Requests with these numbers, which no operation matches: customers and what they ordered, and a scanner's.
fn requests(numbers: std::ops::Range<u32>, mut client_of: impl FnMut(u32) -> usize, clients: &mut [Client]) {
    for number in numbers {
        let client = &mut clients[client_of(number)];
        let fields = format!("X-Client: client-{}\r\n", number % 20);
        let mut send = |path: &str| client.send("GET", HOST, path, &fields).unwrap().status;
        assert_eq!(send(&format!("/customers/{}", 7_000 + number)), 200);
        assert_eq!(send(&format!("/customers/{}/orders", 7_000 + number)), 200);
        assert_eq!(send(&format!("/missing/{number}.php")), 404);
        assert_eq!(send("/logo.png"), 200);
    }
}

/// What is listed, without the times at which it was looked for.
fn listed(server: &Server) -> Vec<Value> {
    let (status, answer) =
        server.call("GET", &format!("/zones/{}/api_gateway/discovery/operations", server.zone()), None);
    assert_eq!(status, 200, "{answer}");
    let mut listed = answer["result"].as_array().unwrap().clone();
    for found in &mut listed {
        found["last_updated"].take();
        found["features"]["traffic_stats"]["last_updated"].take();
        found["features"]["traffic_stats"]["period_seconds"].take();
    }
    listed
}

fn explained(server: &Server, found: &Value) -> Value {
    let id = found["id"].as_str().unwrap();
    let base = format!("{}/demilune/v1", server.public_url());
    let path = format!("/zones/{}/discovery/operations/{id}/explain", server.zone());
    let (status, answer) = call(&base, &server.token(), "GET", &path, None);
    assert_eq!(status, 200, "{answer}");
    let mut explanation = answer["result"]["explanation"].clone();
    explanation["first_seen"].take();
    explanation["last_seen"].take();
    explanation
}

#[test]
fn what_nobody_saved_is_found_and_matched_once_it_is_saved() {
    let server = Server::start_local(&[]);
    prepare(&server);
    let mut clients = [Client::new(&server.gateway())];
    ready(&mut clients[0]);
    requests(0..REQUESTS, |_| 0, &mut clients);
    wait_for("all requests are seen", PATIENCE, || {
        let found = server.run_json(&["discover"]);
        let found = found.as_array().unwrap();
        found.len() == 2 && found.iter().all(|found| found["requests"] == REQUESTS)
    });
    let found = listed(&server);
    let endpoints: Vec<_> = found.iter().map(|found| found["endpoint"].as_str().unwrap()).collect();
    assert_eq!(endpoints, ["/customers/{var1}", "/customers/{var1}/orders"]);
    assert_eq!((&found[0]["state"], &found[0]["origin"]), (&json!("review"), &json!(["ML", "SessionIdentifier"])));

    let id = server.add("GET", "/customers/{id}");
    assert_eq!((&listed(&server)[0]["state"], &listed(&server)[1]["state"]), (&json!("saved"), &json!("review")));
    assert_eq!(server.run_json(&["discover", "--state", "review"]).as_array().unwrap().len(), 1);
    wait_for("its next request is matched", PATIENCE, || {
        clients[0].get("/customers/1");
        let base = format!("{}/demilune/v1", server.public_url());
        let path = format!("/zones/{}/operations/{id}/analytics", server.zone());
        let (_, counted) = call(&base, &server.token(), "GET", &path, None);
        counted["result"]["totals"]["requests"].as_u64().unwrap() > 0
    });
}

/// What is listed and explained after these gateways have served the requests, and were all stopped and started in the
/// middle.
fn served_by(database: &str, gateways: usize) -> Vec<Value> {
    POSTGRES.create_database(database);
    let url = POSTGRES.url(database);
    let server = Server::start_local(&["--role", "control", "--database", &url]);
    prepare(&server);
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("session.key");
    fs::write(&key, "the-same-key-for-every-gateway").unwrap();
    let args = ["--secret-file", key.to_str().unwrap()];
    let mut nodes: Vec<Node> = (0..gateways).map(|_| Node::start(&url, &args)).collect();
    for half in [0..REQUESTS / 2, REQUESTS / 2..REQUESTS] {
        let mut clients: Vec<Client> = nodes.iter().map(|node| Client::new(node.gateway())).collect();
        clients.iter_mut().for_each(ready);
        requests(half.clone(), |number| number as usize % gateways, &mut clients);
        drop(clients);
        for node in &mut nodes {
            assert!(node.stop().success(), "{}", node.log());
            if half.start == 0 {
                node.start_again();
            }
        }
    }
    server.run_ok(&["discover"]);
    let mut found = listed(&server);
    for found in &mut found {
        found["explanation"] = explained(&server, found);
        // Zones have other ids in other databases, and so has what is found in them.
        found["id"].take();
    }
    found
}

#[test]
fn two_gateways_that_restart_find_what_one_would() {
    let [shared, alone] = [("shared", 2), ("alone", 1)].map(|(database, gateways)| served_by(database, gateways));
    assert_eq!(shared, alone);
    assert_eq!(alone.len(), 2, "{alone:?}");
    assert_eq!(alone[1]["explanation"]["requests"], REQUESTS);
    let shapes = &alone[0]["explanation"]["segments"][1]["shapes"];
    assert_eq!(*shapes, json!([{ "shape": "integer", "requests": 2 * REQUESTS }]), "{}", alone[0]);
}

#[test]
fn a_gateway_that_does_not_learn_does_not_discover() {
    let server = Server::start_local(&["--no-learning"]);
    prepare(&server);
    let mut clients = [Client::new(&server.gateway())];
    ready(&mut clients[0]);
    requests(0..REQUESTS, |_| 0, &mut clients);
    let counted = || {
        let base = format!("{}/demilune/v1", server.public_url());
        let (_, counted) = call(&base, &server.token(), "GET", &format!("/zones/{}/analytics", server.zone()), None);
        counted["result"]["totals"]["requests"].as_u64().unwrap()
    };
    wait_for("requests are counted", PATIENCE, || counted() > u64::from(4 * REQUESTS));
    assert_eq!(server.run_json(&["discover"]), json!([]));
}
