//! What orchestrators and monitoring read.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{SharedState, error::ApiError};

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "Service", operation_id = "healthz", security(()),
    responses((status = 200, description = "The process answers.", body = String, content_type = "text/plain")))]
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// The process and its store answer, and a gateway in the process has rules to go by.
#[utoipa::path(get, path = "/readyz", tag = "Service", operation_id = "readyz", security(()), responses(
    (status = 200, description = "Everything in the process can work.", body = String, content_type = "text/plain"),
    (status = 503, description = "The store does not answer, or the gateway has no rules yet.", body = super::error::FailureBody),
))]
pub(crate) async fn ready(State(state): State<SharedState>) -> Result<&'static str, ApiError> {
    state.store.ping().await?;
    if !(state.ready)() {
        return Err(ApiError::not_ready());
    }
    Ok("ready\n")
}

/// Counters and histograms in the text format of OpenMetrics.
#[utoipa::path(get, path = "/metrics", tag = "Service", operation_id = "metrics", security(()), responses(
    (status = 200, description = "Metrics.", body = String, content_type = "application/openmetrics-text"),
))]
pub(crate) async fn metrics(State(state): State<SharedState>) -> Response {
    metrics_response(state.metrics.render())
}

/// Metrics as an answer.
pub(crate) fn metrics_response(rendered: Result<String, std::fmt::Error>) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    match rendered {
        Ok(text) => (content_type, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
