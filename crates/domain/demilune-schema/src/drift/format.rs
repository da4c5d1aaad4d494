//! `format`, as far as the classes of texts tell.

use serde_json::{Value, json};

use super::{
    difference::{Difference, Kind},
    findings::Findings,
    spot::Spot,
    types::{self, Fit},
};
use crate::{document::integer_bounds, learn::Class};

const NOT_TOLD: &str = "the classes of texts do not tell this format from others";
const UNCLEAR: &str = "some texts may or may not be of this format";

pub(super) fn tighter(spot: &Spot<'_>, findings: &mut Findings) {
    for (part, documented) in spot.parts.keyword("format") {
        let Some(format) = documented.as_str() else {
            findings.not_compared(spot.place, "format", "a format must be a text");
            continue;
        };
        // The formats of integers are bounds; these restrict nothing.
        if integer_bounds(format).is_some() || matches!(format, "float" | "double" | "binary" | "password") {
            continue;
        }
        if !spot.is_text() || !is_told(format) {
            findings.not_compared(spot.place, "format", NOT_TOLD);
            continue;
        }
        let (classes, ground, counted) = types::refused(spot, |class| fit(class, format));
        if ground.count > 0 {
            let values = [documented.clone(), types::class_names(&classes)];
            let at = spot.at("format", part.at("format"));
            findings.add(Difference::of(Kind::Tighter, at, values, &ground, spot.count()).counted(counted));
        }
        if spot.field.classes.iter().any(|(class, _)| fit(class, format) == Fit::Unclear) {
            findings.not_compared(spot.place, "format", UNCLEAR);
        }
    }
}

pub(super) fn looser(spot: &Spot<'_>, findings: &mut Findings) {
    if spot.parts.is_restricted(&["format", "enum", "const"]) {
        return;
    }
    let Some((learned, ground)) = spot.learned.keyword("format") else { return };
    // That integers are of 64 bits says nothing that a document must.
    if learned.as_str().is_none_or(|format| integer_bounds(format).is_some()) {
        return;
    }
    let (_, location) = spot.parts.first("format");
    let values = [json!(null), Value::clone(learned)];
    findings.add(Difference::of(Kind::Looser, spot.at("format", location), values, ground, spot.count()));
}

/// Whether there is a class of that format.
fn is_told(format: &str) -> bool {
    const CLASSES: [Class; 7] =
        [Class::Uuid, Class::DateTime, Class::Date, Class::Email, Class::Uri, Class::Ipv4, Class::Ipv6];
    CLASSES.iter().any(|class| class.format() == Some(format))
}

/// Whether a text of a class is of a format. Addresses in quotes and leap seconds are as good as never sent, but URIs may
/// have any scheme.
fn fit(class: Class, format: &str) -> Fit {
    match class {
        Class::Null | Class::Boolean | Class::Integer | Class::Number | Class::Object | Class::Array => Fit::Fits,
        _ if class.format() == Some(format) => Fit::Fits,
        Class::Text | Class::Ipv6 if format == "uri" => Fit::Unclear,
        Class::Text if matches!(format, "email" | "date-time") => Fit::Hardly,
        _ => Fit::Refused,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::drift::{
        Kind,
        testing::{lines, not_compared, of_values},
    };

    fn check(schema: &Value, kind: Kind, value: &dyn Fn(u64) -> &'static str, expected: &[&str]) {
        assert_eq!(lines(&of_values(2_000, schema, |number| value(number).to_owned()), &[kind]), expected, "{schema}");
    }

    fn mostly(common: &'static str, rare: &'static str) -> impl Fn(u64) -> &'static str {
        move |number| if number.is_multiple_of(100) { rare } else { common }
    }

    #[test]
    fn texts_of_another_class_are_not_of_the_format() {
        let check = |format: &str, common, rare, expected: &[&str]| {
            check(&json!({"type": "string", "format": format}), Kind::Tighter, &mostly(common, rare), expected);
        };
        check(
            "date",
            "2024-01-02",
            "yesterday",
            &[r#"tighter /query/p format: "date" but ["text"], exactly 20 of 2000"#],
        );
        check("email", "a@b.example", "ab", &[r#"tighter /query/p format: "email" but ["text"], at most 20 of 2000"#]);
        check("uri", "https://a.example/", "urn:a:b", &[]);
        check(
            "uri",
            "https://a.example/",
            "7",
            &[r#"tighter /query/p format: "uri" but ["text: integer"], exactly 20 of 2000"#],
        );
        check("password", "a", "b", &[]);
    }

    #[test]
    fn what_no_class_tells_is_not_compared() {
        let check = |format: &str, expected: &[&str]| {
            let schema = json!({"type": "string", "format": format});
            assert_eq!(not_compared(&of_values(2_000, &schema, |_| "a".to_owned())), expected, "{format}");
        };
        check("hostname", &["/query/p format"]);
        check("isbn", &["/query/p format"]);
        check("uri", &["/query/p format"]);
        check("binary", &[]);
    }

    #[test]
    fn a_format_that_all_have_and_nobody_documents_is_told() {
        let uuid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        let expected = r#"looser /query/p format: null but "uuid", exactly 2000 of 2000"#;
        check(&json!({"type": "string"}), Kind::Looser, &|_| uuid, &[expected]);
        check(&json!({"type": "string", "format": "uuid"}), Kind::Looser, &|_| uuid, &[]);
        check(&json!({"type": "string", "enum": [uuid]}), Kind::Looser, &|_| uuid, &[]);
    }
}
