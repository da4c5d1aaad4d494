//! Whether a request fits what a document says of its operation, and where it does not.

pub(crate) mod json;
