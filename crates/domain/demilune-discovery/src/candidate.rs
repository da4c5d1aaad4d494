//! Operations that sightings speak for, each with its reasons.

use std::collections::BTreeMap;

use demilune_inventory::OperationKey;

use crate::{
    Shape, Sightings,
    fold::{Folded, fold},
    hosts::groups,
    tree::{Node, Stats},
};

/// How much is asked for before something is called an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscoveryOptions {
    /// Fewest requests with success; of an estimate, less what it is too low by in one case of six.
    pub requests_min: u64,
    /// Fewest callers that [`Origin::Ml`] asks for.
    pub callers_min: u32,
    /// Most operations; those with the most requests come first.
    pub candidates_max: usize,
}

impl Default for DiscoveryOptions {
    fn default() -> Self {
        Self { requests_min: 500, callers_min: 5, candidates_max: 5_000 }
    }
}

/// What speaks for an operation (contract 6.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The statistical rule: enough requests, of enough callers, whether or not they carry a session identifier.
    Ml,
    /// Enough requests carry a session identifier.
    SessionIdentifier,
}

/// Why a part of a path is, or is not, a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A word that neither is rare nor has siblings that are like it.
    Word,
    /// It looks like a value, and is the only one here.
    OnlyValue,
    /// Its values look like ids.
    Ids,
    /// There are always new words here: many were seen only once or twice.
    Tail,
    /// There are more words here than an interface has names.
    Many,
    /// Most words here are such as people and programs give to their things.
    Data,
    /// What lies below the words here is the same for all of them.
    Alike,
}

/// One segment of a candidate's endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it says; `None` for a variable.
    pub literal: Option<String>,
    /// What stands behind a variable in its segment.
    pub suffix: String,
    /// Why it is what it is.
    pub reason: Reason,
    /// Requests at it and below, of all methods.
    pub requests: u64,
    /// For variables: how many of these had which shape.
    pub shapes: BTreeMap<Shape, u64>,
    /// For variables: how many different words were taken for values.
    pub words: usize,
}

/// An operation that sightings speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it would be saved as.
    pub key: OperationKey,
    /// Requests with success.
    pub requests: u64,
    /// Those of them that carried a session identifier.
    pub with_session: u64,
    /// So many callers sent them at least; at most 128 are told apart.
    pub callers_at_least: u32,
    /// When the first and the last of them arrived, in seconds since the epoch.
    pub first: u64,
    /// See [`Self::first`].
    pub last: u64,
    /// Whether the counts are estimates, since there were too many different paths to count each.
    pub is_estimate: bool,
    /// What speaks for it; never empty.
    pub origins: Vec<Origin>,
    /// Why its endpoint is what it is, segment by segment.
    pub parts: Vec<Part>,
    /// The hosts that its host stands for, if that has a variable.
    pub hosts: Vec<String>,
}

impl Part {
    pub(crate) fn literal(text: String, reason: Reason, requests: u64) -> Self {
        let (suffix, shapes) = (String::new(), BTreeMap::new());
        Self { literal: Some(text), suffix, reason, requests, shapes, words: 0 }
    }

    pub(crate) fn variable(
        suffix: String,
        reason: Reason,
        requests: u64,
        shapes: BTreeMap<Shape, u64>,
        words: usize,
    ) -> Self {
        Self { literal: None, suffix, reason, requests, shapes, words }
    }
}

impl Candidate {
    /// A host and a path that it matches, with `0` in the place of each value.
    #[must_use]
    pub fn example(&self) -> (String, String) {
        let host = self.hosts.first().map_or_else(|| self.key.host.to_string(), String::clone);
        let segment = |part: &Part| match &part.literal {
            Some(literal) => format!("/{literal}"),
            None => format!("/0{}", part.suffix),
        };
        (host, self.parts.iter().map(segment).collect())
    }
}

impl Origin {
    /// As the contract spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ml => "ML",
            Self::SessionIdentifier => "SessionIdentifier",
        }
    }
}

/// The operations that sightings speak for, those with the most requests first.
#[must_use]
pub fn candidates(sightings: &Sightings, options: &DiscoveryOptions) -> Vec<Candidate> {
    let mut trees: BTreeMap<String, Node> = BTreeMap::new();
    for lane in &sightings.lanes {
        for (key, entry) in &lane.entries {
            if let Some(cell) = entry.sum(&key.pattern) {
                trees.entry(key.host.to_string()).or_default().insert(&key.pattern, key.method, cell, lane.level);
            }
        }
    }
    let fold = |tree: Node| fold(tree, options.requests_min);
    let mut found = Vec::new();
    for (pattern, hosts) in groups(&trees, fold) {
        let mut sum = Node::default();
        hosts.iter().filter_map(|host| trees.remove(host)).for_each(|tree| sum.merge(tree));
        found.extend(fold(sum).into_iter().filter_map(|folded| candidate(&pattern, &hosts, folded, options)));
    }
    for (host, tree) in trees {
        found.extend(fold(tree).into_iter().filter_map(|folded| candidate(&host, &[], folded, options)));
    }
    found.sort_by(|one, other| other.requests.cmp(&one.requests).then_with(|| one.key.cmp(&other.key)));
    found.truncate(options.candidates_max);
    found
}

fn template(parts: &[Part]) -> String {
    let segment = |part: &Part| match &part.literal {
        Some(literal) => format!("/{literal}"),
        None => format!("/{{var}}{}", part.suffix),
    };
    parts.iter().map(segment).collect()
}

fn candidate(host: &str, hosts: &[String], folded: Folded, options: &DiscoveryOptions) -> Option<Candidate> {
    let Folded { parts, method, stats } = folded;
    let is_enough = |count: u64| stats.at_most(count) >= options.requests_min;
    let by_session = is_enough(stats.with_session);
    let is_enough = is_enough(stats.requests);
    let Stats { requests, with_session, callers, first, last, is_sampled, .. } = stats;
    let callers_at_least = callers.count_ones();
    let by_rule = is_enough && callers_at_least >= options.callers_min;
    let origins: Vec<Origin> = [(by_rule, Origin::Ml), (by_session, Origin::SessionIdentifier)]
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, origin)| origin)
        .collect();
    if origins.is_empty() {
        return None;
    }
    // A path that cannot be saved cannot be reviewed: there is nothing to do about it.
    let key = OperationKey { host: host.parse().ok()?, endpoint: template(&parts).parse().ok()?, method };
    Some(Candidate {
        key,
        requests,
        with_session,
        callers_at_least,
        first,
        last,
        is_estimate: is_sampled,
        origins,
        parts,
        hosts: hosts.to_vec(),
    })
}
