//! The HTTP API: what is served where, who may call it, and how failures look.

mod auth;
mod body;
mod configuration;
mod docs;
mod envelope;
mod error;
mod frame;
mod health;
mod input;
pub(crate) mod openapi;
mod operations;
mod query;
mod router;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tokens;
mod zones;

use std::sync::Arc;

use demilune_store::Store;

pub(crate) use auth::Peer;
pub(crate) use router::router;

use crate::{ControlOptions, credentials::Credentials, metrics::Metrics, throttle::Throttle};

/// What every handler may use.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) options: ControlOptions,
    pub(crate) credentials: Credentials,
    pub(crate) throttle: Throttle,
    pub(crate) metrics: Metrics,
}

/// The state as axum hands it out.
pub(crate) type SharedState = Arc<State>;
