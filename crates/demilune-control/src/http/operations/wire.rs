//! Operations as they look on the wire (contract 2.4).

use demilune_schema::document::OperationText;
use demilune_store::{StoreFailure, StoredOperation};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    feature::{Feature, Features, learned},
    parameter_schemas::Schemas,
    schema_info::SchemaInfos,
};
use crate::http::envelope::{Message, ResultInfo};

/// The operation to add. Members beside these three are ignored.
#[derive(ToSchema)]
#[schema(as = OperationInput)]
#[expect(dead_code, reason = "describes the body; `input` reads it member by member to name every defect")]
pub(crate) struct OperationInput {
    /// A path that starts with `/`; `{name}` marks a variable.
    #[schema(example = "/api/v1/users/{id}", min_length = 1, max_length = 4096)]
    endpoint: String,
    /// A host name, or a pattern whose variables fill whole labels.
    #[schema(example = "www.example.com", min_length = 1, max_length = 255)]
    host: String,
    /// One of the nine methods, in any letter case.
    #[schema(example = "GET", pattern = "(?i)^(GET|POST|HEAD|OPTIONS|PUT|DELETE|CONNECT|PATCH|TRACE)$")]
    method: String,
}

/// One saved operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Operation)]
pub(crate) struct OperationBody {
    /// Stable while the operation exists.
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    operation_id: String,
    #[schema(pattern = "^(GET|POST|HEAD|OPTIONS|PUT|DELETE|CONNECT|PATCH|TRACE)$")]
    method: &'static str,
    /// Canonical: lower case, variables named `{hostVarN}` from the right.
    #[schema(max_length = 255)]
    host: String,
    /// Canonical: normalized, variables named `{varN}` from the left.
    #[schema(max_length = 4096, pattern = "^/")]
    endpoint: String,
    /// When the operation was last inserted.
    #[schema(format = DateTime)]
    last_updated: String,
    /// What is known about the operation, by feature; only what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    features: Option<Features>,
    /// The schemas that speak of it; only with `with_schemas=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    schemas: Option<Schemas>,
}

impl OperationBody {
    /// The record and the features that were asked for, in this order of members.
    pub(crate) fn new(
        stored: &StoredOperation,
        features: &[Feature],
        infos: &SchemaInfos,
    ) -> Result<Self, StoreFailure> {
        let operation = &stored.operation;
        Ok(Self {
            operation_id: operation.id.to_string(),
            method: operation.key.method.as_str(),
            host: operation.key.host.to_string(),
            endpoint: operation.key.endpoint.to_string(),
            last_updated: operation.last_updated.to_string(),
            features: Features::requested(features, stored, infos)?,
            schemas: None,
        })
    }

    /// Adds the schemas of the operation.
    pub(crate) fn with_schemas(
        self,
        stored: &StoredOperation,
        uploaded: Option<OperationText>,
    ) -> Result<Self, StoreFailure> {
        Ok(Self { schemas: Some(Schemas::of(learned(stored).transpose()?, uploaded)), ..self })
    }
}

/// The envelope around one operation, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<OperationBody>` prints")]
pub(crate) struct OperationAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: OperationBody,
}

/// The envelope around several operations, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<Vec<OperationBody>>` prints")]
pub(crate) struct OperationsAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<OperationBody>,
}

/// The envelope around a page of operations, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what a paged `Envelope<Vec<OperationBody>>` prints")]
pub(crate) struct OperationPageAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Vec<OperationBody>,
    result_info: ResultInfo,
}
