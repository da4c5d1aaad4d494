//! What is kept of finished requests: records by operation, access log lines, metrics, and log lines about trouble.

mod access_log;
mod events;
mod metrics;
mod records;
mod sparingly;

use std::{
    error::Error,
    hash::{DefaultHasher, Hash, Hasher},
    iter::successors,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use demilune_policy::{
    Check, InForce, OnTrial,
    rule::{MitigationAction, Server},
};
use demilune_schema::validate::{Verdict, Violation};
use demilune_traffic::{Bucket, Hour, Observation};

pub use access_log::{AccessLog, AccessLogTarget};
pub use events::{SchemaEvent, SchemaEvents};
pub(crate) use metrics::{GatewayCollector, GatewayMetrics};
pub use records::{RecordKey, Records, Totals};

use crate::{
    learn::{Learner, Lesson, Stray},
    proxy::{Exchange, Outcome},
    validate::{Trials, ViolationCounts},
};
use sparingly::Sparingly;

/// What stands in the place of a keyword in the event that a learned schema fell back.
const FALLBACK: &str = "fallback";

/// Takes every finished request. Shared by all connections; nothing here waits.
pub(crate) struct Observer {
    pub(crate) records: Records,
    pub(crate) metrics: GatewayMetrics,
    pub(crate) learner: Option<Learner>,
    access_log: Option<AccessLog>,
    unknown_hosts: Sparingly,
    origin_failures: Sparingly,
    unmatched: Sparingly,
    violations: Sparingly,
    pub(crate) violation_counts: ViolationCounts,
    pub(crate) events: SchemaEvents,
    pub(crate) trials: Trials,
}

impl Observer {
    pub(crate) fn new(access_log: Option<AccessLog>, learner: Option<Learner>) -> Arc<Self> {
        Arc::new(Self {
            records: Records::new(),
            metrics: GatewayMetrics::default(),
            learner,
            access_log,
            unknown_hosts: Sparingly::new(1),
            origin_failures: Sparingly::new(10),
            unmatched: Sparingly::new(100),
            violations: Sparingly::new(100),
            violation_counts: ViolationCounts::default(),
            events: SchemaEvents::default(),
            trials: Trials::default(),
        })
    }

    /// A request is over.
    pub(crate) fn finished(&self, exchange: &Exchange) {
        let elapsed = exchange.elapsed();
        let status = exchange.status.filter(|_| !exchange.client_left()).map(|status| status.as_u16());
        let code = outcome_code(exchange);
        self.metrics.finished(code, status, elapsed);
        if let Some(ruleset) = &exchange.ruleset {
            let operation = exchange.operation.filter(|_| !exchange.preflight);
            let operation = operation.and_then(|found| ruleset.operations().get(found.operation as usize));
            let key = RecordKey::new(ruleset.zone(), operation.map(|operation| operation.id));
            let arrived = exchange.arrived.duration_since(UNIX_EPOCH).unwrap_or_default();
            let observation = Observation {
                status,
                blocked: matches!(exchange.outcome, Outcome::Refused(_)),
                origin_error: matches!(exchange.outcome, Outcome::OriginFailed(_)),
                bytes_in: exchange.bytes_in(),
                bytes_out: exchange.bytes_out,
                duration_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
                matched: operation.is_some(),
                session: exchange.session,
            };
            self.records.observe(key, Bucket::of(arrived.as_secs()), &observation);
            if observation.counts_for_thresholds() {
                self.learn(key, Hour::of(arrived.as_secs()), exchange);
            } else if observation.may_be_discovered() && !exchange.preflight && !exchange.answered_with_page {
                self.discover(key, arrived, exchange);
            }
        } else if exchange.outcome == Outcome::Refused("host_unknown") {
            self.host_unknown(&exchange.host());
        }
        if let Some(access_log) = &self.access_log {
            access_log.write(exchange, code, status, elapsed);
        }
    }

    /// Learns from a request that succeeded.
    fn learn(&self, key: RecordKey, hour: Hour, exchange: &Exchange) {
        let Some(learner) = &self.learner else { return };
        learner.note(Lesson {
            key,
            hour,
            supporter: learner.supporter(exchange.session, exchange.caller),
            path: exchange.path(),
            taken: &exchange.taken,
            query: exchange.uri.query(),
            body: exchange.take_body_copy(),
        });
    }

    /// Notes a request that succeeded, and that no operation matches.
    fn discover(&self, key: RecordKey, arrived: Duration, exchange: &Exchange) {
        let Some(learner) = &self.learner else { return };
        let Ok(method) = exchange.method.as_str().parse() else { return };
        let host = exchange.host();
        learner.note_stray(&Stray {
            key,
            method,
            host: &host,
            path: exchange.path(),
            supporter: learner.supporter(exchange.session, exchange.caller),
            has_session: exchange.session.is_some(),
            nonce: nonce(exchange, arrived),
            seconds: arrived.as_secs(),
        });
    }

    fn host_unknown(&self, host: &str) {
        if let Some(since) = self.unknown_hosts.allow() {
            tracing::warn!(
                host = %host.escape_debug(),
                more_since = since,
                "no zone has an origin for this host; add one with `demilune origin set --host HOST URL`"
            );
        }
    }

    /// No operation fits, and the zone wants to know.
    pub(crate) fn unmatched(&self, exchange: &Exchange) {
        if let Some(since) = self.unmatched.allow() {
            tracing::info!(
                zone = exchange.ruleset.as_ref().map(|ruleset| ruleset.zone().as_str()),
                method = exchange.method.as_str(),
                host = %exchange.host(),
                path = exchange.uri.path(),
                request_id = %exchange.request_id,
                more_since = since,
                "no operation fits"
            );
        }
    }

    /// A request does not fit its schema.
    pub(crate) fn violated(
        &self,
        in_force: &InForce,
        action: MitigationAction,
        verdict: &Verdict,
        exchange: &Exchange,
    ) {
        let Some((ruleset, operation)) = exchange.matched() else { return };
        let key = RecordKey::new(ruleset.zone(), Some(operation.id));
        self.violation_counts.add(key, action, verdict);
        self.event(key, in_force, action, verdict.clone(), exchange);
        if let Some(access_log) = &self.access_log {
            access_log.write_violation(exchange, in_force, action, verdict);
        }
        if let Some(since) = self.violations.allow() {
            let first = verdict.violations.first();
            tracing::info!(
                zone = ruleset.zone().as_str(),
                operation = %operation.id,
                endpoint = operation.key.endpoint.as_str(),
                action = action.as_str(),
                schema = &*in_force.schema,
                keyword = first.map(|first| first.keyword.as_str()),
                place = first.map(|first| first.request_place.as_str()),
                violations = verdict.violations.len(),
                request_id = %exchange.request_id,
                more_since = since,
                "a request does not fit its schema"
            );
        }
    }

    /// A document was tried on a request; without a verdict, it could not be.
    pub(crate) fn tried(&self, on_trial: &OnTrial, verdict: Option<&Verdict>, exchange: &Exchange) {
        let Some((ruleset, operation)) = exchange.matched() else { return };
        self.trials.count(RecordKey::new(ruleset.zone(), Some(operation.id)), &on_trial.trial, verdict);
    }

    /// A learned schema does not fit the clients that were there before it: from now on it only logs.
    pub(crate) fn fell_back(&self, in_force: &InForce, exchange: &Exchange) {
        let Some((ruleset, operation)) = exchange.matched() else { return };
        let key = RecordKey::new(ruleset.zone(), Some(operation.id));
        let violation = |keyword: &str| Violation {
            keyword: keyword.to_owned(),
            request_place: String::new(),
            document_place: String::new(),
        };
        let verdict = Verdict { violations: vec![violation(FALLBACK)], has_more: false };
        if let Some(access_log) = &self.access_log {
            access_log.write_violation(exchange, in_force, MitigationAction::Log, &verdict);
        }
        self.event(key, in_force, MitigationAction::Log, verdict, exchange);
        tracing::warn!(
            zone = ruleset.zone().as_str(),
            operation = %operation.id,
            endpoint = operation.key.endpoint.as_str(),
            schema = &*in_force.schema,
            request_id = %exchange.request_id,
            "a learned schema does not fit clients that were answered before it was in force; it only logs from now on"
        );
    }

    fn event(
        &self,
        key: RecordKey,
        in_force: &InForce,
        action: MitigationAction,
        verdict: Verdict,
        exchange: &Exchange,
    ) {
        self.events.push(SchemaEvent {
            key,
            time_us: exchange.arrived_at().as_micros(),
            action,
            schema: Arc::clone(&in_force.schema),
            session: exchange.session,
            request_id: exchange.request_id.to_string(),
            violations: verdict.violations,
            has_more: verdict.has_more,
        });
    }

    /// A request went on without a verdict, since there was no room to hold its body.
    pub(crate) fn unjudged(&self, check: &Check, exchange: &Exchange) {
        if check.in_force.is_some() {
            self.metrics.unjudged();
        }
        if let Some(on_trial) = &check.on_trial {
            self.tried(on_trial, None, exchange);
        }
    }

    /// An origin gave no answer.
    pub(crate) fn origin_failed(
        &self,
        code: &'static str,
        error: Option<&(dyn Error + 'static)>,
        server: &Server,
        exchange: &Exchange,
    ) {
        if let Some(since) = self.origin_failures.allow() {
            let chain = successors(error, |error: &&(dyn Error + 'static)| (*error).source());
            let causes: Vec<String> = chain.map(ToString::to_string).collect();
            tracing::warn!(
                origin = %server,
                code,
                cause = causes.join(": "),
                request_id = %exchange.request_id,
                more_since = since,
                "the origin gave no answer"
            );
        }
    }

    /// An origin sent an interim answer that cannot be passed on.
    pub(crate) fn informational_dropped(&self) {
        self.metrics.informational_dropped();
    }

    /// Opens the access log's file anew, after somebody has moved it away.
    pub(crate) fn reopen_access_log(&self) {
        if let Some(access_log) = &self.access_log {
            access_log.reopen();
        }
    }

    /// Access log lines that were not written.
    pub(crate) fn access_log_dropped(&self) -> u64 {
        self.access_log.as_ref().map_or(0, AccessLog::dropped)
    }
}

/// As good as random. Request ids alone are not enough: a trusted proxy may give one to many requests.
fn nonce(exchange: &Exchange, arrived: Duration) -> u64 {
    let mut hasher = DefaultHasher::new();
    (exchange.request_id.value().as_bytes(), arrived).hash(&mut hasher);
    hasher.finish()
}

/// A fixed word for how a request ended.
fn outcome_code(exchange: &Exchange) -> &'static str {
    match exchange.outcome {
        Outcome::Refused(code)
        | Outcome::GatewayFull(code)
        | Outcome::ClientFailed(code)
        | Outcome::OriginFailed(code) => code,
        Outcome::Forwarded if exchange.client_left() => "client_left",
        Outcome::Forwarded => "forwarded",
    }
}
