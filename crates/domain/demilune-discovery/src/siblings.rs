//! Which words below one parent are values of a variable.
//!
//! Values of a variable differ from names in an interface in three ways. There is no end of them: among many requests
//! some values were seen only once or twice. There are more of them than anybody would write down. And what lies below
//! them is the same: whether somebody asks for `orders` or `profile` does not depend on whose they are, whereas what
//! lies below `users` and below `health` has little in common.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::Method;

use crate::{
    Reason,
    pattern::{Segment, Stem},
    tree::Child,
};

/// A word that was sent so seldom is one of a tail.
const RARE_REQUESTS: u64 = 2;
/// So many rare words, being this part of all words, are a tail that no list of names has.
const RARE_MIN: usize = 12;
const RARE_SHARE: f64 = 0.15;
/// More words than an interface has names in one place.
const MANY: usize = 200;
/// So many words with the same below them, in the same proportions, are values.
const ALIKE_MIN: usize = 12;
/// What may lie below them then: at least so many ways on.
const WAYS_MIN: usize = 2;
/// Words with digits, capitals or several hyphens among them, of which this part must be such.
const DATA_MIN: usize = 8;
const DATA_SHARE: f64 = 0.6;
/// From so many requests on, what lies below a word must be like what lies below the others.
const JUDGED_REQUESTS: u64 = 50;
/// Half the sum of the differences of two distributions beyond which they are not alike.
const DISTANCE_MAX: f64 = 0.5;
/// The same for words that are values because they are alike.
const CLOSE_MAX: f64 = 0.25;

/// What of some words are values, and by which rule; without one, they are those that are as rare as ids beside them.
pub(crate) struct Values {
    pub(crate) words: BTreeSet<Segment>,
    pub(crate) reason: Option<Reason>,
}

/// A way on below a word: a method where a path ends, or the next segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    End(Method),
    Word(String),
    /// Values, and words that few siblings share.
    Other,
}

type Profile = BTreeMap<Way, u64>;

/// Decides on the words among siblings, beside which so many requests had ids.
pub(crate) fn word_values(siblings: &BTreeMap<Segment, Child>, ids: u64) -> Values {
    let is_word = |edge: &Segment| matches!(edge.stem, Stem::Word(_));
    let words: BTreeMap<&Segment, &Child> = siblings.iter().filter(|(edge, _)| is_word(edge)).collect();
    let profiles = profiles(&words);
    // What lies below most words; those with much below them say no more about it than those with little.
    let typical = typical(&profiles);
    let distance = |edge: &Segment| profiles.get(edge).map_or(1.0, |profile| distance(profile, &typical));
    let requests = |edge: &Segment| words.get(edge).map_or(0, |child| child.all.requests);
    let alike: BTreeSet<&Segment> = words
        .keys()
        .copied()
        .filter(|edge| requests(edge) < JUDGED_REQUESTS || distance(edge) <= DISTANCE_MAX)
        .collect();
    let rare = alike.iter().filter(|edge| requests(edge) <= RARE_REQUESTS).count();
    let data = alike.iter().filter(|edge| looks_like_data(edge)).count();
    let part = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    let close = words.keys().filter(|edge| distance(edge) <= CLOSE_MAX).count();
    let reason = if rare >= RARE_MIN && part(rare, alike.len()) >= RARE_SHARE {
        Some(Reason::Tail)
    } else if alike.len() >= MANY {
        Some(Reason::Many)
    } else if data >= DATA_MIN && part(data, alike.len()) >= DATA_SHARE {
        Some(Reason::Data)
    } else if close >= ALIKE_MIN
        && part(close, words.len()) >= DATA_SHARE
        && typical.len() >= WAYS_MIN
        && typical.keys().any(|way| matches!(way, Way::Word(_)))
    {
        Some(Reason::Alike)
    } else {
        None
    };
    // Beside ids, words that are sent as seldom as any one id are values too.
    let is_seldom = |edge: &Segment| requests(edge) <= RARE_REQUESTS && requests(edge).saturating_mul(100) < ids;
    let goes = |edge: &&Segment| reason.is_some() || is_seldom(edge);
    Values { words: alike.into_iter().filter(goes).cloned().collect(), reason }
}

fn profiles<'w>(words: &BTreeMap<&'w Segment, &Child>) -> BTreeMap<&'w Segment, Profile> {
    let mut shared: BTreeMap<&str, usize> = BTreeMap::new();
    for child in words.values() {
        for edge in child.node.children.keys() {
            if let Stem::Word(word) = &edge.stem {
                *shared.entry(word).or_default() += 1;
            }
        }
    }
    let enough = (words.len() / 20).max(2);
    let way = |edge: &Segment, child: &Child| match &edge.stem {
        // A name that only one sibling has is a way of its own, if many took it.
        Stem::Word(word)
            if shared.get(word.as_str()).is_some_and(|count| *count >= enough)
                || child.all.requests >= JUDGED_REQUESTS =>
        {
            Way::Word(format!("{word}{}", edge.suffix))
        }
        _ => Way::Other,
    };
    let profile = |child: &Child| {
        let mut profile = Profile::new();
        for (method, stats) in &child.node.ends {
            *profile.entry(Way::End(*method)).or_default() += stats.requests;
        }
        for (edge, below) in &child.node.children {
            *profile.entry(way(edge, below)).or_default() += below.all.requests;
        }
        profile
    };
    words.iter().map(|(edge, child)| (*edge, profile(child))).collect()
}

/// The sum of the profiles, each cut to a length that no single word outweighs the others by.
fn typical(profiles: &BTreeMap<&Segment, Profile>) -> Profile {
    let mut typical = Profile::new();
    for profile in profiles.values() {
        let total: u64 = profile.values().sum();
        for (way, count) in profile {
            let share = if total > JUDGED_REQUESTS { count.saturating_mul(JUDGED_REQUESTS) / total } else { *count };
            *typical.entry(way.clone()).or_default() += share;
        }
    }
    typical.retain(|_, count| *count > 0);
    typical
}

/// Half the sum of the differences of shares: 0 for equal distributions, 1 for those with nothing in common.
fn distance(one: &Profile, other: &Profile) -> f64 {
    let total = |profile: &Profile| profile.values().sum::<u64>().max(1) as f64;
    let (one_total, other_total) = (total(one), total(other));
    let ways: BTreeSet<&Way> = one.keys().chain(other.keys()).collect();
    let share = |profile: &Profile, way: &Way, total: f64| profile.get(way).copied().unwrap_or(0) as f64 / total;
    let differs = |way: &&Way| (share(one, way, one_total) - share(other, way, other_total)).abs();
    ways.iter().map(differs).sum::<f64>() / 2.0
}

/// Whether a word is one that people and programs give to things of theirs.
fn looks_like_data(edge: &Segment) -> bool {
    let Stem::Word(word) = &edge.stem else { return false };
    let is_version =
        word.strip_prefix('v').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()));
    let hyphens = word.matches('-').count();
    !is_version && (word.bytes().any(|byte| byte.is_ascii_digit()) || hyphens >= 2 || is_capitalized(word))
}

fn is_capitalized(word: &str) -> bool {
    word.split(['-', '_', '.']).all(|part| part.starts_with(|letter: char| letter.is_ascii_uppercase()))
        && word.contains(['-', '_', '.'])
}
