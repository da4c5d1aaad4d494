//! What operations saw: counts and durations over time (our own calls).

mod operation;
mod window;
mod wire;
mod zone;

pub(crate) use operation::*;
pub(crate) use window::time;
pub(crate) use zone::*;
