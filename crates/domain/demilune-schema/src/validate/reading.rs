//! Text as the values that it may stand for: each kind that the schema lets through is tried, and one must fit.

use std::borrow::Cow;

use super::{
    json::{Builder, Tape},
    shape::{Kinds, Shape},
};

/// What a parameter holds, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Raw<'t> {
    One(Cow<'t, str>),
    Items(Vec<Cow<'t, str>>),
    Members(Vec<(Cow<'t, str>, Cow<'t, str>)>),
}

/// How a text that could be several things is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Take {
    /// A number, a truth value or null if it can be.
    Typed,
    Text,
    Null,
}

/// The values that the text may stand for, the likeliest first. There is at least one.
pub(crate) fn readings(raw: &Raw<'_>, shape: &Shape) -> Vec<Tape<'static>> {
    match raw {
        Raw::One(text) => {
            let takes = takes(text, shape.kinds);
            takes.into_iter().map(|take| build(|to| put(to, text, shape.kinds, take))).collect()
        }
        Raw::Items(items) => {
            let kinds = shape.items;
            let list = |take| build(|to| put_items(to, items, kinds, take));
            both(kinds).iter().map(|take| list(*take)).collect()
        }
        Raw::Members(members) => {
            let is_ambiguous = members.iter().any(|(name, _)| both(shape.member(name)).len() > 1);
            let takes: &[Take] = if is_ambiguous { &[Take::Typed, Take::Text] } else { &[Take::Typed] };
            takes.iter().map(|take| build(|to| put_members(to, members, shape, *take))).collect()
        }
    }
}

/// A schema that says nothing of kinds takes a text for what it is.
fn known(kinds: Kinds) -> Kinds {
    if kinds == Kinds::ALL { Kinds::STRING } else { kinds }
}

fn takes(text: &str, kinds: Kinds) -> Vec<Take> {
    let mut takes = both(kinds).to_vec();
    if known(kinds).has(Kinds::NULL) && text.is_empty() {
        takes.push(Take::Null);
    }
    takes
}

/// Whether a text must be tried as text, too.
fn both(kinds: Kinds) -> &'static [Take] {
    let kinds = known(kinds);
    let is_ambiguous = kinds.has(Kinds::STRING) && kinds.has(Kinds::NUMBER | Kinds::BOOLEAN | Kinds::NULL);
    if is_ambiguous { &[Take::Typed, Take::Text] } else { &[Take::Typed] }
}

fn build(value: impl FnOnce(&mut Builder)) -> Tape<'static> {
    let mut builder = Builder::default();
    value(&mut builder);
    builder.finish()
}

fn put(to: &mut Builder, text: &str, kinds: Kinds, take: Take) {
    let kinds = known(kinds);
    if take == Take::Null {
        return to.null();
    }
    if take == Take::Typed {
        if kinds.has(Kinds::NUMBER) && to.number(text) {
            return;
        }
        match text {
            "true" | "false" if kinds.has(Kinds::BOOLEAN) => return to.boolean(text == "true"),
            "null" if kinds.has(Kinds::NULL) => return to.null(),
            "" if kinds.has(Kinds::NULL) && !kinds.has(Kinds::STRING) => return to.null(),
            _ => {}
        }
    }
    to.string(text);
}

fn put_items(to: &mut Builder, items: &[Cow<'_, str>], kinds: Kinds, take: Take) {
    let start = to.begin();
    for item in items {
        put(to, item, kinds, take);
    }
    to.end_array(start, items.len());
}

fn put_members(to: &mut Builder, members: &[(Cow<'_, str>, Cow<'_, str>)], shape: &Shape, take: Take) {
    let start = to.begin();
    for (name, value) in members {
        to.string(name);
        put(to, value, shape.member(name), take);
    }
    to.end_object(start, members.len());
}

/// Puts the likeliest value of a text that is one of several things within another.
pub(crate) fn put_likeliest(to: &mut Builder, raw: &Raw<'_>, shape: &Shape, as_text: bool) {
    let take = if as_text { Take::Text } else { Take::Typed };
    match raw {
        Raw::One(text) => put(to, text, shape.kinds, take),
        Raw::Items(items) => put_items(to, items, shape.items, take),
        Raw::Members(members) => put_members(to, members, shape, take),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    fn check(raw: &Raw<'_>, kinds: Kinds, expected: &[Value]) {
        let shape = Shape { kinds, items: kinds, members: BTreeMap::new(), other_members: kinds, takes_others: false };
        let found: Vec<_> = readings(raw, &shape).iter().map(|tape| tape.to_value(0)).collect();
        assert_eq!(found, expected, "{raw:?} as {kinds:?}");
    }

    #[test]
    fn a_text_is_read_as_each_kind_that_is_let_through() {
        let one = |text: &'static str| Raw::One(text.into());
        check(&one("5"), Kinds::NUMBER, &[json!(5)]);
        check(&one("007"), Kinds::NUMBER, &[json!("007")]);
        check(&one("5"), Kinds::STRING, &[json!("5")]);
        check(&one("5"), Kinds::ALL, &[json!("5")]);
        check(&one("5"), Kinds::NUMBER | Kinds::STRING, &[json!(5), json!("5")]);
        check(&one("true"), Kinds::BOOLEAN, &[json!(true)]);
        check(&one("yes"), Kinds::BOOLEAN, &[json!("yes")]);
        check(&one(""), Kinds::NUMBER | Kinds::NULL, &[json!(null), json!(null)]);
        check(&one(""), Kinds::STRING | Kinds::NULL, &[json!(""), json!(""), json!(null)]);
        check(&one("null"), Kinds::STRING | Kinds::NULL, &[json!(null), json!("null")]);
        check(
            &Raw::Items(vec!["1".into(), "x".into()]),
            Kinds::NUMBER | Kinds::STRING,
            &[json!([1, "x"]), json!(["1", "x"])],
        );
        check(&Raw::Members(vec![("a".into(), "1".into())]), Kinds::NUMBER, &[json!({"a": 1})]);
    }
}
