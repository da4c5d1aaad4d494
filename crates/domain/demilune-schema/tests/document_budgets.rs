//! Documents and requests that are made to cost much: each is refused, or takes no more than it should.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

mod support;

use std::{fmt::Write, time::Instant};

use demilune_schema::document::{Code, Document, Limits, Options};
use serde_json::{Map, Value, json};
use support::{Request, document, read, with_body_and};

/// Longest that anything here may take, on a slow machine without optimization. Each takes a tenth of it or less.
const SECONDS_MAX: u64 = 30;

fn check(document: &Value, limits: Limits, expected: Code) {
    let started = Instant::now();
    let read = Document::read(document.to_string().as_bytes(), &Options { limits, ..Options::default() });
    assert!(read.problems.iter().any(|problem| problem.code == expected), "{:?}", read.problems.first());
    assert!(read.document.is_none());
    assert!(started.elapsed().as_secs() < SECONDS_MAX, "{:?}", started.elapsed());
}

fn with_schemas(schemas: &Value) -> Value {
    let body =
        json!({"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A0"}}}}});
    let mut document = document("3.0.4", "post", "/x", &body);
    document["components"] = json!({ "schemas": schemas });
    document
}

/// `A0` to `A{count - 1}`, each of which says something of the next.
fn chain(count: usize, schema: impl Fn(&Value) -> Value) -> Value {
    let link = |number: usize| json!({"$ref": format!("#/components/schemas/A{number}")});
    let mut schemas: Map<String, Value> =
        (0..count).map(|number| (format!("A{number}"), schema(&link(number + 1)))).collect();
    schemas.insert(format!("A{count}"), json!({"type": "integer"}));
    Value::Object(schemas)
}

#[test]
fn too_many_operations_are_refused() {
    let paths: Map<String, Value> =
        (0..50).map(|number| (format!("/p{number}"), json!({"get": {}, "put": {}}))).collect();
    let mut document = document("3.0.4", "get", "/x", &json!({}));
    document["paths"] = Value::Object(paths);
    check(&document, Limits { operations_max: 99, ..Limits::default() }, Code::Budget);
    assert_eq!(read(&document).document.unwrap().operations.len(), 100);
}

#[test]
fn too_many_schemas_are_refused() {
    let wide = with_schemas(&json!({"A0": {"properties": chain(500, |_| json!({"type": "string"}))}}));
    check(&wide, Limits { schemas_max: 400, ..Limits::default() }, Code::Budget);
    check(&wide, Limits { compiled_max: 400, ..Limits::default() }, Code::Budget);
    // Each of a hundred operations has all of five hundred schemas compiled into it.
    let mut shared = with_schemas(&chain(500, |next| json!({"properties": {"next": next}})));
    for number in 0..100 {
        let schema = json!({"items": {"$ref": "#/components/schemas/A0"}, "maxItems": number});
        shared["paths"][format!("/p{number}")] =
            json!({"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}});
    }
    check(&shared, Limits { compiled_max: 50_000, ..Limits::default() }, Code::Budget);
}

#[test]
fn schemas_that_multiply_for_one_value_are_refused() {
    check(&with_schemas(&chain(20, |next| json!({"allOf": [next, next]}))), Limits::default(), Code::Cost);
    check(&with_schemas(&chain(20_000, |next| json!({"allOf": [next]}))), Limits::default(), Code::Cost);
    check(&with_schemas(&chain(30, |next| json!({"not": next}))), Limits::default(), Code::Cost);
}

#[test]
fn schemas_that_lead_to_each_other_in_too_many_ways_are_refused() {
    let names: Vec<Value> = (0..200).map(|number| json!({"$ref": format!("#/components/schemas/A{number}")})).collect();
    let schemas: Map<String, Value> = (0..200)
        .map(|number| {
            (format!("A{number}"), json!({"properties": {"a": {"allOf": names}}, "allOf": names, "required": ["a"]}))
        })
        .collect();
    check(&with_schemas(&Value::Object(schemas)), Limits::default(), Code::Budget);
}

#[test]
fn references_that_only_lead_on_are_refused_when_long() {
    check(&with_schemas(&chain(20_000, Value::clone)), Limits::default(), Code::Circle);
}

#[test]
fn deep_documents_are_refused() {
    let deep = |depth: usize| (0..depth).fold(json!({"type": "integer"}), |inner, _| json!({"items": inner}));
    check(&with_schemas(&json!({"A0": deep(200)})), Limits::default(), Code::Unreadable);
    assert!(read(&with_schemas(&json!({"A0": deep(70)}))).document.is_some());
}

#[test]
fn four_megabytes_of_anything_end_soon() {
    let check = |text: String| {
        let started = Instant::now();
        let read = Document::read(text.as_bytes(), &Options::default());
        assert!(read.document.is_none());
        assert!(started.elapsed().as_secs() < SECONDS_MAX, "{:?} for {}", started.elapsed(), &text[..60]);
    };
    check("[".repeat(4 << 20));
    check("{\"a\":".repeat(800_000));
    check(format!("{{\"openapi\": [{}1]}}", "1,".repeat(2 << 20)));
    check("- ".repeat(2 << 20));
    check("a: &a [*a]\n".repeat(300_000));
    check(format!("openapi: 3.0.0\npaths: {{{}}}", "? ".repeat(2 << 20)));
    let mut names = String::from("{\"openapi\": \"3.0.0\", \"x\": {");
    for number in 0..300_000 {
        write!(names, "\"{number}\": 1,").unwrap();
    }
    check(names + "\"0\": 1}}");
}

#[test]
fn expressions_share_a_limit_and_are_left_out_beyond_it() {
    let properties: Map<String, Value> = (0..200)
        .map(|number| (format!("p{number}"), json!({"pattern": format!("^(\\p{{L}}{{1,40}}x{number})+y$")})))
        .collect();
    let document = with_schemas(&json!({"A0": {"properties": properties}}));
    let limits = Limits { pattern_bytes_max: 4 << 20, ..Limits::default() };
    let started = Instant::now();
    let read = Document::read(document.to_string().as_bytes(), &Options { limits, ..Options::default() });
    assert!(started.elapsed().as_secs() < SECONDS_MAX, "{:?}", started.elapsed());
    let left_out = read.keywords.uses.iter().filter(|found| found.keyword == "pattern" && !found.reason.is_empty());
    assert!(left_out.map(|found| found.count).sum::<usize>() > 100, "{:#?}", read.keywords);
    assert!(read.document.is_some());
}

#[test]
fn values_that_take_too_much_work_are_violations() {
    // Each level is looked at by both branches, and each of those by both of the next.
    let branch = |kind: &str| json!({"properties": {"next": {"$ref": "#/components/schemas/A0"}, kind: {"type": "integer"}}, "required": [kind]});
    let schemas = json!({"schemas": {"A0": {"oneOf": [branch("a"), branch("b"), branch("c")]}}});
    let validator = with_body_and("3.0.4", &json!({"$ref": "#/components/schemas/A0"}), &schemas);
    let body = (0..60).fold(json!({"d": 1}), |inner, _| json!({"next": inner, "a": 1, "b": 2, "c": 3}));
    let started = Instant::now();
    let verdict = Request::json(&body).verdict(&validator);
    assert!(!verdict.is_valid() && verdict.violations.len() <= 16);
    assert!(started.elapsed().as_secs() < SECONDS_MAX, "{:?}", started.elapsed());
}

#[test]
fn a_megabyte_of_misfits_is_explained_in_few_words() {
    let schema = json!({"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "object"}}, {"type": "object"}]});
    let validator = with_body_and("3.0.4", &schema, &json!({}));
    let body = format!("[{}1]", "1,".repeat(500_000));
    let verdict = Request::body("application/json", body.clone()).verdict(&validator);
    assert_eq!((verdict.violations[0].keyword.as_str(), verdict.violations.len()), ("oneOf", 1));
    let validator = with_body_and("3.0.4", &json!({"type": "array", "items": {"type": "string"}}), &json!({}));
    let verdict = Request::body("application/json", body).verdict(&validator);
    assert_eq!((verdict.violations[0].request_place.as_str(), verdict.has_more), ("/body/0", true));
}

#[test]
fn the_deepest_body_against_the_deepest_schema_fits_the_stack() {
    let around = |inner: Value| (0..20).fold(inner, |inner, _| json!({"allOf": [inner]}));
    let schemas = json!({"schemas": {"A0": around(json!({"properties": {"a": {"$ref": "#/components/schemas/A0"}}, "additionalProperties": false}))}});
    let validator = with_body_and("3.0.4", &json!({"$ref": "#/components/schemas/A0"}), &schemas);
    let fits = (0..63).fold(json!({}), |inner, _| json!({"a": inner}));
    let misfit = (0..62).fold(json!({"b": 1}), |inner, _| json!({"a": inner}));
    // A worker thread of the gateway has two megabytes.
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let thread = thread.spawn(move || {
        (Request::json(&fits).verdict(&validator).is_valid(), Request::json(&misfit).verdict(&validator))
    });
    let (is_valid, verdict) = thread.unwrap().join().unwrap();
    assert!(is_valid);
    assert_eq!(verdict.violations[0].keyword, "additionalProperties");
}
