//! The HTTP API: what is served where, who may call it, and how failures look.

mod analytics;
mod auth;
mod body;
mod configuration;
mod discovery;
mod docs;
mod drift;
mod envelope;
mod error;
mod events;
mod expressions;
mod form;
mod frame;
pub(crate) mod health;
mod input;
pub(crate) mod openapi;
mod operations;
mod origins;
mod parameter_schemas;
mod query;
mod router;
mod routes;
mod schema_validation;
mod schemas;
mod settings;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod thresholds;
mod tokens;
mod trial;
mod unread;
mod user_schemas;
mod zones;

use std::sync::Arc;

use demilune_inventory::{OperationId, ZoneId};
use demilune_store::{Store, StoredOperation};

pub(crate) use auth::Peer;
pub(crate) use router::router;

use self::error::ApiError;
use crate::{ControlOptions, ReadyCheck, credentials::Credentials, metrics::Metrics, throttle::Throttle};

/// What every handler may use.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) options: ControlOptions,
    pub(crate) credentials: Credentials,
    pub(crate) throttle: Throttle,
    pub(crate) metrics: Metrics,
    pub(crate) ready: ReadyCheck,
}

impl State {
    /// An operation of a zone, or the error that names which of the two is missing.
    async fn operation(&self, zone: &ZoneId, id: OperationId) -> Result<StoredOperation, ApiError> {
        match self.store.operation_get(zone, id).await? {
            Some(operation) => Ok(operation),
            None => Err(self.missing(zone, ApiError::operation_unknown()).await?),
        }
    }

    /// The error about something that a zone does not have, or that there is no such zone.
    async fn missing(&self, zone: &ZoneId, unknown: ApiError) -> Result<ApiError, ApiError> {
        let found = self.store.zone_get(zone).await?;
        Ok(if found.is_some() { unknown } else { ApiError::zone_unknown(zone.as_str()) })
    }
}

/// The state as axum hands it out.
pub(crate) type SharedState = Arc<State>;
