//! Requests that two servers could read in two ways: what the client is answered, and that the origin saw nothing of
//! them, or just what the one reading says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::{Rules, TestGateway, TestOrigin, eventually, status};

/// What the origin may have seen.
#[derive(Clone, Copy)]
enum Seen {
    /// No connection was made.
    Nothing,
    /// These requests, each complete: their request lines.
    Requests(&'static [&'static str]),
    /// The beginning of one request, which never came to its end.
    Unfinished,
}
use Seen::{Nothing, Requests, Unfinished};

/// A name, the bytes, the statuses that come back in this order, and what the origin saw.
type Row = (&'static str, &'static str, &'static [u16], Seen);

const POST: &str = "POST /a HTTP/1.1";
const ONE: Seen = Requests(&[POST]);

/// Each is sent on a connection of its own. `{smuggled}` stands for a whole request to `/smuggled`.
#[rustfmt::skip]
const ROWS: [Row; 63] = [
    ("length and chunks", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", &[400], Nothing),
    ("chunks and length", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nA\r\n0\r\n\r\n", &[400], Nothing),
    ("two lengths that differ", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n{smuggled}", &[400], Nothing),
    ("two lengths that agree", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", &[400], Nothing),
    ("a list of lengths", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 2, 2\r\n\r\nab", &[400], Nothing),
    ("a length with a sign", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length: +2\r\n\r\nab", &[400], Nothing),
    ("a negative length", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length: -1\r\n\r\n", &[400], Nothing),
    ("a hexadecimal length", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0x2\r\n\r\nab", &[400], Nothing),
    ("a length with a space within", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4 4\r\n\r\nabcd", &[400], Nothing),
    ("an empty length", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length:\r\n\r\n", &[400], Nothing),
    ("a length beyond all numbers", "POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 99999999999999999999\r\n\r\n", &[400], Nothing),
    ("an unknown coding", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", &[400, 501], Nothing),
    ("a coding that is no token", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", &[400], Nothing),
    ("chunked before another coding", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", &[400, 501], Nothing),
    ("another coding before chunked", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", &[400, 501], Nothing),
    ("chunked twice", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", &[400, 501], Nothing),
    ("two fields of codings", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", &[400, 501], Nothing),
    ("identity as a coding", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: identity\r\n\r\n", &[400, 501], Nothing),
    ("an empty coding", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", &[400, 501], Nothing),
    ("a quoted coding", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", &[400, 501], Nothing),
    ("chunks in HTTP/1.0", "POST /a HTTP/1.0\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[400], Nothing),
    ("a space before the colon of a coding", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", &[400], Nothing),
    ("a folded coding", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", &[400], Nothing),
    ("a line that is folded", "GET /a HTTP/1.1\r\nHost: api.test\r\nX: a\r\n b\r\n\r\n", &[400], Nothing),
    ("a first field that begins with a space", "GET /a HTTP/1.1\r\n Host: api.test\r\n\r\n", &[400], Nothing),
    ("a field without a name", "GET /a HTTP/1.1\r\nHost: api.test\r\n: x\r\n\r\n", &[400], Nothing),
    ("a field without a colon", "GET /a HTTP/1.1\r\nHost: api.test\r\nnothing\r\n\r\n", &[400], Nothing),
    ("a NUL in a field", "GET /a HTTP/1.1\r\nHost: api.test\r\nX: a\0b\r\n\r\n", &[400], Nothing),
    ("a carriage return in a field", "GET /a HTTP/1.1\r\nHost: api.test\r\nX: a\rContent-Length: 9\r\n\r\n", &[400], Nothing),
    ("line feeds alone", "GET /a HTTP/1.1\nHost: api.test\n\n", &[400], Nothing),
    ("a line feed alone in the head", "POST /a HTTP/1.1\r\nHost: api.test\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[400], Nothing),
    ("a head that ends in line feeds", "GET /a HTTP/1.1\r\nHost: api.test\r\n\n", &[400], Nothing),
    ("no host", "GET /a HTTP/1.1\r\nX: 1\r\n\r\n", &[400], Nothing),
    ("no host in HTTP/1.0", "GET /a HTTP/1.0\r\n\r\n", &[400], Nothing),
    ("two hosts", "GET /a HTTP/1.1\r\nHost: api.test\r\nHost: evil.test\r\n\r\n", &[400], Nothing),
    ("two hosts that agree", "GET /a HTTP/1.1\r\nHost: api.test\r\nHost: api.test\r\n\r\n", &[400], Nothing),
    ("two hosts in one field", "GET /a HTTP/1.1\r\nHost: api.test, evil.test\r\n\r\n", &[400], Nothing),
    ("a host with a space", "GET /a HTTP/1.1\r\nHost: api.test evil.test\r\n\r\n", &[400], Nothing),
    ("a host with a user", "GET /a HTTP/1.1\r\nHost: evil@api.test\r\n\r\n", &[400], Nothing),
    ("a host with a path", "GET /a HTTP/1.1\r\nHost: api.test/x\r\n\r\n", &[400], Nothing),
    ("an empty host", "GET /a HTTP/1.1\r\nHost:\r\n\r\n", &[400], Nothing),
    ("an absolute target with a user", "GET http://evil@api.test/a HTTP/1.1\r\nHost: api.test\r\n\r\n", &[400], Nothing),
    ("a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: api.test\r\n\r\n", &[400], Nothing),
    ("a control character in the target", "GET /a\x01b HTTP/1.1\r\nHost: api.test\r\n\r\n", &[400], Nothing),
    ("a space in the target", "GET /a b HTTP/1.1\r\nHost: api.test\r\n\r\n", &[400], Nothing),
    ("two spaces in the request line", "GET  /a HTTP/1.1\r\nHost: api.test\r\n\r\n", &[400], Nothing),
    ("no version", "GET /a\r\nHost: api.test\r\n\r\n", &[400], Nothing),
    ("a lower-case version", "GET /a http/1.1\r\nHost: api.test\r\n\r\n", &[400], Nothing),
    ("a version that is not spoken", "GET /a HTTP/2.0\r\nHost: api.test\r\n\r\n", &[505], Nothing),
    ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[505], Nothing),
    ("two empty lines before the request", "\r\n\r\nGET /a HTTP/1.1\r\nHost: api.test\r\n\r\n", &[400], Nothing),
    ("the length named as an option of the connection", "POST /a HTTP/1.1\r\nHost: api.test\r\nConnection: close, content-length\r\nContent-Length: 2\r\n\r\nab", &[400], Nothing),
    ("the host named as an option of the connection", "GET /a HTTP/1.1\r\nHost: api.test\r\nConnection: host\r\n\r\n", &[400], Nothing),
    ("a chunk size with a sign", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nA\r\n0\r\n\r\n", &[400], Unfinished),
    ("a chunk size with a prefix", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nA\r\n0\r\n\r\n", &[400], Unfinished),
    ("a chunk size beyond all numbers", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nA\r\n0\r\n\r\n", &[400], Unfinished),
    ("a chunk longer than its size", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nABC\r\n0\r\n\r\n", &[400], Unfinished),
    ("a chunk line that ends in a line feed", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n1\nA\r\n0\r\n\r\n", &[400], Unfinished),
    ("a length among the trailers", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\nContent-Length: 5\r\n\r\n", &[400], Unfinished),
    ("chunked in other letters, and a request behind it", "POST /a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: ChUnKeD\r\n\r\n1\r\nA\r\n0\r\n\r\n{last}", &[200, 200], Requests(&[POST, "GET /last HTTP/1.1"])),
    ("a body that looks like a request", "POST /a HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nContent-Length: 48\r\n\r\n{smuggled}", &[200], ONE),
    ("an absolute target and another host", "POST http://api.test/a HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", &[200], ONE),
    ("an upgrade to h2c", "POST /a HTTP/1.1\r\nHost: api.test\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 0\r\n\r\n", &[200], ONE),
];

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: api.test\r\nX: 1234\r\n\r\n";
const LAST: &str = "GET /last HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";

fn check((name, bytes, expected, seen): &Row) {
    let origin = TestOrigin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let gateway = TestGateway::start(Rules::to(origin.address));
    let answer = gateway.raw(bytes.replace("{smuggled}", SMUGGLED).replace("{last}", LAST));
    let begun = answer.match_indices("HTTP/1.1 ").map(|(at, _)| status(&answer[at..]));
    let statuses: Vec<u16> = begun.filter(|status| *status > 0).collect();
    match seen {
        Requests(lines) => {
            assert_eq!(statuses, *expected, "{name}: {answer}");
            eventually(name, || origin.requests() == lines.len());
            assert_well_formed(name, &origin.received(), lines);
        }
        Nothing => {
            assert!(statuses.len() == 1 && expected.contains(&statuses[0]), "{name}: {answer}");
            assert_eq!(origin.connections(), 0, "{name}: {}", origin.received());
        }
        Unfinished => {
            assert!(statuses.len() == 1 && expected.contains(&statuses[0]), "{name}: {answer}");
            let received = origin.received();
            assert!(received.matches("HTTP/1.1\r\n").count() <= 1, "{name}: {received}");
            assert!(!received.ends_with("0\r\n\r\n"), "{name}: {received}");
        }
    }
}

/// Each request has the line that is expected, one host, and at most one framing.
fn assert_well_formed(name: &str, received: &str, lines: &[&str]) {
    let mut rest = received;
    for line in lines {
        let begin = rest.find(line).unwrap_or_else(|| panic!("{name}: {line} is not in {received}"));
        let head = rest[begin..].split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        let count = |field: &str| head.matches(&format!("\r\n{field}:")).count();
        assert_eq!(count("host"), 1, "{name}: {head}");
        assert!(count("content-length") + count("transfer-encoding") <= 1, "{name}: {head}");
        assert_eq!(count("http2-settings") + count("upgrade"), 0, "{name}: {head}");
        rest = &rest[begin + line.len()..];
    }
}

#[test]
fn nobody_reads_these_requests_in_two_ways() {
    std::thread::scope(|scope| {
        let rows: Vec<_> = ROWS.iter().map(|row| scope.spawn(move || check(row))).collect();
        let failed = rows.into_iter().filter_map(|row| row.join().err()).count();
        assert_eq!(failed, 0, "rows that failed; what each says is above");
    });
}

#[test]
fn the_documentation_lists_every_row() {
    let page = include_str!("../../../docs/reliability.md");
    for (name, _, statuses, _) in &ROWS {
        let line = page.lines().find(|line| line.starts_with(&format!("| {name} |")));
        let line = line.unwrap_or_else(|| panic!("docs/reliability.md does not list {name:?}"));
        assert!(statuses.iter().any(|status| line.contains(&status.to_string())), "{line}");
    }
}
