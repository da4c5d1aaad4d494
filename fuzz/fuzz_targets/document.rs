//! OpenAPI documents: any bytes are read or refused, and what is read can be asked about any request and compared with what
//! was sent.
#![no_main]

use std::sync::{Arc, LazyLock};

use demilune_schema::{
    document::{Descriptions, Document, Limits, Options, Severity},
    drift,
    learn::{Evidence, LearnKey, Supporter},
    validate::{Content, RequestParts},
};
use demilune_traffic::Hour;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use libfuzzer_sys::fuzz_target;

/// What some requests sent, enough for everything to be said.
static SENT: LazyLock<Evidence> = LazyLock::new(|| {
    let (key, hour) = (LearnKey::new([7; 16]), Hour::of(1_767_312_000));
    let mut evidence = Evidence::new(Arc::default());
    for caller in 0..1_200 {
        let query = format!("a={caller}&b=x&c=2026-01-02");
        evidence.observe(&key, hour, Supporter(caller % 60), &["1", "a"], Some(&query));
        let body = format!(r#"{{"a": [{caller}, "x", null, {{"b": 1.5}}], "c": "open"}}"#);
        evidence.observe_body(&key, hour, Supporter(caller % 60), body.as_bytes());
    }
    evidence
});

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        bytes_max: 64 * 1024,
        values_max: 10_000,
        operations_max: 100,
        schemas_max: 1000,
        compiled_max: 1000,
        pattern_bytes_max: 1024 * 1024,
    };
    let host = "api.example.com".parse().ok();
    let options = Options { host, limits };
    let read = Document::read(bytes, &options);
    let is_refused = read.problems.iter().any(|problem| problem.severity > Severity::Warning);
    assert_eq!(read.document.is_none(), is_refused, "{:?}", read.problems);
    let headers: HeaderMap = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
    for operation in read.document.iter().flat_map(|document| &document.operations) {
        for body in [r#"{"a": [1, "x", null, {"b": 1.5}]}"#, "[]", "\"a\"", "1"] {
            let content = Content::Whole(body.as_bytes());
            let request = RequestParts { variables: &["1", "a,b"], query: Some("a=1&b=x"), headers: &headers, content };
            let _ = operation.validator.validate(&request);
        }
    }
    let (described, _) = Descriptions::read(bytes, &options);
    assert_eq!(described.is_some(), read.document.is_some());
    for text in described.iter().flat_map(|described| described.keys().filter_map(|key| described.of(key))) {
        let _ = drift::compare(&text, &SENT, &["var1", "var2"]);
    }
});
