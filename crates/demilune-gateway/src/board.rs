//! The rules in force: one set for all zones, swapped as a whole while requests go on with the one they began with.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use demilune_inventory::ZoneId;
use demilune_policy::{Ruleset, Rulesets};

/// The rules in force. Whoever follows the store publishes; requests read.
pub struct Board {
    current: ArcSwap<Rulesets>,
}

impl Default for Board {
    fn default() -> Self {
        Self { current: ArcSwap::from_pointee(Rulesets::new(Vec::new())) }
    }
}

impl Board {
    /// Puts rules in force.
    pub fn publish(&self, zones: Vec<Arc<Ruleset>>) {
        self.current.store(Arc::new(Rulesets::new(zones)));
    }

    /// The rules in force now.
    #[must_use]
    pub fn current(&self) -> Guard<Arc<Rulesets>> {
        self.current.load()
    }

    /// The revision in force for each zone.
    #[must_use]
    pub fn revisions(&self) -> Vec<(ZoneId, u64)> {
        let current = self.current();
        current.zones().iter().map(|ruleset| (ruleset.zone().clone(), ruleset.revision())).collect()
    }
}
