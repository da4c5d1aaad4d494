//! Reads JSON (RFC 8259) strictly: a name that stands twice in one object is an error, since readers disagree on it.

use super::{
    error::{JsonError, JsonErrorKind, Step},
    numbers::number,
    strings::{self, BadString},
    tape::{Entry, SCANNED_MEMBERS_MAX, Tape},
};

/// Deepest nesting of a request body. Checking recurses with it, so it bounds the stack; real bodies nest a tenth of it.
pub(crate) const DEPTH_MAX: usize = 64;
/// An entry takes 12 bytes, and values of an array two bytes of text: reserve less than the worst case.
const BYTES_PER_ENTRY: usize = 8;

/// Reads one JSON text that is nested at most `depth_max` deep.
pub(crate) fn read(bytes: &[u8], depth_max: usize) -> Result<Tape<'_>, JsonError> {
    let error = |kind| JsonError { kind, steps: Vec::new() };
    if u32::try_from(bytes.len()).is_err() {
        return Err(error(JsonErrorKind::Size));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| error(JsonErrorKind::Encoding))?;
    let mut reader = Reader {
        tape: Tape { text, entries: Vec::with_capacity(bytes.len() / BYTES_PER_ENTRY + 1), ..Tape::default() },
        bytes,
        at: 0,
        open: Vec::new(),
        names: Vec::new(),
        depth_max,
    };
    match reader.text() {
        Ok(()) => Ok(reader.tape),
        Err(kind) => Err(JsonError { kind, steps: reader.steps() }),
    }
}

struct Reader<'t> {
    tape: Tape<'t>,
    bytes: &'t [u8],
    at: usize,
    /// Containers that have begun and not ended.
    open: Vec<Open>,
    /// The names in open objects, as entries.
    names: Vec<u32>,
    depth_max: usize,
}

#[derive(Clone, Copy)]
struct Open {
    entry: usize,
    is_object: bool,
    /// How many values are complete.
    count: u32,
    /// Where its names begin in the list of names.
    names: usize,
}

impl Reader<'_> {
    fn text(&mut self) -> Result<(), JsonErrorKind> {
        loop {
            if self.value()? && self.end_of_value()? {
                break;
            }
        }
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(JsonErrorKind::Syntax) }
    }

    /// Reads a value, or the beginning of one with others in it. Whether it is complete.
    fn value(&mut self) -> Result<bool, JsonErrorKind> {
        self.skip_space();
        let Some(first) = self.bytes.get(self.at) else { return Err(JsonErrorKind::Syntax) };
        match first {
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            b'{' => return self.begin(true),
            b'[' => return self.begin(false),
            b't' => self.word(b"true", Entry::Bool(true))?,
            b'f' => self.word(b"false", Entry::Bool(false))?,
            b'n' => self.word(b"null", Entry::Null)?,
            _ => return Err(JsonErrorKind::Syntax),
        }
        Ok(true)
    }

    /// After a value: on to the next, or out of the containers that end here. Whether the text's value is complete.
    fn end_of_value(&mut self) -> Result<bool, JsonErrorKind> {
        loop {
            let Some(open) = self.open.last_mut() else { return Ok(true) };
            open.count += 1;
            let is_object = open.is_object;
            self.skip_space();
            let next = self.bytes.get(self.at).copied();
            self.at += 1;
            match next {
                Some(b',') if is_object => return self.name().map(|()| false),
                Some(b',') => return Ok(false),
                Some(b'}') if is_object => self.end()?,
                Some(b']') if !is_object => self.end()?,
                _ => return Err(JsonErrorKind::Syntax),
            }
        }
    }

    fn begin(&mut self, is_object: bool) -> Result<bool, JsonErrorKind> {
        if self.open.len() == self.depth_max {
            return Err(JsonErrorKind::Depth);
        }
        self.at += 1;
        self.open.push(Open { entry: self.tape.entries.len(), is_object, count: 0, names: self.names.len() });
        self.push(Entry::Null);
        self.skip_space();
        let closing = if is_object { b'}' } else { b']' };
        if self.bytes.get(self.at) == Some(&closing) {
            self.at += 1;
            self.end()?;
            return Ok(true);
        }
        if is_object {
            self.name()?;
        }
        Ok(false)
    }

    fn end(&mut self) -> Result<(), JsonErrorKind> {
        let Some(open) = self.open.last().copied() else { return Err(JsonErrorKind::Syntax) };
        let behind = index(self.tape.entries.len());
        self.tape.entries[open.entry] =
            if open.is_object { Entry::Object(open.count, behind) } else { Entry::Array(open.count, behind) };
        if open.is_object && self.has_repeated_name(open) {
            return Err(JsonErrorKind::Duplicate);
        }
        self.names.truncate(open.names);
        self.open.pop();
        Ok(())
    }

    /// Leaves the repeated name as the last in the list, for the error to name.
    fn has_repeated_name(&mut self, open: Open) -> bool {
        let names = &self.names[open.names..];
        let twice = if names.len() > SCANNED_MEMBERS_MAX {
            let names = names.to_vec();
            self.tape.sort_names(index(open.entry), names)
        } else {
            repeated(&self.tape, names)
        };
        self.names.extend(twice);
        twice.is_some()
    }

    fn name(&mut self) -> Result<(), JsonErrorKind> {
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(JsonErrorKind::Syntax);
        }
        self.names.push(index(self.tape.entries.len()));
        self.string()?;
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b':') {
            return Err(JsonErrorKind::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), JsonErrorKind> {
        let start = self.at + 1;
        let end = start + strings::plain_length(&self.bytes[start..]);
        match self.bytes.get(end) {
            Some(b'"') => {
                self.at = end + 1;
                self.push(Entry::Text(index(start), index(end)));
                Ok(())
            }
            Some(b'\\') => self.escaped_string(start),
            _ => Err(JsonErrorKind::Syntax),
        }
    }

    fn escaped_string(&mut self, start: usize) -> Result<(), JsonErrorKind> {
        let begins = self.tape.unescaped.len();
        let length = strings::unescape(&self.tape.text[start..], &mut self.tape.unescaped);
        self.at = start + length.map_err(|BadString| JsonErrorKind::Syntax)?;
        self.push(Entry::Unescaped(index(begins), index(self.tape.unescaped.len())));
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonErrorKind> {
        let rest = &self.bytes[self.at..];
        let (number, length) = number(rest).ok_or(JsonErrorKind::Syntax)?;
        self.at += length;
        self.push(Entry::Number(index(self.tape.numbers.len())));
        self.tape.numbers.push(number.ok_or(JsonErrorKind::Number)?);
        Ok(())
    }

    fn word(&mut self, word: &[u8], entry: Entry) -> Result<(), JsonErrorKind> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(JsonErrorKind::Syntax);
        }
        self.at += word.len();
        self.push(entry);
        Ok(())
    }

    fn push(&mut self, entry: Entry) {
        self.tape.entries.push(entry);
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The way to where reading stopped.
    fn steps(&self) -> Vec<Step> {
        let next_names = self.open.iter().skip(1).map(|open| open.names).chain([self.names.len()]);
        let steps = self.open.iter().zip(next_names).filter_map(|(open, behind)| {
            if !open.is_object {
                return Some(Step::Item(open.count));
            }
            let name = self.names[open.names..behind].last()?;
            Some(Step::Member(self.tape.name(*name).to_owned()))
        });
        steps.collect()
    }
}

/// Text is at most as long as a `u32` says, and there are fewer entries than bytes.
fn index(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The first name that equals an earlier one.
fn repeated(tape: &Tape<'_>, names: &[u32]) -> Option<u32> {
    let mut seen = 0_u64;
    for (position, name) in names.iter().enumerate() {
        let text = tape.name(*name);
        let bit = 1_u64 << (mark(text.as_bytes()) & 63);
        if seen & bit != 0 && names[..position].iter().any(|earlier| tape.name(*earlier) == text) {
            return Some(*name);
        }
        seen |= bit;
    }
    None
}

/// Tells most pairs of names apart.
fn mark(name: &[u8]) -> usize {
    let byte = |at: usize| usize::from(name.get(at).copied().unwrap_or_default());
    let last = byte(name.len().saturating_sub(1));
    name.len().wrapping_mul(7) ^ byte(0).wrapping_mul(31) ^ byte(name.len() / 2).wrapping_mul(13) ^ last
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn check(text: &str, expected: &Value) {
        let tape = read(text.as_bytes(), DEPTH_MAX).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(tape.to_value(0), *expected, "{text}");
    }

    fn check_error(text: &[u8], kind: JsonErrorKind) -> Vec<Step> {
        let error = read(text, DEPTH_MAX).expect_err("is no JSON");
        assert_eq!(error.kind, kind, "{}", String::from_utf8_lossy(text));
        error.steps
    }

    #[test]
    fn values_are_read() {
        check(" null\n", &json!(null));
        check("true", &json!(true));
        check("[]", &json!([]));
        check("{ }", &json!({}));
        check(
            r#"{"a": [1, -2.5e3, "x", {}, []], "b": {"c": false}}"#,
            &json!({"a": [1, -2500.0, "x", {}, []], "b": {"c": false}}),
        );
        check("18446744073709551615", &json!(u64::MAX));
        check("-9223372036854775808", &json!(i64::MIN));
        check("18446744073709551616", &json!(18_446_744_073_709_551_616.0));
        check("-0", &json!(-0.0));
        check(r#""é\n\u00e9\ud83d\ude00\"\/""#, &json!("é\né😀\"/"));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        let wrong = [
            "",
            " ",
            "[",
            "{",
            "[1",
            "[1,",
            "[1,]",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "]",
            "[1}",
            "{\"a\":1]",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "0x1",
            "NaN",
            "nul",
            "truee",
            "1 2",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"a\nb\"",
            "\u{feff}1",
            "'a'",
            "[1] // no",
        ];
        for text in wrong {
            check_error(text.as_bytes(), JsonErrorKind::Syntax);
        }
        check_error(b"\"\xff\"", JsonErrorKind::Encoding);
        check_error(b"1e400", JsonErrorKind::Number);
        check_error("[".repeat(65).as_bytes(), JsonErrorKind::Depth);
    }

    #[test]
    fn a_repeated_member_is_an_error_and_is_named() {
        let steps = check_error(br#"{"x": [0, {"a": 1, "b": 2, "a": 3}]}"#, JsonErrorKind::Duplicate);
        assert_eq!(steps, [Step::Member("x".into()), Step::Item(1), Step::Member("a".into())]);
        check_error(br#"{"a": 1, "\u0061": 3}"#, JsonErrorKind::Duplicate);
        let many: Vec<_> = (0..40).chain([7]).map(|name| format!("\"{name}\": 0")).collect();
        let steps = check_error(format!("{{{}}}", many.join(",")).as_bytes(), JsonErrorKind::Duplicate);
        assert_eq!(steps, [Step::Member("7".into())]);
    }

    #[test]
    fn members_of_large_objects_are_found() {
        let members: Vec<_> = (0..100).map(|name| format!("\"n{name}\": {{\"v\": {name}}}")).collect();
        let text = format!("[{{{}}}]", members.join(","));
        let tape = read(text.as_bytes(), DEPTH_MAX).expect("is JSON");
        let found = tape.member(1, 100, "n42").expect("is there");
        assert_eq!(tape.to_value(found), json!({"v": 42}));
        assert_eq!(tape.member(1, 100, "n100"), None);
    }

    proptest! {
        #[test]
        fn reads_as_serde_json_does(text in any_text()) {
            let theirs = serde_json::from_str::<Value>(&text);
            match (read(text.as_bytes(), DEPTH_MAX), theirs) {
                (Ok(ours), Ok(theirs)) => {
                    prop_assert!(ours.equals(0, &theirs));
                    prop_assert_eq!(ours.to_value(0), theirs);
                }
                (Err(ours), Ok(_)) => prop_assert_eq!(ours.kind, JsonErrorKind::Duplicate),
                (Ok(_), Err(theirs)) => prop_assert!(false, "{} {}", text, theirs),
                (Err(_), Err(_)) => {}
            }
        }
    }

    /// Mostly JSON: pieces of it in any order.
    fn any_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("{".to_owned()),
            Just("}".to_owned()),
            Just("[".to_owned()),
            Just("]".to_owned()),
            Just(",".to_owned()),
            Just(":".to_owned()),
            Just("\"a\"".to_owned()),
            Just("\"b\":1,".to_owned()),
            Just("null".to_owned()),
            Just(" ".to_owned()),
            "-?[0-9]{1,3}(\\.[0-9]{1,2})?(e[0-9])?",
            "\"[a-z\\\\u0-9\"]{0,6}\"",
        ];
        prop_oneof![
            proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
            any_value().prop_map(|value| value.to_string()),
        ]
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(".{0,4}", inner, 0..20)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
