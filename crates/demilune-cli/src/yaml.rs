//! JSON data as YAML text that every reader of YAML 1.1 and 1.2 takes for the same data.

use std::fmt::Write;

use serde_json::{Number, Value};

/// What a level of depth adds to the beginning of a line.
const INDENT: usize = 2;
/// Plain words that some version of YAML takes for something else than text, in lower case.
const NO_TEXT: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// The text, with one key or item in a line, in the order of the data.
pub(crate) fn text(value: &Value) -> String {
    let mut text = String::new();
    if is_short(value) {
        line_end(&mut text, value);
    } else {
        block(&mut text, value, 0, false);
    }
    text
}

/// Writes a filled collection, whose first line may have been begun by the item that it is.
fn block(text: &mut String, value: &Value, indent: usize, is_begun: bool) {
    match value {
        Value::Object(members) => {
            for (place, (key, member)) in members.iter().enumerate() {
                begin_line(text, indent, is_begun && place == 0);
                string(text, key);
                text.push(':');
                behind_key(text, member, indent + INDENT);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                begin_line(text, indent, is_begun && place == 0);
                text.push_str("- ");
                if is_short(item) { line_end(text, item) } else { block(text, item, indent + INDENT, true) }
            }
        }
        _ => {}
    }
}

fn begin_line(text: &mut String, indent: usize, is_begun: bool) {
    if !is_begun {
        text.extend(std::iter::repeat_n(' ', indent));
    }
}

fn behind_key(text: &mut String, member: &Value, indent: usize) {
    if is_short(member) {
        text.push(' ');
        line_end(text, member);
    } else {
        text.push('\n');
        block(text, member, indent, false);
    }
}

/// Whether a value fits behind its key: it is no collection, or an empty one.
fn is_short(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    }
}

fn line_end(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&decimal(number)),
        Value::String(content) => string(text, content),
        Value::Array(_) => text.push_str("[]"),
        Value::Object(_) => text.push_str("{}"),
    }
    text.push('\n');
}

/// YAML 1.1 takes a number for text if it has an exponent without a fraction or without a sign.
fn decimal(number: &Number) -> String {
    let digits = number.to_string();
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else { return digits };
    let fraction = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{mantissa}{fraction}e{sign}{exponent}")
}

fn string(text: &mut String, content: &str) {
    if is_plain(content) {
        text.push_str(content);
        return;
    }
    text.push('"');
    for letter in content.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            letter if is_printable(letter) => text.push(letter),
            // Everything that is left has at most four digits. Writing to a string does not fail.
            letter => drop(write!(text, "\\u{:04x}", u32::from(letter))),
        }
    }
    text.push('"');
}

/// Whether nobody can take the bare word for anything but this text.
fn is_plain(content: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "/_-.{}% ".contains(letter);
    content.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && content.chars().all(allowed)
        && !content.ends_with(' ')
        && !NO_TEXT.contains(&&*content.to_ascii_lowercase())
}

/// What may stand between quotes as it is, without line breaks and marks of byte order (YAML 1.2 section 5.1).
fn is_printable(letter: char) -> bool {
    match letter {
        ' '..='~' => true,
        '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => false,
        letter => letter >= '\u{a0}',
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn collections_are_blocks() {
        let value = json!({
            "paths": {"/users/{var1}": {"get": {"parameters": [{"in": "path", "name": "var1"}, [], [[1, 2]]]}}},
            "empty": {},
        });
        let expected = concat!(
            "empty: {}\n",
            "paths:\n",
            "  /users/{var1}:\n",
            "    get:\n",
            "      parameters:\n",
            "        - in: path\n",
            "          name: var1\n",
            "        - []\n",
            "        - - - 1\n",
            "            - 2\n",
        );
        assert_eq!(text(&value), expected);
    }

    #[test]
    fn text_that_looks_like_something_else_is_quoted() {
        let check = |value: Value, expected: &str| assert_eq!(text(&value), format!("{expected}\n"), "{value}");
        check(json!("a b-c_d"), "a b-c_d");
        check(json!("/a%20b/{var1}"), "/a%20b/{var1}");
        check(json!("No"), r#""No""#);
        check(json!("3.0.0"), r#""3.0.0""#);
        check(json!("a: b"), r#""a: b""#);
        check(json!("a "), r#""a ""#);
        check(json!(""), r#""""#);
        check(json!("\u{85}é\"\\\n\u{7f}"), r#""\u0085é\"\\\n\u007f""#);
        check(json!(1e30), "1.0e+30");
        check(json!(1.5e-9), "1.5e-9");
        check(json!(-7), "-7");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("JSON has no such number", |real| real.is_finite()).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[-~:#ntyes.0-9 ]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(value in any_json()) {
            let written = text(&value);
            let read: Value = serde_saphyr::from_str(&written).unwrap();
            // Some readers make a whole number of 1.0; what is meant is the same.
            prop_assert_eq!(canonical(&read), canonical(&value), "{}", written);
        }
    }

    fn canonical(value: &Value) -> Value {
        match value {
            Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
            Value::Array(items) => items.iter().map(canonical).collect(),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(key, member)| (key.clone(), canonical(member))).collect())
            }
            other => other.clone(),
        }
    }
}
