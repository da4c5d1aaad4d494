//! Everything a zone's ruleset is compiled from, as one consistent read gives it.

use demilune_inventory::{OperationId, OperationKey, ZoneId};

use super::{Origin, RouteTarget, SessionIdentifier, ZoneSettings};

/// A zone's rules at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneRules {
    /// The zone.
    pub zone: ZoneId,
    /// Advances with every change of what is below.
    pub revision: u64,
    /// The operations.
    pub operations: Vec<OperationRule>,
    /// Where hosts are sent.
    pub origins: Vec<Origin>,
    /// What tells clients apart, in the order in which it is looked for.
    pub session_identifiers: Vec<SessionIdentifier>,
    /// The settings.
    pub settings: ZoneSettings,
}

/// An operation, and what is asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRule {
    /// Its id.
    pub id: OperationId,
    /// Method, host and endpoint.
    pub key: OperationKey,
    /// Where it is sent instead of its host's origin.
    pub route: Option<RouteTarget>,
}
