//! `/demilune/v1/zones/{zone_id}/origins`: the servers that hosts are sent to.

use axum::extract::State;
use demilune_inventory::Host;
use demilune_policy::rule::{HostHeader, Origin};
use demilune_store::{OriginRecord, OriginSetError};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    clock,
    http::{
        SharedState,
        auth::{HostInPath, OperatorZone, ReadableZone},
        body::JsonBody,
        envelope::{Envelope, Message},
        error::{ApiError, Defect, FailureBody, ORIGIN_NOT_FOUND},
        member,
        operations::{Empty, EmptyAnswer},
    },
};

/// The server that a host is sent to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Origin)]
pub(crate) struct OriginBody {
    /// A host name, or a pattern whose variables fill whole labels.
    #[schema(example = "api.example.com", max_length = 255)]
    host: String,
    /// `http://` or `https://`, a name or an address, and perhaps a port.
    #[schema(example = "http://10.0.0.7:8080")]
    url: String,
    /// What the server gets as `Host`; null for what the client sent.
    host_header: Option<String>,
    #[schema(format = DateTime)]
    last_updated: String,
}

/// The origin to set.
#[derive(ToSchema)]
#[schema(as = OriginInput)]
#[expect(dead_code, reason = "describes the body; `read` names every defect in it")]
pub(crate) struct OriginInput {
    #[schema(example = "api.example.com", max_length = 255)]
    host: String,
    #[schema(example = "http://10.0.0.7:8080")]
    url: String,
    /// What the server gets as `Host` in place of what the client sent.
    host_header: Option<String>,
}

/// The envelope around an origin, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<OriginBody>` prints")]
pub(crate) struct OriginAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: OriginBody,
}

/// The envelope around several origins, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<Vec<OriginBody>>` prints")]
pub(crate) struct OriginsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<OriginBody>,
}

impl From<&OriginRecord> for OriginBody {
    fn from(record: &OriginRecord) -> Self {
        let host_header = match &record.origin.host_header {
            HostHeader::Client => None,
            HostHeader::Fixed(text) => Some(text.to_string()),
        };
        Self {
            host: record.origin.host.to_string(),
            url: record.origin.url.to_string(),
            host_header,
            last_updated: record.last_updated.to_string(),
        }
    }
}

/// The zone's origins, by host.
#[utoipa::path(get, path = "/demilune/v1/zones/{zone_id}/origins", tag = "Gateway", operation_id = "origin_list",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "The origins.", body = OriginsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn origin_list(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
) -> Result<Envelope<Vec<OriginBody>>, ApiError> {
    let origins = state.store.origin_list(&zone).await?.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?;
    Ok(Envelope::new(origins.iter().map(OriginBody::from).collect()))
}

/// Sets the origin of a host or host pattern, in place of the one it had.
#[utoipa::path(put, path = "/demilune/v1/zones/{zone_id}/origins", tag = "Gateway", operation_id = "origin_set",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = OriginInput,
    responses(
        (status = 200, description = "The origin as it is now.", body = OriginAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn origin_set(
    OperatorZone(zone): OperatorZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<OriginBody>, ApiError> {
    let origin = match read(&body) {
        Ok(origin) => origin,
        Err(defects) => return ApiError::collect(defects).and(Err(ApiError::internal())),
    };
    let set = state.store.origin_set(&zone, origin, clock::now()).await.map_err(|error| match error {
        OriginSetError::ZoneUnknown => ApiError::zone_unknown(zone.as_str()),
        OriginSetError::Store(failure) => failure.into(),
        refused => Defect::at("/host", member::sentence(&refused)).into(),
    });
    Ok(Envelope::new(OriginBody::from(&set?)))
}

/// Takes the origin of a host or host pattern away: its requests are answered with 421.
#[utoipa::path(delete, path = "/demilune/v1/zones/{zone_id}/origins/{host}", tag = "Gateway", operation_id = "origin_delete",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("host" = String, Path, description = "The host or host pattern, percent-encoded.", max_length = 255),
    ),
    responses(
        (status = 200, description = "The host has no origin any more.", body = EmptyAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn origin_delete(
    OperatorZone(zone): OperatorZone,
    HostInPath(host): HostInPath,
    State(state): State<SharedState>,
) -> Result<Envelope<Empty>, ApiError> {
    let host: Host = host.parse().map_err(|_| no_origin())?;
    if state.store.origin_delete(&zone, &host).await? {
        return Ok(Envelope::new(Empty {}));
    }
    match state.store.zone_get(&zone).await? {
        Some(_) => Err(no_origin()),
        None => Err(ApiError::zone_unknown(zone.as_str())),
    }
}

fn no_origin() -> ApiError {
    Defect::new(&ORIGIN_NOT_FOUND, "The zone has no origin for this host.").into()
}

fn read(body: &Value) -> Result<Origin, Vec<Defect>> {
    let mut defects = Vec::new();
    let host = member::required(body, "host", "", &mut defects);
    let url = member::required(body, "url", "", &mut defects);
    let host_header = member::optional(body, "host_header", "", &mut defects);
    match (host, url) {
        (Some(host), Some(url)) if defects.is_empty() => {
            Ok(Origin { host, url, host_header: host_header.unwrap_or_default() })
        }
        _ => Err(defects),
    }
}
