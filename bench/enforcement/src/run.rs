//! Learns from a week as gateways do, puts the schema in force as `apply-learned` does, and judges the next week.

use std::sync::Arc;

use demilune_inventory::{Endpoint, Method};
use demilune_policy::{Fallbacks, Footing};
use demilune_schema::{
    document::{Document, Options},
    learn::{Evidence, LearnKey, Learned, Profile, Supporter},
    validate::{Content, RequestParts, Validator},
};
use demilune_traffic::{Hour, SessionHash, SessionSample};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};

use crate::{
    operations::{Moment, OPERATIONS, Operation, Request},
    random::Random,
};

/// Sessions, of which some have the new client from the ninth day on.
const SESSIONS: u64 = 400;
const NEW_CLIENT_DAY: u64 = 9;
const NEW_VALUE_DAY: u64 = 10;
/// One in so many of the requests that are learned from is malformed, and was answered with 2xx all the same: some callers
/// try what an API takes.
const NOISE: u64 = 100_000;
const NOISY_SESSIONS: u64 = 4;
/// One in so many requests to be judged is malformed.
const BAD: u64 = 50;
const DAY_SECONDS: u64 = 86_400;
const SCHEMA: &str = "learned";

/// What came of one operation.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Its method and endpoint.
    pub name: &'static str,
    /// Good requests that were judged, and those of them that were blocked.
    pub good: u64,
    /// See above.
    pub good_blocked: u64,
    /// Malformed requests that were judged while the schema blocked, and those of them that were blocked.
    pub bad: u64,
    /// See above.
    pub bad_blocked: u64,
    /// Seconds from the first request that would be blocked with the new value to when the schema only logged.
    pub fell_back_after: Option<u64>,
    /// Requests a second.
    pub rate: f64,
}

/// How much of the second week is judged.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// The first day.
    pub first: u64,
    /// Days.
    pub days: u64,
    /// Requests a day.
    pub per_day: u64,
}

/// Learns from a week of every operation, with so many requests a day, and judges.
#[must_use]
pub fn all(seed: u64, per_day: u64, judged: Judged) -> Vec<Outcome> {
    let one = |(number, operation)| one(operation, seed * 1_000 + number as u64, per_day, judged);
    OPERATIONS.iter().enumerate().map(one).collect()
}

fn one(operation: &Operation, seed: u64, per_day: u64, judged: Judged) -> Outcome {
    let mut random = Random::new(seed);
    let (validator, known) = learn(operation, &mut random, per_day);
    let fallbacks = Fallbacks::default();
    fallbacks.watch(zone().map(|zone| (zone, Arc::from(SCHEMA))));
    fallbacks.know(SCHEMA, known);
    let mut outcome = Outcome { name: operation.name, rate: rate(judged.per_day), ..Outcome::default() };
    let (mut logs, mut first_misfit) = (false, None);
    for (second, moment, session) in requests(judged, &mut random) {
        let bad = operation.bad.filter(|_| random.one_in(BAD));
        let request = bad.unwrap_or(operation.good)(&mut random, moment);
        let fits = fits(&validator, &request);
        if bad.is_some() {
            outcome.bad += u64::from(!logs);
            outcome.bad_blocked += u64::from(!logs && !fits);
            continue;
        }
        outcome.good += 1;
        if !fits {
            first_misfit.get_or_insert(second);
        }
        match fallbacks.judged(SCHEMA, Some(hash(session)), fits, second) {
            Footing::Stands => outcome.good_blocked += u64::from(!fits),
            Footing::FallsBack => {
                logs = true;
                outcome.fell_back_after = first_misfit.map(|first| second - first);
            }
            Footing::FellBack => {}
        }
    }
    outcome
}

fn zone() -> Option<demilune_inventory::ZoneId> {
    "bench".parse().ok()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn rate(per_day: u64) -> f64 {
    per_day as f64 / DAY_SECONDS as f64
}

/// The requests of some days in their order: when, by which client, of which session.
fn requests(judged: Judged, random: &mut Random) -> impl Iterator<Item = (u64, Moment, u64)> + use<> {
    let Judged { first, days, per_day } = judged;
    let mut random = Random::new(random.next());
    (0..days * per_day).map(move |number| {
        let day = first + number / per_day;
        let session = random.skewed(SESSIONS * SESSIONS) % SESSIONS;
        let new_client = day >= NEW_CLIENT_DAY && session.is_multiple_of(3);
        let second = (day * DAY_SECONDS) + number % per_day * DAY_SECONDS / per_day;
        (second, Moment { day, new_client, new_value: day >= NEW_VALUE_DAY }, session)
    })
}

/// The schema of the first week, and the sessions that were seen.
fn learn(operation: &Operation, random: &mut Random, per_day: u64) -> (Validator, SessionSample) {
    let key = LearnKey::new([7; 16]);
    let mut sum = Evidence::new(Arc::default());
    let (mut hour, mut evidence) = (Hour::of(0), Evidence::new(Arc::default()));
    let mut known = SessionSample::default();
    for (second, moment, session) in requests(Judged { first: 1, days: 7, per_day }, random) {
        let noise = operation.bad.filter(|_| random.one_in(NOISE));
        let session = if noise.is_some() { SESSIONS + random.below(NOISY_SESSIONS) } else { session };
        let request = noise.unwrap_or(operation.good)(random, moment);
        if Hour::of(second) != hour {
            sum.merge(&evidence);
            (hour, evidence) = (Hour::of(second), Evidence::new(Arc::default()));
        }
        let supporter = Supporter::of(hash(session).get());
        let variables: Vec<&str> = request.variables.iter().map(String::as_str).collect();
        evidence.observe(&key, hour, supporter, &variables, request.query.as_deref());
        if let Some(body) = &request.body {
            evidence.observe_body(&key, hour, supporter, body.as_bytes());
        }
        known.observe(Some(hash(session)));
    }
    sum.merge(&evidence);
    (validator(operation, &sum), known)
}

/// The document that `apply-learned` would add, read.
#[expect(clippy::expect_used, reason = "the operations are those of this program, and have requests enough")]
fn validator(operation: &Operation, evidence: &Evidence) -> Validator {
    let (method, endpoint) = operation.name.split_once(' ').expect("a method and an endpoint");
    let method: Method = method.parse().expect("a method");
    let endpoint: Endpoint = endpoint.parse().expect("an endpoint");
    let names: Vec<_> = (1..=endpoint.as_str().matches('{').count()).map(|number| format!("var{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let learned = Learned::of(evidence, &names, Profile::Enforce).expect("enough requests");
    let mut parameters = learned.fragment()["parameters"].as_array().cloned().unwrap_or_default();
    for name in names {
        if !parameters.iter().any(|parameter| parameter["in"] == "path" && parameter["name"] == name) {
            parameters.push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
        }
    }
    let mut object = json!({"parameters": parameters, "responses": {}});
    if let Some(body) = learned.request_body() {
        object["requestBody"] = body.clone();
    }
    let item: Value = json!({method.as_str().to_ascii_lowercase(): object});
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "learned", "version": "1"},
        "servers": [{"url": "https://api.example.com"}], "paths": {endpoint.as_str(): item},
    });
    let read = Document::read(document.to_string().as_bytes(), &Options::default());
    read.document.expect("a document").operations.remove(0).validator
}

fn fits(validator: &Validator, request: &Request) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let variables: Vec<String> = request.variables.iter().map(|value| value.replace('\'', "%27")).collect();
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    let content = request.body.as_ref().map_or(Content::None, |body| Content::Whole(body.as_bytes()));
    validator
        .validate(&RequestParts { variables: &variables, query: request.query.as_deref(), headers: &headers, content })
        .is_valid()
}

/// The hash of a session's identifier, as good as random.
fn hash(session: u64) -> SessionHash {
    SessionHash::of(Random::new(session).next())
}
