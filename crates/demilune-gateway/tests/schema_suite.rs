//! The JSON Schema Test Suite, each schema put in force and each instance sent as a body: what fits reaches the origin, what
//! does not is answered with 403.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use demilune_policy::rule::MitigationAction;
use demilune_schema::document::{Document, Options, Treatment};
use demilune_test_suite::{DRAFT_4, DRAFT_2020_12, Draft, Group, Judged, OPERATION, check};
use support::{Rules, TestGateway, TestOrigin, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A gateway in front of an origin that answers everything.
struct Live {
    origin: TestOrigin,
    gateway: TestGateway,
}

impl Live {
    fn start() -> Self {
        let origin = TestOrigin::answering(OK);
        let gateway = TestGateway::start(Self::rules(&origin));
        Self { origin, gateway }
    }

    fn rules(origin: &TestOrigin) -> Rules {
        let (method, _, path) = OPERATION;
        Rules::to(origin.address).operation(method, path)
    }

    fn judge(&self, group: &Group) -> Judged {
        let read = Document::read(group.document.as_bytes(), &Options::default());
        if read.document.is_none() {
            return Judged::Refused("no document".to_owned());
        }
        self.gateway.check(Self::rules(&self.origin), &group.document, MitigationAction::Block);
        let told = read.keywords.uses.iter().filter(|found| found.treatment != Treatment::Enforced);
        let verdicts = group.bodies.iter().map(|body| self.reaches_the_origin(body));
        Judged::Verdicts(verdicts.collect(), told.map(|found| found.keyword.clone()).collect())
    }

    fn reaches_the_origin(&self, body: &str) -> bool {
        let (method, host, path) = OPERATION;
        let length = body.len();
        let answer = self.gateway.raw(format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ));
        match status(&answer) {
            200 => true,
            403 if answer.contains("schema_violation") => false,
            other => panic!("{other}: {answer}"),
        }
    }
}

fn send(draft: Draft) {
    let live = Live::start();
    check(draft, |group| live.judge(group));
}

#[test]
fn draft_4_in_openapi_3_0() {
    send(DRAFT_4);
}

#[test]
fn draft_2020_12_in_openapi_3_1() {
    send(DRAFT_2020_12);
}
