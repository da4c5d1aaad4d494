//! Follows the store's rules: polls revisions, compiles what changed off the request path, puts it in force as a whole.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    sync::Arc,
    time::Duration,
};

use demilune_gateway::Gateway;
use demilune_inventory::{OperationId, ZoneId};
use demilune_policy::{Ruleset, rule::ZoneRules};
use demilune_schema::learn::Published;
use demilune_store::{GatewayRules, Store, StoreFailure, ZoneValidation};
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    documents::Documents,
    rules_cache::{RulesCache, SavedZone},
};

/// How often revisions are asked for. A change is in force within this time and that of reading and compiling it.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How often at most the rules in force are saved for a start without the store.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// Whether a gateway has rules to go by.
pub(crate) type Readiness = watch::Receiver<bool>;

/// What is in force for a zone, and what it was made from.
struct InForce {
    rules: ZoneRules,
    /// Without the sources of its schemas.
    validation: ZoneValidation,
    documents: Documents,
    ruleset: Arc<Ruleset>,
    /// Whether all of it is from the store: what was saved leaves out what requests do not depend on.
    is_whole: bool,
}

/// Follows the rules of all zones.
pub(crate) struct Follower {
    gateway: Gateway,
    cache: Option<RulesCache>,
    in_force: BTreeMap<ZoneId, InForce>,
    /// For each zone, the names that the schemas of its operations show. They are not saved: they say what is worth
    /// keeping, not what to do.
    published: BTreeMap<ZoneId, BTreeMap<OperationId, Arc<Published>>>,
    /// Zones whose rules could not be read at a revision, so that it is said once.
    unreadable: HashMap<ZoneId, u64>,
    ready: watch::Sender<bool>,
    store_answers: bool,
    unsaved: bool,
    saved: Instant,
}

impl Follower {
    /// Starts with the rules that were saved last, where there are any.
    pub(crate) async fn new(gateway: Gateway, cache: Option<RulesCache>) -> Self {
        let mut follower = Self {
            gateway,
            cache,
            in_force: BTreeMap::new(),
            published: BTreeMap::new(),
            unreadable: HashMap::new(),
            ready: watch::Sender::new(false),
            store_answers: true,
            unsaved: false,
            saved: Instant::now(),
        };
        if let Some(cache) = &follower.cache
            && let Some(zones) = cache.load().await
        {
            for SavedZone { rules, validation } in zones {
                follower.compile(rules, validation, false).await;
            }
            follower.publish();
        }
        follower
    }

    /// Whether there are rules in force.
    pub(crate) fn readiness(&self) -> Readiness {
        self.ready.subscribe()
    }

    /// Follows until it is told to stop. With the store gone, the rules in force stay.
    pub(crate) async fn follow(mut self, store: Store, stop: CancellationToken) {
        let mut changes = store.changes();
        loop {
            match self.step(&store).await {
                Ok(()) => self.note_store(true),
                Err(failure) => {
                    if self.store_answers {
                        tracing::warn!(
                            error = &failure as &dyn Error,
                            "the store does not answer; the rules in force stay"
                        );
                    }
                    self.note_store(false);
                }
            }
            self.save_now_and_then().await;
            tokio::select! {
                () = changes.changed() => {}
                () = sleep(POLL_EVERY) => {}
                () = stop.cancelled() => break,
            }
        }
        self.save().await;
    }

    /// Brings what is in force up to what is stored.
    pub(crate) async fn step(&mut self, store: &Store) -> Result<(), StoreFailure> {
        let revisions: BTreeMap<ZoneId, u64> = store.zone_revisions().await?.into_iter().collect();
        let before = self.in_force.len();
        self.in_force.retain(|zone, _| revisions.contains_key(zone));
        self.published.retain(|zone, _| revisions.contains_key(zone));
        let mut changed = before != self.in_force.len();
        for (zone, revision) in &revisions {
            if self.in_force.get(zone).is_some_and(|zone| zone.is_whole && zone.rules.revision == *revision) {
                continue;
            }
            let known = self.in_force.get(zone).map(|zone| zone.documents.known()).unwrap_or_default();
            match store.gateway_rules(zone, known).await {
                Ok(Some(GatewayRules { rules, published, validation })) => {
                    self.published.insert(zone.clone(), published_of(published));
                    self.keep_sources(&validation).await;
                    self.compile(rules, validation, true).await;
                    changed = true;
                }
                // Deleted between the two questions; the next round sees it gone.
                Ok(None) => {}
                Err(failure @ StoreFailure::Damaged { .. }) => self.note_unreadable(zone, *revision, &failure),
                Err(failure) => return Err(failure),
            }
        }
        if changed || !*self.ready.borrow() {
            self.publish();
            self.unsaved = true;
        }
        Ok(())
    }

    async fn compile(&mut self, rules: ZoneRules, validation: ZoneValidation, is_whole: bool) {
        let zone = rules.zone.clone();
        let known = self.in_force.get(&zone).map(|zone| zone.documents.clone()).unwrap_or_default();
        match spawn_blocking(move || compile(rules, validation, is_whole, &known)).await {
            Ok(compiled) => {
                let (revision, operations) = (compiled.rules.revision, compiled.rules.operations.len());
                tracing::debug!(%zone, revision, operations, "rules compiled");
                self.unreadable.remove(&zone);
                self.in_force.insert(zone, compiled);
            }
            // The runtime is ending.
            Err(error) => tracing::error!(%zone, %error, "rules were not compiled; the ones in force stay"),
        }
    }

    fn publish(&self) {
        let zones = self.in_force.values().map(|zone| Arc::clone(&zone.ruleset)).collect();
        self.gateway.board().publish(zones);
        if let Some(learner) = self.gateway.learner() {
            let all = self.published.values().flatten();
            learner.publish(all.map(|(operation, published)| (*operation, Arc::clone(published))).collect());
        }
        let learned = self.in_force.iter().flat_map(|(zone, in_force)| {
            let learned = in_force.validation.schemas.iter().filter(|schema| schema.learned_from.is_some());
            learned.map(|schema| (zone.clone(), schema.id.to_string().into()))
        });
        self.gateway.fallbacks().watch(learned);
        let trials = self.in_force.values().filter_map(|zone| zone.validation.trial.as_ref());
        self.gateway.trials().keep(&trials.map(|trial| trial.id.to_string().into()).collect());
        self.ready.send_replace(true);
    }

    fn note_store(&mut self, answers: bool) {
        if answers && !self.store_answers {
            tracing::info!("the store answers again");
        }
        self.store_answers = answers;
    }

    fn note_unreadable(&mut self, zone: &ZoneId, revision: u64, failure: &StoreFailure) {
        if self.unreadable.insert(zone.clone(), revision) != Some(revision) {
            tracing::error!(%zone, revision, error = failure as &dyn Error, "a zone's rules cannot be read; the ones in force stay");
        }
    }

    /// Keeps the sources of schemas for a start without the store.
    async fn keep_sources(&self, validation: &ZoneValidation) {
        let Some(cache) = &self.cache else { return };
        for schema in &validation.schemas {
            if let Some(source) = &schema.source
                && let Err(error) = cache.keep_source(schema.id, source.clone()).await
            {
                tracing::warn!(%error, schema = %schema.id, "a schema could not be saved for a start without the store");
            }
        }
    }

    async fn save_now_and_then(&mut self) {
        if self.unsaved && self.saved.elapsed() >= SAVE_EVERY {
            self.save().await;
        }
    }

    async fn save(&mut self) {
        let Some(cache) = self.cache.as_ref().filter(|_| self.unsaved) else { return };
        let saved = |zone: &InForce| SavedZone { rules: zone.rules.clone(), validation: zone.validation.clone() };
        let zones = self.in_force.values().map(saved).collect();
        if let Err(error) = cache.save(zones).await {
            tracing::warn!(%error, "the rules in force could not be saved for a start without the store");
        }
        self.unsaved = false;
        self.saved = Instant::now();
    }
}

/// Takes as long as reading the schemas that are new; blocks.
fn compile(rules: ZoneRules, mut validation: ZoneValidation, is_whole: bool, known: &Documents) -> InForce {
    let documents = known.read(&validation);
    for schema in &mut validation.schemas {
        schema.source = None;
    }
    if let Some(trial) = &mut validation.trial {
        trial.source = None;
    }
    let ruleset = Ruleset::with_checks(rules.clone(), |operation| documents.check(operation, &validation));
    InForce { rules, validation, documents, ruleset: Arc::new(ruleset), is_whole }
}

/// What can be read of it: names that are left out are found anew.
fn published_of(stored: BTreeMap<OperationId, Vec<u8>>) -> BTreeMap<OperationId, Arc<Published>> {
    let read =
        |(operation, bytes): (OperationId, Vec<u8>)| Some((operation, Arc::new(Published::decode(&bytes).ok()?)));
    stored.into_iter().filter_map(read).collect()
}
