//! Operations that were found among requests that no saved one matches (contract 6.12).

mod documents;
mod explain;
mod input;
mod list;
mod update;
mod update_many;
mod wire;

pub(crate) use documents::*;
pub(crate) use explain::*;
pub(crate) use list::*;
pub(crate) use update::*;
pub(crate) use update_many::*;
