//! Requests that did not fit the schema of their operation (our own call).

mod list;
mod wire;

pub(crate) use list::*;
