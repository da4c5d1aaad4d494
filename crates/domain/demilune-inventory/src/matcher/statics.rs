//! The edges of all nodes that are text alone, in one table keyed by node and segment.

use std::{collections::HashMap, mem};

use super::{graph::Place, hash, segment::Segment};

/// An open-addressing table with linear probing, in which who is further from home goes first (Robin Hood hashing), so
/// that a search ends as soon as an edge is nearer to its home than the search has come.
#[derive(Debug)]
pub(super) struct Statics {
    table: Box<[Static]>,
    /// How many places are home to some hash. Those behind them take what does not find room at home.
    homes: usize,
    /// Texts of more than sixteen bytes.
    texts: Box<[u8]>,
}

/// An edge: half a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Static {
    /// The first sixteen bytes of the text. A longer text has its place among the texts as the second word.
    words: [u64; 2],
    node: u32,
    to: Place,
    len: u16,
    /// One more than the steps from home; 0 marks a free place.
    reach: u16,
}

/// The longest text that the words hold.
const INLINE_MAX: u16 = 16;

impl Statics {
    /// Compiles edges, each with its node and text.
    pub(super) fn build(edges: &[(u32, &str, Place)]) -> Self {
        // Two places for three edges keeps three in four at home or right beside it.
        let homes = edges.len() * 3 / 2 + 1;
        let mut table = vec![Static::FREE; homes + 1];
        let mut texts = Texts::default();
        for &(node, text, to) in edges {
            let segment = Segment::of(text);
            insert(&mut table, home(node, &segment, homes), Static::new(node, text, to, &segment, &mut texts));
        }
        Self { table: table.into(), homes, texts: texts.bytes.into() }
    }

    /// Where a segment of a path leads from a node.
    #[inline]
    pub(super) fn find(&self, node: u32, segment: &Segment, path: &[u8]) -> Option<Place> {
        let start = home(node, segment, self.homes);
        for (edge, reach) in self.table[start..].iter().zip(1..) {
            if edge.node == node && edge.words[0] == segment.words[0] && self.is(edge, segment, path) {
                return Some(edge.to);
            }
            if u32::from(edge.reach) < reach {
                return None;
            }
        }
        None
    }

    /// Whether the rest of the text is the same.
    #[inline]
    fn is(&self, edge: &Static, segment: &Segment, path: &[u8]) -> bool {
        if u32::from(edge.len) != segment.len() {
            return false;
        }
        if edge.len <= INLINE_MAX {
            return edge.words[1] == segment.words[1];
        }
        #[expect(clippy::cast_possible_truncation, reason = "`Texts` made it of a usize")]
        let text = edge.words[1] as usize;
        self.texts[text..text + usize::from(edge.len)] == path[segment.start as usize..segment.end as usize]
    }

    pub(super) fn heap_bytes(&self) -> usize {
        mem::size_of_val(&*self.table) + self.texts.len()
    }
}

#[inline]
fn home(node: u32, segment: &Segment, homes: usize) -> usize {
    hash::place(hash::mix(segment.hash, u64::from(node)), homes)
}

impl Static {
    /// No node has this number, so nothing is found here.
    const FREE: Self = Self { words: [0; 2], node: u32::MAX, to: Place { node: 0, before: 0 }, len: 0, reach: 0 };

    fn new<'a>(node: u32, text: &'a str, to: Place, segment: &Segment, texts: &mut Texts<'a>) -> Self {
        // Endpoints have a few thousand characters at most.
        let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let [first, second] = segment.words;
        let second = if len <= INLINE_MAX { second } else { texts.place(text) };
        Self { words: [first, second], node, to, len, reach: 1 }
    }
}

/// Puts an edge at home or behind it, and moves on those that are nearer to their own homes.
fn insert(table: &mut Vec<Static>, home: usize, mut edge: Static) {
    let mut place = home;
    while table[place].reach > 0 {
        if table[place].reach < edge.reach {
            mem::swap(&mut table[place], &mut edge);
        }
        // What does not grow any more is still found: a search goes on past equals.
        edge.reach = edge.reach.saturating_add(1);
        place += 1;
        if place + 1 == table.len() {
            table.push(Static::FREE);
        }
    }
    table[place] = edge;
}

/// Long texts one after the other, each once.
#[derive(Default)]
struct Texts<'a> {
    bytes: Vec<u8>,
    places: HashMap<&'a str, u64>,
}

impl<'a> Texts<'a> {
    fn place(&mut self, text: &'a str) -> u64 {
        let Self { bytes, places } = self;
        *places.entry(text).or_insert_with(|| {
            bytes.extend_from_slice(text.as_bytes());
            (bytes.len() - text.len()) as u64
        })
    }
}
