//! The edges of all nodes that are text alone, in one table keyed by node and segment.

use std::{collections::HashMap, mem};

use super::{
    graph::{Place, number},
    hash,
    segment::{Segment, Text, WORD_BYTES},
};

/// An open-addressing table with linear probing. Each place says how far those that have their home there have moved,
/// so that a search never looks at more.
#[derive(Debug)]
pub(super) struct Statics {
    table: Box<[Slot]>,
    /// How many places are home to some hash. Those behind them take what does not find room at home.
    homes: usize,
    /// Texts of more than sixteen bytes.
    texts: Box<[u8]>,
}

/// A place in the table: half a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Slot {
    /// The text of the edge that is here. A longer one has a mark, its length and its place among the texts instead.
    word: u128,
    node: u32,
    to: Place,
    /// How many places, from here on, hold the edges whose home this is.
    span: u32,
}

/// Marks a long text: no text has a byte above 0x7f.
const LONG: u128 = 1 << (u128::BITS - 1);

impl Statics {
    /// Compiles edges, each with its node and text.
    pub(super) fn build(edges: &[(u32, &str, Place)]) -> Self {
        // With three places for an edge, two in three edges are at home, and most searches for others end there.
        let homes = edges.len() * 3 + 1;
        let mut texts = Texts::default();
        let mut slots: Vec<_> =
            edges.iter().map(|(node, text, to)| slot(*node, text, *to, &mut texts, homes)).collect();
        slots.sort_by_key(|(home, _)| *home);
        let mut table = vec![Slot::FREE; homes];
        let mut free = 0;
        for (home, slot) in slots {
            let place = free.max(home);
            free = place + 1;
            if free > table.len() {
                table.push(Slot::FREE);
            }
            table[place] = Slot { span: table[place].span, ..slot };
            table[home].span = number(free - home);
        }
        Self { table: table.into(), homes, texts: texts.bytes.into() }
    }

    /// Where a segment of a path leads from a node.
    #[inline]
    pub(super) fn find(&self, node: u32, segment: Segment, path: &Text<'_>) -> Option<Place> {
        if segment.len() > WORD_BYTES {
            return self.find_long(node, path.of(segment).as_bytes());
        }
        let wanted = path.word(segment);
        self.find_by(node, hash::of_word(wanted), |word| word == wanted)
    }

    #[inline(never)]
    fn find_long(&self, node: u32, text: &[u8]) -> Option<Place> {
        self.find_by(node, hash::of_bytes(text), |word| word >= LONG && self.long(word) == text)
    }

    #[inline]
    fn find_by(&self, node: u32, hash: u64, is: impl Fn(u128) -> bool) -> Option<Place> {
        let home = home(node, hash, self.homes);
        let slots = &self.table[home..];
        let span = slots.first()?.span as usize;
        slots.iter().take(span).find(|slot| slot.node == node && is(slot.word)).map(|slot| slot.to)
    }

    /// The text that a word stands for.
    fn long(&self, word: u128) -> &[u8] {
        #[expect(clippy::cast_possible_truncation, reason = "the two numbers that `Texts` put into it")]
        let [place, len] = [word as u32, (word >> 32) as u32];
        &self.texts[place as usize..(place + len) as usize]
    }

    pub(super) fn heap_bytes(&self) -> usize {
        mem::size_of_val(&*self.table) + self.texts.len()
    }
}

/// An edge and its home.
fn slot<'a>(node: u32, text: &'a str, to: Place, texts: &mut Texts<'a>, homes: usize) -> (usize, Slot) {
    let bytes = text.as_bytes();
    let (word, hash) = if bytes.len() > WORD_BYTES as usize {
        (texts.word(text), hash::of_bytes(bytes))
    } else {
        let word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u128::from(*byte));
        (word, hash::of_word(word))
    };
    (home(node, hash, homes), Slot { word, node, to, span: 0 })
}

#[inline]
fn home(node: u32, hash: u64, homes: usize) -> usize {
    hash::place(hash::at_node(hash, node), homes)
}

impl Slot {
    /// No node has this number, so nothing is found here.
    const FREE: Self = Self { word: 0, node: u32::MAX, to: Place { node: 0, before: 0 }, span: 0 };
}

/// Long texts one after the other, each once.
#[derive(Default)]
struct Texts<'a> {
    bytes: Vec<u8>,
    words: HashMap<&'a str, u128>,
}

impl<'a> Texts<'a> {
    fn word(&mut self, text: &'a str) -> u128 {
        let Self { bytes, words } = self;
        *words.entry(text).or_insert_with(|| {
            let place = number(bytes.len());
            bytes.extend_from_slice(text.as_bytes());
            LONG | u128::from(number(text.len())) << 32 | u128::from(place)
        })
    }
}
