//! What was learned about an operation's requests, read from its stored text.

use demilune_inventory::{OperationId, Timestamp};
use demilune_store::{StoreFailure, StoredSchema};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A learned schema as `OpenAPI` objects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LearnedSchema {
    /// When it last changed.
    pub(crate) last_updated: Timestamp,
    /// Parameter objects.
    pub(crate) parameters: Vec<Value>,
    /// A request body object.
    pub(crate) request_body: Option<Value>,
}

impl LearnedSchema {
    /// Reads what is stored of an operation.
    pub(crate) fn read(operation: OperationId, stored: &StoredSchema) -> Result<Self, StoreFailure> {
        #[derive(serde::Deserialize)]
        struct Fragment {
            parameters: Vec<Value>,
        }
        let Fragment { parameters } = parse(operation, "fragment", &stored.fragment)?;
        let body = stored.request_body.as_deref();
        let request_body = body.map(|text| parse(operation, "request_body", text)).transpose()?;
        Ok(Self { last_updated: stored.last_updated, parameters, request_body })
    }
}

/// What the stored schema of an operation rests on.
pub(crate) fn explanation(operation: OperationId, stored: &StoredSchema) -> Result<Value, StoreFailure> {
    parse(operation, "explanation", &stored.explanation)
}

fn parse<T: DeserializeOwned>(operation: OperationId, column: &'static str, text: &str) -> Result<T, StoreFailure> {
    let damaged = |_| StoreFailure::Damaged { table: "operation_schemas", column, row: operation.to_string() };
    serde_json::from_str(text).map_err(damaged)
}
