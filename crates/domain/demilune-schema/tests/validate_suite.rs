//! The JSON Schema Test Suite, judged by the validators themselves; `demilune-gateway` sends the same over HTTP.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use demilune_schema::document::{Document, Options, Treatment};
use demilune_test_suite::{DRAFT_4, DRAFT_2020_12, Group, Judged, check};
use support::Request;

fn judge(group: &Group) -> Judged {
    let read = Document::read(group.document.as_bytes(), &Options::default());
    let Some(document) = &read.document else {
        let mut codes: Vec<_> = read.problems.iter().map(|problem| format!("{:?}", problem.code)).collect();
        codes.dedup();
        return Judged::Refused(codes.join(", "));
    };
    let validator = &document.operations[0].validator;
    let fits = |body: &String| Request::body("application/json", body.as_str()).verdict(validator).is_valid();
    let told = read.keywords.uses.iter().filter(|found| found.treatment != Treatment::Enforced);
    Judged::Verdicts(group.bodies.iter().map(fits).collect(), told.map(|found| found.keyword.clone()).collect())
}

#[test]
fn draft_4_in_openapi_3_0() {
    check(DRAFT_4, judge);
}

#[test]
fn draft_2020_12_in_openapi_3_1() {
    check(DRAFT_2020_12, judge);
}
