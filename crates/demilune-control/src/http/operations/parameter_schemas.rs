//! What was learned about requests as it looks on the wire (contract 2.5 B and 3.2).

use demilune_schema::document::OperationText;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::schemas::LearnedSchema;

/// What was learned about the parameters; empty until enough requests were seen.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ParameterSchemas {
    #[serde(flatten)]
    #[schema(inline)]
    members: Option<ParameterSchemasMembers>,
}

/// The members, both there or none.
#[derive(Debug, Serialize, ToSchema)]
struct ParameterSchemasMembers {
    /// When the schema last changed.
    #[schema(format = DateTime)]
    last_updated: String,
    parameter_schemas: OperationFragment,
}

/// Part of an operation object of OpenAPI 3.0.
#[derive(Debug, Serialize, ToSchema)]
struct OperationFragment {
    /// Parameter objects.
    #[schema(value_type = Vec<Object>)]
    parameters: Vec<Value>,
    /// Always null: responses are not looked at.
    #[schema(value_type = Option<Object>)]
    responses: Option<()>,
}

/// The schemas that speak of an operation; null where there is none.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Schemas {
    /// Learned from traffic.
    learned: Option<OperationSchema>,
    /// Of the newest enabled schema that was uploaded and describes the operation, as it is written there.
    uploaded: Option<OperationSchema>,
}

/// What one schema says of an operation's requests.
#[derive(Debug, Serialize, ToSchema)]
struct OperationSchema {
    /// Parameter objects of OpenAPI.
    #[schema(value_type = Vec<Object>)]
    parameters: Vec<Value>,
    /// A request body object of OpenAPI; absent where none is described, or no bodies were seen.
    #[serde(rename = "requestBody", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    request_body: Option<Value>,
}

impl From<LearnedSchema> for ParameterSchemas {
    fn from(learned: LearnedSchema) -> Self {
        Self {
            members: Some(ParameterSchemasMembers {
                last_updated: learned.last_updated.to_string(),
                parameter_schemas: OperationFragment { parameters: learned.parameters, responses: None },
            }),
        }
    }
}

impl Schemas {
    pub(super) fn of(learned: Option<LearnedSchema>, uploaded: Option<OperationText>) -> Self {
        let learned = learned
            .map(|learned| OperationSchema { parameters: learned.parameters, request_body: learned.request_body });
        let uploaded = uploaded
            .map(|uploaded| OperationSchema { parameters: uploaded.parameters, request_body: uploaded.request_body });
        Self { learned, uploaded }
    }
}
