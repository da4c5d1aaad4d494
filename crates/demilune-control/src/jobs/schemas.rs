//! Learns schemas from the evidence that gateways and imports have stored: every hour, and when somebody asks.
//!
//! A schema rests on the three days before a full hour. One that was learned stays when the evidence has gone: what an
//! operation's requests look like does not change because nobody sends any.

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_schema::learn::{Learned, Profile};
use demilune_store::{Store, StoreFailure, StoredSchema};
use demilune_traffic::Hour;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::hourly::{ComputeError, Hourly, last_complete_hour};
use crate::{
    clock::hour_time,
    export::variables,
    schemas::{EvidenceWindow, sum},
};

/// Operations at a time: their schemas are held at once, and written in one transaction.
const OPERATIONS_AT_ONCE: usize = 16;

/// Learns schemas, in any number of processes on one store.
pub struct SchemasJob {
    hourly: Hourly,
}

/// What was learned about a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Computed {
    /// Operations with evidence.
    pub(crate) operations: u64,
    /// Those of them that have a schema now.
    pub(crate) with_schemas: u64,
    /// Schemas that are new or other than before.
    pub(crate) changed: u64,
}

/// What became of one operation.
enum Finding {
    /// There is too little evidence, and no schema from before; or the operation is gone.
    Nothing,
    /// What is stored stays.
    Kept,
    /// To be stored.
    Learned { schema: StoredSchema, changed: bool },
}

impl SchemasJob {
    /// The job of this process.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { hourly: Hourly::new(store, "schemas") }
    }

    /// Learns every zone's schemas once an hour, until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        self.hourly.run(stop, async |now| self.compute_due(now).await).await;
    }

    /// Learns from what is not learned from yet up to the last complete hour.
    pub(crate) async fn compute_due(&self, now: Timestamp) -> Result<(), StoreFailure> {
        let end = last_complete_hour(now);
        let compute = async |zone: &ZoneId, _| {
            let Computed { operations, with_schemas, changed } = self.compute(zone, end, false).await?;
            if operations > 0 {
                tracing::info!(%zone, operations, with_schemas, changed, "schemas were learned");
            }
            Ok(())
        };
        self.hourly.each_due(end, compute).await
    }

    /// Learns a zone's schemas anew as of an hour, and replaces what is stored; what is stored of later hours only if
    /// `keep_newer` is not asked for. A schema stays where there is too little evidence for another.
    pub(crate) async fn recompute(&self, zone: &ZoneId, end: Hour, keep_newer: bool) -> Result<Computed, ComputeError> {
        self.hourly.now(self.compute(zone, end, keep_newer)).await
    }

    async fn compute(&self, zone: &ZoneId, end: Hour, keep_newer: bool) -> Result<Computed, StoreFailure> {
        let EvidenceWindow { since, until } = EvidenceWindow::ending_at(end);
        let operations = self.hourly.store.learning_operations(zone, since, until).await?;
        let mut computed = Computed { operations: operations.len() as u64, ..Computed::default() };
        for some in operations.chunks(OPERATIONS_AT_ONCE) {
            self.hourly.take_lease().await?;
            let mut results = Vec::new();
            for operation in some {
                match self.learn(zone, *operation, end, keep_newer).await? {
                    Finding::Nothing => {}
                    Finding::Kept => computed.with_schemas += 1,
                    Finding::Learned { schema, changed } => {
                        computed.with_schemas += 1;
                        computed.changed += u64::from(changed);
                        results.push((*operation, Some(schema)));
                    }
                }
            }
            self.hourly.store.learned_schema_replace(zone, results).await?;
        }
        Ok(computed)
    }

    async fn learn(
        &self,
        zone: &ZoneId,
        operation: OperationId,
        end: Hour,
        keep_newer: bool,
    ) -> Result<Finding, StoreFailure> {
        let store = &self.hourly.store;
        let Some(stored) = store.operation_get(zone, operation).await? else { return Ok(Finding::Nothing) };
        let before = stored.features.parameter_schemas;
        if keep_newer && before.as_ref().is_some_and(|before| before.window_end > end) {
            return Ok(Finding::Kept);
        }
        let evidence = sum(store, zone, operation, EvidenceWindow::ending_at(end)).await?;
        let endpoint = stored.operation.key.endpoint;
        let learning = spawn_blocking(move || {
            let learned = Learned::of(&evidence, &variables(&endpoint), Profile::Document)?;
            Some(Texts::of(&learned))
        });
        let learned = learning.await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
        Ok(match (learned, before) {
            (Some(learned), before) => learned.after(before.as_ref(), end),
            (None, Some(_)) => Finding::Kept,
            (None, None) => Finding::Nothing,
        })
    }
}

/// What was learned, as it is stored.
struct Texts {
    fragment: String,
    request_body: Option<String>,
    explanation: String,
    published: Vec<u8>,
}

impl Texts {
    fn of(learned: &Learned) -> Self {
        Self {
            fragment: learned.fragment().to_string(),
            request_body: learned.request_body().map(ToString::to_string),
            explanation: learned.explanation().to_string(),
            published: learned.published().encode(),
        }
    }

    /// The schema that takes the place of the one before: of another time only if it is another schema.
    fn after(self, before: Option<&StoredSchema>, end: Hour) -> Finding {
        let Self { fragment, request_body, explanation, published } = self;
        let same = before.filter(|before| before.fragment == fragment && before.request_body == request_body);
        let last_updated = same.map_or_else(|| hour_time(end), |before| before.last_updated);
        let changed = same.is_none();
        let schema = StoredSchema { last_updated, window_end: end, fragment, request_body, explanation, published };
        Finding::Learned { schema, changed }
    }
}
