//! The inventory as OpenAPI documents (contract 6.3).

mod list;
mod wire;

pub(crate) use list::*;
