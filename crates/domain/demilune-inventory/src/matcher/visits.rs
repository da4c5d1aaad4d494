//! How many nodes a search may visit at worst, known as soon as the templates are.

use std::collections::{BTreeSet, HashMap};

use super::{
    graph::{Graph, Place},
    host_table::Shape,
    mixed::Kind,
};
use crate::Method;

/// Up to so many visits a search remembers nothing: to go a few ways twice is quicker than to keep account of them.
/// Real lists of routes stay below, and a path of six segments is matched in seven visits at best.
const UNREMEMBERED_MAX: u64 = 64;

/// The worst visits of a search, and whether it has to remember nodes to stay within them.
pub(super) struct Worst {
    pub(super) visits: u64,
    pub(super) remember: bool,
}

impl Worst {
    pub(super) fn of(graph: &Graph<'_>, head_as_get: bool) -> Self {
        let passes = passes(graph, head_as_get);
        let unremembered = unremembered(graph);
        let visits = over_hosts(graph, |root| unremembered[root.node as usize]).saturating_mul(passes);
        if visits <= UNREMEMBERED_MAX {
            return Self { visits, remember: false };
        }
        let mut known = HashMap::new();
        let remembered = |root: Place| match unremembered[root.node as usize] {
            few @ ..=UNREMEMBERED_MAX => few,
            many => *known.entry(root.node).or_insert_with(|| distinct(graph, root).min(many)),
        };
        Self { visits: over_hosts(graph, remembered).saturating_mul(passes), remember: true }
    }
}

/// HEAD may be searched for twice.
fn passes(graph: &Graph<'_>, head_as_get: bool) -> u64 {
    let has = |method| graph.roots.iter().any(|(_, root)| graph.nodes[root.node as usize].methods_all.contains(method));
    if head_as_get && has(Method::Head) && has(Method::Get) { 2 } else { 1 }
}

/// For each node, the most visits from there on if nothing is remembered. One static edge fits a segment at most; all
/// others may fit as well, and all may lead to nothing.
fn unremembered(graph: &Graph<'_>) -> Vec<u64> {
    let mut visits: Vec<u64> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let mut statics_max = 0;
        let mut others = 1_u64;
        for edge in &node.edges {
            // Children come before their parents.
            let child = visits[edge.to.node as usize];
            match Kind::of(graph.shape(edge)) {
                Kind::Static => statics_max = child.max(statics_max),
                Kind::Mixed | Kind::Whole => others = others.saturating_add(child),
            }
        }
        visits.push(others.saturating_add(statics_max));
    }
    visits
}

/// The most nodes that one path reaches from a root, each counted once: at each depth those behind one text, and those
/// behind variables.
fn distinct(graph: &Graph<'_>, root: Place) -> u64 {
    let mut sum = 0;
    let mut most = 1;
    let mut level = BTreeSet::from([root.node]);
    while !level.is_empty() {
        sum += most as u64;
        let mut behind_variables = BTreeSet::new();
        let mut behind_texts: HashMap<u32, BTreeSet<u32>> = HashMap::new();
        for edge in level.iter().flat_map(|node| &graph.nodes[*node as usize].edges) {
            let reached = match Kind::of(graph.shape(edge)) {
                Kind::Static => behind_texts.entry(edge.shape).or_default(),
                Kind::Mixed | Kind::Whole => &mut behind_variables,
            };
            reached.insert(edge.to.node);
        }
        let new = |nodes: &BTreeSet<u32>| nodes.difference(&behind_variables).count();
        most = behind_variables.len() + behind_texts.values().map(new).max().unwrap_or_default();
        level = behind_texts.into_values().flatten().chain(behind_variables).collect();
    }
    sum
}

/// The most visits for one live host, which a host without variables and a pattern of each shape of one length may fit.
fn over_hosts(graph: &Graph<'_>, mut visits: impl FnMut(Place) -> u64) -> u64 {
    let mut most: HashMap<Shape, u64> = HashMap::new();
    for (host, root) in &graph.roots {
        let shape = most.entry(Shape::of(host)).or_default();
        *shape = visits(*root).max(*shape);
    }
    let literal = most.remove(&Shape::LITERAL).unwrap_or_default();
    let mut sums: HashMap<u32, u64> = HashMap::new();
    for (shape, visits) in most {
        let sum = sums.entry(shape.labels).or_default();
        *sum = sum.saturating_add(visits);
    }
    literal.saturating_add(sums.into_values().max().unwrap_or_default())
}
