//! Why an operation's threshold is what it is (our own call).

mod explain;
mod wire;

pub(crate) use explain::*;
