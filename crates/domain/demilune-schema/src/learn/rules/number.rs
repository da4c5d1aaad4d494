//! Integers and other numbers.

use serde_json::{Map, Value};

use super::{
    bounds::{self, NoBound},
    explain::Reasons,
    terms::Terms,
};
use crate::learn::field::{Field, Step};

/// From so many distinct values, or one in so many, numbers are taken for ids, times and amounts: the next one may well
/// be higher.
const DISTINCT_MANY: f64 = 1_000.0;
const DISTINCT_SHARE: f64 = 0.1;
/// The highest integer of 32 bits, for OpenAPI's formats.
const INT32_MAX: i64 = 2_147_483_647;

/// The schema of numbers; `is_whole` if they are integers.
pub(super) fn schema(field: &Field, is_whole: bool, terms: &Terms, reasons: &mut Reasons) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), if is_whole { "integer" } else { "number" }.into());
    if is_whole {
        let mut largest = field.numbers.iter().filter(|(bounds, tally)| {
            tally.is_supported() && bounds.highest.unsigned_abs().max(bounds.lowest.unsigned_abs()) > INT32_MAX as u64
        });
        if let Some((_, ground)) = largest.next_back() {
            schema.insert("format".to_owned(), "int64".into());
            reasons.said("format", "int64", ground);
        }
    }
    if !terms.allows_bounds(field.numbers.count()) {
        reasons.rejected("minimum, maximum", super::text::TOO_FEW);
        return schema;
    }
    let is_open = is_open(field);
    minimum(field, is_open, terms, reasons, &mut schema);
    if is_open {
        reasons.rejected("maximum", "there are so many different numbers that the next may be higher");
    } else {
        maximum(field, is_whole, terms, reasons, &mut schema);
    }
    schema
}

/// Whether higher numbers are to be expected: of ids in paths they always are.
#[expect(clippy::cast_precision_loss, reason = "a comparison with a rule of thumb")]
fn is_open(field: &Field) -> bool {
    let distinct = field.values.distinct();
    let is_variable = matches!(field.step, Step::Variable(_));
    is_variable || distinct >= DISTINCT_MANY || distinct >= DISTINCT_SHARE * field.numbers.count() as f64
}

fn minimum(field: &Field, is_open: bool, terms: &Terms, reasons: &mut Reasons, schema: &mut Map<String, Value>) {
    match bounds::lowest(&field.numbers, terms) {
        Ok(end) if is_open && end.bounds.lowest < 0 => {
            reasons.rejected("minimum", "there are so many different numbers that the next may be lower");
        }
        Ok(end) => {
            let seen = if is_open { end.bounds.lowest.min(1) } else { end.bounds.lowest };
            // That nothing below zero, or zero itself, was sent says more about a number than how low it was.
            let bound = if (0..=1).contains(&seen) { seen } else { bounds::widen_down(seen, terms) };
            schema.insert("minimum".to_owned(), bound.into());
            reasons.said("minimum", bound, end.ground);
        }
        Err(none) => reasons.rejected("minimum", why(none)),
    }
}

fn maximum(field: &Field, is_whole: bool, terms: &Terms, reasons: &mut Reasons, schema: &mut Map<String, Value>) {
    match bounds::highest(&field.numbers, terms) {
        Ok(end) if !terms.allows_maximum(end.ground.first) => {
            reasons.rejected("maximum", "it grew, or was not seen long enough to tell that it does not");
        }
        Ok(end) => {
            // Numbers were rounded down.
            let seen = end.bounds.highest.saturating_add(i64::from(!is_whole));
            let bound = bounds::widen_up(seen, terms);
            schema.insert("maximum".to_owned(), bound.into());
            reasons.said("maximum", bound, end.ground);
        }
        Err(none) => reasons.rejected("maximum", why(none)),
    }
}

pub(super) fn why(none: NoBound) -> &'static str {
    match none {
        NoBound::Scattered => "too many values lie beyond the last that five callers sent",
        NoBound::Endless => "it is beyond 64 bits",
    }
}
