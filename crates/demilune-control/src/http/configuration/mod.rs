//! What tells the clients of a zone apart (contract 6.1).

mod get;
mod input;
mod replace;
mod wire;

pub(crate) use get::*;
pub(crate) use replace::*;
