//! The control plane: the HTTP API, its documentation and the management socket.

mod clock;
mod credentials;
mod discovery;
mod drift;
mod export;
mod http;
mod jobs;
mod learning;
mod listen;
pub mod manage;
mod metrics;
pub mod probes;
mod reading;
mod schemas;
mod secret;
mod throttle;
mod trial;

use std::{sync::Arc, time::Duration};

use demilune_store::Store;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

pub use credentials::CredentialCache;
pub use jobs::{DiscoveryJob, SchemasJob, ThresholdsJob};
pub use secret::{Secret, SecretError};

use crate::{credentials::Credentials, http::State, metrics::Metrics, throttle::Throttle};

/// What the control plane needs to know beside the store.
#[derive(Clone, Debug)]
pub struct ControlOptions {
    /// Where people reach this server, such as `http://127.0.0.1:8787`; the base of `documentation_url`.
    pub public_url: String,
    /// Largest request body in bytes.
    pub body_bytes_max: usize,
    /// Most connections open at once; further ones wait in the listen queue.
    pub connections_max: usize,
    /// How long requests in flight may take to finish after a stop was asked for.
    pub drain_max: Duration,
    /// Whether routes may lead to loopback and private addresses.
    pub allow_private_targets: bool,
}

/// What runs beside the API in the same process.
pub struct Companion {
    /// Adds its metrics to those of this process.
    pub register: Box<dyn FnOnce(&mut Registry) + Send>,
    /// Whether it can do its work, for `/readyz`.
    pub ready: ReadyCheck,
}

/// Asks whether a part of the process can do its work.
pub type ReadyCheck = Arc<dyn Fn() -> bool + Send + Sync>;

impl Companion {
    /// Nothing runs beside the API.
    #[must_use]
    pub fn none() -> Self {
        Self { register: Box::new(|_| {}), ready: Arc::new(|| true) }
    }
}

/// The control plane over one store. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    state: Arc<State>,
}

impl Control {
    /// Wires the control plane to a store.
    #[must_use]
    pub fn new(store: Store, options: ControlOptions, companion: Companion) -> Self {
        let metrics = Metrics::new(store.clone(), companion.register);
        let credentials = Credentials::new(store.clone(), CredentialCache::default());
        let throttle = Throttle::default();
        let ready = companion.ready;
        Self { state: Arc::new(State { store, options, credentials, throttle, metrics, ready }) }
    }

    /// Answers connections until `stop` is cancelled, then drains: no new connection, requests in flight finish.
    pub async fn serve(&self, listener: TcpListener, tls: Option<Arc<ServerConfig>>, stop: CancellationToken) {
        listen::serve(listener, tls, http::router(Arc::clone(&self.state)), &self.state.options, stop).await;
    }

    /// The executor of management commands, which also makes this process forget credentials that it removes.
    #[must_use]
    pub fn manager(&self) -> manage::Manager {
        manage::Manager::new(self.state.store.clone(), self.state.credentials.cache())
    }

    /// Our own API description as pretty JSON.
    #[must_use]
    pub fn openapi_json() -> String {
        http::openapi::document_json()
    }
}
