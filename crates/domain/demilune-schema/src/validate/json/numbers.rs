//! Numbers as JSON writes them (RFC 8259 section 6).

use serde_json::Number;

/// The number at the start of `text`, `None` within if no double holds it, and how long it is.
pub(super) fn number(text: &[u8]) -> Option<(Option<Number>, usize)> {
    let digits_start = usize::from(text.first() == Some(&b'-'));
    let integer_end = match text.get(digits_start) {
        Some(b'0') => digits_start + 1,
        Some(b'1'..=b'9') => digits_start + digits(&text[digits_start..]),
        _ => return None,
    };
    let mut end = integer_end;
    if text.get(end) == Some(&b'.') {
        let fraction = digits(&text[end + 1..]);
        end += 1 + fraction;
        if fraction == 0 {
            return None;
        }
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(&text[end + 1 + sign..]);
        end += 1 + sign + exponent;
        if exponent == 0 {
            return None;
        }
    }
    let plain = std::str::from_utf8(&text[..end]).ok()?;
    let number = if end == integer_end { integer(plain) } else { None };
    Some((number.or_else(|| plain.parse().ok().and_then(Number::from_f64)), end))
}

/// An integer that fits 64 bits. `-0` is left to be a double, which has a zero below zero.
fn integer(text: &str) -> Option<Number> {
    match text.as_bytes() {
        b"-0" => None,
        [b'-', ..] => text.parse::<i64>().ok().map(Number::from),
        _ => text.parse::<u64>().ok().map(Number::from),
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}
