//! `POST …/schema_validation/schemas`: uploads a schema as JSON (contract 6.8).

use axum::extract::{FromRequest, Request, State};
use demilune_store::USER_SCHEMA_BYTES_MAX;
use serde_json::Value;

use super::wire::SchemaInput;
use crate::http::{
    SharedState,
    auth::WritableZone,
    body::read_json,
    envelope::{Envelope, Message},
    error::{ApiError, UploadFailureBody},
    input::text,
    user_schemas::{Permit, SchemaAnswer, SchemaBody, Upload, check_kind, check_name},
};

/// Most bytes of the body: a document that is written as a JSON text gains a byte for each quote and each line's end.
const BODY_BYTES_MAX: usize = 2 * USER_SCHEMA_BYTES_MAX + 64 * 1024;
/// The first code of messages about warnings; the number of the warning is added.
const WARNING_CODE: u16 = 21200;

/// A body that holds a document, and the right to hold it.
pub(crate) struct UploadBody {
    pub(crate) body: Value,
    pub(crate) permit: Permit,
}

impl FromRequest<SharedState> for UploadBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &SharedState) -> Result<Self, ApiError> {
        let permit = Permit::wait().await?;
        Ok(Self { body: read_json(request, BODY_BYTES_MAX).await?, permit })
    }
}

/// Uploads an OpenAPI document as a schema. It may describe operations that the zone does not have yet. What was found
/// in it that does not keep it from being used stands in `messages`.
#[utoipa::path(post, path = "/zones/{zone_id}/schema_validation/schemas", tag = "Validation", operation_id = "schema_add",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = SchemaInput,
    responses(
        (status = 200, description = "The schema.", body = SchemaAnswer),
        (status = "4XX", description = "The request is at fault, or the document cannot be used.", body = UploadFailureBody),
        (status = 503, description = "The store is away, or too many uploads are in progress.", body = UploadFailureBody),
    ))]
pub(crate) async fn add(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    UploadBody { body, permit }: UploadBody,
) -> Result<Envelope<SchemaBody>, ApiError> {
    let (schema, details) = upload(body)?.add(&state, &zone).await?;
    // The document is not held any more.
    drop(permit);
    let message = |(number, message)| Message { code: WARNING_CODE + number, message };
    Ok(Envelope::new(SchemaBody::from(schema)).with_messages(details.warnings().map(message).collect()))
}

fn upload(mut body: Value) -> Result<Upload, ApiError> {
    let kind = text(&body, "kind").and_then(check_kind);
    let name = text(&body, "name").and_then(|name| check_name(name).map(|()| name.to_owned()));
    let enabled = body.get("validation_enabled").and_then(Value::as_bool);
    let enabled = enabled.ok_or_else(|| "The member validation_enabled must be there, true or false.".to_owned());
    let source = source(&mut body);
    match (kind, name, source, enabled) {
        (Ok(()), Ok(name), Ok(source), Ok(validation_enabled)) => {
            Ok(Upload { name, source: source.into_bytes(), validation_enabled, pointer: "/source" })
        }
        (kind, name, source, enabled) => Err(ApiError::at_members([
            ("kind", kind.err()),
            ("name", name.err()),
            ("source", source.err()),
            ("validation_enabled", enabled.err()),
        ])),
    }
}

/// The document, taken out of the body, since it may be large.
pub(crate) fn source(body: &mut Value) -> Result<String, String> {
    text(body, "source")?;
    match body.get_mut("source").map(Value::take) {
        Some(Value::String(source)) => Ok(source),
        _ => Err(String::new()),
    }
}
