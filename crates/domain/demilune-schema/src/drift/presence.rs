//! Parameters and members that are there, or not: `required`, and names that nobody sent.

use serde_json::{Value, json};

use super::{
    difference::{At, Difference, Kind},
    findings::Findings,
};
use crate::learn::{self, Field, Learned, Tally};

pub(super) const LIKE_DATA: &str = "names that look like data are not kept";
pub(super) const NO_ROOM: &str = "there was no room for every place that was seen";

/// Something with a name that a document describes.
pub(super) struct Named<'n> {
    pub(super) name: &'n str,
    pub(super) place: &'n str,
    /// Where it stands in the operation's text.
    pub(super) location: &'n str,
    /// The keyword that names it: `parameters` or `properties`.
    pub(super) keyword: &'static str,
    /// Where it is required.
    pub(super) required: Option<String>,
    /// Whether a place that nobody knows of may be required elsewhere.
    pub(super) is_unclear: bool,
}

/// What it might have been in.
#[derive(Clone, Copy)]
pub(super) struct Chances<'c> {
    /// Requests or objects.
    pub(super) of: u64,
    /// When there were such.
    pub(super) ground: &'c Tally,
    /// Whether places may be left out for want of room.
    pub(super) is_cut: bool,
}

/// Compares whether it was there.
pub(super) fn compare(
    named: &Named<'_>,
    field: Option<&Field>,
    is_learned_required: bool,
    chances: Chances<'_>,
    findings: &mut Findings,
) {
    let Some(field) = field else { return absent(named, chances, findings) };
    missing(named, chances.of.saturating_sub(field.seen.count), chances.of, findings);
    if named.required.is_none() && is_learned_required && !named.is_unclear {
        let at = At { place: named.place, location: named.location.to_owned(), keyword: "required" };
        findings.add(Difference::of(Kind::Looser, at, [json!(false), json!(true)], &field.seen, chances.of));
    }
}

fn absent(named: &Named<'_>, chances: Chances<'_>, findings: &mut Findings) {
    if chances.of == 0 {
        return;
    }
    let unknown = match () {
        () if !learn::is_name(named.name) => Some(LIKE_DATA),
        () if chances.is_cut => Some(NO_ROOM),
        () => None,
    };
    if let Some(why) = unknown {
        return findings.not_compared(named.place, named.keyword, why);
    }
    missing(named, chances.of, chances.of, findings);
    if chances.of >= Learned::REQUESTS_MIN {
        let at = At { place: named.place, location: named.location.to_owned(), keyword: named.keyword };
        let values = [Value::from(named.name), Value::Null];
        let unseen = Difference::of(Kind::Unseen, at, values, chances.ground, chances.of);
        findings.add(Difference { count: 0, callers_at_least: 0, ..unseen });
    }
}

/// Tells that something required is missing; by whom and when is not kept.
fn missing(named: &Named<'_>, count: u64, of: u64, findings: &mut Findings) {
    let Some(required) = named.required.clone().filter(|_| count > 0) else { return };
    let at = At { place: named.place, location: required, keyword: "required" };
    let ground = Tally { count, ..Tally::EMPTY };
    let difference = Difference::of(Kind::Tighter, at, [json!(true), json!(false)], &ground, of);
    findings.add(Difference { last: None, ..difference });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::drift::testing::{ALL, lines, not_compared, of_bodies, of_query};

    fn check(requests: u64, parameter: &Value, query: &dyn Fn(u64) -> String, expected: &[&str]) {
        assert_eq!(lines(&of_query(requests, [parameter.clone()], query), &ALL), expected, "{parameter}");
    }

    fn parameter(is_required: bool) -> Value {
        json!({"name": "p", "in": "query", "required": is_required, "schema": {"type": "integer"}})
    }

    #[test]
    fn what_nobody_sends_is_unseen_once_there_are_enough_requests() {
        let query = |_| String::new();
        check(999, &parameter(false), &query, &[]);
        check(1_000, &parameter(false), &query, &[r#"unseen /query/p parameters: "p" but null, exactly 0 of 1000"#]);
        let comparison = of_query(1_000, [parameter(false)], query);
        let unseen = &comparison.differences[0];
        assert_eq!((unseen.first.map(demilune_traffic::Hour::start), unseen.callers_at_least), (Some(0), 0));
    }

    #[test]
    fn something_required_that_is_missing_is_counted() {
        let query = |number: u64| if number < 3 { String::new() } else { "p=1".to_owned() };
        check(900, &parameter(true), &query, &["tighter /query/p required: true but false, exactly 3 of 900"]);
        check(
            1_000,
            &parameter(true),
            &|_| String::new(),
            &[
                r#"unseen /query/p parameters: "p" but null, exactly 0 of 1000"#,
                "tighter /query/p required: true but false, exactly 1000 of 1000",
            ],
        );
    }

    #[test]
    fn something_optional_that_is_always_sent_is_told() {
        let always = |_| "p=1".to_owned();
        let often = |number: u64| if number == 3 { String::new() } else { "p=1".to_owned() };
        check(1_000, &parameter(false), &always, &["looser /query/p required: false but true, exactly 1000 of 1000"]);
        check(1_000, &parameter(true), &always, &[]);
        check(1_000, &parameter(false), &often, &[]);
    }

    #[test]
    fn a_name_that_would_not_be_kept_is_not_compared() {
        let schema = json!({"type": "object", "properties": {"a b": {"type": "string"}}});
        let comparison = of_bodies(1_000, &schema, |_| json!({}));
        assert_eq!(
            (lines(&comparison, &ALL), not_compared(&comparison)),
            (vec![], vec!["/body/a b properties".to_owned()])
        );
    }
}
