//! The compiled graph, and the walk through it.

use std::mem;

use super::{
    graph::{Graph, Place},
    methods::Methods,
    mixed::Kind,
    mixes::Mixes,
    segment::{Cursor, Segment, Text},
    statics::Statics,
    variables::{Choice, Trail},
};
use crate::Method;

#[derive(Debug)]
pub(super) struct Tree {
    nodes: Box<[Node]>,
    statics: Statics,
    mixes: Mixes,
    /// How many nodes, the first ones, a walk remembers. These can be reached in several ways with one path; a walk
    /// that comes to one for the second time turns back, since had anything fitted there, it would have ended.
    remembered: u32,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// The node behind a variable that fills its segment.
    whole: u32,
    /// The methods of the operations that end here.
    here: Methods,
    /// The methods of the operations that end here or further on.
    all: Methods,
    has_statics: bool,
    has_mixes: bool,
    /// How many operations end here.
    ends: u8,
}

/// No node, or no edge.
const NONE: u32 = u32::MAX;

/// What a walk does next.
enum Step {
    /// To a node, behind the segment that led there.
    Forward(Place),
    Back,
    /// The path ends at the operation of this number.
    End(u32),
}

impl Tree {
    /// Compiles a graph whose nodes get the numbers given.
    pub(super) fn build(graph: &Graph<'_>, numbers: &[u32], remembered: u32) -> Self {
        let mut nodes = vec![Node::EMPTY; graph.nodes.len()];
        let [mut statics, mut mixes] = [Vec::new(), Vec::new()];
        for (node, number) in graph.nodes.iter().zip(numbers) {
            let compiled = &mut nodes[*number as usize];
            *compiled = Node { here: node.methods, all: node.methods_all, ends: node.methods.len(), ..*compiled };
            for edge in &node.edges {
                let shape = graph.shape(edge);
                let to = Place { node: numbers[edge.to.node as usize], ..edge.to };
                match Kind::of(shape) {
                    Kind::Static => statics.push((*number, shape, to)),
                    Kind::Mixed => mixes.push((*number, shape, to)),
                    Kind::Whole => compiled.whole = to.node,
                }
                compiled.has_statics |= Kind::of(shape) == Kind::Static;
                compiled.has_mixes |= Kind::of(shape) == Kind::Mixed;
            }
        }
        Self { nodes: nodes.into(), statics: Statics::build(&statics), mixes: Mixes::build(mixes), remembered }
    }

    /// The number of the first operation that fits the path, from a host's root on.
    #[inline(never)]
    pub(super) fn find(&self, root: Place, method: Method, path: &Text<'_>, trail: &mut Trail) -> Option<u32> {
        trail.choices.clear();
        trail.ranges.clear();
        let mut place = root;
        // Behind the slash that every path begins with.
        let mut cursor = Cursor::new(path, 1);
        loop {
            match self.enter(place, &mut cursor, method, path, trail) {
                Step::Forward(next) => place = next,
                Step::Back => (place, cursor) = self.go_back(path, trail)?,
                Step::End(operation) => return Some(operation),
            }
        }
    }

    /// Enters a node, and takes its first edge that fits the next segment.
    #[inline]
    fn enter(&self, place: Place, cursor: &mut Cursor, method: Method, path: &Text<'_>, trail: &mut Trail) -> Step {
        let node = &self.nodes[place.node as usize];
        if !node.all.contains(method) || place.node < self.remembered && trail.see(place.node) {
            return Step::Back;
        }
        trail.visits += 1;
        if cursor.start > path.len() {
            let fits = node.here.contains(method);
            return if fits { Step::End(place.before + node.here.rank(method)) } else { Step::Back };
        }
        let segment = cursor.next(path);
        if node.has_statics
            && let Some(next) = self.statics.find(place.node, segment, path)
        {
            if node.whole != NONE || node.has_mixes {
                self.leave_choice(place, segment, trail);
            }
            return Step::Forward(place.after(next));
        }
        if node.has_mixes {
            self.leave_choice(place, segment, trail);
            return Step::Back;
        }
        node.take_whole(place, segment, trail)
    }

    /// Keeps in mind that the node has edges with variables.
    fn leave_choice(&self, place: Place, segment: Segment, trail: &mut Trail) {
        let has_mixes = self.nodes[place.node as usize].has_mixes;
        let mixed = if has_mixes { self.mixes.first(place.node) } else { NONE };
        trail.choices.push(Choice { place, start: segment.start, ranges: trail.ranges.len(), mixed });
    }

    /// Returns to the last node with an edge that is yet to be tried, and takes the first that fits. None when all have
    /// been tried.
    #[inline(never)]
    fn go_back(&self, path: &Text<'_>, trail: &mut Trail) -> Option<(Place, Cursor)> {
        while let Some(choice) = trail.choices.pop() {
            trail.ranges.truncate(choice.ranges);
            let mut cursor = Cursor::new(path, choice.start);
            if let Step::Forward(place) = self.take_choice(choice, cursor.next(path), path, trail) {
                return Some((place, cursor));
            }
        }
        trail.ranges.clear();
        None
    }

    fn take_choice(&self, choice: Choice, segment: Segment, path: &Text<'_>, trail: &mut Trail) -> Step {
        let Choice { place, mixed, .. } = choice;
        if mixed != NONE
            && let Some((mixed, next)) = self.mixes.find(place.node, mixed, segment, path, &mut trail.ranges)
        {
            trail.choices.push(Choice { mixed, ..choice });
            return Step::Forward(place.after(next));
        }
        self.nodes[place.node as usize].take_whole(place, segment, trail)
    }

    /// How many nodes a walk remembers.
    pub(super) fn remembered(&self) -> usize {
        self.remembered as usize
    }

    pub(super) fn heap_bytes(&self) -> usize {
        mem::size_of_val(&*self.nodes) + self.statics.heap_bytes() + self.mixes.heap_bytes()
    }
}

impl Node {
    const EMPTY: Self =
        Self { whole: NONE, here: Methods::NONE, all: Methods::NONE, has_statics: false, has_mixes: false, ends: 0 };

    /// Takes the edge whose variable fills the segment.
    #[inline]
    fn take_whole(&self, place: Place, segment: Segment, trail: &mut Trail) -> Step {
        if self.whole == NONE || segment.len() == 0 {
            return Step::Back;
        }
        trail.ranges.push(segment.start..segment.end);
        // What a variable leads to comes right behind what ends at the node.
        Step::Forward(Place { node: self.whole, before: place.before + u32::from(self.ends) })
    }
}

impl Place {
    /// A place within this one, as one in all.
    #[inline]
    fn after(self, within: Self) -> Self {
        Self { node: within.node, before: self.before + within.before }
    }
}
