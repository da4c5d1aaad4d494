//! `PUT …/origins`: adds an origin, or replaces the one of its host.

use axum::extract::State;
use demilune_inventory::ZoneId;
use demilune_policy::rule::{HostHeader, Origin};
use demilune_store::{ORIGINS_PER_ZONE_MAX, OriginSetError};
use serde_json::Value;

use super::wire::{OriginAnswer, OriginBody, OriginInput};
use crate::{
    clock,
    http::{
        SharedState,
        auth::OperatedZone,
        body::JsonBody,
        envelope::Envelope,
        error::{ApiError, Defect, FailureBody, HOST_TAKEN, ORIGINS_FULL},
        input::{check_members, member},
    },
};

/// Adds an origin to a zone, or replaces the one that its host has. A host that fits a pattern of another zone is
/// refused.
#[utoipa::path(put, path = "/zones/{zone_id}/origins", tag = "Gateway", operation_id = "origin_set",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = OriginInput,
    responses(
        (status = 200, description = "The origin as it is now.", body = OriginAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn set(
    OperatedZone(zone): OperatedZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<OriginBody>, ApiError> {
    let origin = origin(&body)?;
    let record = state.store.origin_set(&zone, origin, clock::now()).await.map_err(|error| refusal(error, &zone))?;
    Ok(Envelope::new(OriginBody::from(&record)))
}

fn origin(body: &Value) -> Result<Origin, ApiError> {
    let mut defects = check_members(body, &["host", "url", "host_header"])?;
    let host = member(body, "host", "", &mut defects);
    let url = member(body, "url", "", &mut defects);
    let host_header = match body.get("host_header") {
        None | Some(Value::Null) => Some(HostHeader::Client),
        Some(_) => member(body, "host_header", "", &mut defects),
    };
    ApiError::collect(defects)?;
    match (host, url, host_header) {
        (Some(host), Some(url), Some(host_header)) => Ok(Origin { host, url, host_header }),
        // What is missing was among the defects.
        _ => Err(ApiError::internal()),
    }
}

fn refusal(error: OriginSetError, zone: &ZoneId) -> ApiError {
    let at_host = |code, message| Defect { code, ..Defect::at("/host", message) }.into();
    match error {
        OriginSetError::ZoneUnknown => ApiError::zone_unknown(zone.as_str()),
        OriginSetError::Overlap { zone, host } => {
            let message =
                format!("The zone {zone} has an origin for {host}, which some host fits as well as this one.");
            at_host(&HOST_TAKEN, message)
        }
        OriginSetError::TooMany => {
            let message = format!("The zone may have {ORIGINS_PER_ZONE_MAX} origins, and has them; delete one first.");
            at_host(&ORIGINS_FULL, message)
        }
        OriginSetError::Store(failure) => failure.into(),
    }
}
