//! Expressions for rules that are written elsewhere (contract 6.13).

mod fallthrough;
mod hosts;

pub(crate) use fallthrough::*;
