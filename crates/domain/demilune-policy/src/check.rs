//! What requests to an operation are checked for.

use std::sync::Arc;

use demilune_inventory::Timestamp;
use demilune_schema::validate::Validator;

use crate::rule::MitigationAction;

/// What requests to an operation are checked for. Operations whose requests nobody looks at have none.
#[derive(Clone, Debug)]
pub struct Check {
    /// The schema that requests must fit.
    pub in_force: Option<InForce>,
    /// The schema that is tried on them, which changes nothing for them.
    pub on_trial: Option<OnTrial>,
}

impl Check {
    /// Everything that checks a request.
    pub fn validators(&self) -> impl Iterator<Item = &Validator> {
        let in_force = self.in_force.as_ref().map(|in_force| &in_force.validator);
        in_force.into_iter().chain(self.on_trial.as_ref().map(|on_trial| &on_trial.validator))
    }
}

/// A schema that requests must fit, and what happens to those that do not.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Log or block.
    pub action: MitigationAction,
    /// Until when it logs what it would block; none if it blocks from the start.
    pub log_until: Option<Timestamp>,
    /// Whether it was learned, and so may be wrong about clients that were always answered.
    pub is_learned: bool,
    /// Names the schema, a UUID, in events.
    pub schema: Arc<str>,
    /// Checks a request.
    pub validator: Validator,
}

/// A schema that is tried on requests.
#[derive(Clone, Debug)]
pub struct OnTrial {
    /// Names the trial, a UUID.
    pub trial: Arc<str>,
    /// Checks a request.
    pub validator: Validator,
}

impl InForce {
    /// What happens at this time to a request that does not fit.
    #[must_use]
    pub fn action_at(&self, now: Timestamp) -> MitigationAction {
        let only_logs = self.log_until.is_some_and(|until| now < until);
        if self.action == MitigationAction::Block && only_logs { MitigationAction::Log } else { self.action }
    }

    /// Whether it may turn out to be wrong, and then only logs: a learned schema that blocks, or soon will.
    #[must_use]
    pub fn may_fall_back(&self) -> bool {
        self.is_learned && self.action == MitigationAction::Block && self.log_until != Some(Timestamp::MAX)
    }
}
