//! `/demilune/v1/zones/{zone_id}/settings`: how the gateway behaves where no operation says so.

use axum::extract::State;
use demilune_policy::rule::ZoneSettings;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::{
    SharedState,
    auth::{OperatorZone, ReadableZone},
    body::JsonBody,
    envelope::{Envelope, Message},
    error::{ApiError, Defect, FailureBody},
    member,
};

/// A zone's settings of the gateway.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ZoneSettings)]
pub(crate) struct SettingsBody {
    /// What happens to requests that no operation fits: they are forwarded, forwarded and logged, or answered with 403.
    #[schema(value_type = String, pattern = "^(pass|log|block)$")]
    unmatched: &'static str,
    /// Which form of the path the origin gets.
    #[schema(value_type = String, pattern = "^(normalized|raw)$")]
    forward_path: &'static str,
    /// Whether HEAD is taken for GET where no HEAD operation fits.
    head_as_get: bool,
}

/// The envelope around settings, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<SettingsBody>` prints")]
pub(crate) struct SettingsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: SettingsBody,
}

impl From<ZoneSettings> for SettingsBody {
    fn from(settings: ZoneSettings) -> Self {
        Self {
            unmatched: settings.unmatched.as_str(),
            forward_path: settings.forward_path.as_str(),
            head_as_get: settings.head_as_get,
        }
    }
}

/// The zone's settings.
#[utoipa::path(get, path = "/demilune/v1/zones/{zone_id}/settings", tag = "Gateway", operation_id = "settings_get",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    responses(
        (status = 200, description = "The settings.", body = SettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn settings_get(
    ReadableZone(zone): ReadableZone,
    State(state): State<SharedState>,
) -> Result<Envelope<SettingsBody>, ApiError> {
    let found = state.store.zone_settings_get(&zone).await?;
    Ok(Envelope::new(found.ok_or_else(|| ApiError::zone_unknown(zone.as_str()))?.into()))
}

/// Changes the settings that the body names.
#[utoipa::path(patch, path = "/demilune/v1/zones/{zone_id}/settings", tag = "Gateway", operation_id = "settings_change",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = SettingsBody,
    responses(
        (status = 200, description = "The settings as they are now.", body = SettingsAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn settings_change(
    OperatorZone(zone): OperatorZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<SettingsBody>, ApiError> {
    let unknown = || ApiError::zone_unknown(zone.as_str());
    let before = state.store.zone_settings_get(&zone).await?.ok_or_else(unknown)?;
    let settings = match read(&body, before) {
        Ok(settings) => settings,
        Err(defects) => return ApiError::collect(defects).and(Err(ApiError::internal())),
    };
    if !state.store.zone_settings_set(&zone, settings).await? {
        return Err(unknown());
    }
    Ok(Envelope::new(settings.into()))
}

fn read(body: &Value, before: ZoneSettings) -> Result<ZoneSettings, Vec<Defect>> {
    let Value::Object(members) = body else {
        return Err(vec![Defect::at("", "The body must be an object with the settings to change.")]);
    };
    let mut defects = Vec::new();
    for name in members.keys().filter(|name| !["unmatched", "forward_path", "head_as_get"].contains(&name.as_str())) {
        let message = format!("There is no setting {name}; there are unmatched, forward_path and head_as_get.");
        defects.push(Defect::at(format!("/{name}"), message));
    }
    let unmatched = member::optional(body, "unmatched", "", &mut defects);
    let forward_path = member::optional(body, "forward_path", "", &mut defects);
    let head_as_get = match members.get("head_as_get") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(value)) => Some(*value),
        Some(_) => {
            defects.push(Defect::at("/head_as_get", "The member head_as_get must be true or false."));
            None
        }
    };
    if !defects.is_empty() {
        return Err(defects);
    }
    Ok(ZoneSettings {
        unmatched: unmatched.unwrap_or(before.unmatched),
        forward_path: forward_path.unwrap_or(before.forward_path),
        head_as_get: head_as_get.unwrap_or(before.head_as_get),
    })
}
