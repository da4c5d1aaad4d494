//! From method, host and path to the operation.

use std::mem;

use super::{
    graph::{Graph, Place},
    host_table::HostTable,
    segment::Text,
    tree::Tree,
    variables::{Trail, Variables},
    visits::Worst,
};
use crate::{Method, NormalizedPath, OperationKey};

/// All operations of a zone, compiled: finds the one that a request belongs to. Immutable, so threads share it.
///
/// ```
/// use demilune_inventory::{Match, Matcher, MatcherOptions, Method, NormalizedPath, OperationKey, Variables};
///
/// let operation = OperationKey {
///     method: Method::Get,
///     host: "api.example.com".parse()?,
///     endpoint: "/users/{user}/files/{file}.json".parse()?,
/// };
/// let matcher = Matcher::build([&operation], MatcherOptions::default());
///
/// let path = NormalizedPath::from_live(b"/users/7/files/notes.json")?;
/// let mut variables = Variables::default();
/// let found = matcher.find(Some(Method::Get), "api.example.com", &path, &mut variables);
/// assert_eq!(found, Some(Match { operation: 0, head_as_get: false }));
/// let values: Vec<_> = variables.iter().map(|range| &path.as_str()[range]).collect();
/// assert_eq!(values, ["7", "notes"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Matcher {
    hosts: HostTable<Place>,
    tree: Tree,
    /// The places in the input, by the numbers that the tree gives.
    operations: Box<[u32]>,
    visits_max: u64,
    options: MatcherOptions,
}

/// How a matcher treats what the templates leave open.
#[derive(Clone, Copy, Debug)]
pub struct MatcherOptions {
    /// Whether a HEAD request that no HEAD operation fits belongs to the GET operation that fits.
    pub head_as_get: bool,
}

impl Default for MatcherOptions {
    fn default() -> Self {
        Self { head_as_get: true }
    }
}

/// The operation that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The operation's place in what [`Matcher::build`] was given.
    pub operation: u32,
    /// Whether this is a GET operation that a HEAD request was found to belong to.
    pub head_as_get: bool,
}

impl Matcher {
    /// Compiles operations. Of equal keys the first stays; otherwise their order does not matter.
    pub fn build<'a>(operations: impl IntoIterator<Item = &'a OperationKey>, options: MatcherOptions) -> Self {
        let graph = Graph::build(operations);
        let worst = Worst::of(&graph, options.head_as_get);
        let (numbers, shared) = graph.numbers();
        let remembered = if worst.remember { shared } else { 0 };
        let root = |place: &Place| Place { node: numbers[place.node as usize], ..*place };
        Self {
            hosts: HostTable::build(graph.roots.iter().map(|(host, place)| ((*host).clone(), root(place)))),
            tree: Tree::build(&graph, &numbers, remembered),
            operations: graph.operations.into(),
            visits_max: worst.visits,
            options,
        }
    }

    /// The operation that a request belongs to, and what its variables took. A method of `None` is one that no
    /// operation can have: nothing fits it. The live host comes in canonical form, lower case and without port.
    #[must_use]
    pub fn find(
        &self,
        method: Option<Method>,
        host: &str,
        path: &NormalizedPath<'_>,
        variables: &mut Variables,
    ) -> Option<Match> {
        let Variables { buffer, trail } = variables;
        trail.clear();
        let method = method?;
        let path = Text::new(path.as_str(), buffer)?;
        if let Some(operation) = self.find_own(method, host, &path, trail) {
            return Some(Match { operation, head_as_get: false });
        }
        if method != Method::Head || !self.options.head_as_get {
            return None;
        }
        let operation = self.find_own(Method::Get, host, &path, trail)?;
        Some(Match { operation, head_as_get: true })
    }

    /// The first operation with this very method that fits, over all hosts that fit.
    fn find_own(&self, method: Method, host: &str, path: &Text<'_>, trail: &mut Trail) -> Option<u32> {
        trail.begin_pass(self.tree.remembered());
        for root in self.hosts.matches(host) {
            if let Some(number) = self.tree.find(*root, method, path, trail) {
                return Some(self.operations[number as usize]);
            }
        }
        None
    }

    /// The most nodes that any search can visit, with any path: what the slowest request costs, beside the usual one
    /// that visits a node more than its path has segments. It may be more than what a path exists for, never less.
    #[must_use]
    pub fn visits_max(&self) -> u64 {
        self.visits_max
    }

    /// The memory that the matcher holds on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.hosts.heap_bytes() + self.tree.heap_bytes() + mem::size_of_val(&*self.operations)
    }
}
