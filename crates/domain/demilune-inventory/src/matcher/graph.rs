//! All templates as one graph, in which equal ends of templates are there once.
//!
//! A node stands for what may follow: two nodes are one when the same segments and methods follow at the same depth,
//! whichever operations these belong to. Operations are numbered in the order in which a walk over all paths of the
//! graph meets them, and each edge says how many come before its own within the node; so the edges that led to an end
//! add up to its operation, and no node has to know one.

use std::{borrow::Cow, cmp::Ordering, collections::HashMap};

use super::{methods::Methods, mixed};
use crate::{Host, OperationKey};

#[derive(Default)]
pub(super) struct Graph<'a> {
    /// Children come before their parents.
    pub(super) nodes: Vec<Node>,
    /// The different segments of templates, without the numbers of their variables.
    pub(super) shapes: Vec<Cow<'a, str>>,
    pub(super) roots: Vec<(&'a Host, Place)>,
    /// The places in the input, by the numbers that edges add up to.
    pub(super) operations: Vec<u32>,
}

#[derive(Default)]
pub(super) struct Node {
    /// The methods of the templates that end here.
    pub(super) methods: Methods,
    /// The methods of the templates that end here or further on.
    pub(super) methods_all: Methods,
    /// How many operations end here or further on.
    pub(super) operations: u32,
    pub(super) edges: Vec<Edge>,
}

/// One segment, and where it leads.
///
/// The variable that fills its segment comes first of a node's edges, right behind the operations that end at the node.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) shape: u32,
    pub(super) to: Place,
}

/// A node, and how many operations come before its own: within the node above, or, on a walk, in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) node: u32,
    pub(super) before: u32,
}

impl<'a> Graph<'a> {
    /// Of operations with equal keys, the first stays.
    pub(super) fn build(keys: impl IntoIterator<Item = &'a OperationKey>) -> Self {
        let mut sorted: Vec<(u32, &OperationKey)> = (0..).zip(keys).collect();
        sorted.sort_by(|(_, a), (_, b)| order(a, b));
        sorted.dedup_by(|(_, later), (_, first)| later == first);
        let mut builder = Builder::default();
        for host in sorted.chunk_by(|(_, a), (_, b)| a.host == b.host) {
            builder.add_host(host);
        }
        builder.graph
    }

    pub(super) fn shape(&self, edge: &Edge) -> &str {
        &self.shapes[edge.shape as usize]
    }

    /// New numbers for the nodes, those first to which several edges or hosts lead, and how many these are.
    pub(super) fn numbers(&self) -> (Vec<u32>, u32) {
        let mut ways = vec![0_u32; self.nodes.len()];
        let edges = self.nodes.iter().flat_map(|node| node.edges.iter().map(|edge| edge.to));
        for place in edges.chain(self.roots.iter().map(|(_, root)| *root)) {
            ways[place.node as usize] += 1;
        }
        let mut single = number(ways.iter().filter(|ways| **ways > 1).count());
        let mut several = 0;
        let numbers = ways.iter().map(|ways| {
            let next = if *ways > 1 { &mut several } else { &mut single };
            *next += 1;
            *next - 1
        });
        (numbers.collect(), several)
    }
}

/// By host, endpoint and method, so that all templates with the same first segments stand together: the end comes
/// before a next segment, and a variable that fills its segment before other segments.
fn order(a: &OperationKey, b: &OperationKey) -> Ordering {
    let endpoints = || order_endpoints(a.endpoint.as_str().as_bytes(), b.endpoint.as_str().as_bytes());
    a.host.cmp(&b.host).then_with(endpoints).then(a.method.cmp(&b.method))
}

fn order_endpoints(a: &[u8], b: &[u8]) -> Ordering {
    let Some(place) = a.iter().zip(b).position(|(a, b)| a != b) else {
        let (shorter, longer) = if a.len() < b.len() { (a, b) } else { (b, a) };
        let order = rank(shorter, shorter.len()).cmp(&rank(longer, shorter.len()));
        return if a.len() < b.len() { order } else { order.reverse() };
    };
    rank(a, place).cmp(&rank(b, place))
}

/// Orders two endpoints by the first place at which they differ.
fn rank(endpoint: &[u8], place: usize) -> u16 {
    match endpoint.get(place) {
        // An empty segment is a segment like others, not the end of the one before.
        None if endpoint.ends_with(b"/") => 3,
        None => 0,
        Some(b'/') => 1,
        Some(b'{') => 2,
        Some(other) => 4 + u16::from(*other),
    }
}

/// Adds templates in order, so that a node is complete as soon as a template leaves it.
#[derive(Default)]
struct Builder<'a> {
    graph: Graph<'a>,
    /// The nodes along the last template, the root first, each with the segment that leads to it.
    open: Vec<(&'a str, Node)>,
    shapes: HashMap<Cow<'a, str>, u32>,
    /// Complete nodes by what makes them the same: depth, methods, and shape and child of each edge.
    classes: HashMap<Box<[u32]>, u32>,
}

impl<'a> Builder<'a> {
    fn add_host(&mut self, operations: &[(u32, &'a OperationKey)]) {
        let Some((_, first)) = operations.first() else { return };
        let before = self.graph.operations.len();
        self.open.push(("", Node::default()));
        for (index, key) in operations {
            self.add(*index, key);
        }
        self.close_to(1);
        if let Some((_, root)) = self.open.pop() {
            let root = Place { node: self.complete(root), before: number(before) };
            self.graph.roots.push((&first.host, root));
        }
    }

    fn add(&mut self, index: u32, key: &'a OperationKey) {
        let segments = key.endpoint.as_str().split('/').skip(1);
        let known = self.open[1..].iter().zip(segments.clone()).take_while(|((open, _), segment)| open == segment);
        let depth = known.count();
        self.close_to(depth + 1);
        self.open.extend(segments.skip(depth).map(|segment| (segment, Node::default())));
        if let Some((_, end)) = self.open.last_mut() {
            end.methods.insert(key.method);
            end.methods_all.insert(key.method);
            end.operations += 1;
        }
        self.graph.operations.push(index);
    }

    /// Completes the nodes behind the first `open` ones.
    fn close_to(&mut self, open: usize) {
        while self.open.len() > open
            && let Some((segment, node)) = self.open.pop()
        {
            let (operations, methods) = (node.operations, node.methods_all);
            let [shape, node] = [self.shape(segment), self.complete(node)];
            if let Some((_, parent)) = self.open.last_mut() {
                parent.edges.push(Edge { shape, to: Place { node, before: parent.operations } });
                parent.operations += operations;
                parent.methods_all.insert_all(methods);
            }
        }
    }

    fn shape(&mut self, segment: &'a str) -> u32 {
        let shape = mixed::shape(segment);
        if let Some(known) = self.shapes.get(&shape) {
            return *known;
        }
        let shapes = &mut self.graph.shapes;
        shapes.push(shape.clone());
        *self.shapes.entry(shape).or_insert(number(shapes.len() - 1))
    }

    /// The number of a node that is the same. The nodes above it are still open, and tell its depth.
    fn complete(&mut self, node: Node) -> u32 {
        let start = [number(self.open.len()), u32::from(node.methods.bits())];
        let class = start.into_iter().chain(node.edges.iter().flat_map(|edge| [edge.shape, edge.to.node])).collect();
        let nodes = &mut self.graph.nodes;
        *self.classes.entry(class).or_insert_with(|| {
            nodes.push(node);
            number(nodes.len() - 1)
        })
    }
}

#[expect(clippy::expect_used, reason = "operations that do not fit in memory four times over are not here to count")]
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).expect("there are fewer than 2^32 operations and segments")
}
