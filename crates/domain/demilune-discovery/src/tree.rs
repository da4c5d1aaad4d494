//! A host's sightings as a tree of segments.

use std::collections::BTreeMap;

use demilune_inventory::Method;

use crate::{
    pattern::{Segment, Stem, segments},
    sightings::{Cell, Only},
};

/// Below which a kept value is taken for somebody's own: it is in a template only if so many callers sent it.
pub(crate) const VALUE_CALLERS_MIN: u32 = 5;

/// What was seen of some requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) requests: u64,
    /// Those that were kept; each stands for others if there was no room for all.
    pub(crate) samples: u64,
    pub(crate) with_session: u64,
    pub(crate) callers: u128,
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Whether some requests stand for others.
    pub(crate) is_sampled: bool,
    /// Requests by the number of their host, where hosts are compared.
    pub(crate) hosts: BTreeMap<usize, u64>,
}

/// What lies below some segments. Most nodes have one child, and a tree's node has room for eleven: hence the boxes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) ends: BTreeMap<Method, Box<Stats>>,
    pub(crate) children: BTreeMap<Segment, Box<Child>>,
}

/// What lies below one segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Child {
    /// For values: whether all are one.
    pub(crate) only: Option<Only>,
    /// Of all requests at it and below.
    pub(crate) all: Stats,
    pub(crate) node: Node,
}

impl Stats {
    /// What a cell says; at a lane's level each request stands for so many.
    fn of(cell: &Cell, lane_level: u8) -> Self {
        let stands_for = |count: u64| count.saturating_mul(1 << u32::from(lane_level).min(63));
        Self {
            requests: stands_for(cell.requests),
            samples: cell.requests,
            with_session: stands_for(cell.with_session),
            callers: cell.callers,
            first: cell.first,
            last: cell.last,
            is_sampled: lane_level > 0,
            hosts: BTreeMap::new(),
        }
    }

    /// So many there may have been for a count of them: an estimate is too low by a standard deviation or more in one case
    /// of six.
    pub(crate) fn at_most(&self, count: u64) -> u64 {
        if !self.is_sampled || self.samples == 0 {
            return count;
        }
        count.saturating_add(count.saturating_div(self.samples.isqrt().max(1)))
    }

    pub(crate) fn add(&mut self, other: &Self) {
        if other.requests == 0 {
            return;
        }
        self.first = if self.requests == 0 { other.first } else { self.first.min(other.first) };
        self.last = self.last.max(other.last);
        self.requests = self.requests.saturating_add(other.requests);
        self.samples = self.samples.saturating_add(other.samples);
        self.with_session = self.with_session.saturating_add(other.with_session);
        self.callers |= other.callers;
        self.is_sampled |= other.is_sampled;
        for (host, requests) in &other.hosts {
            *self.hosts.entry(*host).or_default() += requests;
        }
    }
}

impl Node {
    /// Adds what was seen of one pattern and method.
    pub(crate) fn insert(&mut self, pattern: &str, method: Method, cell: Cell, lane_level: u8) {
        let stats = Stats::of(&cell, lane_level);
        let (mut node, mut values) = (self, cell.values.into_iter());
        for segment in segments(pattern) {
            let value = match segment.stem {
                Stem::Word(_) => None,
                Stem::Value(_) => Some(values.next().unwrap_or(Only::Many)),
            };
            let child = node.children.entry(segment).or_default();
            match (&mut child.only, value) {
                (Some(only), Some(value)) => only.join(&value),
                (only, value) => *only = value,
            }
            child.all.add(&stats);
            node = &mut child.node;
        }
        node.ends.entry(method).or_default().add(&stats);
    }

    /// Marks all requests as those of a host.
    pub(crate) fn mark(&mut self, host: usize) {
        self.ends.values_mut().for_each(|stats| stats.hosts = BTreeMap::from([(host, stats.requests)]));
        self.children.values_mut().for_each(|child| child.node.mark(host));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (method, stats) in other.ends {
            self.ends.entry(method).or_default().add(&stats);
        }
        for (edge, child) in other.children {
            match self.children.get_mut(&edge) {
                Some(found) => found.merge(*child),
                None => drop(self.children.insert(edge, child)),
            }
        }
    }
}

impl Child {
    pub(crate) fn merge(&mut self, other: Self) {
        match (&mut self.only, &other.only) {
            (Some(only), Some(value)) => only.join(value),
            (only, _) => *only = None,
        }
        self.all.add(&other.all);
        self.node.merge(other.node);
    }
}
