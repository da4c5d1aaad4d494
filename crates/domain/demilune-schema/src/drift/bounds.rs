//! `minimum`, `maximum` and their kin, and those of lengths and sizes: against histograms.

use serde_json::{Value, json};

use super::{
    difference::{Counted, Difference, Kind},
    findings::Findings,
    parts::Part,
    spot::Spot,
    values::OTHER_VALUES,
};
use crate::{
    document::integer_bounds,
    learn::{Bounds, Class, Spread, Tally},
};

/// How many times as wide as what was sent a documented bound must be to be told: less is room to grow.
const WIDER_TIMES: f64 = 2.0;

const NO_NUMBER: &str = "a bound must be a number";
const AMBIGUOUS: &str = "texts may be read as several kinds of values";
const NEAR: &str = "what lies at the bound is counted together with what lies beyond it";

/// Which end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Lowest,
    Highest,
}

/// The bounds of one kind of values.
struct Family<'s> {
    /// By the end that each bounds.
    keywords: [&'static str; 2],
    spread: &'s Spread,
    /// Whether the values may be read so.
    applies: bool,
    /// Whether numbers with fractions were rounded down.
    is_rounded: bool,
}

/// A documented bound, as the last whole number that is within.
struct Limit<'d> {
    keyword: &'static str,
    location: String,
    documented: &'d Value,
    end: End,
    last: i128,
    /// Whether a number that is rounded down to the whole one before the last may be within, too.
    has_slack: bool,
}

pub(super) fn tighter(spot: &Spot<'_>, findings: &mut Findings) {
    for family in families(spot) {
        for part in &spot.parts.schemas {
            for end in [End::Lowest, End::Highest] {
                for limit in limits(part, &family, end, spot, findings) {
                    beyond(spot, &family, &limit, findings);
                }
            }
        }
    }
}

pub(super) fn looser(spot: &Spot<'_>, findings: &mut Findings) {
    if spot.parts.is_restricted(&["enum", "const", "pattern", "multipleOf"]) || is_text_of_format(spot) {
        return;
    }
    for family in families(spot) {
        for end in [End::Lowest, End::Highest] {
            wider(spot, &family, end, findings);
        }
    }
}

/// Texts of a format are bounded by that.
fn is_text_of_format(spot: &Spot<'_>) -> bool {
    let mut formats = spot.parts.keyword("format").filter_map(|(_, format)| format.as_str());
    formats.any(|format| integer_bounds(format).is_none() && !matches!(format, "float" | "double" | "password"))
}

fn families<'s>(spot: &'s Spot<'_>) -> [Family<'s>; 3] {
    let field = spot.field;
    let is_rounded = [Class::Number, Class::DecimalText].iter().any(|class| field.classes.get(*class).is_some());
    [
        Family { keywords: ["minimum", "maximum"], spread: &field.numbers, applies: spot.is_number(), is_rounded },
        Family {
            keywords: ["minLength", "maxLength"],
            spread: &field.lengths,
            applies: spot.is_text(),
            is_rounded: false,
        },
        Family { keywords: ["minItems", "maxItems"], spread: &field.sizes, applies: true, is_rounded: false },
    ]
}

/// The bounds that one schema sets at one end.
fn limits<'d>(
    part: &Part<'d>,
    family: &Family<'_>,
    end: End,
    spot: &Spot<'_>,
    findings: &mut Findings,
) -> Vec<Limit<'d>> {
    let keyword = family.keywords[usize::from(end == End::Highest)];
    let exclusive = exclusive(keyword);
    let mut limits = Vec::new();
    let mut add =
        |keyword: &'static str, documented: &'d Value, is_exclusive: bool| match last(documented, end, is_exclusive) {
            Some((last, has_slack)) if family.applies => {
                limits.push(Limit { keyword, location: part.at(keyword), documented, end, last, has_slack });
            }
            Some(_) => findings.not_compared(spot.place, keyword, AMBIGUOUS),
            None => findings.not_compared(spot.place, keyword, NO_NUMBER),
        };
    let stands_beside = exclusive.and_then(|exclusive| part.get(exclusive));
    if let Some(documented) = part.get(keyword) {
        let is_exclusive = stands_beside == Some(&Value::Bool(true));
        add(if is_exclusive { exclusive.unwrap_or(keyword) } else { keyword }, documented, is_exclusive);
    }
    if let (Some(exclusive), Some(documented)) = (exclusive, stands_beside.filter(|beside| !beside.is_boolean())) {
        add(exclusive, documented, true);
    }
    // Formats of integers bound what is read as a number, as minimum and maximum do.
    if let (Some(_), true, Some(documented)) = (exclusive, family.applies, part.get("format"))
        && let Some(range) = documented.as_str().and_then(integer_bounds)
    {
        let last = i128::from(range[usize::from(end == End::Highest)]);
        limits.push(Limit { keyword: "format", location: part.at("format"), documented, end, last, has_slack: false });
    }
    limits
}

fn exclusive(keyword: &str) -> Option<&'static str> {
    match keyword {
        "minimum" => Some("exclusiveMinimum"),
        "maximum" => Some("exclusiveMaximum"),
        _ => None,
    }
}

/// The last whole number within a bound, and whether a number that is rounded down to the one before may be within, too.
#[expect(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
fn last(documented: &Value, end: End, is_exclusive: bool) -> Option<(i128, bool)> {
    let number = documented.as_number()?;
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    let double = number.as_f64()?;
    let bound = whole.unwrap_or(match end {
        End::Lowest => double.ceil() as i128,
        End::Highest => double.floor() as i128,
    });
    let is_whole = whole.is_some() || double.fract() == 0.0;
    let step = i128::from(is_exclusive && is_whole);
    Some(match end {
        End::Lowest => (bound.saturating_add(step), is_exclusive || !is_whole),
        End::Highest => (bound.saturating_sub(step), false),
    })
}

/// What lies beyond a bound for sure, by the buckets that are wholly there.
fn beyond(spot: &Spot<'_>, family: &Family<'_>, limit: &Limit<'_>, findings: &mut Findings) {
    let (mut ground, mut outermost, mut is_near) = (Tally::EMPTY, None, false);
    for (bounds, tally) in family.spread.iter() {
        if is_beyond(bounds, limit, family.is_rounded) {
            ground.merge(tally);
            let end = if limit.end == End::Lowest { bounds.lowest } else { bounds.highest };
            let is_further = |before: i64| (limit.end == End::Highest) == (end > before);
            if tally.is_supported() && outermost.is_none_or(is_further) {
                outermost = Some(end);
            }
        } else {
            is_near |= may_be_beyond(bounds, limit, family.is_rounded);
        }
    }
    if ground.count > 0 {
        let seen = outermost.map_or_else(|| json!(OTHER_VALUES), Value::from);
        let at = spot.at(limit.keyword, limit.location.clone());
        let counted = if is_near { Counted::AtLeast } else { Counted::Exactly };
        let values = [limit.documented.clone(), seen];
        let of = family.spread.count();
        findings.add(Difference::of(Kind::Tighter, at, values, &ground, of).counted(counted));
    } else if is_near {
        findings.not_compared(spot.place, limit.keyword, NEAR);
    }
}

/// Whether all numbers of a bucket lie beyond a bound. One that was rounded down is
/// less than one higher than it says.
fn is_beyond(bounds: Bounds, limit: &Limit<'_>, is_rounded: bool) -> bool {
    match limit.end {
        End::Highest => i128::from(bounds.lowest) > limit.last,
        End::Lowest => i128::from(bounds.highest) + i128::from(is_rounded && limit.has_slack) < limit.last,
    }
}

/// Whether some may.
fn may_be_beyond(bounds: Bounds, limit: &Limit<'_>, is_rounded: bool) -> bool {
    match limit.end {
        End::Highest => i128::from(bounds.highest) + i128::from(is_rounded) > limit.last,
        End::Lowest => i128::from(bounds.lowest) < limit.last,
    }
}

/// Tells a bound that is much wider than what was learned, or missing.
fn wider(spot: &Spot<'_>, family: &Family<'_>, end: End, findings: &mut Findings) {
    let keyword = family.keywords[usize::from(end == End::Highest)];
    let Some((learned, ground)) = spot.learned.keyword(keyword) else { return };
    let Some(seen) = learned.as_f64() else { return };
    let own = spot.parts.keyword(keyword);
    let exclusive = exclusive(keyword).map(|keyword| spot.parts.keyword(keyword)).into_iter().flatten();
    let documented: Vec<(f64, &Value, String)> = own
        .map(|(part, value)| (part.at(keyword), value))
        .chain(exclusive.map(|(part, value)| (part.pointer.clone(), value)))
        .filter_map(|(location, value)| Some((value.as_f64()?, value, location)))
        .collect();
    let tightest = documented.into_iter().reduce(|one, other| {
        let is_one = if end == End::Highest { one.0 <= other.0 } else { one.0 >= other.0 };
        if is_one { one } else { other }
    });
    let (value, location) = match tightest {
        None => (Value::Null, spot.parts.first(keyword).1),
        Some((bound, value, location)) if is_wider(bound, seen, end) => (value.clone(), location),
        Some(_) => return,
    };
    let at = spot.at(keyword, location);
    findings.add(Difference::of(Kind::Looser, at, [value, learned.clone()], ground, family.spread.count()));
}

/// Whether a bound is so many times as far from zero as what was seen, or about as far beyond it.
fn is_wider(documented: f64, seen: f64, end: End) -> bool {
    let room = if end == End::Highest { documented - seen } else { seen - documented };
    room >= (WIDER_TIMES - 1.0) * seen.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::drift::{
        Kind,
        testing::{lines, not_compared, of_bodies, of_values, random},
    };

    fn check(schema: &Value, value: &dyn Fn(u64) -> String, expected: &[&str], near: &[&str]) {
        let comparison = of_values(2_000, schema, value);
        let skipped = not_compared(&comparison);
        assert_eq!(lines(&comparison, &[Kind::Tighter]), expected, "{schema}");
        assert_eq!(skipped, near, "{schema}");
    }

    #[test]
    fn numbers_beyond_a_bound_are_counted() {
        // Each of 0 to 19 a hundred times; 16 and 17 share a bucket.
        let number = |number: u64| (number % 20).to_string();
        let check = |schema: &Value, expected: &[&str], near: &[&str]| check(schema, &number, expected, near);
        check(&json!({"type": "integer", "maximum": 19}), &[], &[]);
        check(
            &json!({"type": "integer", "maximum": 15}),
            &["tighter /query/p maximum: 15 but 19, exactly 400 of 2000"],
            &[],
        );
        check(
            &json!({"type": "integer", "maximum": 16}),
            &["tighter /query/p maximum: 16 but 19, at least 200 of 2000"],
            &[],
        );
        check(&json!({"type": "integer", "maximum": 18}), &[], &["/query/p maximum"]);
        check(
            &json!({"type": "integer", "minimum": 2}),
            &["tighter /query/p minimum: 2 but 0, exactly 200 of 2000"],
            &[],
        );
        check(
            &json!({"type": "integer", "minimum": 2, "exclusiveMinimum": true}),
            &["tighter /query/p exclusiveMinimum: 2 but 0, exactly 300 of 2000"],
            &[],
        );
        check(
            &json!({"type": "integer", "exclusiveMinimum": 2}),
            &["tighter /query/p exclusiveMinimum: 2 but 0, exactly 300 of 2000"],
            &[],
        );
        check(
            &json!({"type": "integer", "allOf": [{"minimum": 1}, {"minimum": 2}]}),
            &["tighter /query/p minimum: 2 but 0, exactly 200 of 2000"],
            &[],
        );
        check(&json!({"type": "string", "maximum": 3}), &[], &["/query/p maximum"]);
        check(&json!({"type": "integer", "maximum": "3"}), &[], &["/query/p maximum"]);
    }

    #[test]
    fn numbers_with_fractions_may_be_up_to_one_higher_than_is_kept() {
        let number = |number: u64| format!("{}.5", number % 4);
        let check = |schema: &Value, expected: &[&str], near: &[&str]| check(schema, &number, expected, near);
        check(
            &json!({"type": "number", "minimum": 1}),
            &["tighter /query/p minimum: 1 but 0, exactly 500 of 2000"],
            &[],
        );
        check(&json!({"type": "number", "minimum": 0.5}), &[], &["/query/p minimum"]);
        check(&json!({"type": "number", "maximum": 3}), &[], &["/query/p maximum"]);
        check(
            &json!({"type": "number", "maximum": 2}),
            &["tighter /query/p maximum: 2 but 3, at least 500 of 2000"],
            &[],
        );
    }

    #[test]
    fn a_format_of_integers_is_a_bound() {
        let number = |number: u64| if number.is_multiple_of(2) { "7".to_owned() } else { "8589934592".to_owned() };
        let comparison = of_values(2_000, &json!({"type": "integer", "format": "int32"}), number);
        let expected = [r#"tighter /query/p format: "int32" but 9663676415, exactly 1000 of 2000"#];
        assert_eq!(lines(&comparison, &[Kind::Tighter]), expected);
    }

    #[test]
    fn lengths_and_sizes_are_bounds_too() {
        let text = |number: u64| "x".repeat(usize::try_from(number % 10).unwrap() + 1);
        check(
            &json!({"type": "string", "maxLength": 9, "minLength": 2}),
            &text,
            &[
                "tighter /query/p maxLength: 9 but 10, exactly 200 of 2000",
                "tighter /query/p minLength: 2 but 1, exactly 200 of 2000",
            ],
            &[],
        );
        let body = |number: u64| json!(vec![1; usize::try_from(number % 4).unwrap()]);
        let comparison = of_bodies(2_000, &json!({"type": "array", "minItems": 1, "maxItems": 3}), body);
        assert_eq!(lines(&comparison, &[Kind::Tighter]), ["tighter /body minItems: 1 but 0, exactly 500 of 2000"]);
    }

    #[test]
    fn bounds_that_few_reach_are_not_named() {
        let number = |number: u64| if number == 7 { "9999".to_owned() } else { "1".to_owned() };
        let expected = [r#"tighter /query/p maximum: 9 but "other values", exactly 1 of 2000"#];
        check(&json!({"type": "integer", "maximum": 9}), &number, &expected, &[]);
    }

    #[test]
    fn a_bound_that_is_missing_or_twice_as_wide_is_told() {
        let check = |schema: &Value, expected: &[&str]| {
            let comparison = of_values(10_000, schema, |number| (random(number) % 100 + 1).to_string());
            assert_eq!(lines(&comparison, &[Kind::Looser]), expected, "{schema}");
        };
        let minimum = "looser /query/p minimum: null but 1, exactly";
        let with = |schema: &Value| {
            let comparison = of_values(10_000, schema, |number| (random(number) % 100 + 1).to_string());
            let lines = lines(&comparison, &[Kind::Looser]);
            lines.iter().map(|line| line.split(" of ").next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        check(&json!({"type": "integer", "minimum": 1, "maximum": 103}), &[]);
        check(&json!({"type": "integer", "minimum": 1, "maximum": 200}), &[]);
        let lines = with(&json!({"type": "integer", "minimum": 1, "maximum": 206}));
        assert!(
            matches!(lines.as_slice(), [line] if line.starts_with("looser /query/p maximum: 206 but 103")),
            "{lines:?}"
        );
        let lines = with(&json!({"type": "integer"}));
        assert!(lines.len() == 2 && lines[1].starts_with(minimum), "{lines:?}");
        let ids = of_values(10_000, &json!({"type": "integer", "minimum": 1}), |number| (number + 5_000).to_string());
        assert_eq!(lines_of(&ids), Vec::<String>::new());
    }

    fn lines_of(comparison: &crate::drift::Comparison) -> Vec<String> {
        lines(comparison, &[Kind::Looser])
    }
}
