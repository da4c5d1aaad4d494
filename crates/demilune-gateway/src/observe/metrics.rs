//! Counters of this gateway, for Prometheus.

use std::{sync::Arc, time::Duration};

use demilune_traffic::StatusClass;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};

use super::{Observer, RecordKey, Totals};
use crate::{board::Board, learn::LearnerStats, proxy::Proxy};

/// Upper bounds of the latency buckets in seconds: from a cached answer nearby to an origin that is stuck.
const LATENCY_BUCKETS_S: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// Counters that requests and connections move themselves.
#[derive(Clone)]
pub(crate) struct GatewayMetrics {
    finished: Family<FinishedLabels, Counter>,
    latency: Histogram,
    informational_dropped: Counter,
    unjudged: Counter,
    /// Connections that are open now.
    pub(crate) connections: Gauge,
    /// Connections that ended before they could be used: no TLS handshake, or no descriptor.
    pub(crate) connections_failed: Counter,
}

/// Labels are fixed words only: a stranger's text must not make a new series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FinishedLabels {
    decision: &'static str,
    status: &'static str,
}

impl Default for GatewayMetrics {
    fn default() -> Self {
        Self {
            finished: Family::default(),
            latency: Histogram::new(LATENCY_BUCKETS_S),
            informational_dropped: Counter::default(),
            unjudged: Counter::default(),
            connections: Gauge::default(),
            connections_failed: Counter::default(),
        }
    }
}

impl GatewayMetrics {
    pub(super) fn finished(&self, decision: &'static str, status: Option<u16>, elapsed: Duration) {
        let status = class_name(StatusClass::of(status));
        self.finished.get_or_create(&FinishedLabels { decision, status }).inc();
        self.latency.observe(elapsed.as_secs_f64());
    }

    pub(super) fn informational_dropped(&self) {
        self.informational_dropped.inc();
    }

    pub(super) fn unjudged(&self) {
        self.unjudged.inc();
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("gateway_requests", "Requests finished, by how they ended", self.finished.clone());
        registry.register("gateway_request_seconds", "Time from head to the answer's end", self.latency.clone());
        registry.register(
            "gateway_informational_dropped",
            "Interim answers (1xx) of origins that were not passed on",
            self.informational_dropped.clone(),
        );
        registry.register(
            "gateway_validation_passed_over",
            "Requests that went on without validation, since there was no room to hold their body",
            self.unjudged.clone(),
        );
        registry.register("gateway_connections", "Client connections that are open", self.connections.clone());
        registry.register(
            "gateway_connections_failed",
            "Client connections that ended before they could be used",
            self.connections_failed.clone(),
        );
    }
}

/// Reads what is counted elsewhere when somebody asks.
pub(crate) struct GatewayCollector {
    pub(crate) board: Arc<Board>,
    pub(crate) observer: Arc<Observer>,
    pub(crate) proxy: Arc<Proxy>,
}

impl std::fmt::Debug for GatewayCollector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GatewayCollector")
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ZoneLabels {
    zone: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    zone: String,
    method: &'static str,
    host: String,
    endpoint: String,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ViolationLabels {
    zone: String,
    method: &'static str,
    host: String,
    endpoint: String,
    action: &'static str,
    keyword: String,
}

impl Collector for GatewayCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.encode_operations(&mut encoder)?;
        self.encode_violations(&mut encoder)?;
        self.encode_revisions(&mut encoder)?;
        let mut single = |name: &str, help: &str, value: u64| {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
        };
        single("gateway_records_dropped", "Requests that no stored record will show", self.observer.records.dropped())?;
        let lowered = self.observer.records.samples_lowered();
        single("gateway_session_samples_lowered", "Times a sample of sessions kept fewer for want of room", lowered)?;
        single("gateway_access_log_dropped", "Access log lines not written", self.observer.access_log_dropped())?;
        single(
            "gateway_events_dropped",
            "Events that are not stored for want of room",
            self.observer.events.dropped(),
        )?;
        let fallbacks = self.proxy.validation().fallbacks().count();
        single("gateway_schema_fallbacks", "Times that a learned schema only logged from then on", fallbacks)?;
        let mut level = |name: &str, help: &str, value: usize| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        level("gateway_records_held", "Records in memory", self.observer.records.held())?;
        level("gateway_validation_held_bytes", "Bytes of bodies held to be validated", self.proxy.validation().held())?;
        level("gateway_origin_connections_idle", "Connections to origins kept for use", self.proxy.upstream().idle())?;
        match &self.observer.learner {
            Some(learner) => encode_learning(&mut encoder, &learner.stats()),
            None => Ok(()),
        }
    }
}

impl GatewayCollector {
    /// By template, never by path; requests that no operation fits are one series of their zone.
    fn encode_operations(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let rules = self.board.current();
        let mut known = std::collections::HashMap::new();
        for ruleset in rules.zones() {
            known.insert(RecordKey::new(ruleset.zone(), None), None);
            for operation in ruleset.operations() {
                known.insert(RecordKey::new(ruleset.zone(), Some(operation.id)), Some(&operation.key));
            }
        }
        let totals = self.observer.records.totals(|key| known.contains_key(key));
        let counter = ConstCounter::new(0_u64);
        let help = "Requests by operation and class of status";
        let mut family = encoder.encode_descriptor("gateway_operation_requests", help, None, counter.metric_type())?;
        for (key, totals) in &totals {
            let operation = known.get(key).copied().flatten();
            for (labels, count) in series(key, operation, totals) {
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn encode_violations(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let rules = self.board.current();
        let operations = rules.zones().iter().flat_map(|ruleset| {
            let zone = ruleset.zone();
            ruleset.operations().iter().map(move |operation| (RecordKey::new(zone, Some(operation.id)), &operation.key))
        });
        let known: std::collections::HashMap<_, _> = operations.collect();
        let counter = ConstCounter::new(0_u64);
        let help = "Requests that did not fit the schema of their operation, once for each keyword";
        let mut family = encoder.encode_descriptor("gateway_schema_violations", help, None, counter.metric_type())?;
        for (count, number) in self.observer.violation_counts.totals(|key| known.contains_key(key)) {
            let Some(operation) = known.get(&count.key) else { continue };
            let labels = ViolationLabels {
                zone: count.key.zone().to_owned(),
                method: operation.method.as_str(),
                host: operation.host.to_string(),
                endpoint: operation.endpoint.to_string(),
                action: count.action,
                keyword: count.keyword,
            };
            ConstCounter::new(number).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn encode_revisions(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let gauge = ConstGauge::new(0_i64);
        let help = "Revision of the rules in force";
        let mut family = encoder.encode_descriptor("gateway_ruleset_revision", help, None, gauge.metric_type())?;
        for (zone, revision) in self.board.revisions() {
            let revision = i64::try_from(revision).unwrap_or(i64::MAX);
            ConstGauge::new(revision).encode(family.encode_family(&ZoneLabels { zone: zone.to_string() })?)?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

fn encode_learning(encoder: &mut DescriptorEncoder<'_>, stats: &LearnerStats) -> Result<(), std::fmt::Error> {
    let mut single = |name: &str, help: &str, value: u64| {
        let counter = ConstCounter::new(value);
        counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
    };
    single("gateway_learning_requests", "Requests that were learned from", stats.requests)?;
    single("gateway_learning_dropped", "Requests that nothing was learned from for want of room", stats.dropped)?;
    single("gateway_learning_bodies", "Bodies that were copied to learn from", stats.bodies_copied)?;
    single("gateway_learning_bodies_invalid", "Bodies that were copied and are no JSON", stats.bodies_invalid)?;
    let cut = "Times the evidence of an operation became too large to keep every place";
    single("gateway_learning_evidence_cut", cut, stats.evidence_cut)?;
    single("gateway_discovery_requests", "Requests without an operation that were seen for discovery", stats.strays)?;
    let dropped = "Requests without an operation that were not, for want of room";
    single("gateway_discovery_dropped", dropped, stats.strays_dropped)?;
    let kind = ConstCounter::new(0_u64).metric_type();
    let help = "Bodies that nothing was learned from, by reason";
    let mut family = encoder.encode_descriptor("gateway_learning_bodies_passed_over", help, None, kind)?;
    for (reason, count) in stats.bodies_passed_over {
        ConstCounter::new(count).encode(family.encode_family(&ReasonLabels { reason })?)?;
    }
    let mut level = |name: &str, help: &str, value: f64| {
        let gauge = ConstGauge::new(value);
        gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
    };
    #[expect(clippy::cast_precision_loss, reason = "they are far below 2^53")]
    let [hours, bytes, strays] =
        [stats.evidence_held, stats.evidence_bytes, stats.stray_bytes].map(|count| count as f64);
    level("gateway_learning_evidence_held", "Hours of operations with evidence in memory", hours)?;
    level("gateway_learning_evidence_bytes", "Bytes that they account for", bytes)?;
    level("gateway_discovery_bytes", "Bytes that requests without an operation account for", strays)?;
    level("gateway_learning_body_share", "Share of callers whose bodies are learned from", stats.body_share)
}

fn series<'a>(
    key: &'a RecordKey,
    operation: Option<&'a demilune_inventory::OperationKey>,
    totals: &'a Totals,
) -> impl Iterator<Item = (OperationLabels, u64)> + 'a {
    let counted = StatusClass::ALL.into_iter().zip(totals.answers).filter(|(_, count)| *count > 0);
    counted.map(move |(class, count)| {
        let labels = OperationLabels {
            zone: key.zone().to_owned(),
            method: operation.map_or("", |operation| operation.method.as_str()),
            host: operation.map_or_else(String::new, |operation| operation.host.to_string()),
            endpoint: operation.map_or_else(|| "unmatched".to_owned(), |operation| operation.endpoint.to_string()),
            status: class_name(class),
        };
        (labels, count)
    })
}

fn class_name(class: StatusClass) -> &'static str {
    match class {
        StatusClass::NoAnswer => "none",
        StatusClass::Informational => "1xx",
        StatusClass::Successful => "2xx",
        StatusClass::Redirection => "3xx",
        StatusClass::ClientError => "4xx",
        StatusClass::ServerError => "5xx",
    }
}
