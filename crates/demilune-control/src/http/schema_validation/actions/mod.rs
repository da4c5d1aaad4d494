//! Actions of single operations, in the current calls (contract 6.10).

mod get;
mod list;
mod remove;
mod set;
mod update_many;
mod wire;

pub(crate) use get::*;
pub(crate) use list::*;
pub(crate) use remove::*;
pub(crate) use set::*;
pub(crate) use update_many::*;
pub(super) use wire::{ActionBody, ActionsInput};
