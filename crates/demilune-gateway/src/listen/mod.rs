//! Connections: accepted within limits, read strictly, drained at the end.

pub mod framing;
pub mod guard;
mod serve;
mod taken;
