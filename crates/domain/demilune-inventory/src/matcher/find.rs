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
/// Every operation whose method, host and endpoint fit the request is a candidate, so neither a host nor an endpoint
/// that lacks the method hides a broader one that has it. Of the candidates, the first in this order is taken:
///
/// 1. by method: the request's own, before GET for a HEAD request;
/// 2. by host: without variables, then with more literal labels, then literal further left;
/// 3. by endpoint, segment for segment from the left: text; then text mixed with variables, more literal characters
///    first, then more of them before the first variable, then by text; then a variable alone.
///
/// A host variable takes one label. A path variable takes some text of one segment: the shortest before the next
/// literal, the last one all that is left. A trailing slash counts.
///
/// ```
/// use demilune_inventory::{Match, Matcher, MatcherOptions, Method, NormalizedPath, OperationKey, Variables};
///
/// let key = |method, host: &str, endpoint: &str| OperationKey {
///     method,
///     host: host.parse().unwrap(),
///     endpoint: endpoint.parse().unwrap(),
/// };
/// let operations = [
///     key(Method::Get, "{tenant}.example.com", "/files/{name}"),
///     key(Method::Get, "{tenant}.example.com", "/files/{name}.json"),
///     key(Method::Put, "api.example.com", "/files/latest.json"),
/// ];
/// let matcher = Matcher::build(&operations, MatcherOptions::default());
/// let path = NormalizedPath::from_live(b"/files/latest.json")?;
/// let mut variables = Variables::default();
///
/// // The third one has another method, and the second one has more text than the first.
/// let found = matcher.find(Some(Method::Head), "api.example.com", &path, &mut variables);
/// assert_eq!(found, Some(Match { operation: 1, head_as_get: true }));
/// let values: Vec<_> = variables.iter().map(|range| &path.as_str()[range]).collect();
/// assert_eq!(values, ["latest"]);
/// # Ok::<(), demilune_inventory::PathError>(())
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

    /// The most nodes that any search can visit, whatever the path: one that needs no second try visits one more than
    /// the path has segments. Known from the operations alone; there may be no path that takes so many.
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
