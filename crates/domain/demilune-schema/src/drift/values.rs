//! `enum` and `const`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    difference::{Difference, Kind},
    findings::Findings,
    spot::{Spot, Written},
};
use crate::{
    learn::{self, Class, Learned, SeenValue, Tally, Values},
    validate::Kinds,
};

/// What stands for values that fewer than five callers sent, or that look like data.
pub(super) const OTHER_VALUES: &str = "other values";

const NO_LIST: &str = "it must be a list of values";
const NOT_KEPT: &str = "a listed value would not have been kept as text: it looks like data, not like a word";
const MANY: &str = "there were more than 24 values";
const NUMBERS: &str = "a listed number may have been written in several ways";
const EMPTY: &str = "an empty value is let through whatever the schema, and not told from others";

pub(super) fn tighter(spot: &Spot<'_>, findings: &mut Findings) {
    for keyword in ["enum", "const"] {
        for (part, documented) in spot.parts.keyword(keyword) {
            let listed = match listed(keyword, documented).ok_or(NO_LIST).and_then(|values| List::of(&values, spot)) {
                Ok(listed) => listed,
                Err(why) => {
                    findings.not_compared(spot.place, keyword, why);
                    continue;
                }
            };
            let (ground, seen) = listed.outside(part.admits_null);
            if ground.count > 0 {
                let at = spot.at(keyword, part.at(keyword));
                findings.add(Difference::of(Kind::Tighter, at, [documented.clone(), seen], &ground, spot.count()));
            }
        }
    }
}

pub(super) fn looser(spot: &Spot<'_>, findings: &mut Findings) {
    if !spot.parts.is_restricted(&["enum", "const", "pattern", "format"]) {
        let Some((learned, ground)) = spot.learned.keyword("enum") else { return };
        let (_, location) = spot.parts.first("enum");
        let values = [json!(null), learned.clone()];
        findings.add(Difference::of(Kind::Looser, spot.at("enum", location), values, ground, spot.count()));
        return;
    }
    // Of few values, it is too early to say that one does not come.
    if spot.learned.schema.is_none() || spot.count() < Learned::REQUESTS_MIN {
        return;
    }
    for (part, documented) in spot.parts.keyword("enum") {
        let Some(list) = listed("enum", documented).and_then(|values| List::of(&values, spot).ok()) else { continue };
        let (ground, seen) = list.supported();
        if seen.len() < list.texts.len() {
            let values = [documented.clone(), seen.into()];
            let at = spot.at("enum", part.at("enum"));
            findings.add(Difference::of(Kind::Looser, at, values, &ground, spot.count()));
        }
    }
}

fn listed<'d>(keyword: &str, documented: &'d Value) -> Option<Vec<&'d Value>> {
    match keyword {
        "const" => Some(vec![documented]),
        _ => documented.as_array().map(|values| values.iter().collect()),
    }
}

/// Values that are listed, and those that were sent.
struct List<'s> {
    spot: &'s Spot<'s>,
    texts: BTreeSet<String>,
    has_null: bool,
    has_booleans: bool,
    seen: &'s [(u64, SeenValue)],
}

impl<'s> List<'s> {
    /// A list of which every value would be told had it been sent; else why not.
    fn of(listed: &[&Value], spot: &'s Spot<'s>) -> Result<Self, &'static str> {
        let Values::Few(seen) = &spot.field.values else { return Err(MANY) };
        let has = |value: &Value| listed.contains(&value);
        let (has_null, has_true, has_false) = (has(&Value::Null), has(&json!(true)), has(&json!(false)));
        let mut list = Self { spot, texts: BTreeSet::new(), has_null, has_booleans: has_true, seen };
        let empty = spot.field.classes.iter().any(|(class, _)| spot.is_waved_through(class));
        match spot.written {
            Written::Json if has_true != has_false => return Err(NOT_KEPT),
            Written::Text { .. } if has_null || empty => return Err(EMPTY),
            _ => {}
        }
        for value in listed {
            let text = match (value, spot.written) {
                (Value::String(text), _) => text.clone(),
                (Value::Bool(truth), Written::Text { .. }) => truth.to_string(),
                (Value::Number(number), Written::Text { kinds, .. }) => list.number(number, kinds)?,
                (Value::Null | Value::Bool(_), Written::Json) => continue,
                _ => return Err(NOT_KEPT),
            };
            if !learn::is_literal(&text) {
                return Err(NOT_KEPT);
            }
            list.texts.insert(text);
        }
        Ok(list)
    }

    /// A number as it must have been written: `1.0` and `1` are one.
    fn number(&self, number: &serde_json::Number, kinds: Kinds) -> Result<String, &'static str> {
        let is_shortest = |class| matches!(class, Class::IntegerText | Class::BooleanText | Class::Empty);
        let are_shortest = self.spot.field.classes.iter().all(|(class, _)| is_shortest(class));
        if are_shortest && number.is_u64() && kinds.has(Kinds::NUMBER) { Ok(number.to_string()) } else { Err(NUMBERS) }
    }

    fn has(&self, value: &SeenValue) -> bool {
        value.text.as_deref().is_some_and(|text| self.texts.contains(text))
    }

    /// What was sent and is not listed.
    fn outside(&self, admits_null: bool) -> (Tally, Value) {
        let outside = || self.seen.iter().map(|(_, value)| value).filter(|value| !self.has(value));
        let mut ground = outside().fold(Tally::EMPTY, |sum, value| sum.merged(&value.tally));
        let shown = outside().filter(|value| value.tally.is_supported()).filter_map(|value| value.text.as_deref());
        let mut names: Vec<&str> = shown.collect();
        names.sort_unstable();
        let mut has_others = outside().count() > names.len();
        let others = self.spot.field.classes.iter().filter(|(class, _)| match class {
            Class::Null => !self.has_null && !admits_null,
            Class::Boolean => !self.has_booleans,
            Class::Object | Class::Array => true,
            _ => false,
        });
        for (_, tally) in others {
            ground.merge(tally);
            has_others = true;
        }
        names.extend(has_others.then_some(OTHER_VALUES));
        (ground, names.into())
    }

    /// The listed values that at least five callers sent.
    fn supported(&self) -> (Tally, Vec<Value>) {
        let supported = self.seen.iter().map(|(_, value)| value);
        let supported = supported.filter(|value| self.has(value) && value.tally.is_supported());
        let ground = supported.clone().fold(Tally::EMPTY, |sum, value| sum.merged(&value.tally));
        let mut texts: Vec<&str> = supported.filter_map(|value| value.text.as_deref()).collect();
        texts.sort_unstable();
        (ground, texts.into_iter().map(Value::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use demilune_traffic::Hour;
    use serde_json::{Value, json};

    use crate::{
        document::OperationText,
        drift::{
            Kind, compare,
            testing::{Request, add, evidence, lines, not_compared, of_bodies, of_values, random},
        },
    };

    fn state(number: u64) -> String {
        ["open", "closed", "all"][usize::try_from(random(number) % 3).unwrap()].to_owned()
    }

    fn check(requests: u64, schema: &Value, expected: &[&str]) {
        let comparison = of_values(requests, schema, state);
        let lines = lines(&comparison, &[Kind::Tighter, Kind::Looser]);
        let short: Vec<_> = lines.iter().map(|line| line.split_once(", ").unwrap().0).collect();
        assert_eq!(short, expected, "{schema}");
    }

    #[test]
    fn values_that_are_not_listed_are_told() {
        let listed = json!({"type": "string", "enum": ["open", "closed"]});
        check(2_000, &listed, &[r#"tighter /query/p enum: ["open","closed"] but ["all"]"#]);
        check(2_000, &json!({"enum": ["all", "closed", "open"]}), &[]);
        check(2_000, &json!({"const": "open"}), &[r#"tighter /query/p const: "open" but ["all","closed"]"#]);
    }

    #[test]
    fn a_list_with_values_that_nobody_sends_is_told() {
        check(
            2_000,
            &json!({"enum": ["all", "closed", "open", "draft"]}),
            &[r#"looser /query/p enum: ["all","closed","open","draft"] but ["all","closed","open"]"#],
        );
        check(900, &json!({"enum": ["all", "closed", "open", "draft"]}), &[]);
    }

    #[test]
    fn a_list_that_the_document_does_not_have_is_told() {
        let expected = r#"looser /query/p enum: null but ["all","closed","open"]"#;
        check(10_000, &json!({"type": "string", "minLength": 3, "maxLength": 6}), &[expected]);
        check(9_999, &json!({"type": "string"}), &[]);
    }

    #[test]
    fn values_that_fewer_than_five_callers_sent_are_not_named() {
        let mut evidence = evidence(2_000, |_| Request { id: "1".to_owned(), query: "p=open".to_owned(), body: None });
        let planted = Request { id: "1".to_owned(), query: "p=planted".to_owned(), body: None };
        for caller in 0..4 {
            add(&mut evidence, caller, Hour::of(0), &planted);
        }
        let parameter = json!({"name": "p", "in": "query", "schema": {"enum": ["open"]}});
        let text = OperationText { parameters: vec![parameter], ..OperationText::default() };
        let comparison = compare(&text, &evidence, &[]);
        let expected = [r#"tighter /query/p enum: ["open"] but ["other values"], exactly 4 of 2004"#];
        assert_eq!(lines(&comparison, &[Kind::Tighter]), expected);
    }

    #[test]
    fn numbers_are_compared_where_they_have_one_form() {
        let check = |rare: &str, expected: &[&str], skipped: &[&str]| {
            let value = |number: u64| if number.is_multiple_of(100) { rare.to_owned() } else { "10".to_owned() };
            let comparison = of_values(2_000, &json!({"type": "integer", "enum": [10, 20]}), value);
            let lines = lines(&comparison, &[Kind::Tighter]);
            assert_eq!(
                (lines, not_compared(&comparison)),
                (
                    expected.iter().map(|line| (*line).to_owned()).collect(),
                    skipped.iter().map(|line| (*line).to_owned()).collect(),
                ),
                "{rare}"
            );
        };
        check("30", &[r#"tighter /query/p enum: [10,20] but ["30"], exactly 20 of 2000"#], &[]);
        check("20", &[], &[]);
        check(
            "20.0",
            &[r#"tighter /query/p type: "integer" but ["text: decimal"], at most 20 of 2000"#],
            &["/query/p enum"],
        );
    }

    #[test]
    fn what_would_not_have_been_kept_is_not_compared() {
        let check = |schema: Value, value: &dyn Fn(u64) -> String| {
            let comparison = of_values(2_000, &schema, value);
            assert_eq!(
                (lines(&comparison, &[Kind::Tighter]), not_compared(&comparison)),
                (vec![], vec!["/query/p enum".to_owned()],)
            );
        };
        check(json!({"enum": ["24 hours"]}), &|_| "open".to_owned());
        check(json!({"enum": ["open"]}), &|number| format!("word{}", number % 30));
        check(json!({"enum": "open"}), &|_| "open".to_owned());
    }

    #[test]
    fn null_and_other_types_are_outside_a_list_of_texts() {
        let check = |schema: Value, rare: Value, expected: &[&str]| {
            let body = |number: u64| if number.is_multiple_of(100) { rare.clone() } else { json!("open") };
            assert_eq!(lines(&of_bodies(2_000, &schema, body), &[Kind::Tighter]), expected, "{schema}");
        };
        let expected = r#"tighter /body enum: ["open"] but ["other values"], exactly 20 of 2000"#;
        check(json!({"enum": ["open"]}), json!({}), &[expected]);
        check(json!({"type": "string", "nullable": true, "enum": ["open"]}), Value::Null, &[expected]);
        check(json!({"enum": ["open", null]}), Value::Null, &[]);
        check(json!({"anyOf": [{"enum": ["open"]}, {"type": "null"}]}), Value::Null, &[]);
    }
}
