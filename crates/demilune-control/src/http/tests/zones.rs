//! The zones that a caller may see.

use serde_json::json;

use crate::http::testing::{Api, OPERATOR, OTHER_ZONE, READER, ZONE, ZONE_WRITER};

#[tokio::test]
async fn a_caller_sees_the_zones_of_their_grants() {
    let api = Api::start().await;
    let names = async |token: &str, query: &str| {
        let answer = api.call_as(token, "GET", &format!("/client/v4/zones{query}"), None).await;
        let zones = answer.result().as_array().unwrap();
        zones.iter().map(|zone| zone["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(READER, "").await, ["example.com", "example.net"]);
    assert_eq!(names(READER, "?name=example.net").await, ["example.net"]);
    assert_eq!(names(READER, "?page=2").await, [""; 0]);
    assert_eq!(names(ZONE_WRITER, "").await, ["example.com"]);
    assert_eq!(names(OPERATOR, "").await, ["example.com", "example.net"]);
}

#[tokio::test]
async fn a_zone_has_the_members_that_clients_read() {
    let api = Api::start().await;
    let answer = api.call_as(READER, "GET", &format!("/client/v4/zones/{ZONE}"), None).await;
    let expected = json!({"id": ZONE, "name": "example.com", "status": "active", "paused": false, "type": "full",
        "created_on": "2023-11-14T22:13:20.000000Z"});
    assert_eq!(answer.result(), &expected);
}

#[tokio::test]
async fn a_zone_out_of_scope_is_forbidden() {
    let api = Api::start().await;
    api.call_as(ZONE_WRITER, "GET", &format!("/client/v4/zones/{OTHER_ZONE}"), None).await.check_failure(403, &[9109]);
}
