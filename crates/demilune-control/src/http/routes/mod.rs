//! Where an operation's requests are sent (contract 6.2).

mod get;
mod remove;
mod set;
mod target;
mod wire;

pub(crate) use get::*;
pub(crate) use remove::*;
pub(crate) use set::*;
