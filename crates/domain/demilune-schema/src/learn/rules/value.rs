//! The schema of one place's values.

use serde_json::{Map, Value};

use super::{explain::Reasons, number, object::Tree, terms::Terms, text};
use crate::learn::{class::Class, field::Field, tally::Tally};

/// What a place's values are, in the words of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Boolean,
    Integer,
    Number,
    Text,
    Array,
    Object,
}

/// The classes that count, in the order of the list, and how many values may still be left out.
pub(super) struct Counting<'f> {
    pub(super) classes: Vec<(Class, &'f Tally)>,
    pub(super) others_max: u64,
}

/// The classes that count: all but those of which there are so few that they may be left out.
pub(super) fn counting<'f>(field: &'f Field, terms: &Terms, reasons: &mut Reasons) -> Counting<'f> {
    let mut classes: Vec<(Class, &Tally)> = field.classes.iter().collect();
    let mut others_max = terms.strays(field.classes.count());
    // The rarest first; among equals, the order of the list.
    classes.sort_by_key(|(_, tally)| tally.count);
    let mut strays = 0;
    while strays + 1 < classes.len() && terms.is_stray(classes[strays].1) && classes[strays].1.count <= others_max {
        others_max -= classes[strays].1.count;
        reasons.rejected("type", &format!("{}: too few values to count", classes[strays].0.name()));
        strays += 1;
    }
    classes.drain(..strays);
    classes.sort_by_key(|(class, _)| *class);
    Counting { classes, others_max }
}

/// The schema of a parameter's values: texts that may stand for something else.
pub(super) fn of_parameter(field: &Field, terms: &Terms, reasons: &mut Reasons) -> Map<String, Value> {
    let counting = counting(field, terms, reasons);
    let classes = &counting.classes;
    let only = |allowed: &[Class]| !classes.is_empty() && classes.iter().all(|(class, _)| allowed.contains(class));
    let ground = classes.iter().fold(Tally::EMPTY, |sum, (_, tally)| sum.merged(tally));
    let schema = if only(&[Class::BooleanText]) {
        Map::from_iter([("type".to_owned(), "boolean".into())])
    } else if only(&[Class::IntegerText]) {
        number::schema(field, true, terms, reasons)
    } else if only(&[Class::IntegerText, Class::DecimalText]) {
        number::schema(field, false, terms, reasons)
    } else {
        text::schema(field, &counting, terms, reasons)
    };
    say_type(&schema, &ground, reasons);
    schema
}

/// The schema of what stands in one place of bodies.
pub(super) fn of_body(
    tree: &mut Tree<'_>,
    field: &Field,
    place: &str,
    at: crate::learn::key::FieldHash,
) -> Map<String, Value> {
    let terms = tree.terms;
    let mut reasons = Reasons::default();
    let mut counting = counting(field, &terms, &mut reasons);
    let null = counting.classes.iter().position(|(class, _)| *class == Class::Null);
    let null = null.map(|place| counting.classes.remove(place));
    let values = &counting.classes;
    let ground = values.iter().fold(Tally::EMPTY, |sum, (_, tally)| sum.merged(tally));
    let mut schema = match type_of(values) {
        None => Map::new(),
        Some(Type::Boolean) => Map::from_iter([("type".to_owned(), "boolean".into())]),
        Some(Type::Integer) => number::schema(field, true, &terms, &mut reasons),
        Some(Type::Number) => number::schema(field, false, &terms, &mut reasons),
        Some(Type::Text) => text::schema(field, &counting, &terms, &mut reasons),
        Some(Type::Array) => tree.array(field, place, at, &mut reasons),
        Some(Type::Object) => tree.object(field, place, at, &mut reasons),
    };
    if schema.is_empty() {
        reasons.rejected("type", "values of several types, or none but null");
    } else if let Some((_, ground)) = null {
        schema.insert("nullable".to_owned(), true.into());
        reasons.said("nullable", true, ground);
        // A list of values refuses null where it does not have it, whatever the type lets through.
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
    }
    say_type(&schema, &ground, &mut reasons);
    tree.explain(reasons, place, at, field);
    schema
}

fn say_type(schema: &Map<String, Value>, ground: &Tally, reasons: &mut Reasons) {
    if let Some(kind) = schema.get("type") {
        reasons.said("type", kind.clone(), ground);
    }
}

/// The one type of these classes.
fn type_of(classes: &[(Class, &Tally)]) -> Option<Type> {
    let one = |class: Class| match class {
        Class::Null => None,
        Class::Boolean => Some(Type::Boolean),
        Class::Integer => Some(Type::Integer),
        Class::Number => Some(Type::Number),
        Class::Array => Some(Type::Array),
        Class::Object => Some(Type::Object),
        _ => Some(Type::Text),
    };
    let mut types = classes.iter().map(|(class, _)| one(*class));
    let first = types.next()??;
    types.try_fold(first, |before, next| match (before, next?) {
        (before, next) if before == next => Some(before),
        (Type::Integer | Type::Number, Type::Integer | Type::Number) => Some(Type::Number),
        _ => None,
    })
}

/// What a place's values looked like.
pub(super) fn classes(field: &Field) -> Vec<Value> {
    let entry = |(class, tally): (Class, &Tally)| {
        let mut entry = super::explain::ground(tally);
        entry.insert("class".to_owned(), class.name().into());
        Value::from(entry)
    };
    field.classes.iter().map(entry).collect()
}
