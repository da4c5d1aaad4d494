//! Bodies of the current calls about schemas (contract 6.8).

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::envelope::Message;

/// The schema to upload.
#[derive(ToSchema)]
#[schema(as = SchemaInput)]
#[expect(dead_code, reason = "describes the body; `add` reads it member by member to name every defect")]
pub(super) struct SchemaInput {
    /// Always `openapi_v3`.
    #[schema(pattern = "^openapi_v3$")]
    kind: String,
    /// What to call it.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// An OpenAPI 3.0 or 3.1 document as JSON or YAML, at most 16 MiB.
    source: String,
    /// Whether requests are checked against it.
    validation_enabled: bool,
}

/// What can be changed of a schema.
#[derive(ToSchema)]
#[schema(as = SchemaChange)]
#[expect(dead_code, reason = "describes the body; `update` reads it")]
pub(super) struct SchemaChange {
    /// Whether requests are checked against it.
    #[schema(required = false)]
    validation_enabled: bool,
}

/// The schema that is gone: SDKs differ in the name of the member that they read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RemovedSchema)]
pub(crate) struct RemovedBody {
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    pub(super) id: String,
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    pub(super) schema_id: String,
}

/// The envelope around a schema that is gone, for the API description.
#[derive(ToSchema)]
#[schema(as = RemovedSchemaAnswer)]
#[expect(dead_code, reason = "describes what `Envelope<RemovedBody>` prints")]
pub(super) struct RemovedAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: RemovedBody,
}
