//! One line of a head or a trailer section, and one field in it.

use super::Defect;

/// The bytes of a token (RFC 9110 5.6.2).
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        byte += 1;
    }
    table
};

/// Options that no client needs to name, and that would make the next hop judge another request than this one.
const NO_CONNECTION_OPTIONS: [&[u8]; 9] = [
    b"authorization",
    b"content-encoding",
    b"content-length",
    b"content-type",
    b"cookie",
    b"expect",
    b"host",
    b"trailer",
    b"transfer-encoding",
];

/// Fields that mean something to whoever frames, routes, authorises or decodes the request (RFC 9110 6.5.1).
const NO_TRAILERS: [&[u8]; 30] = [
    b"authorization",
    b"cache-control",
    b"connection",
    b"content-encoding",
    b"content-length",
    b"content-range",
    b"content-type",
    b"cookie",
    b"expect",
    b"forwarded",
    b"host",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
    b"if-unmodified-since",
    b"keep-alive",
    b"max-forwards",
    b"origin",
    b"pragma",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"range",
    b"set-cookie",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"www-authenticate",
];

/// Whether `text` is a token; the empty text is none.
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| TOKEN[usize::from(*byte)])
}

/// Whether `byte` can stand in a token.
pub(super) fn is_token_byte(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// The line without its carriage return; its line feed is gone already.
pub(super) fn line(with_return: &[u8]) -> Result<&[u8], Defect> {
    let [line @ .., b'\r'] = with_return else { return Err(Defect::BareLineFeed) };
    // Without an early exit the compiler looks at sixteen bytes at a time.
    let control = line.iter().fold(false, |found, byte| found | is_control(*byte));
    if control { Err(control_defect(line)) } else { Ok(line) }
}

/// The name and the trimmed value of a field line.
pub(super) fn split(line: &[u8]) -> Result<(&[u8], &[u8]), Defect> {
    let name_bytes = line.iter().position(|byte| !is_token_byte(*byte)).unwrap_or(line.len());
    match line.split_at(name_bytes) {
        (name, [b':', value @ ..]) if !name.is_empty() => Ok((name, trim(value))),
        _ => Err(name_defect(line)),
    }
}

/// The members of a comma-separated list, trimmed; empty ones too.
pub(super) fn members(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Whether a Connection field may name `option`.
pub(super) fn is_connection_option(option: &[u8]) -> bool {
    is_token(option) && !is_among(option, &NO_CONNECTION_OPTIONS)
}

/// Whether a trailer field may have this name.
pub(super) fn is_trailer(name: &[u8]) -> bool {
    !is_among(name, &NO_TRAILERS)
}

fn is_among(name: &[u8], names: &[&[u8]]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(first) = value.iter().position(|byte| !blank(byte)) else { return &[] };
    let last = value.iter().rposition(|byte| !blank(byte)).unwrap_or(first);
    &value[first..=last]
}

#[cold]
fn control_defect(line: &[u8]) -> Defect {
    if line.contains(&b'\r') { Defect::BareCarriageReturn } else { Defect::ControlCharacter }
}

#[cold]
fn name_defect(line: &[u8]) -> Defect {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return Defect::Fold;
    }
    let Some(colon) = memchr::memchr(b':', line) else { return Defect::ColonMissing };
    if line[..colon].ends_with(b" ") || line[..colon].ends_with(b"\t") {
        Defect::SpaceBeforeColon
    } else {
        Defect::FieldName
    }
}
