//! Escapes of quoted values: nginx's `\x22` and `\u0007`, Apache's `\"`, JSON's.

use std::borrow::Cow;

/// A value without its escapes. What is no escape stays; bytes that are no UTF-8 become replacement characters.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        rest = one(escaped, &mut bytes);
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()).into()
}

/// How long a quoted text is, up to the quote that ends it.
pub(super) fn quoted_length(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(place),
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

/// Writes what the text behind a backslash stands for, and gives what follows it.
fn one<'t>(text: &'t str, bytes: &mut Vec<u8>) -> &'t str {
    let mut characters = text.chars();
    let short = match characters.next() {
        Some(plain @ ('"' | '\\' | '/')) => Some(plain),
        Some('n') => Some('\n'),
        Some('t') => Some('\t'),
        Some('r') => Some('\r'),
        Some('b') => Some('\u{8}'),
        Some('f') => Some('\u{c}'),
        Some('v') => Some('\u{b}'),
        _ => None,
    };
    if let Some(character) = short {
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return characters.as_str();
    }
    let byte = text.strip_prefix('x').and_then(|text| hex(text, 2));
    let unit = text.strip_prefix('u').and_then(|text| hex(text, 4));
    if let Some(byte) = byte.and_then(|code| u8::try_from(code).ok()) {
        bytes.push(byte);
        return &text[3..];
    }
    if let Some(character) = unit.and_then(char::from_u32) {
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return &text[5..];
    }
    bytes.push(b'\\');
    text
}

fn hex(text: &str, digits: usize) -> Option<u32> {
    let digits = text.get(..digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_what_they_stand_for() {
        let check = |text: &str, expected: &str| assert_eq!(unescape(text), expected, "{text:?}");
        check("plain", "plain");
        check(r"a\x22b\x5Cc", "a\"b\\c");
        check(r#"a\"b\\c\n"#, "a\"b\\c\n");
        check(r"\xC3\xA9\u00e9", "éé");
        check(r"\xFF", "\u{fffd}");
        check(r"\q \x2 \u12 \ud800 \", r"\q \x2 \u12 \ud800 \");
        check("\\é", "\\é");
    }

    #[test]
    fn a_quoted_text_ends_at_the_first_quote_without_a_backslash() {
        assert_eq!(quoted_length(r#"a\"b" c"#), Some(4));
        assert_eq!(quoted_length(r#"a\\" c"#), Some(3));
        assert_eq!(quoted_length(r#"a\""#), None);
    }
}
