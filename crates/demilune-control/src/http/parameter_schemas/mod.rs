//! An operation's learned schema: why it is what it is (our own call), and putting it in force (contract 6.11).

mod apply;
mod explain;
mod wire;

pub(crate) use apply::*;
pub(crate) use explain::*;
