//! Requests: checking any of them ends with a verdict, which holds nothing of it, and JSON is JSON to other readers, too.
#![no_main]

use std::sync::LazyLock;

use demilune_schema::{
    document::{Document, Options},
    validate::{Content, RequestParts, Validator, Verdict},
};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// An operation with parameters of every style and a body of every kind that is read.
static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let list = json!({"type": "array", "items": {"type": "integer"}});
    let object = json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}});
    let body = json!({"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/components/schemas/Node"}, list, {"type": "string"}]}});
    let document = json!({
        "openapi": "3.0.4",
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/x/{p}/{m}": {"post": {
            "parameters": [
                {"name": "p", "in": "path", "required": true, "style": "label", "explode": true, "schema": list},
                {"name": "m", "in": "path", "required": true, "style": "matrix", "schema": object},
                {"name": "e", "in": "query", "schema": list},
                {"name": "f", "in": "query", "explode": false, "schema": object},
                {"name": "o", "in": "query", "schema": object},
                {"name": "s", "in": "query", "style": "spaceDelimited", "schema": list},
                {"name": "q", "in": "query", "style": "pipeDelimited", "schema": list},
                {"name": "j", "in": "query", "content": {"application/json": {"schema": body}}},
                {"name": "c", "in": "cookie", "schema": list},
            ],
            "requestBody": {"content": {
                "application/json": {"schema": body},
                "application/x-www-form-urlencoded": {"schema": {"properties": {"a": list, "b": object, "c": {"type": "boolean"}}}},
            }},
        }}},
        "components": {"schemas": {"Node": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Node"}}}}},
    });
    let read = Document::read(document.to_string().as_bytes(), &Options::default());
    read.document.expect("the document is used").operations[0].validator.clone()
});

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok()).unwrap_or_default();
    let (path, query, cookie) = (text(), text(), text());
    let body = parts.next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        headers.insert("cookie", cookie);
    }
    for media_type in ["application/json", "application/x-www-form-urlencoded"] {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        let (one, other) = path.split_once('/').unwrap_or((path, ""));
        let content = Content::Whole(body);
        let request = RequestParts { variables: &[one, other], query: Some(query), headers: &headers, content };
        let verdict = VALIDATOR.validate(&request);
        assert!(verdict.violations.len() <= Verdict::VIOLATIONS_MAX);
        if media_type == "application/json" && !body.is_empty() {
            check_json(body, &verdict);
        }
    }
});

/// What is taken for JSON is JSON to `serde_json`; the other way round, save for what is refused on purpose.
fn check_json(body: &[u8], verdict: &Verdict) {
    let of_body = |keyword: &str| {
        let found = verdict
            .violations
            .iter()
            .find(|found| found.request_place.starts_with("/body") && found.keyword == keyword);
        found.is_some()
    };
    let is_json = serde_json::from_slice::<Value>(body).is_ok();
    let is_refused = ["syntax", "encoding", "depth", "number", "duplicate"].into_iter().any(of_body);
    if is_json {
        assert!(!of_body("syntax") && !of_body("encoding") && !of_body("number"), "{verdict:?}");
    } else {
        assert!(is_refused || verdict.has_more || verdict.violations.len() == Verdict::VIOLATIONS_MAX, "{verdict:?}");
    }
}
