//! Evidence and operations to test with.

use std::sync::Arc;

use demilune_traffic::Hour;
use serde_json::{Value, json};

use super::{Comparison, Difference, Kind, compare};
use crate::{
    document::OperationText,
    learn::{Evidence, LearnKey, Supporter},
};

const KEY: LearnKey = LearnKey::new(*b"0123456789abcdef");

/// One request to `/things/{var1}`.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) id: String,
    pub(super) query: String,
    pub(super) body: Option<Value>,
}

/// Evidence of requests, in equal parts of 100 callers, over two days.
pub(super) fn evidence(requests: u64, request: impl Fn(u64) -> Request) -> Evidence {
    let mut evidence = Evidence::new(Arc::default());
    for number in 0..requests {
        let caller = u32::try_from(number * 37 % 101).unwrap();
        add(&mut evidence, caller, Hour::of((number * 48 / requests) * Hour::SECONDS), &request(number));
    }
    evidence
}

pub(super) fn add(evidence: &mut Evidence, caller: u32, hour: Hour, Request { id, query, body }: &Request) {
    let supporter = Supporter(caller * 40_000_000);
    let query = Some(query.as_str()).filter(|query| !query.is_empty());
    evidence.observe(&KEY, hour, supporter, &[id], query);
    if let Some(body) = body {
        evidence.observe_body(&KEY, hour, supporter, body.to_string().as_bytes());
    }
}

/// A number that follows from another as if by chance.
pub(super) fn random(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

/// What a query string is compared with.
pub(super) fn of_query(
    requests: u64,
    parameters: impl IntoIterator<Item = Value>,
    query: impl Fn(u64) -> String,
) -> Comparison {
    let evidence = evidence(requests, |number| Request { id: "1".to_owned(), query: query(number), body: None });
    let parameters = parameters
        .into_iter()
        .chain([json!({"name": "id", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 1}})]);
    let variables = vec!["id".to_owned()];
    let text = OperationText { variables, parameters: parameters.collect(), request_body: None };
    compare(&text, &evidence, &["var1"])
}

/// The parameter `p` with values, one in each request.
pub(super) fn of_values(requests: u64, schema: &Value, value: impl Fn(u64) -> String) -> Comparison {
    let parameter = json!({"name": "p", "in": "query", "required": true, "schema": schema});
    of_query(requests, [parameter], |number| format!("p={}", value(number)))
}

/// Bodies of a schema.
pub(super) fn of_bodies(bodies: u64, schema: &Value, body: impl Fn(u64) -> Value) -> Comparison {
    of_content(bodies, &json!({"application/json": {"schema": schema}}), body)
}

pub(super) fn of_content(bodies: u64, content: &Value, body: impl Fn(u64) -> Value) -> Comparison {
    let request = |number| Request { id: "1".to_owned(), body: Some(body(number)), ..Request::default() };
    let request_body = Some(json!({ "content": content }));
    let text = OperationText { request_body, ..OperationText::default() };
    compare(&text, &evidence(bodies, request), &["var1"])
}

/// The differences, each as a line without those that a test does not ask for.
pub(super) fn lines(comparison: &Comparison, kinds: &[Kind]) -> Vec<String> {
    comparison.differences.iter().filter(|difference| kinds.contains(&difference.kind)).map(line).collect()
}

fn line(difference: &Difference) -> String {
    let Difference { kind, place, keyword, documented, seen, count, counted, of, .. } = difference;
    let (kind, counted) = (kind.as_str(), counted.as_str());
    format!("{kind} {place} {keyword}: {documented} but {seen}, {counted} {count} of {of}")
}

/// What was not compared, each as a line.
pub(super) fn not_compared(comparison: &Comparison) -> Vec<String> {
    comparison.not_compared.iter().map(|entry| format!("{} {}", entry.place, entry.keyword)).collect()
}

pub(super) const ALL: [Kind; 4] = [Kind::Unseen, Kind::Undocumented, Kind::Looser, Kind::Tighter];
