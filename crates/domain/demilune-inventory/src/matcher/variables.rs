//! What the variables of a matched endpoint took of the path, and the memory a search needs, kept for the next one.

use std::{mem, ops::Range};

use super::graph::Place;

/// What the path variables of the matched endpoint took: byte ranges of the normalized path, `var1` first.
///
/// Keep one and hand it to each [`find`](super::Matcher::find): once it has grown to what a matcher asks for, a search
/// allocates nothing. It may be used with several matchers in turn.
#[derive(Debug, Default)]
pub struct Variables {
    /// Where paths are copied to.
    pub(super) buffer: Vec<u8>,
    pub(super) trail: Trail,
}

/// What a search has taken, left and seen so far.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// What variables took.
    pub(super) ranges: Vec<Range<u32>>,
    /// Where other edges are left to be tried, the last one first.
    pub(super) choices: Vec<Choice>,
    /// For nodes that can be reached in several ways, the last pass that did.
    seen: Vec<u32>,
    pass: u32,
    pub(super) visits: u64,
}

/// A node on the way, with edges that are yet to be tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) place: Place,
    /// Where the next segment begins.
    pub(super) start: u32,
    /// How many ranges had been taken before it.
    pub(super) ranges: usize,
    /// The next edge that mixes text and variables, if any is left.
    pub(super) mixed: u32,
}

impl Variables {
    /// What each variable took, from `var1` on. Empty when nothing matched.
    pub fn iter(&self) -> impl Iterator<Item = Range<usize>> {
        self.trail.ranges.iter().map(wide)
    }

    /// What one variable took: 0 is `var1`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Range<usize>> {
        self.trail.ranges.get(index).map(wide)
    }

    /// How many variables the matched endpoint has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.trail.ranges.len()
    }

    /// Whether the matched endpoint has no variables, or nothing matched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trail.ranges.is_empty()
    }

    /// How many nodes the last search visited: never more than [`visits_max`](super::Matcher::visits_max).
    #[must_use]
    pub fn visits(&self) -> u64 {
        self.trail.visits
    }
}

impl Trail {
    /// Forgets the search before.
    pub(super) fn clear(&mut self) {
        self.ranges.clear();
        self.visits = 0;
    }

    /// Forgets which nodes have been reached; `nodes` of them will be asked for.
    pub(super) fn begin_pass(&mut self, nodes: usize) {
        if self.seen.len() < nodes {
            self.seen.resize(nodes, 0);
        }
        self.pass = self.pass.wrapping_add(1);
        if self.pass == 0 {
            self.seen.fill(0);
            self.pass = 1;
        }
    }

    /// Whether the node has been reached before in this pass; from now on it has.
    pub(super) fn see(&mut self, node: u32) -> bool {
        mem::replace(&mut self.seen[node as usize], self.pass) == self.pass
    }
}

fn wide(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_pass_saw_is_forgotten() {
        let mut trail = Trail { pass: u32::MAX - 1, ..Trail::default() };
        for _ in 0..4 {
            trail.begin_pass(2);
            assert!(!trail.see(1));
            assert!(trail.see(1));
            assert!(!trail.see(0));
        }
    }
}
