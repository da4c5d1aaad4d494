//! The fields of an operation's requests, within a bound that does not depend on the order in which they come.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
};

use super::{
    field::{Field, Rank, Step},
    key::FieldHash,
};

/// Fields by place. Of those that were ever seen, it holds the first ones by rank, as many as have room; and since what
/// a field counts for only grows, a field that is among them in the end was so at every time, in every part: what is
/// kept is exact, and the same however requests are split over parts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fields {
    by_place: HashMap<FieldHash, Field, BuildHasherDefault<ByItself>>,
    limits: FieldLimits,
    /// What the fields count for.
    bytes: usize,
    /// The first rank for which there was no room.
    pub(crate) cut: Option<Rank>,
}

/// What fields may take together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldLimits {
    pub(super) bytes_max: usize,
    pub(super) count_max: usize,
}

impl Fields {
    pub(super) fn new(limits: FieldLimits) -> Self {
        Self { by_place: HashMap::default(), limits, bytes: 0, cut: None }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }

    pub(crate) fn get(&self, place: FieldHash) -> Option<&Field> {
        self.by_place.get(&place)
    }

    /// A field, for changes that leave what it counts for as it is.
    pub(super) fn get_mut(&mut self, place: FieldHash) -> Option<&mut Field> {
        self.by_place.get_mut(&place)
    }

    /// The fields in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (FieldHash, &Field)> {
        self.by_place.iter().map(|(place, field)| (*place, field))
    }

    /// The fields by rank: parents before their children among those that are published, and among others.
    pub(super) fn by_rank(&self) -> Vec<(FieldHash, &Field)> {
        let mut fields: Vec<_> = self.iter().collect();
        fields.sort_unstable_by_key(|(place, field)| field.rank(*place));
        fields
    }

    /// Changes a field, which is made first if there is none. Says whether it is kept.
    pub(super) fn change(
        &mut self,
        place: FieldHash,
        new: impl FnOnce() -> Field,
        change: impl FnOnce(&mut Field),
    ) -> bool {
        let field = match self.by_place.entry(place) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let field = new();
                if self.cut.is_some_and(|cut| field.rank(place) >= cut) {
                    return false;
                }
                entry.insert(field)
            }
        };
        let before = field.shape();
        change(field);
        // Nearly all changes only count.
        if field.charged > 0 && field.shape() == before {
            return true;
        }
        let bytes = field.bytes();
        self.bytes += bytes - std::mem::replace(&mut field.charged, bytes);
        self.trim();
        self.by_place.contains_key(&place)
    }

    /// Puts in a field that was read from bytes. Says whether it was new and had room.
    pub(super) fn put(&mut self, place: FieldHash, mut field: Field) -> bool {
        field.charged = field.bytes();
        self.bytes += field.charged;
        let is_new = self.by_place.insert(place, field).is_none();
        is_new && self.bytes <= self.limits.bytes_max && self.by_place.len() <= self.limits.count_max
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if let Some(cut) = other.cut {
            self.cut_at(cut);
        }
        for (place, theirs) in other.by_rank() {
            let new = || Field::new(theirs.parent, theirs.step.clone(), theirs.depth, theirs.is_published);
            self.change(place, new, |field| field.merge(theirs));
        }
    }

    fn is_cut(&self, rank: Rank) -> bool {
        self.cut.is_some_and(|cut| rank >= cut)
    }

    /// Leaves out the last fields until the others have room.
    fn trim(&mut self) {
        while self.bytes > self.limits.bytes_max || self.by_place.len() > self.limits.count_max {
            let Some(last) = self.iter().map(|(place, field)| field.rank(place)).max() else { return };
            self.cut_at(last);
        }
    }

    /// From now on, this rank and those behind it are left out.
    pub(super) fn cut_at(&mut self, rank: Rank) {
        if self.is_cut(rank) {
            return;
        }
        self.cut = Some(rank);
        let bytes = &mut self.bytes;
        self.by_place.retain(|place, field| {
            let stays = field.rank(*place) < rank;
            *bytes -= if stays { 0 } else { field.charged };
            stays
        });
    }

    /// The fields that follow one.
    pub(crate) fn children(&self) -> HashMap<FieldHash, Vec<(FieldHash, &Field)>> {
        let mut children: HashMap<FieldHash, Vec<_>> = HashMap::new();
        for (place, field) in self.iter() {
            children.entry(field.parent).or_default().push((place, field));
        }
        let name = |field: &Field| match &field.step {
            Step::Query(name) | Step::Member(name) => name.clone(),
            Step::Variable(_) | Step::Body | Step::Items => Box::default(),
        };
        for fields in children.values_mut() {
            fields.sort_by_cached_key(|(_, field)| name(field));
        }
        children
    }
}

/// Takes a place for its own hash: it is one, made with a secret key.
#[derive(Default)]
pub(super) struct ByItself(u64);

impl Hasher for ByItself {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The table takes its groups from the low bits and its tags from the high ones, which are the same everywhere.
        self.0 = number ^ number.rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
