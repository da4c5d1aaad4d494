//! Bytes to verdict, beside `serde_json` to a `Value` and `jsonschema`'s `is_valid`, and what parameters add.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on has failed")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use demilune_schema::{
    document::{Document, Options},
    validate::{Content, RequestParts, Validator},
};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde_json::{Value, json};

/// An order, as an API of a shop may take one.
fn schema() -> Value {
    json!({"type": "object", "required": ["id", "items"], "properties": {
        "id": {"type": "integer", "minimum": 1}, "email": {"type": "string", "format": "email"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 30}}, "kind": {"type": "string", "enum": ["new", "again"]},
        "note": {"type": "string", "maxLength": 500},
        "items": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["sku", "count"], "properties": {
            "sku": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"}, "count": {"type": "integer", "minimum": 1, "maximum": 1000},
            "price": {"type": "number", "minimum": 0}, "gift": {"type": "boolean"}}}},
        "address": {"type": "object", "properties": {"street": {"type": "string"}, "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
            "country": {"type": "string", "minLength": 2, "maxLength": 2}}}}})
}

fn order(items: usize) -> Vec<u8> {
    let items: Vec<Value> = (0..items)
        .map(|number| json!({"sku": format!("ABC-{:04}", number % 10_000), "count": number % 1000 + 1, "price": 9.5, "gift": number % 2 == 0}))
        .collect();
    let order = json!({"id": 42, "email": "ada@example.com", "tags": ["new", "europe"], "kind": "new",
        "note": "Please ring twice. \"Thanks\" - and leave it with the neighbours if nobody opens the door.",
        "items": items, "address": {"street": "1 Main Street", "zip": "12345", "country": "DE"}});
    order.to_string().into_bytes()
}

fn validator(operation: &Value, path: &str) -> Validator {
    let document = json!({"openapi": "3.0.4", "servers": [{"url": "https://api.example.com"}], "paths": {path: {"post": operation}}});
    let read = Document::read(document.to_string().as_bytes(), &Options::default());
    read.document.expect("the document is used").operations[0].validator.clone()
}

fn bodies(criterion: &mut Criterion) {
    let ours = validator(&json!({"requestBody": {"content": {"application/json": {"schema": schema()}}}}), "/orders");
    let patterns = jsonschema::PatternOptions::regex();
    let theirs = jsonschema::options().should_validate_formats(true).with_pattern_options(patterns).build(&schema());
    let theirs = theirs.expect("is a schema");
    let headers: HeaderMap = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
    let mut group = criterion.benchmark_group("bytes_to_verdict");
    for (name, items) in [("small", 1), ("kibibyte", 14), ("64_kibibytes", 1100), ("mebibyte", 17_500)] {
        let body = order(items);
        group.throughput(criterion::Throughput::Bytes(body.len() as u64));
        let request = RequestParts { variables: &[], query: None, headers: &headers, content: Content::Whole(&body) };
        assert!(ours.validate(&request).is_valid());
        group.bench_function(format!("{name}/ours"), |bencher| {
            bencher.iter(|| ours.validate(black_box(&request)).is_valid());
        });
        group.bench_function(format!("{name}/value_and_is_valid"), |bencher| {
            bencher.iter(|| theirs.is_valid(&serde_json::from_slice::<Value>(black_box(&body)).expect("is JSON")));
        });
    }
    group.finish();
}

fn misfits(criterion: &mut Criterion) {
    let ours = validator(&json!({"requestBody": {"content": {"application/json": {"schema": schema()}}}}), "/orders");
    let headers: HeaderMap = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
    let body = String::from_utf8(order(14)).expect("is text").replace("ABC-", "abc-").into_bytes();
    let request = RequestParts { variables: &[], query: None, headers: &headers, content: Content::Whole(&body) };
    assert_eq!(ours.validate(&request).violations.len(), 14);
    criterion
        .bench_function("misfit_with_14_violations", |bencher| bencher.iter(|| ours.validate(black_box(&request))));
}

fn parameters(criterion: &mut Criterion) {
    let operation = json!({"parameters": [
        {"name": "id", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 1}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
        {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "X-Request-Id", "in": "header", "schema": {"type": "string", "format": "uuid"}},
    ]});
    let ours = validator(&operation, "/orders/{id}");
    let mut headers = HeaderMap::new();
    headers.insert("x-request-id", HeaderValue::from_static("6a1d2c34-0b6f-4a58-9a0e-3f1f2f9d7c11"));
    let request = RequestParts {
        variables: &["42"],
        query: Some("limit=20&tag=a&tag=b"),
        headers: &headers,
        content: Content::None,
    };
    assert!(ours.validate(&request).is_valid());
    criterion
        .bench_function("four_parameters", |bencher| bencher.iter(|| ours.validate(black_box(&request)).is_valid()));
}

criterion_group!(benches, bodies, misfits, parameters);
criterion_main!(benches);
