//! A plain HTTP client, for the demo's calls to the control API and through the gateway.

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes, header};
use hyper_util::{
    client::legacy::{Client as Pooled, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// Why a call of the demo failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The call could not be written.
    #[error("the call cannot be written")]
    Request(#[from] hyper::http::Error),
    /// No answer.
    #[error("{0} gives no answer")]
    Call(String, #[source] hyper_util::client::legacy::Error),
    /// Half an answer.
    #[error("the answer breaks off")]
    Body(#[from] hyper::Error),
    /// The API refused.
    #[error("{call} was answered with {status}: {body}")]
    Refused { call: String, status: StatusCode, body: String },
    /// The day before could not be imported.
    #[error("the access log of the day before was not imported")]
    Import(#[source] std::io::Error),
    /// Nothing could be found out about requests without an operation.
    #[error("the requests without an operation were not looked at")]
    Discover(#[source] std::io::Error),
    /// The API answered something else than JSON.
    #[error("the answer is not JSON")]
    Json(#[from] serde_json::Error),
}

/// A client with connections that it keeps.
#[derive(Clone)]
pub(super) struct Client {
    pooled: Pooled<HttpConnector, Full<Bytes>>,
}

/// One call.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Option<&'a Value>,
}

impl Client {
    pub(super) fn new() -> Self {
        Self { pooled: Pooled::builder(TokioExecutor::new()).build_http() }
    }

    /// Sends a call, and gives its status and body.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<(StatusCode, Bytes), ClientError> {
        let mut request = Request::builder().method(&call.method).uri(&call.url);
        for (name, value) in &call.fields {
            request = request.header(*name, value);
        }
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = call.body.map(Value::to_string).unwrap_or_default();
        let request = request.body(Full::new(Bytes::from(body)))?;
        let answer = self.pooled.request(request).await.map_err(|error| ClientError::Call(call.url.clone(), error))?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    /// Sends a call to the control API, which must succeed.
    pub(super) async fn json(&self, call: &Call<'_>) -> Result<Value, ClientError> {
        let (status, body) = self.send(call).await?;
        if !status.is_success() {
            let body = String::from_utf8_lossy(&body).into_owned();
            return Err(ClientError::Refused { call: format!("{} {}", call.method, call.url), status, body });
        }
        Ok(serde_json::from_slice(&body)?)
    }
}
