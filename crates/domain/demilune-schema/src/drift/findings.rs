//! Gathers differences, each once, in order and within bounds.

use super::difference::{Comparison, Difference, NotCompared};

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings {
    differences: Vec<Difference>,
    not_compared: Vec<NotCompared>,
}

impl Findings {
    pub(super) fn add(&mut self, difference: Difference) {
        self.differences.push(difference);
    }

    pub(super) fn not_compared(&mut self, place: &str, keyword: impl Into<String>, why: &'static str) {
        self.not_compared.push(NotCompared { place: place.to_owned(), keyword: keyword.into(), why });
    }

    /// All of it in order. Of what several parts of a schema say at once, the largest count stays.
    pub(super) fn finish(self, requests: u64, bodies: u64) -> Comparison {
        let Self { mut differences, mut not_compared } = self;
        differences.sort_by(|one, other| {
            let key = |difference: &Difference| (difference.kind, difference.keyword);
            one.place
                .cmp(&other.place)
                .then_with(|| key(one).cmp(&key(other)))
                .then_with(|| other.count.cmp(&one.count))
                .then_with(|| one.location.cmp(&other.location))
        });
        differences.dedup_by(|later, earlier| {
            (&later.place, later.kind, later.keyword) == (&earlier.place, earlier.kind, earlier.keyword)
        });
        not_compared.sort_unstable();
        not_compared.dedup_by(|later, earlier| (&later.place, &later.keyword) == (&earlier.place, &earlier.keyword));
        Comparison {
            requests,
            bodies,
            differences_left_out: truncate(&mut differences, Comparison::DIFFERENCES_MAX),
            differences,
            not_compared_left_out: truncate(&mut not_compared, Comparison::NOT_COMPARED_MAX),
            not_compared,
        }
    }
}

/// Leaves out what is too much, and says how much.
fn truncate<T>(list: &mut Vec<T>, max: usize) -> usize {
    let over = list.len().saturating_sub(max);
    list.truncate(max);
    over
}
