//! OpenAPI documents: read with every problem found, and enforced on requests.

pub mod document;
pub mod validate;
