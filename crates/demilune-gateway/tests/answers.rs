//! Answers of origins that two readers could read in two ways, or that nobody asked for.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::{Message, Rules, TestGateway, TestOrigin, status};

/// What a client gets when its origin answers with these bytes and closes.
fn answer_to(sent: &'static str, fields: &str) -> String {
    let origin = TestOrigin::start(move |exchange, _| {
        if exchange.request().is_some() {
            exchange.send(sent);
        }
    });
    TestGateway::start(Rules::to(origin.address)).ask("GET /", fields)
}

#[track_caller]
fn check_invalid(sent: &'static str) {
    let answer = answer_to(sent, "");
    assert_eq!(status(&answer), 502, "{sent:?}: {answer}");
    assert!(answer.contains("\"code\":\"origin_answer_invalid\""), "{sent:?}: {answer}");
}

#[track_caller]
fn check_body(sent: &'static str, body: &str) {
    let answer = answer_to(sent, "");
    let answers = Message::answers(answer.as_bytes());
    assert_eq!(answers.len(), 1, "{sent:?}: {answer}");
    let count = |name| answers[0].values(name).len();
    assert_eq!(count("content-length") + count("transfer-encoding"), 1, "{sent:?}: {answer}");
    assert_eq!((answers[0].status(), answers[0].text().as_str()), (200, body), "{sent:?}: {answer}");
}

#[test]
fn an_answer_in_another_coding_than_chunked_is_502() {
    check_invalid("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
    check_invalid(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    check_invalid("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n");
    check_invalid("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok");
    check_invalid("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nok");
    check_invalid("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
}

#[test]
fn an_answer_with_more_than_one_length_is_502() {
    check_invalid("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!");
    check_invalid("HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok!");
    check_invalid("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok");
    check_invalid("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok");
    check_invalid("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok");
    check_invalid("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok");
}

#[test]
fn an_answer_that_ends_with_its_connection_gets_a_framing() {
    check_body("HTTP/1.1 200 OK\r\n\r\nok", "ok");
    check_body("HTTP/1.0 200 OK\r\n\r\nok", "ok");
}

#[test]
fn a_switch_of_protocols_that_nobody_asked_for_is_502() {
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\n";
    let switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    for fields in ["", upgrade] {
        let answer = answer_to(switched, fields);
        assert_eq!(status(&answer), 502, "{fields:?}: {answer}");
    }
}

#[test]
fn fields_of_the_origins_connection_do_not_reach_the_client() {
    let answer = answer_to(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-End: 1\r\n\r\nok",
        "",
    );
    assert!(answer.contains("x-end: 1\r\n"), "{answer}");
    assert!(!answer.contains("x-hop") && !answer.contains("keep-alive"), "{answer}");
}

#[test]
fn a_body_behind_an_answer_to_head_reaches_nobody() {
    let origin = TestOrigin::start(|exchange, _| {
        while let Some(request) = exchange.request() {
            let path = request.split(' ').nth(1).unwrap().to_owned();
            exchange.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len()));
        }
    });
    let gateway = TestGateway::start(Rules::to(origin.address));
    for _ in 0..20 {
        let answer = gateway.ask("HEAD /head", "");
        assert!(status(&answer) == 200 && answer.ends_with("\r\n\r\n"), "{answer}");
        let answer = gateway.ask("GET /get", "");
        assert!(status(&answer) == 200 && answer.ends_with("\r\n\r\n/get"), "{answer}");
    }
}
