//! The caller's token.

mod verify;

pub(crate) use verify::*;
