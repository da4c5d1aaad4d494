//! The gateway of this process, connected: rules come to it from the store, what it counted goes back.

mod documents;
mod events;
mod flush;
mod follow;
mod learn;
mod periodically;
mod rules_cache;
mod running;
mod saved_schemas;
mod secret;
mod sightings;
mod trials;

pub(crate) use running::{GatewayError, RunningGateway};
pub(crate) use secret::{SecretError, made_key, session_key};
