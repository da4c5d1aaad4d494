//! The tape as `jsonschema` sees it, which is generic over how JSON is held.

use std::{borrow::Cow, ops::ControlFlow};

use jsonschema::{
    JsonType,
    json::{Array, Json, NodeIdentity, Object, unique},
};
use serde_json::{Number, Value};

use super::tape::{Entry, Tape};

/// Names this way of holding JSON.
pub(crate) enum Format {}

/// A value of a tape.
#[derive(Clone, Copy)]
pub(crate) struct Node<'t> {
    tape: &'t Tape<'t>,
    at: u32,
}

impl<'t> Node<'t> {
    /// The whole value of a tape.
    pub(crate) fn root(tape: &'t Tape<'t>) -> Self {
        Self { tape, at: 0 }
    }

    fn entry(self) -> Entry {
        self.tape.entry(self.at)
    }

    fn node(self, at: u32) -> Self {
        Self { tape: self.tape, at }
    }

    /// The member of an object.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        match self.entry() {
            Entry::Object(members, _) => self.tape.member(self.at, members, name).map(|at| self.node(at)),
            _ => None,
        }
    }

    /// The item of an array.
    pub(crate) fn item(self, index: usize) -> Option<Self> {
        match self.entry() {
            Entry::Array(items, _) => self.tape.items(self.at, items).nth(index).map(|at| self.node(at)),
            _ => None,
        }
    }

    /// The text of a string.
    pub(crate) fn text(self) -> Option<&'t str> {
        self.tape.string(self.at)
    }

    /// A number.
    pub(crate) fn number(self) -> Option<&'t Number> {
        match self.entry() {
            Entry::Number(index) => self.tape.numbers.get(index as usize),
            _ => None,
        }
    }

    pub(crate) fn is_object(self) -> bool {
        matches!(self.entry(), Entry::Object(..))
    }
}

impl Json for Format {
    type Node<'a> = Node<'a>;
    type PreparedKey = Box<str>;
    type StringBuffer = Tape<'static>;

    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>(buffer: &mut Tape<'static>, string: &str, f: impl FnOnce(Node<'_>) -> T) -> T {
        buffer.unescaped.clear();
        buffer.unescaped.push_str(string);
        buffer.entries.clear();
        buffer.entries.push(Entry::Unescaped(0, u32::try_from(string.len()).unwrap_or(u32::MAX)));
        f(Node { tape: buffer, at: 0 })
    }
}

impl<'t> jsonschema::json::Node<'t, Format> for Node<'t> {
    type Object = Members<'t>;
    type Array = Items<'t>;
    type Number = &'t Number;

    fn as_object(&self) -> Option<Members<'t>> {
        match self.entry() {
            Entry::Object(count, _) => Some(Members { object: *self, count }),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<Items<'t>> {
        match self.entry() {
            Entry::Array(count, _) => Some(Items { array: *self, count }),
            _ => None,
        }
    }

    /// Looking through a long text costs as much as looking into a container.
    fn as_string(&self) -> Option<Cow<'t, str>> {
        const BYTES_PER_VISIT: usize = 64;
        let text = self.text()?;
        let is_free = text.len() < BYTES_PER_VISIT;
        (is_free || self.tape.work().take(text.len() / BYTES_PER_VISIT)).then_some(Cow::Borrowed(text))
    }

    fn as_number(&self) -> Option<&'t Number> {
        self.number()
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.entry() {
            Entry::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        self.entry() == Entry::Null
    }

    fn is_number(&self) -> bool {
        matches!(self.entry(), Entry::Number(_))
    }

    fn is_string(&self) -> bool {
        matches!(self.entry(), Entry::Text(..) | Entry::Unescaped(..))
    }

    fn json_type(&self) -> JsonType {
        match self.entry() {
            Entry::Null => JsonType::Null,
            Entry::Bool(_) => JsonType::Boolean,
            Entry::Number(_) => JsonType::Number,
            Entry::Text(..) | Entry::Unescaped(..) => JsonType::String,
            Entry::Array(..) => JsonType::Array,
            Entry::Object(..) => JsonType::Object,
        }
    }

    fn string_length_within(&self, min: u64, max: u64) -> Option<bool> {
        let text = self.text()?;
        // A character takes one to four bytes.
        let (bytes, fewest) = (text.len() as u64, text.len().div_ceil(4) as u64);
        if bytes < min || fewest > max {
            return Some(false);
        }
        let is_within = || (min..=max).contains(&(text.chars().count() as u64));
        Some((min <= fewest && bytes <= max) || is_within())
    }

    fn equals_value(&self, expected: &Value) -> bool {
        self.tape.equals(self.at, expected)
    }

    /// Errors are given this instead of the value: what a request holds stays out of them.
    fn to_value(&self) -> Cow<'t, Value> {
        self.tape.work().count_error();
        Cow::Owned(Value::Null)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::tagged(std::ptr::from_ref(self.tape) as usize, self.at))
    }
}

/// The members of an object.
#[derive(Clone, Copy)]
pub(crate) struct Members<'t> {
    object: Node<'t>,
    count: u32,
}

impl<'t> Object<'t, Format> for Members<'t> {
    type Node = Node<'t>;
    type MemberName = &'t str;
    type MembersIter = MembersIter<'t>;

    fn len(&self) -> usize {
        self.count as usize
    }

    fn get(&self, key: &Box<str>) -> Option<Node<'t>> {
        let tape = self.object.tape;
        if !tape.work().take(1) {
            return None;
        }
        tape.member(self.object.at, self.count, key).map(|at| self.object.node(at))
    }

    fn members(&self) -> MembersIter<'t> {
        let left = if self.object.tape.work().take(self.len()) { self.count } else { 0 };
        MembersIter { next: self.object.node(self.object.at + 1), left }
    }

    fn try_for_each_name_node<B>(
        &self,
        _: &mut Tape<'static>,
        mut f: impl FnMut(Node<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.members().names().try_for_each(&mut f)
    }
}

/// Goes over the members of an object.
pub(crate) struct MembersIter<'t> {
    /// The next name.
    next: Node<'t>,
    left: u32,
}

impl<'t> MembersIter<'t> {
    fn names(mut self) -> impl Iterator<Item = Node<'t>> {
        std::iter::from_fn(move || self.next_pair().map(|(name, _)| name))
    }

    fn next_pair(&mut self) -> Option<(Node<'t>, Node<'t>)> {
        self.left = self.left.checked_sub(1)?;
        let name = self.next;
        let value = name.node(name.at + 1);
        self.next.at = name.tape.behind(value.at);
        Some((name, value))
    }
}

impl<'t> Iterator for MembersIter<'t> {
    type Item = (&'t str, Node<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_pair().map(|(name, value)| (name.tape.name(name.at), value))
    }
}

/// The items of an array.
#[derive(Clone, Copy)]
pub(crate) struct Items<'t> {
    array: Node<'t>,
    count: u32,
}

impl<'t> Array<'t, Format> for Items<'t> {
    type Node = Node<'t>;
    type ElementsIter = ItemsIter<'t>;

    fn len(&self) -> usize {
        self.count as usize
    }

    fn elements(&self) -> ItemsIter<'t> {
        let left = if self.array.tape.work().take(self.len()) { self.count } else { 0 };
        ItemsIter { next: self.array.node(self.array.at + 1), left }
    }

    fn is_unique(&self) -> bool {
        let tape = self.array.tape;
        let values: Vec<Value> = tape.items(self.array.at, self.count).map(|item| tape.to_value(item)).collect();
        unique::is_unique(&values)
    }
}

/// Goes over the items of an array.
pub(crate) struct ItemsIter<'t> {
    next: Node<'t>,
    left: u32,
}

impl<'t> Iterator for ItemsIter<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        self.left = self.left.checked_sub(1)?;
        let item = self.next;
        self.next.at = item.tape.behind(item.at);
        Some(item)
    }
}
