//! Folds a host's tree into templates.

use std::collections::BTreeMap;

use demilune_inventory::Method;

use crate::{
    Part, Reason, Shape,
    pattern::{Segment, Stem},
    siblings::word_values,
    sightings::Only,
    tree::{Child, Node, Stats, VALUE_CALLERS_MIN},
};

/// A template and what was seen of it.
pub(crate) struct Folded {
    pub(crate) parts: Vec<Part>,
    pub(crate) method: Method,
    pub(crate) stats: Stats,
}

/// The templates of a tree.
pub(crate) fn fold(root: Node, requests_min: u64) -> Vec<Folded> {
    let mut found = Vec::new();
    below(root, requests_min, &mut Vec::new(), &mut found);
    found
}

fn below(mut node: Node, requests_min: u64, parts: &mut Vec<Part>, found: &mut Vec<Folded>) {
    let ends = std::mem::take(&mut node.ends);
    found.extend(ends.into_iter().map(|(method, stats)| Folded { parts: parts.clone(), method, stats: *stats }));
    let mut of_suffix: BTreeMap<String, BTreeMap<Segment, Box<Child>>> = BTreeMap::new();
    for (edge, child) in node.children {
        of_suffix.entry(edge.suffix.clone()).or_default().insert(edge, child);
    }
    for (suffix, mut edges) in of_suffix {
        let variable = take_variable(&mut edges, &suffix, requests_min);
        for (edge, child) in edges {
            let (text, reason) = match (&edge.stem, &child.only) {
                (Stem::Word(word), _) => (word.as_str(), Reason::Word),
                (Stem::Value(_), Some(Only::One(one))) => (&**one, Reason::OnlyValue),
                // Every other value is part of the variable.
                (Stem::Value(_), _) => continue,
            };
            parts.push(Part::literal(format!("{text}{suffix}"), reason, child.all.requests));
            below(child.node, requests_min, parts, found);
            parts.pop();
        }
        if let Some((part, child)) = variable {
            parts.push(part);
            below(child.node, requests_min, parts, found);
            parts.pop();
        }
    }
}

/// Takes out what a variable at this place stands for.
fn take_variable(edges: &mut BTreeMap<Segment, Box<Child>>, suffix: &str, requests_min: u64) -> Option<(Part, Child)> {
    let is_value = |child: &Child| child.only == Some(Only::Many) || child.all.callers.count_ones() < VALUE_CALLERS_MIN;
    let of_values = |(edge, child): (&Segment, &Child)| match edge.stem {
        Stem::Value(_) => is_value(child).then_some(child.all.requests),
        Stem::Word(_) => None,
    };
    let ids: u64 = edges.iter().map(|(edge, child)| (edge, &**child)).filter_map(of_values).sum();
    let words = word_values(edges, ids >= requests_min, requests_min);
    let mut shapes: BTreeMap<Shape, u64> = BTreeMap::new();
    let mut sum: Option<Child> = None;
    let goes = |edge: &Segment, child: &Child| match edge.stem {
        // Where there is a variable, a value that is the only one of its shape is one of it.
        Stem::Value(_) => is_value(child) || ids > 0,
        Stem::Word(_) => words.words.contains(edge),
    };
    let going: Vec<Segment> =
        edges.iter().filter(|(edge, child)| goes(edge, child)).map(|(edge, _)| edge.clone()).collect();
    for edge in going {
        let Some(child) = edges.remove(&edge) else { continue };
        let shape = match edge.stem {
            Stem::Value(shape) => shape,
            Stem::Word(_) => Shape::Word,
        };
        *shapes.entry(shape).or_default() += child.all.requests;
        match &mut sum {
            Some(sum) => sum.merge(*child),
            None => sum = Some(*child),
        }
    }
    let sum = sum?;
    let of_words = shapes.get(&Shape::Word).copied().unwrap_or_default();
    let reason = words.reason.filter(|_| of_words > ids).unwrap_or(Reason::Ids);
    Some((Part::variable(suffix.to_owned(), reason, sum.all.requests, shapes, words.words.len()), sum))
}
