//! Documents and requests for the tests of this crate.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test takes what it needs")]

use demilune_schema::{
    document::{Document, Options, Read},
    validate::{Content, RequestParts, Validator, Verdict},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// A request that is put together step by step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) variables: Vec<String>,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn path(variables: &[&str]) -> Self {
        Self { variables: variables.iter().map(ToString::to_string).collect(), ..Self::default() }
    }

    pub(crate) fn query(query: &str) -> Self {
        Self { query: Some(query.to_owned()), ..Self::default() }
    }

    pub(crate) fn body(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some(body.into()), ..Self::default() }.header("content-type", media_type)
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self::body("application/json", body.to_string())
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        self.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        self
    }

    pub(crate) fn verdict(&self, validator: &Validator) -> Verdict {
        let variables: Vec<&str> = self.variables.iter().map(String::as_str).collect();
        validator.validate(&RequestParts {
            variables: &variables,
            query: self.query.as_deref(),
            headers: &self.headers,
            content: self.body.as_deref().map_or(Content::None, Content::Whole),
        })
    }

    /// The violations as `keyword place`, in order.
    pub(crate) fn violations(&self, validator: &Validator) -> Vec<String> {
        let verdict = self.verdict(validator);
        verdict.violations.iter().map(|found| format!("{} {}", found.keyword, found.request_place)).collect()
    }
}

/// A document of one operation at `https://api.example.com`.
pub(crate) fn document(version: &str, method: &str, path: &str, operation: &Value) -> Value {
    json!({
        "openapi": version,
        "info": {"title": "test", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {path: {method: operation}},
    })
}

pub(crate) fn read(document: &Value) -> Read {
    Document::read(document.to_string().as_bytes(), &Options::default())
}

/// The validator of a document's only operation.
pub(crate) fn validator(document: &Value) -> Validator {
    let read = read(document);
    let Some(document) = read.document else { panic!("{:#?}", read.problems) };
    assert_eq!(document.operations.len(), 1);
    document.operations[0].validator.clone()
}

/// The validator of an operation that takes one parameter.
pub(crate) fn with_parameter(version: &str, parameter: &Value) -> Validator {
    let path = if parameter["in"] == "path" {
        format!("/x/{{{}}}", parameter["name"].as_str().unwrap())
    } else {
        "/x".to_owned()
    };
    validator(&document(version, "get", &path, &json!({"parameters": [parameter]})))
}

/// The validator of an operation that takes JSON, with more members of the document.
pub(crate) fn with_body_and(version: &str, schema: &Value, components: &Value) -> Validator {
    let body = json!({"requestBody": {"required": true, "content": {"application/json": {"schema": schema}}}});
    let mut document = document(version, "post", "/x", &body);
    document["components"] = components.clone();
    validator(&document)
}

pub(crate) fn with_body(version: &str, schema: &Value) -> Validator {
    with_body_and(version, schema, &json!({}))
}
