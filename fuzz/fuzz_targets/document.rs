//! OpenAPI documents: any bytes are read or refused, and what is read can be asked about any request.
#![no_main]

use demilune_schema::{
    document::{Document, Limits, Options, Severity},
    validate::{Content, RequestParts},
};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use libfuzzer_sys::fuzz_target;

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
    let read = Document::read(bytes, &Options { host, limits });
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
});
