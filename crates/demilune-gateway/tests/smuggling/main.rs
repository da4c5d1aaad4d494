//! Requests that two readers could read differently: each is refused, or reaches the origin in one unmistakable form.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chunks;
mod connections;
mod framing;
mod heads;
#[path = "../support/mod.rs"]
mod support;
mod targets;

use std::fmt::Write as _;

use demilune_policy::rule::MitigationAction;
use support::{Message, Rules, TestGateway, TestOrigin, status};

/// One thing that a client may send, on a connection of its own.
pub(crate) struct Row {
    /// As `docs/reliability.md` names it.
    name: &'static str,
    /// As `docs/reliability.md` explains it.
    what: &'static str,
    bytes: Vec<u8>,
    /// The statuses of all answers, in their order.
    statuses: Vec<u16>,
    seen: Seen,
}

/// What the origin may have received.
pub(crate) enum Seen {
    /// Not a byte.
    Nothing,
    /// No more than the begin of a request that is never completed.
    Unfinished,
    /// Exactly these requests: their first lines without the version, and their bodies.
    Requests(Vec<(&'static str, String)>),
}

impl Row {
    /// A request that must not reach the origin.
    fn refused(name: &'static str, what: &'static str, status: u16, bytes: impl AsRef<[u8]>) -> Self {
        Self { name, what, bytes: bytes.as_ref().to_vec(), statuses: vec![status], seen: Seen::Nothing }
    }

    /// A request whose body turns out to be broken, so that the origin must not see its end.
    fn broken(name: &'static str, what: &'static str, status: u16, bytes: impl AsRef<[u8]>) -> Self {
        Self { seen: Seen::Unfinished, ..Self::refused(name, what, status, bytes) }
    }

    /// Requests that must be read in this way and no other.
    fn passed(
        name: &'static str,
        what: &'static str,
        bytes: impl AsRef<[u8]>,
        requests: &[(&'static str, &str)],
    ) -> Self {
        let requests: Vec<_> = requests.iter().map(|(line, body)| (*line, (*body).to_owned())).collect();
        Self {
            name,
            what,
            bytes: bytes.as_ref().to_vec(),
            statuses: vec![200; requests.len()],
            seen: Seen::Requests(requests),
        }
    }

    /// The statuses where not every answer is the origin's.
    fn answered(self, statuses: &[u16]) -> Self {
        Self { statuses: statuses.to_vec(), ..self }
    }

    /// As it stands, and with bodies that are held to be validated.
    fn check(&self) {
        let origin = echo();
        self.check_at(&origin, &TestGateway::start(Rules::to(origin.address)), &self.bytes);
        let origin = echo();
        let rules = Rules::to(origin.address).operation("POST", "/a");
        let gateway = TestGateway::start(rules.clone());
        gateway.check(rules, DOCUMENT, MitigationAction::Log);
        self.check_at(&origin, &gateway, &as_json(&self.bytes));
    }

    fn check_at(&self, origin: &TestOrigin, gateway: &TestGateway, bytes: &[u8]) {
        let answers = Message::answers(gateway.raw(bytes).as_bytes());
        let statuses: Vec<u16> = answers.iter().map(Message::status).collect();
        assert_eq!(statuses, self.statuses, "{}: {answers:#?}", self.name);
        let victim = gateway.ask("GET /victim", "");
        assert!(status(&victim) == 200 && victim.ends_with("GET /victim"), "{}: {victim}", self.name);
        let (requests, unfinished) = requests(origin);
        let expected: Vec<_> = match &self.seen {
            Seen::Requests(expected) => expected.iter().map(|(line, body)| (*line, body.as_str())).collect(),
            Seen::Nothing | Seen::Unfinished => Vec::new(),
        };
        let lines: Vec<String> =
            requests.iter().map(|request| request.line.strip_suffix(" HTTP/1.1").unwrap().to_owned()).collect();
        let found: Vec<_> =
            requests.iter().zip(&lines).map(|(request, line)| (line.as_str(), request.text())).collect();
        let found: Vec<_> = found.iter().map(|(line, body)| (*line, body.as_str())).collect();
        assert_eq!(found, expected, "{}", self.name);
        assert!(!unfinished || matches!(self.seen, Seen::Unfinished), "{}: {}", self.name, origin.received());
        for request in &requests {
            self.check_fields(request);
        }
        let echoes = answers.iter().filter(|answer| answer.status() == 200).map(Message::text);
        let expected = expected.iter().map(|(line, _)| if line.starts_with("HEAD ") { "" } else { line });
        assert!(echoes.eq(expected), "{}: answers go with their requests: {answers:?}", self.name);
    }

    /// What must hold of every request, whatever it was made from.
    fn check_fields(&self, request: &Message) {
        let one_hop = [
            "connection",
            "keep-alive",
            "proxy-connection",
            "te",
            "upgrade",
            "http2-settings",
            "expect",
            "transfer_encoding",
            "content_length",
            "x_forwarded_for",
        ];
        for name in one_hop {
            assert!(request.values(name).is_empty(), "{}: {request:?}", self.name);
        }
        for name in ["host", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded"] {
            assert_eq!(request.values(name).len(), 1, "{}: {name}: {request:?}", self.name);
        }
        assert_eq!(request.values("x-forwarded-for"), ["127.0.0.1"], "{}: {request:?}", self.name);
        assert_eq!(request.values("host"), ["api.test"], "{}: {request:?}", self.name);
    }

    /// Its line in the documentation.
    fn documented(&self) -> String {
        let mut statuses = String::new();
        for status in &self.statuses {
            let _ = write!(statuses, "{}{status}", if statuses.is_empty() { "" } else { ", " });
        }
        let seen = match &self.seen {
            Seen::Nothing => "nothing".to_owned(),
            Seen::Unfinished => "no end of it".to_owned(),
            Seen::Requests(requests) => {
                let lines: Vec<String> = requests.iter().map(|(line, _)| format!("`{line}`")).collect();
                lines.join(", ")
            }
        };
        format!("| `{}` | {} | {statuses} | {seen} |", self.name, self.what)
    }
}

/// Content of one operation is read.
const DOCUMENT: &str = r#"
openapi: 3.0.4
info: { title: A, version: "1" }
servers: [{ url: "https://api.test" }]
paths:
  /a: { post: { requestBody: { content: { application/json: { schema: { type: string } } } }, responses: {} } }
"#;

/// The requests with content that says that it is JSON, so that it is held.
fn as_json(bytes: &[u8]) -> Vec<u8> {
    const BEFORE: &[u8] = b"POST /a HTTP/1.1\r\n";
    let mut changed = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(BEFORE.len()).position(|window| window == BEFORE) {
        let (begin, end) = rest.split_at(at + BEFORE.len());
        changed.extend_from_slice(begin);
        changed.extend_from_slice(b"Content-Type: application/json\r\n");
        rest = end;
    }
    [&changed, rest].concat()
}

/// An origin that answers with the first line of what it received.
fn echo() -> TestOrigin {
    TestOrigin::start(|exchange, _| {
        while let Some(request) = exchange.message() {
            let line = request.line.strip_suffix(" HTTP/1.1").unwrap();
            let body = if line.starts_with("HEAD ") { "" } else { line };
            exchange.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    })
}

/// All whole requests that arrived but for the victim's, and whether there are bytes besides.
fn requests(origin: &TestOrigin) -> (Vec<Message>, bool) {
    let (mut requests, mut unfinished) = (Vec::new(), false);
    for connection in origin.received_by_connection() {
        let mut rest = connection.as_slice();
        while let Some((request, length)) = Message::request(rest) {
            requests.push(request);
            rest = &rest[length..];
        }
        unfinished |= !rest.is_empty();
    }
    requests.retain(|request| request.line != "GET /victim HTTP/1.1");
    (requests, unfinished)
}

fn rows() -> Vec<Row> {
    [heads::rows(), targets::rows(), framing::rows(), chunks::rows(), connections::rows()]
        .into_iter()
        .flatten()
        .collect()
}

/// A request with these fields, and a body that a second reader would take for a request.
fn hiding(line: &str, fields: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n{body}")
}

/// What is hidden in bodies.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: api.test\r\n\r\n";

#[track_caller]
fn check(rows: Vec<Row>) {
    for row in rows {
        row.check();
    }
}

#[test]
fn heads_are_read_in_one_way() {
    check(heads::rows());
}

#[test]
fn targets_name_one_thing() {
    check(targets::rows());
}

#[test]
fn bodies_have_one_length() {
    check(framing::rows());
}

#[test]
fn chunks_end_in_one_place() {
    check(chunks::rows());
}

#[test]
fn connections_keep_requests_apart() {
    check(connections::rows());
}

#[test]
fn the_documentation_lists_every_row() {
    let text = include_str!("../../../../docs/reliability.md");
    let section = text.split("\n## ").find(|section| section.starts_with("Requests that could be read in two ways"));
    let found: Vec<&str> = section.unwrap_or_default().lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = rows().iter().map(Row::documented).collect();
    assert!(found == expected, "the table should be\n{}", expected.join("\n"));
}
