//! The gateway of `demilune serve`: from the first request to an orderly end, on real sockets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::Value;
use support::{
    Server,
    gateway::{HOST, IN_FORCE_MAX, Origin, wait_for},
};

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
