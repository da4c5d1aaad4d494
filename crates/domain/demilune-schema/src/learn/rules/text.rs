//! Texts: their format, the list of them, or their lengths.

use serde_json::{Map, Value};

use super::{bounds, enumeration, explain::Reasons, number, terms::Terms, value::Counting};
use crate::learn::{class::Class, field::Field, spread::Spread, tally::Tally};

/// Why bounds are not given yet.
pub(super) const TOO_FEW: &str = "bounds need 10,000 requests of at least 50 callers, and 1,000 values";

/// The schema of texts of these classes, all of which are texts.
pub(super) fn schema(
    field: &Field,
    Counting { classes, others_max }: &Counting<'_>,
    terms: &Terms,
    reasons: &mut Reasons,
) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "string".into());
    if let [(class, ground)] = classes.as_slice()
        && let Some(format) = class.format()
    {
        schema.insert("format".to_owned(), format.into());
        reasons.said("format", format, ground);
        return schema;
    }
    match enumeration::of(&field.values, terms, *others_max) {
        Ok((values, ground)) => {
            reasons.said("enum", values.clone(), &ground);
            schema.insert("enum".to_owned(), values.into());
            return schema;
        }
        Err(reason) => reasons.rejected("enum", reason),
    }
    if let Some((pattern, ground)) = digits(classes) {
        if terms.allows_values(ground.count, ground.first) {
            schema.insert("pattern".to_owned(), pattern.into());
            reasons.said("pattern", pattern, &ground);
        } else {
            reasons.rejected("pattern", "too few requests so far");
        }
    }
    lengths(&field.lengths, ["minLength", "maxLength"], terms, reasons, &mut schema);
    schema
}

/// The pattern of texts that are all digits.
fn digits(classes: &[(Class, &Tally)]) -> Option<(&'static str, Tally)> {
    let is_digits = classes.iter().all(|(class, _)| matches!(class, Class::Digits | Class::IntegerText));
    let ground = classes.iter().fold(Tally::EMPTY, |sum, (_, tally)| sum.merged(tally));
    (is_digits && ground.count > 0).then_some(("^-?[0-9]+$", ground))
}

/// Bounds of lengths or sizes, by the names of their keywords.
pub(super) fn lengths(
    spread: &Spread,
    [lower, upper]: [&str; 2],
    terms: &Terms,
    reasons: &mut Reasons,
    schema: &mut Map<String, Value>,
) {
    if !terms.allows_bounds(spread.count()) {
        reasons.rejected(&format!("{lower}, {upper}"), TOO_FEW);
        return;
    }
    match bounds::lowest(spread, terms) {
        Ok(end) => {
            let seen = end.bounds.lowest;
            // That nothing was empty is said as it is.
            let bound = if seen == 1 { 1 } else { bounds::widen_down(seen, terms) };
            if bound > 0 {
                schema.insert(lower.to_owned(), bound.into());
                reasons.said(lower, bound, end.ground);
            }
        }
        Err(none) => reasons.rejected(lower, number::why(none)),
    }
    match bounds::highest(spread, terms) {
        Ok(end) if terms.allows_maximum(end.ground.first) => {
            let bound = bounds::widen_up(end.bounds.highest, terms);
            schema.insert(upper.to_owned(), bound.into());
            reasons.said(upper, bound, end.ground);
        }
        Ok(_) => reasons.rejected(upper, "it grew, or was not seen long enough to tell that it does not"),
        Err(none) => reasons.rejected(upper, number::why(none)),
    }
}
