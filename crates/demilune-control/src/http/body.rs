//! Reads a JSON body within its limits.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{
    SharedState,
    error::{ApiError, BODY_TIMEOUT, BODY_TOO_LARGE, Defect, INPUT_INVALID, MEDIA_TYPE_UNSUPPORTED},
};

/// How long a body within the limit may take to arrive.
const READ_TIME_MAX: Duration = Duration::from_secs(30);

/// A body that is JSON, of any shape.
pub(crate) struct JsonBody(pub(crate) Value);

/// A body that is JSON, or no body at all: some clients declare `application/json` and send nothing (contract 3.5).
pub(crate) struct OptionalJsonBody(pub(crate) Option<Value>);

impl FromRequest<SharedState> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &SharedState) -> Result<Self, ApiError> {
        read_json(request, state.options.body_bytes_max).await.map(Self)
    }
}

impl FromRequest<SharedState> for OptionalJsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &SharedState) -> Result<Self, ApiError> {
        let declares_json = declares_json(request.headers());
        let bytes = read(request, state.options.body_bytes_max).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        if !declares_json {
            return Err(media_type_unsupported());
        }
        parse(&bytes).map(|value| Self(Some(value)))
    }
}

/// Reads a body that is JSON, of at most so many bytes.
pub(crate) async fn read_json(request: Request, bytes_max: usize) -> Result<Value, ApiError> {
    if !declares_json(request.headers()) {
        return Err(media_type_unsupported());
    }
    parse(&read(request, bytes_max).await?)
}

fn media_type_unsupported() -> ApiError {
    Defect::new(&MEDIA_TYPE_UNSUPPORTED, "The body must be JSON; send the header Content-Type: application/json.")
        .into()
}

/// `application/json` or any type with the suffix `+json` (RFC 6839), whatever its parameters.
fn declares_json(headers: &HeaderMap) -> bool {
    let Some(Ok(declared)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    // serde_json bounds the nesting at 128 levels by itself.
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let message = match error.classify() {
            serde_json::error::Category::Eof if bytes.iter().all(u8::is_ascii_whitespace) => {
                "The body is empty; send a JSON document.".to_owned()
            }
            serde_json::error::Category::Eof => format!("The body ends in the middle of a JSON value, at {place}."),
            _ => format!("The body is not valid JSON at {place}; correct it there."),
        };
        Defect::new(&INPUT_INVALID, message).into()
    })
}

async fn read(request: Request, bytes_max: usize) -> Result<Bytes, ApiError> {
    read_with(request, bytes_max, async |body| collect(body, bytes_max).await).await
}

/// Reads a body of at most so many bytes in some way, within the time that a body may take.
pub(super) async fn read_with<T>(
    request: Request,
    bytes_max: usize,
    reader: impl AsyncFnOnce(&mut Body) -> Result<T, ReadError>,
) -> Result<T, ApiError> {
    if declared_length(request.headers()).is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    match tokio::time::timeout(READ_TIME_MAX, reader(&mut request.into_body())).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(ReadError::TooLarge)) => Err(too_large(bytes_max)),
        Ok(Err(ReadError::Broken)) => {
            Err(Defect::new(&INPUT_INVALID, "The body broke off before its end; send the whole body.").into())
        }
        Ok(Err(ReadError::Defective(defect))) => Err(defect.into()),
        Err(_elapsed) => {
            Err(Defect::new(&BODY_TIMEOUT, "The body did not arrive within 30 seconds; send the request again.").into())
        }
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(bytes_max: usize) -> ApiError {
    let message = format!("The body may have at most {bytes_max} bytes; split the call into smaller ones.");
    Defect::new(&BODY_TOO_LARGE, message).into()
}

/// Why a body was not read to its end.
pub(super) enum ReadError {
    /// It has more bytes than the call takes.
    TooLarge,
    /// The client or the connection is gone.
    Broken,
    /// It is not of the form that the call takes.
    Defective(Defect),
}

async fn collect(body: &mut Body, bytes_max: usize) -> Result<Bytes, ReadError> {
    let mut first = Bytes::new();
    let mut joined = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| ReadError::Broken)?.into_data() else { continue };
        if first.len() + joined.len() + data.len() > bytes_max {
            return Err(ReadError::TooLarge);
        }
        // Nearly every body comes in one piece, which needs no copy.
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&std::mem::take(&mut first));
            }
            joined.extend_from_slice(&data);
        }
    }
    Ok(if joined.is_empty() { first } else { joined.into() })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn json_media_types_are_recognised() {
        let check = |declared: &'static str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(declared));
            assert_eq!(declares_json(&headers), expected, "{declared}");
        };
        check("application/json", true);
        check("Application/JSON; charset=utf-8", true);
        check("application/merge-patch+json", true);
        check("text/json", false);
        check("application/x-www-form-urlencoded", false);
        check("application/jsonp", false);
        assert!(!declares_json(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn pieces_of_a_body_are_joined_in_order() {
        let pieces = ["{\"a\"", ":", "1}"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
        let bytes = collect(&mut Body::from_stream(futures_util::stream::iter(pieces)), 7).await;
        assert_eq!(bytes.ok().unwrap(), Bytes::from("{\"a\":1}"));
    }
}
