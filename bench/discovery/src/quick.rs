//! The short run: real routes, requests made here, and gates.

use std::collections::BTreeSet;

use demilune_discovery::{Candidate, DiscoveryOptions, candidates};

use crate::{
    routes::{self, normal},
    visits::{Visitor, truth},
};

/// Least part of what is found that must be right, and of what there is that must be found, of each interface.
const PRECISION_MIN: f64 = 0.97;
const RECALL_MIN: f64 = 0.97;

/// What came of one interface.
pub struct Outcome {
    /// The interface's name.
    pub name: &'static str,
    /// `METHOD HOST PATH` that there are.
    pub truth: BTreeSet<String>,
    /// Those that were found.
    pub found: BTreeSet<String>,
}

impl Outcome {
    /// The part of what was found that is right.
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.found.intersection(&self.truth).count(), self.found.len())
    }

    /// The part of what there is that was found.
    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.found.intersection(&self.truth).count(), self.truth.len())
    }

    /// Whether the gates hold.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.precision() >= PRECISION_MIN && self.recall() >= RECALL_MIN
    }
}

/// Of all interfaces.
#[must_use]
pub fn outcomes(seed: u64) -> Vec<Outcome> {
    let outcome = |interface: routes::Interface| Outcome {
        name: interface.name,
        found: candidates(&Visitor::new(&interface, seed).all(), &DiscoveryOptions::default())
            .iter()
            .map(template)
            .collect(),
        truth: truth(&interface),
    };
    routes::all().into_iter().map(outcome).collect()
}

fn template(found: &Candidate) -> String {
    format!("{} {} {}", found.key.method, normal(found.key.host.as_str()), normal(found.key.endpoint.as_str()))
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}
