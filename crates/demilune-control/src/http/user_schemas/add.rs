//! `POST …/user_schemas`: uploads a schema as a form (contract 6.7).

use axum::extract::{FromRequest, Request, State};
use demilune_store::USER_SCHEMA_BYTES_MAX;

use super::{
    Permit, Upload, check_kind, check_name,
    wire::{SchemaForm, UploadedAnswer, UploadedBody},
};
use crate::http::{
    SharedState,
    auth::WritableZone,
    envelope::Envelope,
    error::{ApiError, UploadFailureBody},
    form::{self, Field, FieldLimit, Form},
    query::boolean,
};

/// What a schema is called whose uploader says nothing and sends no file name.
const NAME_DEFAULT: &str = "schema";
/// Most bytes of a field beside the document.
const FIELD_BYTES_MAX: usize = 4 * 1024;
/// Most bytes of a form: those of the document, and room for the rest.
pub(super) const FORM_BYTES_MAX: usize = USER_SCHEMA_BYTES_MAX + 64 * 1024;

/// A form, and the right to hold it.
pub(crate) struct UploadForm {
    form: Form,
    _permit: Permit,
}

impl FromRequest<SharedState> for UploadForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &SharedState) -> Result<Self, ApiError> {
        const WANTED: [FieldLimit; 4] = [
            FieldLimit { name: "file", bytes_max: USER_SCHEMA_BYTES_MAX },
            FieldLimit { name: "kind", bytes_max: FIELD_BYTES_MAX },
            FieldLimit { name: "name", bytes_max: FIELD_BYTES_MAX },
            FieldLimit { name: "validation_enabled", bytes_max: FIELD_BYTES_MAX },
        ];
        let permit = Permit::wait().await?;
        Ok(Self { form: form::read(request, FORM_BYTES_MAX, &WANTED).await?, _permit: permit })
    }
}

/// Uploads an OpenAPI document as a schema. It may describe operations that the zone does not have yet.
#[utoipa::path(post, path = "/zones/{zone_id}/api_gateway/user_schemas", tag = "Validation", operation_id = "user_schema_add",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body(content = SchemaForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The schema, and what was found in it.", body = UploadedAnswer),
        (status = "4XX", description = "The request is at fault, or the document cannot be used.", body = UploadFailureBody),
        (status = 503, description = "The store is away, or too many uploads are in progress.", body = UploadFailureBody),
    ))]
pub(crate) async fn add(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    UploadForm { form, _permit }: UploadForm,
) -> Result<Envelope<UploadedBody>, ApiError> {
    let (schema, upload_details) = upload(form)?.add(&state, &zone).await?;
    Ok(Envelope::new(UploadedBody { schema: schema.into(), upload_details }))
}

fn upload(mut form: Form) -> Result<Upload, ApiError> {
    let (kind, name, enabled) = (kind(&form), name(&form), validation_enabled(&form));
    let file = form.take("file").ok_or_else(|| "The field file is missing; it holds the OpenAPI document.".to_owned());
    match (kind, name, enabled, file) {
        (Ok(()), Ok(name), Ok(validation_enabled), Ok(Field { file_name, content })) => {
            let file_name = file_name.filter(|name| check_name(name).is_ok());
            let name = name.or(file_name).unwrap_or_else(|| NAME_DEFAULT.to_owned());
            Ok(Upload { name, source: content.into(), validation_enabled, pointer: "/file" })
        }
        (kind, name, enabled, file) => Err(ApiError::at_members([
            ("kind", kind.err()),
            ("name", name.err()),
            ("validation_enabled", enabled.err()),
            ("file", file.err()),
        ])),
    }
}

fn kind(form: &Form) -> Result<(), String> {
    form.text("kind").ok_or("The field kind is missing; it must be openapi_v3.")?.and_then(check_kind)
}

/// What to call it; none where the form says nothing.
fn name(form: &Form) -> Result<Option<String>, String> {
    let Some(name) = form.text("name").transpose()?.filter(|name| !name.is_empty()) else { return Ok(None) };
    check_name(name)?;
    Ok(Some(name.to_owned()))
}

fn validation_enabled(form: &Form) -> Result<bool, String> {
    let Some(text) = form.text("validation_enabled").transpose()? else { return Ok(false) };
    Ok(boolean(text)?)
}
