//! Connection options, upgrades, expectations, and several requests on one connection.

use super::{HIDDEN, Row, hiding};

pub(super) fn rows() -> Vec<Row> {
    [options(), upgrades(), expectations(), pipelines()].into_iter().flatten().collect()
}

fn get(fields: &str) -> String {
    hiding("GET /a", fields, "")
}

fn options() -> Vec<Row> {
    let length = format!("Content-Length: {}\r\n", HIDDEN.len());
    let naming = |option: &str| hiding("POST /a", &format!("{length}Connection: close, {option}\r\n"), HIDDEN);
    vec![
        Row::refused("connection_names_length", "Connection names Content-Length", 400, naming("Content-Length")),
        Row::refused("connection_names_coding", "Connection names Transfer-Encoding", 400, naming("transfer-encoding")),
        Row::refused("connection_names_host", "Connection names Host", 400, naming("host")),
        Row::refused("connection_names_cookie", "Connection names Cookie", 400, naming("cookie")),
        Row::passed(
            "connection_names_forwarded",
            "Connection names the fields that tell of the client; they are written anew",
            get("Connection: close, X-Forwarded-For, Forwarded, Via\r\nX-Forwarded-For: 1.1.1.1\r\n"),
            &[("GET /a", "")],
        ),
        Row::passed(
            "proxy_connection",
            "Proxy-Connection and Keep-Alive, which are left out",
            get("Proxy-Connection: keep-alive\r\nKeep-Alive: timeout=9\r\nConnection: close\r\n"),
            &[("GET /a", "")],
        ),
        Row::passed(
            "forwarded_by_a_stranger",
            "fields that speak for another client",
            get(
                "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\nX-Forwarded-Host: other.test\r\nConnection: close\r\n",
            ),
            &[("GET /a", "")],
        ),
    ]
}

fn upgrades() -> Vec<Row> {
    let close = "GET /b HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";
    let h2c = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n";
    vec![
        Row::passed(
            "upgrade_h2c",
            "an upgrade to HTTP/2, which is not asked of the origin",
            hiding("GET /a", h2c, close),
            &[("GET /a", ""), ("GET /b", "")],
        ),
        Row::passed(
            "upgrade_list_with_h2c",
            "an upgrade to one of several protocols, HTTP/2 among them",
            hiding("GET /a", "Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n", close),
            &[("GET /a", ""), ("GET /b", "")],
        ),
        Row::passed(
            "upgrade_not_named",
            "an Upgrade field that Connection does not name",
            hiding("GET /a", "Upgrade: websocket\r\n", close),
            &[("GET /a", ""), ("GET /b", "")],
        ),
        Row::passed(
            "upgrade_in_http_1_0",
            "an upgrade in HTTP/1.0",
            "GET /a HTTP/1.0\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            &[("GET /a", "")],
        ),
    ]
}

fn expectations() -> Vec<Row> {
    let body = |expect: &str| {
        let fields = format!("Expect: {expect}\r\nContent-Length: {}\r\nConnection: close\r\n", HIDDEN.len());
        hiding("POST /a", &fields, HIDDEN)
    };
    let one = [("POST /a", HIDDEN)];
    vec![
        Row::passed("expect_continue", "Expect with a body that does not wait", body("100-continue"), &one)
            .answered(&[100, 200]),
        Row::passed("expect_obfuscated", "`Expect: y 100-continue`", body("y 100-continue"), &one),
        Row::passed("expect_unknown", "an expectation that nobody knows", body("200-ok"), &one),
        Row::passed(
            "expect_without_body",
            "Expect without a body",
            get("Expect: 100-continue\r\nConnection: close\r\n"),
            &[("GET /a", "")],
        ),
    ]
}

fn pipelines() -> Vec<Row> {
    let length = format!("Content-Length: {}\r\n", HIDDEN.len());
    let close = "GET /b HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";
    let closing = format!("{length}Connection: close\r\n");
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    vec![
        Row::passed(
            "request_in_the_body_of_get",
            "GET with a length; its body looks like a request",
            hiding("GET /a", &closing, HIDDEN),
            &[("GET /a", HIDDEN)],
        ),
        Row::passed(
            "request_in_the_chunks_of_get",
            "GET with chunks; they look like a request",
            hiding("GET /a", "Transfer-Encoding: chunked\r\nConnection: close\r\n", &chunk),
            &[("GET /a", HIDDEN)],
        ),
        Row::passed(
            "request_in_the_chunks_of_head",
            "HEAD with chunks; they look like a request",
            hiding("HEAD /a", "Transfer-Encoding: chunked\r\nConnection: close\r\n", &chunk),
            &[("HEAD /a", HIDDEN)],
        ),
        Row::passed(
            "request_in_the_body_of_head",
            "HEAD with a body that looks like a request",
            hiding("HEAD /a", &closing, HIDDEN),
            &[("HEAD /a", HIDDEN)],
        ),
        Row::passed(
            "request_in_the_body_of_delete",
            "DELETE with a body that looks like a request",
            hiding("DELETE /a", &closing, HIDDEN),
            &[("DELETE /a", HIDDEN)],
        ),
        Row::passed(
            "request_behind_the_body",
            "a request behind a body, which is the next one",
            hiding("POST /a", "Content-Length: 2\r\n", &format!("hi{close}")),
            &[("POST /a", "hi"), ("GET /b", "")],
        ),
        Row::passed(
            "request_behind_no_body",
            "a request behind a length of 0, which is the next one",
            hiding("POST /a", "Content-Length: 0\r\n", close),
            &[("POST /a", ""), ("GET /b", "")],
        ),
        Row::passed(
            "malformed_behind_sound",
            "a malformed request behind a sound one",
            hiding("GET /a", "", "GET /b HTTP/1.1\r\nHost: api.test\r\nContent-Length: x\r\n\r\n"),
            &[("GET /a", "")],
        )
        .answered(&[200, 400]),
        Row::passed(
            "request_behind_close",
            "a request behind one that ends the connection",
            format!("{close}{HIDDEN}"),
            &[("GET /b", "")],
        ),
        Row::passed(
            "request_behind_http_1_0",
            "a request behind one in HTTP/1.0, which ends the connection",
            format!("GET /a HTTP/1.0\r\nHost: api.test\r\n\r\n{HIDDEN}"),
            &[("GET /a", "")],
        ),
        Row::refused(
            "request_behind_connect",
            "a request behind CONNECT with a length",
            405,
            format!("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n{closing}\r\n{HIDDEN}"),
        ),
        Row::refused(
            "request_in_the_body_of_a_refused_one",
            "a body that looks like a request, of one that is refused",
            421,
            format!("POST /a HTTP/1.1\r\nHost: other.test\r\n{closing}\r\n{HIDDEN}"),
        ),
        Row::refused(
            "request_behind_a_refused_head",
            "a sound request behind a malformed one",
            400,
            format!("GET /a HTTP/1.1\r\n\r\n{close}"),
        ),
    ]
}
