//! All that a document says of the requests to one operation.

use std::sync::Arc;

use http::HeaderMap;

use super::{
    body::Body,
    cookies,
    parameter::{Pairs, Parameter, Source},
    query,
    request::RequestParts,
    schemas::Schemas,
    verdict::Verdict,
};

/// Checks requests to one operation. Made once and shared.
#[derive(Clone, Debug)]
pub struct Validator {
    rules: Arc<Rules>,
    schemas: Arc<Schemas>,
}

/// What is asked of a request.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) parameters: Vec<Parameter>,
    /// The names of its query parameters.
    pub(crate) query_names: Vec<Box<str>>,
    pub(crate) body: Option<Body>,
}

impl Validator {
    pub(crate) fn new(rules: Arc<Rules>, schemas: Arc<Schemas>) -> Self {
        Self { rules, schemas }
    }

    /// Whether a request fits, and where it does not.
    #[must_use]
    pub fn validate(&self, request: &RequestParts<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        self.check_parameters(request, &mut verdict);
        if let Some(body) = &self.rules.body {
            body.check(&self.schemas, request, &mut verdict);
        }
        verdict
    }

    /// Whether content of the media type that a request says is read, so that it must be held until it is whole. All
    /// else passes as [`Content::NotRead`](super::Content::NotRead).
    #[must_use]
    pub fn reads_content(&self, headers: &HeaderMap) -> bool {
        self.rules.body.as_ref().is_some_and(|body| body.is_read(headers))
    }

    fn check_parameters(&self, request: &RequestParts<'_>, verdict: &mut Verdict) {
        let parameters = &self.rules.parameters;
        let has_query = !self.rules.query_names.is_empty();
        let has_cookies = parameters.iter().any(|parameter| matches!(parameter.source, Source::Cookie));
        let pairs = Pairs {
            query: request.query.filter(|_| has_query).map(|text| query::pairs(text).collect()).unwrap_or_default(),
            cookies: if has_cookies { cookies::pairs(request.headers) } else { Some(Vec::new()) },
            declared: &self.rules.query_names,
        };
        for parameter in parameters {
            parameter.check(&self.schemas, request, &pairs, verdict);
        }
    }
}
