//! The documents of a zone as they look on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{export::Document, http::envelope::Message};

/// The documents of a zone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemaDocuments)]
pub(crate) struct SchemasBody {
    /// One OpenAPI 3.0.0 document for each host, by host.
    #[schema(value_type = Vec<Object>)]
    pub(super) schemas: Vec<Document>,
    /// When they were made.
    #[schema(format = DateTime)]
    pub(super) timestamp: String,
}

/// The envelope around the documents, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<SchemasBody>` prints")]
pub(crate) struct SchemasAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: SchemasBody,
}
