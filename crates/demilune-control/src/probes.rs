//! What orchestrators and monitoring read from a process without the API: a gateway that runs by itself.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, routing::get};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    Companion, ReadyCheck,
    http::health,
    metrics::{new_registry, register_build, render},
};

struct Probes {
    registry: Registry,
    ready: ReadyCheck,
}

/// Answers `/healthz`, `/readyz` and `/metrics` until `stop` is cancelled.
pub async fn serve(listener: TcpListener, companion: Companion, stop: CancellationToken) {
    let mut registry = new_registry();
    register_build(&mut registry);
    (companion.register)(&mut registry);
    let state = Arc::new(Probes { registry, ready: companion.ready });
    let router = Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(ready))
        .route(
            "/metrics",
            get(async |State(probes): State<Arc<Probes>>| health::metrics_response(render(&probes.registry))),
        )
        .with_state(state);
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = serving.await {
        tracing::error!(%error, "the probes are not answered any more");
    }
}

async fn ready(State(probes): State<Arc<Probes>>) -> Result<&'static str, (StatusCode, &'static str)> {
    if (probes.ready)() { Ok("ready\n") } else { Err((StatusCode::SERVICE_UNAVAILABLE, "no rules yet\n")) }
}
