//! OpenAPI 3 documents, read for the operations that they describe.

mod operations;
mod outline;
mod servers;

pub(crate) use operations::{DocumentError, read};
