//! The zones that a caller may see.

mod get;
mod list;
mod wire;

pub(crate) use get::*;
pub(crate) use list::*;
