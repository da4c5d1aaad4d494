//! What reaches the origin of a request, and the client of an answer.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use demilune_policy::rule::{ForwardPath, Unmatched};
use support::{Rules, TestGateway, TestOrigin, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Origin: yes\r\n\r\nok";

fn pair() -> (TestGateway, TestOrigin) {
    let origin = TestOrigin::answering(OK);
    (TestGateway::start(Rules::to(origin.address)), origin)
}

#[test]
fn an_answer_comes_back_with_its_fields_and_body() {
    let (gateway, _origin) = pair();
    let answer = gateway.ask("GET /users/7?q=1", "");
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(answer.contains("x-origin: yes\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
    assert!(answer.contains("via: 1.1 demilune-000000000000002a\r\n"), "{answer}");
    assert!(answer.contains("x-request-id: 000000000000002a0000000000000000\r\n"), "{answer}");
}

#[test]
fn the_origin_gets_the_clients_host_the_query_and_who_asked() {
    let (gateway, origin) = pair();
    gateway.ask("GET /users/7?q=1", "X-Forwarded-For: 1.1.1.1\r\n");
    let request = origin.received();
    assert!(request.starts_with("GET /users/7?q=1 HTTP/1.1\r\n"), "{request}");
    for line in [
        "host: api.test",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
        "x-forwarded-host: api.test",
        "forwarded: for=127.0.0.1;host=api.test;proto=http",
        "via: 1.1 demilune-000000000000002a",
    ] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line}: {request}");
    }
    assert!(!request.contains("connection:"), "{request}");
}

#[test]
fn a_body_of_known_length_keeps_it() {
    let (gateway, origin) = pair();
    let answer = gateway.ask("POST /a", "Content-Length: 5\r\n\r\nhello");
    assert_eq!(status(&answer), 200, "{answer}");
    let request = origin.received();
    assert!(request.contains("content-length: 5\r\n") && request.ends_with("hello"), "{request}");
}

#[test]
fn a_chunked_body_is_chunked_anew_with_its_trailers() {
    let (gateway, origin) = pair();
    let fields = "Transfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 9\r\n";
    let answer = gateway.ask("POST /a", fields);
    assert_eq!(status(&answer), 200, "{answer}");
    let request = origin.received();
    assert!(request.contains("transfer-encoding: chunked\r\n"), "{request}");
    assert!(request.to_ascii_lowercase().ends_with("5\r\nhello\r\n0\r\nx-sum: 9\r\n\r\n"), "{request}");
}

#[test]
fn connections_to_the_origin_are_used_again() {
    let (gateway, origin) = pair();
    for _ in 0..5 {
        assert_eq!(status(&gateway.ask("GET /a", "")), 200);
    }
    assert_eq!((origin.requests(), origin.connections()), (5, 1));
}

#[test]
fn the_normalized_path_is_sent_on() {
    let (gateway, origin) = pair();
    gateway.ask(r"GET /a//b/../%7ec\d?x=/../y", "");
    assert!(origin.received().starts_with("GET /a/~c/d?x=/../y HTTP/1.1"), "{}", origin.received());
}

#[test]
fn a_zone_may_send_paths_on_as_they_came_unless_they_mislead() {
    let origin = TestOrigin::answering(OK);
    let rules = Rules::to(origin.address).settings(|settings| settings.forward_path = ForwardPath::Raw);
    let gateway = TestGateway::start(rules);
    assert_eq!(status(&gateway.ask("GET /%7ejoe/%41", "")), 200);
    assert!(origin.received().starts_with("GET /%7ejoe/%41 HTTP/1.1"), "{}", origin.received());
    for path in ["/a//b", "/a/../b", r"/a\b", "/a/%2e%2e/b", "/."] {
        assert_eq!(status(&gateway.ask(&format!("GET {path}"), "")), 400, "{path}");
    }
    assert_eq!(origin.requests(), 1);
}

#[test]
fn a_route_changes_server_path_and_host() {
    let (origin, target) = (TestOrigin::answering(OK), TestOrigin::answering(OK));
    let route = format!("http://{}/v2/{{var2}}/{{var1}}", target.address);
    let gateway = TestGateway::start(Rules::to(origin.address).routed("GET", "/a/{x}/{y}", Some(&route)));
    assert_eq!(status(&gateway.ask("GET /a/one/t%2Fwo?q=1", "")), 200);
    let request = target.received();
    assert!(request.starts_with("GET /v2/t%2Fwo/one?q=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", target.address)), "{request}");
    assert!(request.contains("x-forwarded-host: api.test\r\n"), "{request}");
    assert_eq!(origin.requests(), 0);
}

#[test]
fn a_route_to_a_private_address_is_refused_unless_allowed() {
    let (origin, target) = (TestOrigin::answering(OK), TestOrigin::answering(OK));
    let route = format!("http://localhost:{}/", target.address.port());
    let rules = Rules::to(origin.address).routed("GET", "/a", Some(&route));
    let gateway = TestGateway::start_with(rules, |options| options.allow_private_targets = false);
    assert_eq!(status(&gateway.ask("GET /b", "")), 200, "origins may be private");
    let answer = gateway.ask("GET /a", "");
    assert_eq!(status(&answer), 502, "{answer}");
    assert!(answer.contains("origin_forbidden"), "{answer}");
    assert_eq!(target.connections(), 0);
}

#[test]
fn what_no_operation_fits_is_blocked_where_the_zone_says_so() {
    let origin = TestOrigin::answering(OK);
    let rules = Rules::to(origin.address).operation("GET", "/users/{id}");
    let gateway = TestGateway::start(rules.settings(|settings| settings.unmatched = Unmatched::Block));
    assert_eq!(status(&gateway.ask("GET /users/7", "")), 200);
    assert_eq!(status(&gateway.ask("GET /other", "")), 403);
    assert_eq!(status(&gateway.ask("POST /users/7", "")), 403);
    assert_eq!(origin.requests(), 1);
}

#[test]
fn a_preflight_is_judged_by_the_request_it_announces() {
    let origin = TestOrigin::answering(OK);
    let rules = Rules::to(origin.address).operation("DELETE", "/users/{id}");
    let gateway = TestGateway::start(rules.settings(|settings| settings.unmatched = Unmatched::Block));
    let preflight = |method: &str| {
        let fields = format!("Origin: https://app.test\r\nAccess-Control-Request-Method: {method}\r\n");
        status(&gateway.ask("OPTIONS /users/7", &fields))
    };
    assert_eq!(preflight("DELETE"), 200);
    assert_eq!(preflight("PUT"), 403);
    assert_eq!(status(&gateway.ask("OPTIONS /users/7", "")), 403);
}

#[test]
fn hosts_without_an_origin_are_misdirected() {
    let (gateway, _origin) = pair();
    let answer = gateway.raw("GET / HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&answer), 421, "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("\"code\":\"host_unknown\""), "{answer}");
}

#[test]
fn the_authority_of_an_absolute_target_is_the_host() {
    let (gateway, origin) = pair();
    let answer = gateway.raw("GET http://API.test/x HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&answer), 200, "{answer}");
    let request = origin.received();
    assert!(request.starts_with("GET /x HTTP/1.1\r\n") && request.contains("\r\nhost: API.test\r\n"), "{request}");
}

#[test]
fn connect_is_refused_and_trace_too_unless_an_operation_names_it() {
    let origin = TestOrigin::answering(OK);
    let gateway = TestGateway::start(Rules::to(origin.address).operation("TRACE", "/t"));
    assert_eq!(
        status(&gateway.raw("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nConnection: close\r\n\r\n")),
        405
    );
    assert_eq!(status(&gateway.ask("TRACE /a", "")), 405);
    assert_eq!(status(&gateway.ask("TRACE /t", "")), 200);
}

#[test]
fn a_request_that_comes_round_is_stopped() {
    let (gateway, origin) = pair();
    let answer = gateway.ask("GET /", "Via: 1.1 a, 1.1 demilune-000000000000002a\r\n");
    assert_eq!((status(&answer), origin.requests()), (508, 0));
}

#[test]
fn head_answers_keep_their_length_and_have_no_body() {
    let origin = TestOrigin::answering("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
    let gateway = TestGateway::start(Rules::to(origin.address));
    let answer = gateway.ask("HEAD /", "");
    assert!(answer.contains("content-length: 7\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert_eq!(status(&gateway.ask("HEAD /", "")), 200);
    assert_eq!(origin.connections(), 1);
}

#[test]
fn answers_without_a_body_stay_without_one() {
    for head in ["204 No Content\r\n", "304 Not Modified\r\nETag: \"x\"\r\n"] {
        let head: &'static str = Box::leak(format!("HTTP/1.1 {head}\r\n").into_boxed_str());
        let origin = TestOrigin::answering(head);
        let gateway = TestGateway::start(Rules::to(origin.address));
        let answer = gateway.ask("GET /", "");
        assert!(answer.ends_with("\r\n\r\n") && !answer.contains("transfer-encoding"), "{answer}");
    }
}

#[test]
fn an_upgrade_becomes_a_tunnel() {
    let origin = TestOrigin::start(|exchange, _| {
        let head = exchange.head().unwrap();
        assert!(head.contains("upgrade: websocket\r\n") && head.contains("connection: upgrade\r\n"), "{head}");
        exchange.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello ");
        let mut bytes = [0; 5];
        std::io::Read::read_exact(&mut exchange.stream, &mut bytes).unwrap();
        exchange.send(bytes);
    });
    let gateway = TestGateway::start(Rules::to(origin.address));
    let mut client = gateway.connect();
    client.send("GET /ws HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    let answer = client.answer();
    assert_eq!(status(&answer), 101, "{answer}");
    assert!(answer.contains("upgrade: websocket\r\n"), "{answer}");
    client.send("world");
    assert_eq!(client.rest(), "hello world");
}
