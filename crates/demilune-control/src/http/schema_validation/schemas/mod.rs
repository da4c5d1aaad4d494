//! Uploaded schemas as the current calls show them (contract 6.8).

mod add;
mod get;
mod list;
mod remove;
mod update;
mod wire;

pub(crate) use add::*;
pub(crate) use get::*;
pub(crate) use list::*;
pub(crate) use remove::*;
pub(crate) use update::*;
