//! Schemas of real requests through real gateways: the same for one gateway and for several, and in a document that
//! stays the same while they do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
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
const TEST_SECONDS_MAX: u64 = 90;
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for the next hour where this one is about to end; the end of the hour that it is then.
fn end_of_this_hour() -> String {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let left = HOUR_SECONDS - now() % HOUR_SECONDS;
    if left < TEST_SECONDS_MAX {
        thread::sleep(Duration::from_secs(left));
    }
    let end = (now() / HOUR_SECONDS + 1) * HOUR_SECONDS;
    Timestamp::from_micros(i64::try_from(end).unwrap() * 1_000_000).unwrap().to_string()
}

/// Two operations, and an origin; their ids.
fn prepare(server: &Server) -> [String; 2] {
    let ids = [server.add("GET", "/users/{id}/orders"), server.add("POST", "/users/{id}/orders")];
    let identifiers = json!([{ "type": "header", "name": "X-Client" }]);
    server.zone_call("PUT", "/configuration", &json!({ "auth_id_characteristics": identifiers }));
    server.set_origin(&Origin::start("origin"));
    ids
}

/// Requests with these numbers: twenty clients, a few of which send what others do not.
fn requests(numbers: std::ops::Range<u32>, mut client_of: impl FnMut(u32) -> usize, clients: &mut [Client]) {
    for number in numbers {
        let client = &mut clients[client_of(number)];
        let fields = format!("X-Client: client-{}\r\n", number % 20);
        let odd = if number % 20 == 3 { "&odd=1" } else { "" };
        let from = format!("2026-{:02}-{:02}", number % 12 + 1, number % 28 + 1);
        let get = format!("/users/{number}/orders?state={}&from={from}{odd}", ["open", "paid"][(number % 2) as usize]);
        assert_eq!(client.send("GET", HOST, &get, &fields).unwrap().status, 200);
        let order =
            json!({ "sku": format!("A-{number}"), "count": number % 5 + 1, "gift": number % 3 == 0 }).to_string();
        let fields = format!("{fields}Content-Type: application/json\r\nContent-Length: {}\r\n", order.len());
        assert_eq!(
            client.send_body("POST", HOST, &format!("/users/{number}/orders"), &fields, &order).unwrap().status,
            200
        );
    }
}

/// All that the API says of the two operations, and the document that is exported.
fn said(server: &Server, ids: &[String; 2], at: &str) -> (Value, String) {
    server.run_ok(&["recompute", "--at", at]);
    let operations = ids.each_ref().map(|id| {
        let shown = server.zone_call(
            "GET",
            &format!("/operations/{id}?feature=parameter_schemas&with_schemas=true"),
            &Value::Null,
        );
        let base = format!("{}/demilune/v1", server.public_url());
        let path = format!("/zones/{}/operations/{id}/parameter_schemas/explain", server.zone());
        let (status, explained) = call(&base, &server.token(), "GET", &path, None);
        assert_eq!(status, 200, "{explained}");
        let mut explained = explained["result"].clone();
        explained.as_object_mut().unwrap().remove("operation");
        explained.as_object_mut().unwrap().remove("operation_id");
        json!([shown["features"], shown["schemas"]["learned"], explained])
    });
    (Value::from(operations.to_vec()), server.run_ok(&["schema", "export", "--host", HOST]))
}

/// What the API says after these gateways have served the requests, and were all stopped and started in the middle.
fn served_by(database: &str, gateways: usize, at: &str) -> (Value, String) {
    POSTGRES.create_database(database);
    let url = POSTGRES.url(database);
    let server = Server::start_local(&["--role", "control", "--database", &url]);
    let ids = prepare(&server);
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("session.key");
    fs::write(&key, "the-same-key-for-every-gateway").unwrap();
    let args = ["--secret-file", key.to_str().unwrap()];
    let mut nodes: Vec<Node> = (0..gateways).map(|_| Node::start(&url, &args)).collect();
    for half in [0..700, 700..1_400] {
        let mut clients: Vec<Client> = nodes.iter().map(|node| Client::new(node.gateway())).collect();
        for client in &mut clients {
            wait_for("the rules are in force", PATIENCE, || client.get("/elsewhere").status == 200);
        }
        requests(half.clone(), |number| number as usize % gateways, &mut clients);
        drop(clients);
        for node in &mut nodes {
            assert!(node.stop().success(), "{}", node.log());
            if half.start == 0 {
                node.start_again();
            }
        }
    }
    said(&server, &ids, at)
}

#[test]
fn two_gateways_that_restart_learn_what_one_would() {
    let at = end_of_this_hour();
    let [shared, alone] = [("shared", 2), ("alone", 1)].map(|(database, gateways)| served_by(database, gateways, &at));
    assert_eq!(shared.0.to_string(), alone.0.to_string());
    assert_eq!(shared.1, alone.1);
    let parameters = &alone.0[0][0]["parameter_schemas"]["parameter_schemas"]["parameters"];
    let named: Vec<_> = parameters.as_array().unwrap().iter().map(|found| found["name"].as_str().unwrap()).collect();
    assert_eq!(named, ["var1", "from", "state"], "what one client sends is not shown");
    assert_eq!(parameters[1]["schema"], json!({ "type": "string", "format": "date" }));
    let body = &alone.0[1][1]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"], json!(["count", "gift", "sku"]), "{body}");
    assert_eq!(body["properties"]["gift"], json!({ "type": "boolean" }));
}

#[test]
fn a_schema_keeps_its_time_while_it_stays_the_same() {
    let server = Server::start_local(&[]);
    let ids = prepare(&server);
    let at = end_of_this_hour();
    let mut clients = [Client::new(&server.gateway())];
    wait_for("the rules are in force", PATIENCE, || clients[0].get("/elsewhere").status == 200);
    requests(0..1_100, |_| 0, &mut clients);
    let schema = || {
        wait_for("evidence is stored", Duration::from_secs(90), || {
            server.run_ok(&["recompute", "--at", &at]);
            let path = format!("/operations/{}?feature=parameter_schemas", ids[0]);
            let shown = server.zone_call("GET", &path, &Value::Null);
            shown["features"]["parameter_schemas"]["last_updated"].is_string()
        });
        said(&server, &ids, &at)
    };
    let (before, document) = schema();
    let first = before[0][0].clone();
    let (after, again) = said(&server, &ids, &at);
    assert_eq!((&first, &document), (&after[0][0], &again));
    assert!(document.contains("format: date\n"), "{document}");
}
