//! `PATCH …/user_schemas/{schema_id}`: switches a schema on (contract 6.7).

use axum::extract::{FromRequest, Request, State};
use serde_json::Value;

use super::{
    Permit,
    add::FORM_BYTES_MAX,
    wire::{SchemaAnswer, SchemaBody, SchemaChange},
};
use crate::http::{
    SharedState,
    auth::{SchemaInPath, WritableZone},
    body::read_json,
    envelope::Envelope,
    error::{ApiError, Defect, FailureBody},
    form::{self, FieldLimit, declares_form},
    query::boolean,
};

const POINTER: &str = "/validation_enabled";

/// Whether a schema is to be on, as a body or a form says; none where it says nothing.
pub(crate) struct Change {
    enabled: Option<bool>,
    /// Terraform sends all that it keeps of a schema as a form, also what does not change.
    is_form: bool,
}

impl FromRequest<SharedState> for Change {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &SharedState) -> Result<Self, ApiError> {
        if declares_form(request.headers()) {
            const WANTED: [FieldLimit; 1] = [FieldLimit { name: "validation_enabled", bytes_max: 16 }];
            let _permit = Permit::wait().await?;
            let form = form::read(request, FORM_BYTES_MAX, &WANTED).await?;
            let enabled = form.text("validation_enabled").map(|text| Ok::<_, String>(boolean(text?)?)).transpose();
            let enabled = enabled.map_err(|message| Defect::at(POINTER, message))?;
            return Ok(Self { enabled, is_form: true });
        }
        let body = read_json(request, state.options.body_bytes_max).await?;
        Ok(Self { enabled: validation_enabled(&body)?, is_form: false })
    }
}

/// The one member of a body that changes something; none where it is absent.
pub(crate) fn validation_enabled(body: &Value) -> Result<Option<bool>, ApiError> {
    let Value::Object(members) = body else {
        return Err(Defect::at("", "The body must be a JSON object with the member validation_enabled.").into());
    };
    match members.get("validation_enabled") {
        None => Ok(None),
        Some(Value::Bool(enabled)) => Ok(Some(*enabled)),
        Some(_) => Err(Defect::at(POINTER, "The member validation_enabled must be true or false.").into()),
    }
}

/// Switches a schema on. This call does not switch one off; the one of the same form below `schema_validation` does.
#[utoipa::path(patch, path = "/zones/{zone_id}/api_gateway/user_schemas/{schema_id}", tag = "Validation", operation_id = "user_schema_update",
    params(
        ("zone_id" = String, Path, description = "The zone.", max_length = 32),
        ("schema_id" = String, Path, description = "The schema.", min_length = 36, max_length = 36),
    ),
    request_body = SchemaChange,
    responses(
        (status = 200, description = "The schema as it is now.", body = SchemaAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn update(
    WritableZone(zone): WritableZone,
    SchemaInPath(id): SchemaInPath,
    State(state): State<SharedState>,
    Change { enabled, is_form }: Change,
) -> Result<Envelope<SchemaBody>, ApiError> {
    let changed = if enabled == Some(true) {
        state.store.user_schema_set_enabled(&zone, id, true).await?
    } else {
        state.store.user_schema_get(&zone, id, true).await?
    };
    let Some(schema) = changed else { return Err(state.missing(&zone, ApiError::schema_unknown()).await?) };
    let stays_off = is_form && !schema.validation_enabled;
    if enabled == Some(false) && !stays_off {
        let message = "This call only takes true. To switch a schema off, delete it, or send the same body with PATCH \
                       to schema_validation/schemas/{schema_id} of the zone.";
        return Err(Defect::at(POINTER, message).into());
    }
    Ok(Envelope::new(schema.into()))
}
