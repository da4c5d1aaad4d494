//! What is kept of finished requests: records by operation, access log lines, metrics, and log lines about trouble.

mod access_log;
mod metrics;
mod records;
mod sparingly;

use std::{error::Error, iter::successors, sync::Arc, time::UNIX_EPOCH};

use demilune_policy::{Check, rule::Server};
use demilune_schema::validate::Verdict;
use demilune_traffic::{Bucket, Hour, Observation};

pub use access_log::{AccessLog, AccessLogTarget};
pub(crate) use metrics::{GatewayCollector, GatewayMetrics};
pub use records::{RecordKey, Records, Totals};

use crate::{
    learn::{Learner, Lesson},
    proxy::{Exchange, Outcome},
    validate::ViolationCounts,
};
use sparingly::Sparingly;

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
    pub(crate) fn violated(&self, check: &Check, verdict: &Verdict, exchange: &Exchange) {
        let Some((ruleset, operation)) = exchange.matched() else { return };
        let key = RecordKey::new(ruleset.zone(), Some(operation.id));
        self.violation_counts.add(key, check.action, verdict);
        if let Some(access_log) = &self.access_log {
            access_log.write_violation(exchange, check, verdict);
        }
        if let Some(since) = self.violations.allow() {
            let first = verdict.violations.first();
            tracing::info!(
                zone = ruleset.zone().as_str(),
                operation = %operation.id,
                endpoint = operation.key.endpoint.as_str(),
                action = check.action.as_str(),
                schema = &*check.schema,
                keyword = first.map(|first| first.keyword.as_str()),
                place = first.map(|first| first.request_place.as_str()),
                violations = verdict.violations.len(),
                request_id = %exchange.request_id,
                more_since = since,
                "a request does not fit its schema"
            );
        }
    }

    /// A request went on without a verdict, since there was no room to hold its body.
    pub(crate) fn unjudged(&self) {
        self.metrics.unjudged();
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
