//! What every answer gets: a request id, the failure body, a log line and metrics.

use std::{error::Error, fmt::Write, time::Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;
use uuid::Uuid;

use super::{Peer, SharedState, envelope, error::ApiError, unread};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The one label of requests that no route takes, so that strangers cannot make metrics grow.
const NO_ROUTE: &str = "none";

/// Wraps every route.
pub(crate) async fn frame(State(state): State<SharedState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = Uuid::new_v4().hyphenated().to_string();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| *address);

    let span = tracing::info_span!("request", request_id = %id);
    let (request, unread) = unread::lend(request);
    let mut response = guard(next.run(request)).instrument(span).await;
    if let Some(unread) = unread
        && !unread.finish().await
    {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let error = response.extensions_mut().remove::<ApiError>();
    if let Some(error) = &error {
        render_error(&mut response, error, &method, &state.options.public_url);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }

    let elapsed = started.elapsed();
    state.metrics.request_finished(&method, route, response.status(), elapsed);
    let code = error.as_ref().map(ApiError::code);
    let peer = peer.map(tracing::field::display);
    let (status, duration_us) = (response.status().as_u16(), u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
    match error.as_ref().and_then(ApiError::cause) {
        None => tracing::debug!(request_id = %id, %method, route, status, code, duration_us, peer, "request answered"),
        Some(cause) => {
            let cause = chain(cause);
            tracing::warn!(request_id = %id, %method, route, status, code, duration_us, cause, "request failed in the store");
        }
    }
    response
}

/// Runs a handler in a task of its own context, so that a defect of ours answers in the envelope: a panic becomes 500.
async fn guard(handler: impl Future<Output = Response>) -> Response {
    use futures_util::FutureExt;
    match std::panic::AssertUnwindSafe(handler).catch_unwind().await {
        Ok(response) => response,
        // The panic hook has logged where it happened.
        Err(_panic) => ApiError::internal().into_response(),
    }
}

fn render_error(response: &mut Response, error: &ApiError, method: &Method, public_url: &str) {
    let rendered = envelope::json(&error.body(public_url));
    let (parts, body) = rendered.into_parts();
    response.headers_mut().extend(parts.headers);
    *response.body_mut() = if *method == Method::HEAD { Body::empty() } else { body };
    // An empty body that axum measured before this one replaced it.
    response.headers_mut().remove(header::CONTENT_LENGTH);
}

/// An error and its causes on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
