//! What stands between the quotes of a JSON string.

/// The text is no string of JSON.
#[derive(Debug)]
pub(super) struct BadString;

/// How many bytes stand before the first quote, backslash or control character.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| ENDS[usize::from(*byte)]).unwrap_or(bytes.len())
}

/// Whether a byte ends a run of plain text, looked up because every byte of every string is asked about.
const ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        ends[byte] = true;
        byte += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

/// Appends the string at the start of `text`, which begins behind the opening quote. How long it is with the closing one.
pub(super) fn unescape(text: &str, to: &mut String) -> Result<usize, BadString> {
    let mut at = 0;
    loop {
        let plain = plain_length(&text.as_bytes()[at..]);
        to.push_str(&text[at..at + plain]);
        at += plain;
        match text.as_bytes().get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at += 1 + escape(&text.as_bytes()[at + 1..], to)?,
            _ => return Err(BadString),
        }
    }
}

/// Appends what the escape stands for that begins behind the backslash. How long it is.
fn escape(bytes: &[u8], to: &mut String) -> Result<usize, BadString> {
    let letter = match bytes.first() {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(&bytes[1..], to).map(|length| length + 1),
        _ => return Err(BadString),
    };
    to.push(letter);
    Ok(1)
}

/// Four hex digits, or two times four for a pair of surrogates. A surrogate alone is no character.
fn unicode(bytes: &[u8], to: &mut String) -> Result<usize, BadString> {
    let first = hex(bytes)?;
    if let Some(letter) = char::from_u32(first) {
        to.push(letter);
        return Ok(4);
    }
    let second = bytes[4..].strip_prefix(b"\\u").ok_or(BadString).and_then(hex)?;
    if first >= 0xDC00 || !(0xDC00..0xE000).contains(&second) {
        return Err(BadString);
    }
    to.extend(char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)));
    Ok(10)
}

fn hex(bytes: &[u8]) -> Result<u32, BadString> {
    let digits = bytes.get(..4).ok_or(BadString)?;
    digits.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(BadString)?;
        Ok(value << 4 | digit)
    })
}
