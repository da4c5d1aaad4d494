//! Uploaded schemas as they look on the wire (contract 6.7, 6.8).

use demilune_store::{SchemaHosts, UserSchema};
use serde::Serialize;
use utoipa::ToSchema;

use super::UploadDetails;
use crate::http::{
    envelope::{Message, ResultInfo},
    operations::OperationBody,
};

/// The one kind of schema that there is.
pub(crate) const KIND: &str = "openapi_v3";

/// An uploaded schema.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserSchema)]
pub(crate) struct SchemaBody {
    /// Stable while the schema exists.
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    schema_id: String,
    #[schema(max_length = 255)]
    name: String,
    /// Always `openapi_v3`.
    #[schema(pattern = "^openapi_v3$")]
    kind: &'static str,
    /// When it was uploaded.
    #[schema(format = DateTime)]
    created_at: String,
    /// Whether requests are checked against it.
    validation_enabled: bool,
    /// Whether it was learned from traffic.
    is_learned: bool,
    /// Bytes of the source.
    size: u64,
    /// The document, byte for byte; absent with `omit_source=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl From<UserSchema> for SchemaBody {
    fn from(schema: UserSchema) -> Self {
        Self {
            schema_id: schema.id.to_string(),
            name: schema.name,
            kind: KIND,
            created_at: schema.created_at.to_string(),
            validation_enabled: schema.validation_enabled,
            is_learned: schema.learned_from.is_some(),
            size: schema.source_bytes,
            source: schema.source,
        }
    }
}

/// A schema that was added, and what was found in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UploadedSchema)]
pub(crate) struct UploadedBody {
    pub(super) schema: SchemaBody,
    pub(super) upload_details: UploadDetails,
}

/// The form to upload.
#[derive(ToSchema)]
#[schema(as = UserSchemaForm)]
#[expect(dead_code, reason = "describes the form; `add` reads it field by field to name every defect")]
pub(super) struct SchemaForm {
    /// An OpenAPI 3.0 or 3.1 document as JSON or YAML, at most 16 MiB.
    #[schema(format = Binary)]
    file: String,
    /// Always `openapi_v3`.
    #[schema(pattern = "^openapi_v3$")]
    kind: String,
    /// What to call it; that of the file unless told.
    #[schema(required = false, min_length = 1, max_length = 255)]
    name: String,
    /// Whether requests are checked against it: `true` or `false`, which holds unless told.
    #[schema(required = false, pattern = "^(true|false)$")]
    validation_enabled: String,
}

/// What can be changed of a schema with the older call.
#[derive(ToSchema)]
#[schema(as = UserSchemaChange)]
#[expect(dead_code, reason = "describes the body; `update` reads it")]
pub(super) struct SchemaChange {
    /// Only true: this call does not switch a schema off.
    #[schema(required = false)]
    validation_enabled: bool,
}

/// A schema and the hosts that it speaks of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserSchemaHosts)]
pub(crate) struct HostsBody {
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    schema_id: String,
    #[schema(max_length = 255)]
    name: String,
    /// When it was uploaded.
    #[schema(format = DateTime)]
    created_at: String,
    /// The hosts of what it describes.
    hosts: Vec<String>,
}

impl From<SchemaHosts> for HostsBody {
    fn from(SchemaHosts { schema, hosts }: SchemaHosts) -> Self {
        Self {
            schema_id: schema.id.to_string(),
            name: schema.name,
            created_at: schema.created_at.to_string(),
            hosts: hosts.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What a schema describes: an operation of the zone, or something that the zone does not have.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = UserSchemaOperation)]
pub(crate) enum SchemaOperationBody {
    Saved(Box<OperationBody>),
    New(NewOperationBody),
}

/// Something that the zone does not have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewOperation)]
pub(crate) struct NewOperationBody {
    #[schema(pattern = "^(GET|POST|HEAD|OPTIONS|PUT|DELETE|CONNECT|PATCH|TRACE)$")]
    pub(super) method: &'static str,
    #[schema(max_length = 255)]
    pub(super) host: String,
    #[schema(max_length = 4096, pattern = "^/")]
    pub(super) endpoint: String,
}

/// The envelope around one schema, for the API description.
#[derive(ToSchema)]
#[schema(as = UserSchemaAnswer)]
#[expect(dead_code, reason = "describes what `Envelope<SchemaBody>` prints")]
pub(crate) struct SchemaAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: SchemaBody,
}

/// The envelope around a page of schemas, for the API description.
#[derive(ToSchema)]
#[schema(as = UserSchemaPageAnswer)]
#[expect(dead_code, reason = "describes what a paged `Envelope<Vec<SchemaBody>>` prints")]
pub(crate) struct SchemaPageAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<SchemaBody>,
    result_info: ResultInfo,
}

/// The envelope around a schema that was added, for the API description.
#[derive(ToSchema)]
#[schema(as = UploadedSchemaAnswer)]
#[expect(dead_code, reason = "describes what `Envelope<UploadedBody>` prints")]
pub(super) struct UploadedAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: UploadedBody,
}

/// The envelope around a page of hosts, for the API description.
#[derive(ToSchema)]
#[schema(as = UserSchemaHostsPageAnswer)]
#[expect(dead_code, reason = "describes what a paged `Envelope<Vec<HostsBody>>` prints")]
pub(super) struct HostsPageAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<HostsBody>,
    result_info: ResultInfo,
}

/// The envelope around a page of what a schema describes, for the API description.
#[derive(ToSchema)]
#[schema(as = UserSchemaOperationPageAnswer)]
#[expect(dead_code, reason = "describes what a paged `Envelope<Vec<SchemaOperationBody>>` prints")]
pub(super) struct SchemaOperationPageAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<SchemaOperationBody>,
    result_info: ResultInfo,
}
