//! What lies below a segment, as shares of its requests, and how like two of these are.

use std::collections::{BTreeMap, BTreeSet};

use crate::{pattern::Segment, tree::Child};

/// More names than that, which several siblings share, are values themselves.
const NAMES_MAX: usize = 150;
/// A name is shared if one in so many siblings has it, and at least so many.
const SHARED_ONE_IN: usize = 20;
const SHARED_MIN: usize = 2;
/// How often the distance that chance alone makes is allowed for.
const CHANCE: f64 = 1.5;
/// The mean deviation of a normal distribution, √(2÷π), half of which counts on each side.
const MEAN_DEVIATION: f64 = 0.4;
/// From so many requests on, it says something if all went the same way.
const JUDGED_SAMPLES: u64 = 8;
/// Stands for values, and for words that few siblings share.
const OTHER: &str = "*";

/// How often each way on was taken: the method where a path ends, or the next two segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile(BTreeMap<String, u64>);

/// The profile that most siblings have.
pub(crate) struct Typical {
    profile: Profile,
    total: f64,
    /// The sum of √(p(1−p)) over its shares p.
    spread: f64,
}

/// The names in the two levels below some siblings that are ways of their own.
pub(crate) struct Names<'s> {
    levels: [BTreeMap<&'s str, usize>; 2],
    requests_min: u64,
}

impl<'s> Names<'s> {
    /// Those that several siblings share, or that are as frequent as operations are.
    pub(crate) fn of(siblings: &'s BTreeMap<Segment, Box<Child>>, requests_min: u64) -> Self {
        let mut levels: [BTreeMap<&str, usize>; 2] = Default::default();
        for child in siblings.values() {
            let first: BTreeSet<&str> = child.node.children.keys().filter_map(Segment::word).collect();
            let below = child.node.children.values().flat_map(|child| child.node.children.keys());
            let second: BTreeSet<&str> = below.filter_map(Segment::word).collect();
            for (level, words) in levels.iter_mut().zip([first, second]) {
                for word in words {
                    *level.entry(word).or_default() += 1;
                }
            }
        }
        let enough = (siblings.len() / SHARED_ONE_IN).max(SHARED_MIN);
        for level in &mut levels {
            level.retain(|_, count| *count >= enough);
            if level.len() > NAMES_MAX {
                level.clear();
            }
        }
        Self { levels, requests_min }
    }

    fn name(&self, level: usize, edge: &'s Segment, child: &Child) -> &'s str {
        let is_shared = |word: &str| self.levels.get(level).is_some_and(|level| level.contains_key(word));
        let is_frequent = child.all.requests >= self.requests_min;
        edge.word().filter(|word| is_shared(word) || is_frequent).unwrap_or(OTHER)
    }

    /// The profile of one of the siblings.
    pub(crate) fn profile(&self, child: &'s Child) -> Profile {
        let mut profile = Profile::default();
        for (method, stats) in &child.node.ends {
            profile.add(method.to_string(), stats.samples);
        }
        for (edge, below) in &child.node.children {
            let first = self.name(0, edge, below);
            for (method, stats) in &below.node.ends {
                profile.add(format!("/{first} {method}"), stats.samples);
            }
            for (edge, below) in &below.node.children {
                profile.add(format!("/{first}/{}", self.name(1, edge, below)), below.all.samples);
            }
        }
        profile
    }
}

impl Profile {
    fn add(&mut self, way: String, requests: u64) {
        *self.0.entry(way).or_default() += requests;
    }

    /// Adds another, cut to so many requests.
    pub(crate) fn add_cut(&mut self, other: &Self, requests_max: u64) {
        let total: u64 = other.0.values().sum();
        for (way, count) in &other.0 {
            let cut = if total > requests_max { (count * requests_max).div_ceil(total) } else { *count };
            self.add(way.clone(), cut);
        }
    }

    fn total(&self) -> f64 {
        self.0.values().sum::<u64>().max(1) as f64
    }

    fn share(&self, way: &str, total: f64) -> f64 {
        self.0.get(way).copied().unwrap_or_default() as f64 / total
    }
}

impl Typical {
    pub(crate) fn of(profile: Profile) -> Self {
        let total = profile.total();
        let deviation = |count: &u64| {
            let share = *count as f64 / total;
            (share * (1.0 - share)).sqrt()
        };
        let spread = profile.0.values().map(deviation).sum();
        Self { profile, total, spread }
    }

    /// Whether paths end here, all of them.
    pub(crate) fn is_leaf(&self) -> bool {
        self.profile.0.keys().all(|way| !way.starts_with('/'))
    }

    /// How many names lie directly below, and which part of the requests went on by them.
    pub(crate) fn names(&self) -> (usize, f64) {
        let (mut names, mut went) = (BTreeSet::new(), 0);
        for (way, count) in &self.profile.0 {
            let name = way.strip_prefix('/').and_then(|rest| rest.split(['/', ' ']).next());
            if let Some(name) = name.filter(|name| *name != OTHER) {
                names.insert(name);
                went += count;
            }
        }
        (names.len(), went as f64 / self.total)
    }

    /// Whether a sample's distance from it is no more than this, beside what chance makes of so few requests.
    pub(crate) fn is_like(&self, sample: &Profile, distance_max: f64) -> bool {
        let by_chance = MEAN_DEVIATION * self.spread / sample.total().sqrt();
        self.distance(sample) <= distance_max + CHANCE * by_chance && !self.is_exceeded(sample, distance_max)
    }

    /// Half the sum of the differences of shares: 0 for equal distributions, 1 for those with nothing in common.
    fn distance(&self, sample: &Profile) -> f64 {
        let requests = sample.total();
        let (mut differences, mut elsewhere) = (0.0, 1.0);
        for (way, count) in &sample.0 {
            let share = self.profile.share(way, self.total);
            differences += (share - *count as f64 / requests).abs();
            elsewhere -= share;
        }
        f64::midpoint(differences, elsewhere)
    }

    /// Whether one way has far more of a sample's requests. Where there are many ways, few requests may be far from
    /// typical by chance, but not all on the same way.
    fn is_exceeded(&self, sample: &Profile, distance_max: f64) -> bool {
        let requests = sample.total();
        let exceeds = |(way, count): (&String, &u64)| {
            let share = self.profile.share(way, self.total);
            let chance = CHANCE * (share * (1.0 - share) / requests).sqrt();
            *count as f64 / requests > share + distance_max + chance
        };
        sample.0.values().sum::<u64>() >= JUDGED_SAMPLES && sample.0.iter().any(exceeds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(ways: &[(&str, u64)]) -> Profile {
        Profile(ways.iter().map(|(way, count)| ((*way).to_owned(), *count)).collect())
    }

    #[test]
    fn distance_is_nothing_for_equal_shares_and_one_for_nothing_in_common() {
        let check = |one: &[(&str, u64)], other: &[(&str, u64)], expected: f64| {
            let distance = Typical::of(profile(one)).distance(&profile(other));
            assert!((distance - expected).abs() < 1e-9, "{one:?} {other:?}: {distance}");
        };
        check(&[("GET", 10)], &[("GET", 3)], 0.0);
        check(&[("GET", 10)], &[("POST", 3)], 1.0);
        check(&[("GET", 5), ("POST", 5)], &[("GET", 3)], 0.5);
    }

    #[test]
    fn few_requests_may_be_far_from_typical_but_not_all_on_one_way() {
        let ways: Vec<String> = (0..100).map(|number| format!("/{number} GET")).collect();
        let typical = Typical::of(profile(&ways.iter().map(|way| (way.as_str(), 10)).collect::<Vec<_>>()));
        let spread = profile(&ways.iter().step_by(9).map(|way| (way.as_str(), 1)).collect::<Vec<_>>());
        assert!(typical.is_like(&spread, 0.5));
        assert!(!typical.is_like(&profile(&[("/3 GET", 12)]), 0.5));
        assert!(typical.is_like(&profile(&[("/3 GET", 2)]), 0.5));
    }

    #[test]
    fn names_are_told_from_values() {
        let typical = Typical::of(profile(&[
            ("GET", 10),
            ("/orders GET", 20),
            ("/orders/* ", 10),
            ("/* GET", 10),
            ("/profile PUT", 50),
        ]));
        let (names, share) = typical.names();
        assert_eq!(names, 2);
        assert!((share - 0.8).abs() < 1e-9 && !typical.is_leaf());
    }
}
