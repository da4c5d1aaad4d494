//! `type` and `nullable`.

use serde_json::{Value, json};

use super::{
    difference::{Counted, Difference, Kind},
    findings::Findings,
    parts::Admitted,
    spot::{Spot, Written},
};
use crate::{
    learn::{Class, Learned, Tally},
    validate::Kinds,
};

/// Whether values of a class are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Fits,
    /// As good as none of them, such as `1e5` among texts that look like no number.
    Hardly,
    /// It cannot be told.
    Unclear,
    Refused,
}

/// The values of a place whose class is not let through, and how sure their number is.
pub(super) fn refused(spot: &Spot<'_>, fit: impl Fn(Class) -> Fit) -> (Vec<Class>, Tally, Counted) {
    let (mut classes, mut ground, mut counted) = (Vec::new(), Tally::EMPTY, Counted::Exactly);
    for (class, tally) in spot.field.classes.iter().filter(|(class, _)| !spot.is_waved_through(*class)) {
        match fit(class) {
            Fit::Fits | Fit::Unclear => continue,
            Fit::Hardly => counted = Counted::AtMost,
            Fit::Refused => {}
        }
        classes.push(class);
        ground.merge(tally);
    }
    (classes, ground, counted)
}

pub(super) fn tighter(spot: &Spot<'_>, findings: &mut Findings) {
    let admitted = spot.parts.admitted();
    let fit = |class| match spot.written {
        Written::Json if class == Class::Null => Fit::Fits,
        Written::Json => of_json(class, admitted),
        Written::Text { .. } => of_text(class, admitted),
    };
    let (classes, ground, counted) = refused(spot, fit);
    if ground.count > 0 {
        let (documented, location) = spot.parts.first("type");
        let values = [documented, class_names(&classes)];
        let at = spot.at("type", location);
        findings.add(Difference::of(Kind::Tighter, at, values, &ground, spot.count()).counted(counted));
    }
    if let (Written::Json, Some(nulls)) = (spot.written, spot.field.classes.get(Class::Null))
        && !admitted.kinds.has(Kinds::NULL)
    {
        let (documented, location) = spot.parts.first("type");
        let at = spot.at("nullable", location);
        findings.add(Difference::of(Kind::Tighter, at, [documented, json!("null")], nulls, spot.count()));
    }
}

/// Tells a type that is wider than what was sent. Says whether the types differ: then there is no use in looking at bounds.
pub(super) fn looser(spot: &Spot<'_>, findings: &mut Findings) -> bool {
    if spot.parts.is_restricted(&["enum", "const", "pattern"]) || spot.parts.nothing.is_some() {
        return false;
    }
    let Some((learned, ground)) = spot.learned.keyword("type") else { return false };
    let admitted = documented(spot);
    if !is_admitted(spot, admitted, learned) {
        return true;
    }
    let is_text_of_format = spot.parts.says("format") && admitted.kinds.without(Kinds::NULL) == Kinds::STRING;
    let of = spot.count();
    let (documented, location) = spot.parts.first("type");
    if !is_text_of_format && is_wider(admitted, learned) {
        let at = spot.at("type", location);
        findings.add(Difference::of(Kind::Looser, at, [documented, learned.clone()], ground, of));
        return true;
    }
    let is_nullable = spot.written == Written::Json && admitted.kinds.has(Kinds::NULL);
    if is_nullable && spot.field.classes.get(Class::Null).is_none() && of >= Learned::REQUESTS_MIN {
        let at = spot.at("nullable", location);
        findings.add(Difference::of(Kind::Looser, at, [json!(true), json!(false)], ground, of));
    }
    false
}

/// What is let through, where a text is a text if nothing else is said.
fn documented(spot: &Spot<'_>) -> Admitted {
    let admitted = spot.parts.admitted();
    let is_text = matches!(spot.written, Written::Text { .. }) && admitted.kinds == Kinds::ALL;
    Admitted { kinds: if is_text { Kinds::STRING } else { admitted.kinds }, ..admitted }
}

/// Whether values of a learned type are let through; a text may be whatever it looks like.
fn is_admitted(spot: &Spot<'_>, admitted: Admitted, learned: &Value) -> bool {
    let is_any_text = matches!(spot.written, Written::Text { .. }) && admitted.kinds.has(Kinds::STRING);
    is_any_text || learned.as_str().is_some_and(|learned| admitted.kinds.has(Kinds::named(learned)))
}

/// Whether more is let through than a learned type; null apart.
fn is_wider(admitted: Admitted, learned: &Value) -> bool {
    let Some(learned) = learned.as_str() else { return false };
    let has_more_kinds = admitted.kinds.without(Kinds::NULL | Kinds::named(learned)) != Kinds::NONE;
    let is_number = admitted.kinds.has(Kinds::NUMBER) && admitted.has_fractions;
    has_more_kinds || (learned == "integer" && is_number)
}

fn of_json(class: Class, admitted: Admitted) -> Fit {
    let kinds = admitted.kinds;
    let has = |kind| if kinds.has(kind) { Fit::Fits } else { Fit::Refused };
    match class {
        Class::Null => has(Kinds::NULL),
        Class::Boolean => has(Kinds::BOOLEAN),
        Class::Number if kinds.has(Kinds::NUMBER) && !admitted.has_fractions => Fit::Hardly,
        Class::Integer | Class::Number => has(Kinds::NUMBER),
        Class::Object => has(Kinds::OBJECT),
        Class::Array => has(Kinds::ARRAY),
        _ => has(Kinds::STRING),
    }
}

/// As [`crate::validate`] reads texts.
fn of_text(class: Class, admitted: Admitted) -> Fit {
    let kinds = admitted.kinds;
    if kinds.has(Kinds::STRING) {
        return Fit::Fits;
    }
    let is_number = kinds.has(Kinds::NUMBER);
    match class {
        Class::Empty if kinds.has(Kinds::NULL) => Fit::Fits,
        Class::BooleanText if kinds.has(Kinds::BOOLEAN) => Fit::Fits,
        Class::IntegerText if is_number => Fit::Fits,
        Class::DecimalText if is_number && admitted.has_fractions => Fit::Fits,
        // `1.0` is an integer, 20 digits are one, `1e5` is a number, and `null` may be null.
        Class::DecimalText | Class::Digits if is_number => Fit::Hardly,
        Class::Text if is_number || kinds.has(Kinds::NULL) => Fit::Hardly,
        _ => Fit::Refused,
    }
}

/// The names of classes.
pub(super) fn names<'t>(classes: impl Iterator<Item = (Class, &'t Tally)>) -> Value {
    classes.map(|(class, _)| Value::from(class.name())).collect()
}

pub(super) fn class_names(classes: &[Class]) -> Value {
    classes.iter().map(|class| Value::from(class.name())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::drift::{
        Kind,
        testing::{lines, of_bodies, of_values},
    };

    fn check_text(schema: &Value, kind: Kind, value: &dyn Fn(u64) -> String, expected: &[&str]) {
        assert_eq!(lines(&of_values(2_000, schema, value), &[kind]), expected, "{schema}");
    }

    fn check_body(schema: &Value, kind: Kind, value: &dyn Fn(u64) -> Value, expected: &[&str]) {
        let schema = json!({"type": "object", "required": ["m"], "properties": {"m": schema}});
        let comparison = of_bodies(2_000, &schema, |number| json!({"m": value(number)}));
        assert_eq!(lines(&comparison, &[kind]), expected, "{schema}");
    }

    /// One in a hundred is something else.
    fn mostly(common: &'static str, rare: &'static str) -> impl Fn(u64) -> String {
        move |number| if number.is_multiple_of(100) { rare.to_owned() } else { common.to_owned() }
    }

    #[test]
    fn texts_that_are_no_number_are_refused() {
        let check = |schema: Value, value: &dyn Fn(u64) -> String, expected: &[&str]| {
            check_text(&schema, Kind::Tighter, value, expected);
        };
        check(
            json!({"type": "integer"}),
            &mostly("7", "all"),
            &[r#"tighter /query/p type: "integer" but ["text"], at most 20 of 2000"#],
        );
        check(
            json!({"type": "integer"}),
            &mostly("7", "true"),
            &[r#"tighter /query/p type: "integer" but ["text: true or false"], exactly 20 of 2000"#],
        );
        check(
            json!({"type": "integer"}),
            &mostly("7", "1.5"),
            &[r#"tighter /query/p type: "integer" but ["text: decimal"], at most 20 of 2000"#],
        );
        check(json!({"type": "number"}), &mostly("7", "1.5"), &[]);
        check(
            json!({"type": "boolean"}),
            &mostly("true", "yes"),
            &[r#"tighter /query/p type: "boolean" but ["text"], exactly 20 of 2000"#],
        );
        check(json!({"type": "string"}), &mostly("true", "7"), &[]);
        check(json!({"type": ["integer", "string"]}), &mostly("a", "7"), &[]);
        check(json!({}), &mostly("a", "7"), &[]);
    }

    #[test]
    fn values_of_bodies_have_their_own_types() {
        let rare = |common: Value, rare: Value| {
            move |number: u64| if number.is_multiple_of(100) { rare.clone() } else { common.clone() }
        };
        let check = |schema: Value, value: &dyn Fn(u64) -> Value, expected: &[&str]| {
            check_body(&schema, Kind::Tighter, value, expected);
        };
        check(
            json!({"type": "integer"}),
            &rare(json!(7), json!("7")),
            &[r#"tighter /body/m type: "integer" but ["text: integer"], exactly 20 of 2000"#],
        );
        check(
            json!({"type": "string"}),
            &rare(json!("a"), Value::Null),
            &[r#"tighter /body/m nullable: "string" but "null", exactly 20 of 2000"#],
        );
        check(json!({"type": "string", "nullable": true}), &rare(json!("a"), Value::Null), &[]);
        check(json!({"type": ["string", "null"]}), &rare(json!("a"), Value::Null), &[]);
        check(json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), &rare(json!("a"), Value::Null), &[]);
        check(
            json!({"type": "integer"}),
            &rare(json!(7), json!(7.5)),
            &[r#"tighter /body/m type: "integer" but ["number"], at most 20 of 2000"#],
        );
        check(
            json!({"oneOf": [{"type": "string", "minLength": 3}, {"type": "array"}]}),
            &rare(json!("abc"), json!(true)),
            &[r#"tighter /body/m type: null but ["boolean"], exactly 20 of 2000"#],
        );
        check(
            json!(false),
            &rare(json!("abc"), json!(true)),
            &[r#"tighter /body/m schema: false but ["boolean","text"], exactly 2000 of 2000"#],
        );
    }

    #[test]
    fn a_type_that_is_wider_than_what_was_sent_is_told() {
        let check = |schema: Value, value: &dyn Fn(u64) -> String, expected: &[&str]| {
            check_text(&schema, Kind::Looser, value, expected);
        };
        let number = |number: u64| number.to_string();
        check(
            json!({"type": "string"}),
            &number,
            &[r#"looser /query/p type: "string" but "integer", exactly 2000 of 2000"#],
        );
        check(
            json!({"type": "number"}),
            &number,
            &[r#"looser /query/p type: "number" but "integer", exactly 2000 of 2000"#],
        );
        check(json!({}), &number, &[r#"looser /query/p type: null but "integer", exactly 2000 of 2000"#]);
        check(json!({"type": "integer"}), &number, &[]);
        check(json!({"type": "string", "pattern": "^[0-9]+$"}), &number, &[]);
        check(json!({"type": "string"}), &|number| format!("word {number}"), &[]);
        check(json!({}), &|number| format!("word {number}"), &[]);
        check_body(
            &json!({"type": "string", "nullable": true}),
            Kind::Looser,
            &|number| json!(format!("word {number}")),
            &["looser /body/m nullable: true but false, exactly 2000 of 2000"],
        );
    }
}
