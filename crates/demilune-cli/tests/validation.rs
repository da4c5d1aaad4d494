//! Uploaded schemas in force at the gateway: the documented calls change what happens to live requests, at once and
//! also while the store is away.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use demilune_test_postgres::TestPostgres;
use serde_json::{Value, json};
use support::{
    Server,
    gateway::{Client, HOST, IN_FORCE_MAX, Node, Origin, wait_for},
};

const PATIENCE: Duration = Duration::from_secs(30);
const DOCUMENT: &str = r#"
openapi: 3.0.4
info: { title: Users, version: "1" }
servers: [{ url: "https://api.example.com/v1" }]
paths:
  /users/{id}:
    get:
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses: {}
    patch:
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, properties: { age: { type: integer } } } } }
      responses: {}
"#;

/// Adds the document's schema; its id.
fn upload(server: &Server, source: &str) -> String {
    let schema = json!({ "kind": "openapi_v3", "name": "users.yaml", "source": source, "validation_enabled": true });
    let path = format!("/zones/{}/schema_validation/schemas", server.zone());
    let (status, answer) = server.call("POST", &path, Some(&schema));
    assert_eq!(status, 200, "{answer}");
    answer["result"]["schema_id"].as_str().unwrap().to_owned()
}

fn validation_call(server: &Server, method: &str, path: &str, body: &Value) {
    let path = format!("/zones/{}/schema_validation/{path}", server.zone());
    let (status, answer) = server.call(method, &path, Some(body).filter(|body| !body.is_null()));
    assert_eq!(status, 200, "{answer}");
}

/// Waits until a request is answered like this.
fn soon(what: &str, client: &mut Client, request: impl Fn(&mut Client) -> u16, expected: u16) {
    wait_for(what, IN_FORCE_MAX + PATIENCE, || request(client) == expected);
}

fn get_rex(client: &mut Client) -> u16 {
    client.get("/v1/users/rex").status
}

fn patch(client: &mut Client, body: &str) -> u16 {
    let fields = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    client.send_body("PATCH", HOST, "/v1/users/7", &fields, body).unwrap().status
}

fn effective(server: &Server, operation: &str) -> Value {
    let path = format!("/operations/{operation}?feature=schema_info");
    server.zone_call("GET", &path, &Value::Null)["features"]["schema_info"].clone()
}

#[test]
fn what_is_said_of_a_schema_happens_to_requests() {
    let server = Server::start_local(&[]);
    server.set_origin(&Origin::start("origin"));
    let mut client = Client::new(&server.gateway());
    wait_for("the rules are in force", PATIENCE, || client.get("/elsewhere").status == 200);
    let schema = upload(&server, DOCUMENT);
    let new = server.zone_call("GET", &format!("/user_schemas/{schema}/operations?operation_status=new"), &Value::Null);
    assert_eq!(new.as_array().unwrap().len(), 2, "{new}");
    let operation = server.add("GET", "/v1/users/{user}");
    server.add("PATCH", "/v1/users/{user}");
    assert_eq!(get_rex(&mut client), 200, "the default action is none");

    validation_call(&server, "PUT", "settings", &json!({ "validation_default_mitigation_action": "log" }));
    let counted = || Client::new(server.address()).get("/metrics").body.contains("keyword=\"type\"");
    wait_for("it is recorded", PATIENCE, || get_rex(&mut client) == 200 && counted());

    validation_call(&server, "PUT", "settings", &json!({ "validation_default_mitigation_action": "block" }));
    soon("it is blocked", &mut client, get_rex, 403);
    assert_eq!((client.get("/v1/users/7").status, patch(&mut client, r#"{"age":7}"#)), (200, 200));
    assert_eq!(patch(&mut client, r#"{"age":"7"}"#), 403);
    let shown = effective(&server, &operation);
    assert_eq!((&shown["mitigation_action"], &shown["active_schema"]["id"]), (&"block".into(), &schema.clone().into()));

    validation_call(&server, "PATCH", "settings", &json!({ "validation_override_mitigation_action": "none" }));
    soon("the override lets it pass", &mut client, get_rex, 200);
    assert_eq!(effective(&server, &operation)["mitigation_action"], "none");
    validation_call(&server, "PATCH", "settings", &json!({ "validation_override_mitigation_action": null }));
    soon("without it, it is blocked again", &mut client, get_rex, 403);

    validation_call(
        &server,
        "PUT",
        &format!("settings/operations/{operation}"),
        &json!({ "mitigation_action": "none" }),
    );
    soon("the operation has its own action", &mut client, get_rex, 200);
    assert_eq!(patch(&mut client, r#"{"age":"7"}"#), 403);

    validation_call(&server, "DELETE", &format!("schemas/{schema}"), &Value::Null);
    soon("nothing is checked against it any more", &mut client, |client| patch(client, r#"{"age":"7"}"#), 200);
}

#[test]
fn the_newest_enabled_schema_is_in_force() {
    let server = Server::start_local(&[]);
    server.set_origin(&Origin::start("origin"));
    server.add("GET", "/v1/users/{user}");
    let mut client = Client::new(&server.gateway());
    validation_call(&server, "PUT", "settings", &json!({ "validation_default_mitigation_action": "block" }));
    upload(&server, DOCUMENT);
    soon("the first is in force", &mut client, get_rex, 403);
    let newer = upload(&server, &DOCUMENT.replace("type: integer", "type: string"));
    soon("the newer is in force", &mut client, get_rex, 200);
    validation_call(&server, "PATCH", &format!("schemas/{newer}"), &json!({ "validation_enabled": false }));
    soon("the first is in force again", &mut client, get_rex, 403);
}

#[test]
fn a_gateway_that_starts_without_the_store_blocks_as_before() {
    let postgres = TestPostgres::start();
    postgres.create_database("away");
    let url = postgres.url("away");
    let server = Server::start_local(&["--role", "control", "--database", &url]);
    server.set_origin(&Origin::start("origin"));
    server.add("GET", "/v1/users/{user}");
    upload(&server, DOCUMENT);
    validation_call(&server, "PUT", "settings", &json!({ "validation_default_mitigation_action": "block" }));
    let mut node = Node::start(&url, &[]);
    soon("it is blocked", &mut Client::new(node.gateway()), get_rex, 403);
    assert!(node.stop().success());
    postgres.stop();
    node.start_again();
    let mut client = Client::new(node.gateway());
    assert_eq!((get_rex(&mut client), client.get("/v1/users/7").status), (403, 200));
}
