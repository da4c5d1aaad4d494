//! The edges of all nodes that are text alone, in one table keyed by node and segment.

use std::{collections::HashMap, mem};

use super::{
    graph::Place,
    hash,
    segment::{Segment, Short, Text, WORD_BYTES},
};

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
    /// The text. A longer one has a mark and its place among the long texts instead.
    word: u128,
    node: u32,
    to: Place,
    len: u16,
    /// One more than the steps from home; 0 marks a free place.
    reach: u16,
}

/// Marks the place of a long text: no text has a byte above 0x7f.
const LONG: u128 = 1 << (u128::BITS - 1);

impl Statics {
    /// Compiles edges, each with its node and text.
    pub(super) fn build(edges: &[(u32, &str, Place)]) -> Self {
        // Two places for three edges keeps three in four at home or right beside it.
        let homes = edges.len() * 3 / 2 + 1;
        let mut table = vec![Static::FREE; homes + 1];
        let mut texts = Texts::default();
        for &(node, text, to) in edges {
            let mut short = Short::default();
            let Some(bytes) = Text::new(text, &mut short) else { continue };
            let segment = Segment::at(&bytes, 0);
            let hash = if segment.len() > WORD_BYTES { hash_long(text.as_bytes()) } else { segment.hash() };
            insert(&mut table, home(node, hash, homes), Static::new(node, text, to, &segment, &mut texts));
        }
        Self { table: table.into(), homes, texts: texts.bytes.into() }
    }

    /// Where a segment of a path leads from a node.
    #[inline]
    pub(super) fn find(&self, node: u32, segment: &Segment, path: &Text<'_>) -> Option<Place> {
        if segment.len() > WORD_BYTES {
            return self.find_long(node, path.of(segment));
        }
        self.find_by(node, segment.hash(), |edge| edge.word == segment.word)
    }

    #[inline(never)]
    fn find_long(&self, node: u32, text: &[u8]) -> Option<Place> {
        self.find_by(node, hash_long(text), |edge| self.is_long(edge, text))
    }

    #[inline]
    fn find_by(&self, node: u32, hash: u64, is: impl Fn(&Static) -> bool) -> Option<Place> {
        let home = home(node, hash, self.homes);
        for (edge, reach) in self.table[home..].iter().zip(1..) {
            if edge.node == node && is(edge) {
                return Some(edge.to);
            }
            if u32::from(edge.reach) < reach {
                return None;
            }
        }
        None
    }

    fn is_long(&self, edge: &Static, text: &[u8]) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "`Texts` made it of a usize, and the mark is above")]
        let place = edge.word as usize;
        edge.word >= LONG && self.texts[place..place + usize::from(edge.len)] == *text
    }

    pub(super) fn heap_bytes(&self) -> usize {
        mem::size_of_val(&*self.table) + self.texts.len()
    }
}

fn hash_long(text: &[u8]) -> u64 {
    hash::mix_bytes(0, text)
}

#[inline]
fn home(node: u32, hash: u64, homes: usize) -> usize {
    hash::place(hash::at_node(hash, node), homes)
}

impl Static {
    /// No node has this number, so nothing is found here.
    const FREE: Self = Self { word: 0, node: u32::MAX, to: Place { node: 0, before: 0 }, len: 0, reach: 0 };

    fn new<'a>(node: u32, text: &'a str, to: Place, segment: &Segment, texts: &mut Texts<'a>) -> Self {
        // Endpoints have a few thousand characters at most.
        let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let word = if segment.len() > WORD_BYTES { texts.place(text) | LONG } else { segment.word };
        Self { word, node, to, len, reach: 1 }
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
    places: HashMap<&'a str, u128>,
}

impl<'a> Texts<'a> {
    fn place(&mut self, text: &'a str) -> u128 {
        let Self { bytes, places } = self;
        *places.entry(text).or_insert_with(|| {
            bytes.extend_from_slice(text.as_bytes());
            (bytes.len() - text.len()) as u128
        })
    }
}
