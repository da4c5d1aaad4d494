//! How a zone's gateway behaves where no operation says so.

mod change;
mod get;
mod replace;
mod update;
mod wire;

pub(crate) use get::*;
pub(crate) use replace::*;
pub(crate) use update::*;
