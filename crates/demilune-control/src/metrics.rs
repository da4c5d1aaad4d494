//! Counters and histograms of this process, for Prometheus.

mod store;

use std::{fmt, time::Duration};

use axum::http::{Method, StatusCode};
use demilune_store::Store;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, histogram::Histogram, info::Info},
    registry::Registry,
};

/// Upper bounds of the latency buckets in seconds: from a cached read to a store that waits.
const LATENCY_BUCKETS_S: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// Everything that `/metrics` shows.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    authentication_failures: Family<ReasonLabels, Counter>,
}

/// Labels are templates and fixed words only: a stranger's text must not make a new series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

impl Metrics {
    /// Registers every metric, and those of others in this process.
    pub(crate) fn new(store: Store, others: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = new_registry();
        let requests = Family::default();
        let latency = Family::new_with_constructor(new_latency as fn() -> Histogram);
        let authentication_failures = Family::default();
        registry.register("control_requests", "Requests answered by the control API", requests.clone());
        registry.register("control_request_seconds", "Time from head to answer", latency.clone());
        registry.register(
            "control_authentication_failures",
            "Requests without a good credential",
            authentication_failures.clone(),
        );
        register_build(&mut registry);
        registry.register_collector(Box::new(store::StoreCollector(store)));
        others(&mut registry);
        Self { registry, requests, latency, authentication_failures }
    }

    /// Counts an answered request.
    pub(crate) fn request_finished(&self, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        let labels = RequestLabels { method: method_label(method), route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&RouteLabels { route: labels.route }).observe(elapsed.as_secs_f64());
    }

    /// Counts a request without a good credential.
    pub(crate) fn authentication_failed(&self, reason: &'static str) {
        self.authentication_failures.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self) -> Result<String, fmt::Error> {
        render(&self.registry)
    }
}

/// A registry for metrics under our name.
pub(crate) fn new_registry() -> Registry {
    Registry::with_prefix("demilune")
}

/// Says which binary this is.
pub(crate) fn register_build(registry: &mut Registry) {
    registry.register("build", "The running binary", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
}

/// The text that Prometheus reads.
pub(crate) fn render(registry: &Registry) -> Result<String, fmt::Error> {
    let mut text = String::new();
    encode(&mut text, registry)?;
    Ok(text)
}

fn new_latency() -> Histogram {
    Histogram::new(LATENCY_BUCKETS_S)
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
