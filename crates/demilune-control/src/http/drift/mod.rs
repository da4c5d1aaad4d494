//! Where a document and the requests of a zone disagree.

mod find;
mod wire;

pub(crate) use find::*;
