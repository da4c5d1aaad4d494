//! What was seen of one operation's requests.

use std::sync::Arc;

use demilune_traffic::Hour;

use super::{
    body,
    field::{Field, Step},
    fields::{FieldLimits, Fields},
    key::{FieldHash, LearnKey},
    name,
    published::Published,
    supporter::{Supporter, Supporters},
    tally::{Sighting, Tally},
};
use crate::validate::{percent, query};

/// How many supporters of the whole are told apart.
pub(super) const CROWD_MAX: usize = 64;
/// Most pairs of one query that are looked at.
const PAIRS_MAX: usize = 256;

pub(super) const PARAMETER_LIMITS: FieldLimits = FieldLimits { bytes_max: 96 << 10, count_max: 192 };
pub(super) const BODY_LIMITS: FieldLimits = FieldLimits { bytes_max: 416 << 10, count_max: 512 };

/// What was seen of one operation's requests: counts, sets of the smallest hashes, and histograms. It is the same for
/// the same requests, in whatever order they came and however they were split over parts that were then merged.
///
/// Names are kept as text where they look like names, values where they look like a programmer's words; of everything
/// else there are keyed hashes, lengths and sizes.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub(super) published: Arc<Published>,
    pub(crate) requests: Tally,
    pub(super) crowd: Supporters<CROWD_MAX>,
    /// Bodies that were read.
    pub(crate) bodies: Tally,
    /// Bodies that were no JSON, or in which a name stood twice.
    pub(super) unreadable: u64,
    /// Query parameters that are not kept, since their names look like data.
    pub(crate) unnamed: Tally,
    pub(crate) parameters: Fields,
    pub(crate) body: Fields,
}

impl PartialEq for Evidence {
    /// What was seen; not which places are kept first from now on.
    fn eq(&self, other: &Self) -> bool {
        self.requests == other.requests
            && self.crowd == other.crowd
            && self.bodies == other.bodies
            && self.unreadable == other.unreadable
            && self.unnamed == other.unnamed
            && self.parameters == other.parameters
            && self.body == other.body
    }
}

impl Evidence {
    /// The bytes that evidence accounts for at most.
    pub const BYTES_MAX: usize = PARAMETER_LIMITS.bytes_max + BODY_LIMITS.bytes_max;
    /// Longest body that is looked at, in bytes.
    pub const BODY_BYTES_MAX: usize = 64 << 10;

    /// Nothing seen yet. Places in `published` are kept first where there is no room for all; evidence merges exactly
    /// with other evidence that was filled with the same ones.
    #[must_use]
    pub fn new(published: Arc<Published>) -> Self {
        Self {
            published,
            requests: Tally::EMPTY,
            crowd: Supporters::EMPTY,
            bodies: Tally::EMPTY,
            unreadable: 0,
            unnamed: Tally::EMPTY,
            parameters: Fields::new(PARAMETER_LIMITS),
            body: Fields::new(BODY_LIMITS),
        }
    }

    /// One request that succeeded: the values of the endpoint's variables in their order, as they stand in the path,
    /// and the query as it was sent, without `?`.
    pub fn observe(
        &mut self,
        key: &LearnKey,
        hour: Hour,
        supporter: Supporter,
        variables: &[&str],
        query: Option<&str>,
    ) {
        let sighting = Sighting { supporter, hour: hours(hour) };
        self.requests.add(sighting);
        self.crowd.insert(supporter);
        for (position, value) in (0_u16..).zip(variables) {
            let new = || Field::new(FieldHash::ROOT, Step::Variable(position), 0, true);
            let value = String::from_utf8_lossy(&percent::decode(value.as_bytes())).into_owned();
            self.parameters.change(FieldHash::variable(position), new, |field| {
                field.seen.add(sighting);
                field.add_parameter(key, &value, sighting);
            });
        }
        if let Some(query) = query {
            self.observe_query(key, sighting, query);
        }
    }

    fn observe_query(&mut self, key: &LearnKey, sighting: Sighting, query: &str) {
        // In this request: each place, and whether it has stood more than once.
        let mut met: Vec<(FieldHash, bool)> = Vec::new();
        for pair in query::pairs(query).take(PAIRS_MAX) {
            if !name::is_name(&pair.name) {
                self.unnamed.add(sighting);
                continue;
            }
            let place = key.query(&pair.name);
            let before = met.iter_mut().find(|(met, _)| *met == place);
            let new =
                || Field::new(FieldHash::ROOT, Step::Query((&*pair.name).into()), 1, self.published.contains(place));
            let value = percent::decode_form(pair.value.as_bytes());
            let value = String::from_utf8_lossy(&value);
            self.parameters.change(place, new, |field| {
                match &before {
                    None => field.seen.add(sighting),
                    Some((_, false)) => field.repeated.add(sighting),
                    Some(_) => {}
                }
                field.add_parameter(key, &value, sighting);
            });
            match before {
                Some((_, is_repeated)) => *is_repeated = true,
                None => met.push((place, false)),
            }
        }
    }

    /// The JSON body of such a request, of at most [`Self::BODY_BYTES_MAX`], that was chosen to be learned from.
    pub fn observe_body(&mut self, key: &LearnKey, hour: Hour, supporter: Supporter, bytes: &[u8]) {
        let sighting = Sighting { supporter, hour: hours(hour) };
        match body::read(bytes) {
            Some(tape) => {
                self.bodies.add(sighting);
                self.crowd.insert(supporter);
                body::observe(&mut self.body, key, &self.published, sighting, &tape);
            }
            None => self.unreadable = self.unreadable.saturating_add(1),
        }
    }

    /// Requests seen.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.count
    }

    /// Bodies read.
    #[must_use]
    pub fn bodies(&self) -> u64 {
        self.bodies.count
    }

    /// Bodies that were no JSON, or in which a name stood twice.
    #[must_use]
    pub fn unreadable_bodies(&self) -> u64 {
        self.unreadable
    }

    /// Grows with everything that is seen, so that of two copies the later one has the higher number.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.requests.count.saturating_add(self.bodies.count).saturating_add(self.unreadable)
    }

    /// Whether nothing was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sequence() == 0
    }

    /// The bytes that it accounts for, at most [`Self::BYTES_MAX`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.parameters.bytes() + self.body.bytes()
    }

    /// Whether there was no room for every place that was seen.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.parameters.cut.is_some() || self.body.cut.is_some()
    }

    /// Adds what was seen elsewhere: associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        self.requests.merge(&other.requests);
        self.crowd.merge(&other.crowd);
        self.bodies.merge(&other.bodies);
        self.unreadable = self.unreadable.saturating_add(other.unreadable);
        self.unnamed.merge(&other.unnamed);
        self.parameters.merge(&other.parameters);
        self.body.merge(&other.body);
    }

    /// The first and the last hour in which something was seen, in hours since 1970.
    pub(crate) fn span(&self) -> (u32, u32) {
        (self.requests.first.min(self.bodies.first), self.requests.last.max(self.bodies.last))
    }
}

/// Hours since 1970; those after the year 490,000 are one.
fn hours(hour: Hour) -> u32 {
    u32::try_from(hour.start() / Hour::SECONDS).unwrap_or(u32::MAX - 1).min(u32::MAX - 1)
}
