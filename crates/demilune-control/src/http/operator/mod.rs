//! Our own calls below `/demilune/v1`: what the operator of the gateway decides, not the owner of an API.

mod origins;
mod settings;

pub(crate) use origins::*;
pub(crate) use settings::*;
