//! Answers of the gateway itself: a short problem in JSON (RFC 9457) with the request's id and no internals.

use bytes::Bytes;
use demilune_policy::Refusal;
use demilune_schema::validate::{Verdict, Violation};
use http::{HeaderValue, Response, StatusCode, header};

use super::{
    exchange::{Exchange, Outcome},
    request_id::X_REQUEST_ID,
    response_body::ResponseBody,
};

/// A kind of answer that the gateway gives itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    /// A fixed word for programs, metrics and logs.
    pub(crate) code: &'static str,
    /// One sentence for people.
    detail: &'static str,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Policy,
    Gateway,
    Client,
    Origin,
}

macro_rules! problems {
    ($($fault:ident $name:ident $status:ident $code:literal $detail:literal;)+) => {
        $(pub(crate) const $name: Problem =
            Problem { status: StatusCode::$status, code: $code, detail: $detail, fault: Fault::$fault };)+
    };
}

problems! {
    Policy HOST_UNKNOWN MISDIRECTED_REQUEST "host_unknown" "This gateway serves no such host.";
    Policy METHOD_NOT_ALLOWED METHOD_NOT_ALLOWED "method_not_allowed" "This method is not passed on.";
    Policy PATH_INVALID BAD_REQUEST "path_invalid" "The request's target is no path.";
    Policy PATH_AMBIGUOUS BAD_REQUEST "path_ambiguous" "The path can be read in two ways; send it in its normalized form.";
    Policy UNMATCHED FORBIDDEN "unmatched" "No operation of this API fits the request.";
    Policy LOOP LOOP_DETECTED "loop" "The request came back to a gateway that it had passed before.";
    Policy SCHEMA_VIOLATION FORBIDDEN "schema_violation" "The request does not fit what this API takes.";
    Gateway NO_ROOM SERVICE_UNAVAILABLE "no_room" "This gateway holds as many bodies as it may; try again.";
    Client BODY_TOO_LARGE PAYLOAD_TOO_LARGE "body_too_large" "The request's body is larger than this gateway takes.";
    Client BODY_STALLED REQUEST_TIMEOUT "body_stalled" "The request's body did not come in time.";
    Client BODY_BROKEN BAD_REQUEST "body_broken" "The request's body is not framed as HTTP/1.1 asks.";
    Origin ORIGIN_UNREACHABLE BAD_GATEWAY "origin_unreachable" "The origin cannot be reached.";
    Origin ORIGIN_CONNECT_TIMEOUT GATEWAY_TIMEOUT "origin_connect_timeout" "The origin did not accept a connection in time.";
    Origin ORIGIN_ANSWER_TIMEOUT GATEWAY_TIMEOUT "origin_answer_timeout" "The origin did not answer in time.";
    Origin ORIGIN_ANSWER_INVALID BAD_GATEWAY "origin_answer_invalid" "The origin's answer is not valid HTTP.";
    Origin ORIGIN_CLOSED BAD_GATEWAY "origin_closed" "The origin closed the connection before it answered.";
    Origin ORIGIN_FORBIDDEN BAD_GATEWAY "origin_forbidden" "The origin's address is not one that routes may lead to.";
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::HostUnknown => HOST_UNKNOWN,
            Refusal::MethodNotAllowed => METHOD_NOT_ALLOWED,
            Refusal::PathInvalid => PATH_INVALID,
            Refusal::PathAmbiguous => PATH_AMBIGUOUS,
            Refusal::Unmatched => UNMATCHED,
        }
    }
}

impl Problem {
    fn outcome(self) -> Outcome {
        match self.fault {
            Fault::Policy => Outcome::Refused(self.code),
            Fault::Gateway => Outcome::GatewayFull(self.code),
            Fault::Client => Outcome::ClientFailed(self.code),
            Fault::Origin => Outcome::OriginFailed(self.code),
        }
    }

    /// The answer.
    pub(crate) fn answer(self, exchange: Box<Exchange>) -> Response<ResponseBody> {
        answer(self, self.detail, None, exchange)
    }
}

/// The answer to a request that does not fit its schema; it names what does not fit if it is told that.
pub(crate) fn schema_violation(shown: Option<&Verdict>, exchange: Box<Exchange>) -> Response<ResponseBody> {
    answer(SCHEMA_VIOLATION, SCHEMA_VIOLATION.detail, shown, exchange)
}

/// The answer to a request that could not be read, and after which nothing on its connection can be.
pub(crate) fn unreadable(status: StatusCode, detail: &str, exchange: Box<Exchange>) -> Response<ResponseBody> {
    let problem = Problem { status, code: "unreadable", detail: "", fault: Fault::Client };
    let mut response = answer(problem, detail, None, exchange);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn answer(
    problem: Problem,
    detail: &str,
    verdict: Option<&Verdict>,
    mut exchange: Box<Exchange>,
) -> Response<ResponseBody> {
    let Problem { status, code, .. } = problem;
    exchange.answered_here(status, problem.outcome());
    let mut body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
        "request_id": exchange.request_id.to_string(),
    });
    if let Some(verdict) = verdict {
        body["violations"] = verdict.violations.iter().map(violation).collect();
        body["has_more_violations"] = verdict.has_more.into();
    }
    let request_id = exchange.request_id.value().clone();
    let mut response = Response::new(ResponseBody::own(Bytes::from(body.to_string()), exchange));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_REQUEST_ID, request_id);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    }
    response
}

/// Neither the place in the document, which is the operator's, nor anything that the client sent.
fn violation(violation: &Violation) -> serde_json::Value {
    serde_json::json!({ "keyword": violation.keyword, "place": violation.request_place })
}
