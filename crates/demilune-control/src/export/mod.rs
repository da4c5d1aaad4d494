//! The inventory as OpenAPI 3.0.0: one document for each host, with what was learned about its operations.

mod document;
mod names;
mod read;

pub(crate) use document::{Document, of_keys, of_operation, variables};
pub(crate) use read::{BYTES_MAX, ExportError, Extensions, Selection, documents};
