//! Why an operation's learned schema is what it is (our own call).

mod explain;
mod wire;

pub(crate) use explain::*;
