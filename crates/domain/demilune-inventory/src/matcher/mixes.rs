//! The edges of all nodes that mix text and variables within a segment. Few templates have any.

use std::{mem, ops::Range};

use super::{
    graph::{Place, number},
    mixed,
    segment::{Segment, Text},
};

/// Sorted by node, for each node in the order in which its edges are tried.
#[derive(Debug)]
pub(super) struct Mixes {
    edges: Box<[Mix]>,
    /// The shapes of the edges, one after the other.
    shapes: Box<str>,
}

#[derive(Debug)]
struct Mix {
    node: u32,
    to: Place,
    shape: Range<u32>,
}

impl Mixes {
    /// Compiles edges, each with its node and shape.
    pub(super) fn build(mut edges: Vec<(u32, &str, Place)>) -> Self {
        edges.sort_by(|(a_node, a, _), (b_node, b, _)| a_node.cmp(b_node).then_with(|| mixed::preferred(a, b)));
        let mut shapes = String::new();
        let mut compile = |(node, shape, to): (u32, &str, Place)| {
            let start = number(shapes.len());
            shapes.push_str(shape);
            Mix { node, to, shape: start..number(shapes.len()) }
        };
        let edges = edges.into_iter().map(&mut compile).collect();
        Self { edges, shapes: shapes.into() }
    }

    /// Where the edges of a node begin.
    pub(super) fn first(&self, node: u32) -> u32 {
        number(self.edges.partition_point(|edge| edge.node < node))
    }

    /// The first edge of a node, from the number `from` on, that fits a segment: the number behind it and where it
    /// leads. Appends what its variables take, as places in the path.
    pub(super) fn find(
        &self,
        node: u32,
        from: u32,
        segment: Segment,
        path: &Text<'_>,
        taken: &mut Vec<Range<u32>>,
    ) -> Option<(u32, Place)> {
        let text = path.of(segment);
        let before = taken.len();
        let edges = self.edges[from as usize..].iter().take_while(|edge| edge.node == node);
        for (next, edge) in (from + 1..).zip(edges) {
            let shape = &self.shapes[edge.shape.start as usize..edge.shape.end as usize];
            let place = |within: usize| segment.start + number(within);
            let take = |range: Range<usize>| taken.push(place(range.start)..place(range.end));
            if mixed::takes(shape, text, take) {
                return Some((next, edge.to));
            }
            taken.truncate(before);
        }
        None
    }

    pub(super) fn heap_bytes(&self) -> usize {
        mem::size_of_val(&*self.edges) + self.shapes.len()
    }
}
