//! Rules made ready for requests: compiled once for each change, never changed, swapped as a whole.

use std::{fmt, sync::Arc};

use demilune_inventory::{Host, HostTable, Matcher, MatcherOptions, ZoneId};

use crate::{
    check::Check,
    destination::Destination,
    rule::{OperationRule, Origin, SessionIdentifier, ZoneRules, ZoneSettings},
    session::Characteristic,
};

/// One zone's rules.
pub struct Ruleset {
    zone: ZoneId,
    revision: u64,
    operations: Box<[OperationRule]>,
    routes: Box<[Option<Arc<Destination>>]>,
    checks: Box<[Option<Arc<Check>>]>,
    origins: Box<[(Origin, Arc<Destination>)]>,
    session_identifiers: Box<[SessionIdentifier]>,
    settings: ZoneSettings,
    pub(crate) matcher: Matcher,
    pub(crate) characteristics: Box<[Characteristic]>,
}

impl fmt::Debug for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ruleset({} at {}, {} operations)", self.zone, self.revision, self.operations.len())
    }
}

impl Ruleset {
    /// Compiles a zone's rules without checks of what requests hold.
    #[must_use]
    pub fn compile(rules: ZoneRules) -> Self {
        Self::with_checks(rules, |_| None)
    }

    /// Compiles a zone's rules; for each operation, `check` says what its requests are checked for.
    #[must_use]
    pub fn with_checks(rules: ZoneRules, check: impl FnMut(&OperationRule) -> Option<Check>) -> Self {
        let checks = rules.operations.iter().map(check).map(|check| check.map(Arc::new)).collect();
        let options = MatcherOptions { head_as_get: rules.settings.head_as_get };
        let matcher = Matcher::build(rules.operations.iter().map(|operation| &operation.key), options);
        let routes = rules.operations.iter().map(ready_route).collect();
        let origins =
            rules.origins.into_iter().map(|origin| (origin.clone(), Arc::new(Destination::of_origin(&origin))));
        Self {
            zone: rules.zone,
            revision: rules.revision,
            matcher,
            routes,
            checks,
            origins: origins.collect(),
            characteristics: rules.session_identifiers.iter().map(Characteristic::new).collect(),
            operations: rules.operations.into(),
            session_identifiers: rules.session_identifiers.into(),
            settings: rules.settings,
        }
    }

    /// The zone.
    #[must_use]
    pub fn zone(&self) -> &ZoneId {
        &self.zone
    }

    /// The revision that was compiled.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The operations; a [`Decision`](crate::Decision) names one by its place here.
    #[must_use]
    pub fn operations(&self) -> &[OperationRule] {
        &self.operations
    }

    /// Where an operation is routed, by its place.
    #[must_use]
    pub fn route(&self, operation: u32) -> Option<&Arc<Destination>> {
        self.routes.get(operation as usize).and_then(Option::as_ref)
    }

    /// What requests to an operation are checked for, by its place.
    #[must_use]
    pub fn check(&self, operation: u32) -> Option<&Arc<Check>> {
        self.checks.get(operation as usize).and_then(Option::as_ref)
    }

    /// The origins.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.origins.iter().map(|(origin, _)| origin)
    }

    /// What tells clients apart.
    #[must_use]
    pub fn session_identifiers(&self) -> &[SessionIdentifier] {
        &self.session_identifiers
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> ZoneSettings {
        self.settings
    }

    /// The most steps that finding an operation can take.
    #[must_use]
    pub fn visits_max(&self) -> u64 {
        self.matcher.visits_max()
    }
}

fn ready_route(rule: &OperationRule) -> Option<Arc<Destination>> {
    rule.route.as_ref().map(|target| Arc::new(Destination::of_route(target)))
}

/// The rulesets of all zones, and which host belongs to which.
pub struct Rulesets {
    zones: Vec<Arc<Ruleset>>,
    owners: HostTable<(usize, usize)>,
}

impl Rulesets {
    /// Puts zones together. Where two zones have one and the same origin pattern, which the store refuses, the first
    /// has it.
    #[must_use]
    pub fn new(zones: Vec<Arc<Ruleset>>) -> Self {
        let mut owners: Vec<(Host, (usize, usize))> = Vec::new();
        for (zone, ruleset) in zones.iter().enumerate() {
            for (place, (origin, _)) in ruleset.origins.iter().enumerate() {
                owners.push((origin.host.clone(), (zone, place)));
            }
        }
        Self { owners: HostTable::build(owners), zones }
    }

    /// The zones' rulesets.
    #[must_use]
    pub fn zones(&self) -> &[Arc<Ruleset>] {
        &self.zones
    }

    /// The zone that owns a host by its most specific origin pattern, and that origin.
    #[must_use]
    pub fn owner(&self, host: &str) -> Option<(&Arc<Ruleset>, &Origin, &Arc<Destination>)> {
        let (zone, place) = *self.owners.find(host)?;
        let ruleset = &self.zones[zone];
        let (origin, destination) = &ruleset.origins[place];
        Some((ruleset, origin, destination))
    }
}
