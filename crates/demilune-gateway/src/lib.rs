//! The data plane: connections accepted and read strictly, each request decided by `demilune-policy` and forwarded.
//!
//! [`Gateway::serve`] runs until it is told to stop. Rules come to it through its [`Board`], what it saw is read from
//! its [`Records`]; it knows neither the store nor the control API.

mod board;
mod learn;
pub mod listen;
mod observe;
mod options;
mod proxy;
mod upstream;
mod validate;

use std::sync::Arc;

use demilune_policy::Fallbacks;
use prometheus_client::registry::Registry;

pub use board::Board;
pub use learn::{LearnedHour, Learner, PublishedByOperation, SightedDay};
pub use observe::{AccessLog, AccessLogTarget, RecordKey, Records, SchemaEvent, SchemaEvents, Totals};
pub use options::{GatewayOptions, Limits, NodeName};
pub use proxy::ResponseBody;
pub use upstream::OriginTrust;
pub use validate::{TrialCounts, Trials};

use observe::{GatewayCollector, Observer};
use proxy::Proxy;

/// A gateway. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Gateway {
    board: Arc<Board>,
    observer: Arc<Observer>,
    proxy: Arc<Proxy>,
}

impl Gateway {
    /// Wires a gateway; `process` is a random number that tells this run from others. It learns from requests if it is
    /// given a learner.
    #[must_use]
    pub fn new(
        options: GatewayOptions,
        process: u64,
        trust: OriginTrust,
        access_log: Option<AccessLog>,
        learner: Option<Learner>,
    ) -> Self {
        let board = Arc::new(Board::default());
        let observer = Observer::new(access_log, learner);
        let proxy = Proxy::new(options, process, trust, Arc::clone(&board), Arc::clone(&observer));
        Self { board, observer, proxy: Arc::new(proxy) }
    }

    /// Where rules are put in force.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// What was counted.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.observer.records
    }

    /// What learns from requests, if anything does.
    #[must_use]
    pub fn learner(&self) -> Option<&Learner> {
        self.observer.learner.as_ref()
    }

    /// Events that wait to be stored.
    #[must_use]
    pub fn events(&self) -> &SchemaEvents {
        &self.observer.events
    }

    /// The learned schemas in force.
    #[must_use]
    pub fn fallbacks(&self) -> &Fallbacks {
        self.proxy.validation().fallbacks()
    }

    /// What is counted of documents that are tried on requests.
    #[must_use]
    pub fn trials(&self) -> &Trials {
        &self.observer.trials
    }

    /// Opens the access log's file anew, after somebody has moved it away.
    pub fn reopen_access_log(&self) {
        self.observer.reopen_access_log();
    }

    /// Adds this gateway's metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        self.observer.metrics.register(registry);
        registry.register_collector(Box::new(GatewayCollector {
            board: Arc::clone(&self.board),
            observer: Arc::clone(&self.observer),
            proxy: Arc::clone(&self.proxy),
        }));
    }
}
