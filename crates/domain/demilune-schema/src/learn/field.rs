//! One place in requests, and everything that was seen there.

use super::{
    class::Class,
    key::{FieldHash, LearnKey},
    spread::Spread,
    tally::{Sighting, Tallies, Tally},
    values::Values,
};

/// What leads from one place to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A variable of the path, by its position.
    Variable(u16),
    /// A parameter of the query.
    Query(Box<str>),
    /// The body as a whole.
    Body,
    /// A member of an object.
    Member(Box<str>),
    /// The items of an array.
    Items,
}

/// Which places go first where there is no room for all: published ones, then those near the root, then by hash.
pub(crate) type Rank = (bool, u8, FieldHash);

/// What was seen in one place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(super) parent: FieldHash,
    pub(crate) step: Step,
    /// Steps from the root: 0 for variables, 1 for parameters and bodies.
    pub(crate) depth: u8,
    pub(super) is_published: bool,
    /// How often it was there: requests for a parameter, objects for a member, items for items.
    pub(crate) seen: Tally,
    /// Requests in which a parameter stood more than once.
    pub(crate) repeated: Tally,
    /// Members of this object that are not kept, since their names look like data.
    pub(crate) unnamed: Tally,
    /// What its values were.
    pub(crate) classes: Tallies<Class>,
    /// Numbers, rounded down, also those in parameters.
    pub(crate) numbers: Spread,
    /// Lengths of texts in characters.
    pub(crate) lengths: Spread,
    /// Numbers of items of arrays.
    pub(crate) sizes: Spread,
    pub(crate) values: Values,
    /// What it counted for when it was last looked at.
    pub(super) charged: usize,
}

/// What a field's weight follows from: as long as this stays, that does.
pub(super) type Shape = [usize; 8];

impl Field {
    /// The deepest place: eight steps below the body.
    pub(crate) const DEPTH_MAX: u8 = 9;

    pub(super) fn new(parent: FieldHash, step: Step, depth: u8, is_published: bool) -> Self {
        Self {
            parent,
            step,
            depth,
            is_published,
            seen: Tally::EMPTY,
            repeated: Tally::EMPTY,
            unnamed: Tally::EMPTY,
            classes: Tallies::default(),
            numbers: Spread::default(),
            lengths: Spread::default(),
            sizes: Spread::default(),
            values: Values::default(),
            charged: 0,
        }
    }

    pub(super) fn shape(&self) -> Shape {
        let Self { classes, numbers, lengths, sizes, values, .. } = self;
        let [numbers, lengths, sizes] =
            [numbers, lengths, sizes].map(|spread| (spread.buckets.0.len(), spread.level.into()));
        [classes.0.len(), numbers.0, numbers.1, lengths.0, lengths.1, sizes.0, sizes.1, values.weight()]
    }

    pub(super) fn rank(&self, hash: FieldHash) -> Rank {
        (!self.is_published, self.depth, hash)
    }

    /// The bytes that it counts for: about what it takes, and never less after a merge than before it.
    pub(super) fn bytes(&self) -> usize {
        const FIELD: usize = 280;
        const TALLY: usize = 40;
        const VALUE: usize = 64;
        let buckets = self.numbers.weight() + self.lengths.weight() + self.sizes.weight();
        FIELD + TALLY * (self.classes.0.len() + buckets) + VALUE * self.values.weight()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.is_published |= other.is_published;
        self.seen.merge(&other.seen);
        self.repeated.merge(&other.repeated);
        self.unnamed.merge(&other.unnamed);
        self.classes.merge(&other.classes);
        self.numbers.merge(&other.numbers);
        self.lengths.merge(&other.lengths);
        self.sizes.merge(&other.sizes);
        self.values.merge(&other.values);
    }

    /// A value of the path or the query, decoded: its numbers count, since they may be what it is.
    pub(super) fn add_parameter(&mut self, key: &LearnKey, value: &str, sighting: Sighting) {
        let class = self.add_text(key, value, sighting);
        let number = match class {
            Class::IntegerText => value.parse().ok(),
            Class::DecimalText => value.parse().ok().map(floor),
            _ => None,
        };
        if let Some(number) = number {
            self.numbers.add(number, sighting);
        }
    }

    /// A text, and what it looks like.
    pub(super) fn add_text(&mut self, key: &LearnKey, text: &str, sighting: Sighting) -> Class {
        let class = Class::of_text(text);
        self.classes.add(class, sighting);
        self.lengths.add(i64::try_from(text.chars().count()).unwrap_or(i64::MAX), sighting);
        self.values.add(key.value(text.as_bytes()), Some(text), sighting);
        class
    }

    /// A number of a body.
    pub(super) fn add_number(&mut self, key: &LearnKey, number: &serde_json::Number, sighting: Sighting) {
        let (class, whole) = match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => (Class::Integer, integer),
            (None, double) => (Class::Number, floor(double.unwrap_or(0.0))),
        };
        self.classes.add(class, sighting);
        self.numbers.add(whole, sighting);
        let bytes = match class {
            Class::Integer => whole.to_le_bytes(),
            _ => number.as_f64().unwrap_or(0.0).to_le_bytes(),
        };
        self.values.add(key.value(&bytes), None, sighting);
    }
}

/// The whole number below; those beyond 64 bits become the ends of their range.
#[expect(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
fn floor(number: f64) -> i64 {
    number.floor() as i64
}
