//! Percent-encoding, taken off once (RFC 3986 section 2.1).

use std::borrow::Cow;

/// The bytes that percent-encoded text stands for. A `%` without two hex digits behind it is a literal one.
pub(crate) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    decode_with(text, false)
}

/// The same where `+` is a space, as in forms and queries.
pub(crate) fn decode_form(text: &[u8]) -> Cow<'_, [u8]> {
    decode_with(text, true)
}

fn decode_with(text: &[u8], plus_is_space: bool) -> Cow<'_, [u8]> {
    let is_special = |byte: &u8| *byte == b'%' || (plus_is_space && *byte == b'+');
    let Some(first) = text.iter().position(is_special) else { return Cow::Borrowed(text) };
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend_from_slice(&text[..first]);
    let mut rest = &text[first..];
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match (byte, behind) {
            (b'%', [high, low, behind @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(hex(*high) << 4 | hex(*low));
                rest = behind;
            }
            (b'+', _) if plus_is_space => decoded.push(b' '),
            (other, _) => decoded.push(*other),
        }
    }
    Cow::Owned(decoded)
}

/// The value of a hex digit.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Decoded text, if it is UTF-8.
pub(crate) fn text(decoded: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    match decoded {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triplets_are_decoded_once() {
        let check = |text: &str, expected: &str| assert_eq!(&*decode(text.as_bytes()), expected.as_bytes(), "{text}");
        check("a%20b+c", "a b+c");
        check("%2525", "%25");
        check("%C3%a9", "é");
        check("%zz%4%", "%zz%4%");
        assert_eq!(&*decode_form(b"a+b%2B"), b"a b+");
    }
}
