//! Finds the most specific of many host patterns for a live host.

use std::mem;

use super::{
    fits::{host_fits, is_variable},
    hash,
};
use crate::Host;

/// Host patterns, each with a value. A host without variables comes before patterns; of two patterns that fit the same
/// host, the one with more literal labels comes first, then the one that is literal further left.
///
/// ```
/// use demilune_inventory::HostTable;
///
/// let table = HostTable::build([("{x}.example.com".parse()?, "any"), ("www.example.com".parse()?, "www")]);
/// assert_eq!(table.find("www.example.com"), Some(&"www"));
/// assert_eq!(table.find("api.example.com"), Some(&"any"));
/// assert_eq!(table.find("example.com"), None);
/// # Ok::<(), demilune_inventory::HostError>(())
/// ```
#[derive(Debug)]
pub struct HostTable<T> {
    entries: Box<[Entry<T>]>,
    /// Numbers of entries, open addressing with linear probing, at most half full.
    slots: Box<[u32]>,
    /// The shapes that occur, preferred first. Each takes one probe.
    shapes: Box<[Shape]>,
}

#[derive(Debug)]
struct Entry<T> {
    host: Host,
    shape: Shape,
    value: T,
}

/// Which labels of a pattern are variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Shape {
    /// No live host is fitted by patterns of different lengths.
    pub(super) labels: u32,
    /// Fewer variables come first.
    variables: u32,
    /// A bit for each label, the leftmost highest, set for variables: the lower number is literal further left. 255
    /// characters hold 128 labels at most.
    places: u128,
}

/// No entry.
const FREE: u32 = u32::MAX;

impl<T> HostTable<T> {
    /// Compiles the patterns. Of two equal ones the first stays.
    pub fn build(patterns: impl IntoIterator<Item = (Host, T)>) -> Self {
        let mut entries: Vec<_> = patterns.into_iter().map(|(host, value)| Entry::new(host, value)).collect();
        entries.sort_by(|a, b| (a.shape, &a.host).cmp(&(b.shape, &b.host)));
        entries.dedup_by(|later, first| later.host == first.host);
        let mut shapes: Vec<_> = entries.iter().map(|entry| entry.shape).filter(Shape::has_variables).collect();
        shapes.dedup();
        Self { slots: slots(&entries), entries: entries.into(), shapes: shapes.into() }
    }

    /// The value of the most specific pattern that fits a live host, which comes in lower case and without port.
    #[must_use]
    pub fn find(&self, host: &str) -> Option<&T> {
        self.matches(host).next()
    }

    /// The values of all patterns that fit, the most specific first.
    pub fn matches<'a>(&'a self, host: &str) -> impl Iterator<Item = &'a T> {
        self.probe(host, Shape::LITERAL).into_iter().chain(self.matches_with_variables(host))
    }

    fn matches_with_variables<'a>(&'a self, host: &str) -> impl Iterator<Item = &'a T> {
        // Most tables have no variables, and then nobody asks for the number of labels.
        let labels = if self.shapes.is_empty() { 0 } else { label_count(host) };
        let shapes = self.shapes.iter().filter(move |shape| shape.labels == labels);
        shapes.filter_map(move |shape| self.probe(host, *shape))
    }

    /// The value of the pattern of this shape that fits. There is one at most.
    fn probe(&self, host: &str, shape: Shape) -> Option<&T> {
        let start = hash::place(shape.hash(host), self.slots.len());
        for slot in self.slots[start..].iter().chain(&self.slots[..start]) {
            let entry = self.entries.get(*slot as usize)?;
            if entry.shape == shape && entry.fits(host) {
                return Some(&entry.value);
            }
        }
        None
    }

    /// What the table holds on the heap, without what values hold there.
    pub(super) fn heap_bytes(&self) -> usize {
        let texts: usize = self.entries.iter().map(|entry| entry.host.as_str().len()).sum();
        texts + mem::size_of_val(&*self.entries) + mem::size_of_val(&*self.slots) + mem::size_of_val(&*self.shapes)
    }
}

impl<T> Entry<T> {
    fn new(host: Host, value: T) -> Self {
        Self { shape: Shape::of(&host), host, value }
    }

    fn fits(&self, host: &str) -> bool {
        if self.shape.has_variables() { host_fits(&self.host, host) } else { self.host.as_str() == host }
    }
}

impl Shape {
    /// Shared by all hosts without variables, whose number of labels does not matter.
    pub(super) const LITERAL: Self = Self { labels: 0, variables: 0, places: 0 };

    pub(super) fn of(host: &Host) -> Self {
        let places = host.as_str().split('.').fold(0, |places, label| places << 1 | u128::from(is_variable(label)));
        if places == 0 {
            return Self::LITERAL;
        }
        Self { labels: label_count(host.as_str()), variables: places.count_ones(), places }
    }

    pub(super) fn has_variables(&self) -> bool {
        self.places != 0
    }

    /// A hash of the literal labels: the same for a pattern of this shape and the hosts it fits.
    #[inline]
    fn hash(self, host: &str) -> u64 {
        if !self.has_variables() {
            return hash::of_bytes(host.as_bytes());
        }
        let places = (0..self.labels).rev().map(|place| self.places >> place & 1 == 1);
        let literals = host.split('.').zip(places).filter(|(_, variable)| !variable);
        literals.fold(0, |hash, (label, _)| hash::mix_bytes(hash, label.as_bytes()))
    }
}

fn label_count(host: &str) -> u32 {
    host.bytes().fold(1, |labels, byte| labels + u32::from(byte == b'.'))
}

fn slots<T>(entries: &[Entry<T>]) -> Box<[u32]> {
    let mut slots = vec![FREE; entries.len() * 2 + 1];
    for (number, entry) in (0..).zip(entries) {
        let mut place = hash::place(entry.shape.hash(entry.host.as_str()), slots.len());
        while slots[place] != FREE {
            place = (place + 1) % slots.len();
        }
        slots[place] = number;
    }
    slots.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(patterns: &[&str], host: &str, expected: &[&str]) {
        let reversed: Vec<_> = patterns.iter().rev().copied().collect();
        for patterns in [patterns, &reversed] {
            let table = HostTable::build(patterns.iter().map(|pattern| (pattern.parse().unwrap(), *pattern)));
            assert_eq!(table.matches(host).copied().collect::<Vec<_>>(), expected, "{host}");
            assert_eq!(table.find(host), expected.first(), "{host}");
        }
    }

    #[test]
    fn a_host_without_variables_comes_first() {
        check(&["{a}.b", "x.b", "{a}.{c}"], "x.b", &["x.b", "{a}.b", "{a}.{c}"]);
        check(&["{a}.b", "x.b"], "y.b", &["{a}.b"]);
        check(&["x.b"], "y.b", &[]);
    }

    #[test]
    fn more_literal_labels_then_those_further_left_come_first() {
        let patterns = ["{a}.{b}.{c}", "x.{b}.{c}", "{a}.y.{c}", "{a}.{b}.z", "x.y.{c}", "x.{b}.z", "{a}.y.z"];
        let sorted = ["x.y.{c}", "x.{b}.z", "{a}.y.z", "x.{b}.{c}", "{a}.y.{c}", "{a}.{b}.z", "{a}.{b}.{c}"];
        check(&patterns, "x.y.z", &sorted);
    }

    #[test]
    fn a_variable_takes_one_label_that_is_not_empty() {
        check(&["{a}.b", "{a}.{c}.b"], "x.y.b", &["{a}.{c}.b"]);
        check(&["{a}.b"], ".b", &[]);
        check(&["{a}.b"], "b", &[]);
        check(&["{a}"], "", &[]);
    }

    #[test]
    fn a_pattern_is_no_host() {
        check(&["{hostVar1}.b"], "{hostVar1}.c", &[]);
        check(&[], "a", &[]);
    }

    #[test]
    fn of_equal_patterns_the_first_stays() {
        let table = HostTable::build([("{a}.b".parse().unwrap(), 1), ("{c}.b".parse().unwrap(), 2)]);
        assert_eq!(table.find("x.b"), Some(&1));
    }

    #[test]
    fn the_most_labels_a_host_can_have_are_told_apart() {
        let many = |first: &str, last: &str| format!("{first}.{}{last}", "a.".repeat(126));
        let longest = many("{b}", "b");
        assert!(longest.parse::<Host>().is_err(), "variables take more characters than labels");
        let host = many("b", "b");
        check(&[&host], &host, &[&host]);
        let pattern = format!("{{hostVar1}}.{}b", "a.".repeat(121));
        check(&[&pattern], &pattern.replace("{hostVar1}", "x"), &[&pattern]);
    }
}
