//! What a value looks like: the narrowest of a fixed list of classes.

use std::net::{Ipv4Addr, Ipv6Addr};

use demilune_inventory::is_uuid;

/// What a value is. JSON values that are no strings have classes of their own; texts, also those of paths and queries,
/// have lexical ones. A text of a class with a format is valid for whoever asserts that format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Class {
    Null,
    Boolean,
    /// A JSON number that is an integer of 64 bits with a sign.
    Integer,
    /// Any other JSON number.
    Number,
    Object,
    Array,
    /// The empty text.
    Empty,
    /// `true` or `false`.
    BooleanText,
    /// An integer of 64 bits with a sign in its shortest form.
    IntegerText,
    /// Decimal digits that are no such integer: with a leading zero, or too many.
    Digits,
    /// Digits, a point and digits, with an optional sign.
    DecimalText,
    Uuid,
    DateTime,
    Date,
    Email,
    Uri,
    Ipv4,
    Ipv6,
    /// Any other text.
    Text,
}

impl Class {
    pub(super) const ALL: [Self; 19] = [
        Self::Null,
        Self::Boolean,
        Self::Integer,
        Self::Number,
        Self::Object,
        Self::Array,
        Self::Empty,
        Self::BooleanText,
        Self::IntegerText,
        Self::Digits,
        Self::DecimalText,
        Self::Uuid,
        Self::DateTime,
        Self::Date,
        Self::Email,
        Self::Uri,
        Self::Ipv4,
        Self::Ipv6,
        Self::Text,
    ];

    /// The narrowest class of a text.
    pub(super) fn of_text(text: &str) -> Self {
        let bytes = text.as_bytes();
        let Some(first) = bytes.first() else { return Self::Empty };
        if bytes.len() > 2_048 {
            return Self::Text;
        }
        if (first.is_ascii_digit() || *first == b'-')
            && let Some(class) = numeric(text)
        {
            return class;
        }
        match bytes.len() {
            4 | 5 if matches!(text, "true" | "false") => Self::BooleanText,
            36 if is_uuid(bytes) => Self::Uuid,
            10 if is_date(bytes) => Self::Date,
            20.. if is_date_time(bytes) => Self::DateTime,
            _ => with_marks(text),
        }
    }

    /// The format that every text of this class has, by its name in OpenAPI's registry.
    pub(crate) const fn format(self) -> Option<&'static str> {
        match self {
            Self::Uuid => Some("uuid"),
            Self::DateTime => Some("date-time"),
            Self::Date => Some("date"),
            Self::Email => Some("email"),
            Self::Uri => Some("uri"),
            Self::Ipv4 => Some("ipv4"),
            Self::Ipv6 => Some("ipv6"),
            _ => None,
        }
    }

    /// Its name in explanations.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Object => "object",
            Self::Array => "array",
            Self::Empty => "empty text",
            Self::BooleanText => "text: true or false",
            Self::IntegerText => "text: integer",
            Self::Digits => "text: digits with a leading zero or beyond 64 bits",
            Self::DecimalText => "text: decimal",
            Self::Uuid => "text: uuid",
            Self::DateTime => "text: date-time",
            Self::Date => "text: date",
            Self::Email => "text: email",
            Self::Uri => "text: uri",
            Self::Ipv4 => "text: ipv4",
            Self::Ipv6 => "text: ipv6",
            Self::Text => "text",
        }
    }
}

/// Numbers, as texts.
fn numeric(text: &str) -> Option<Class> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits(digits) {
        let is_shortest = !digits.starts_with('0') || text == "0";
        return match text.parse::<i64>() {
            Ok(_) if is_shortest => Some(Class::IntegerText),
            _ if digits.len() == text.len() => Some(Class::Digits),
            _ => None,
        };
    }
    let (whole, fraction) = digits.split_once('.')?;
    let is_decimal = is_digits(whole) && is_digits(fraction) && (whole == "0" || !whole.starts_with('0'));
    (is_decimal && whole.len() <= 15 && fraction.len() <= 20).then_some(Class::DecimalText)
}

/// Classes that begin in no certain way, but need a certain character.
fn with_marks(text: &str) -> Class {
    let has = |mark: u8| text.bytes().any(|byte| byte == mark);
    if (text.starts_with("http://") || text.starts_with("https://")) && is_http_uri(text) {
        Class::Uri
    } else if has(b'@') && is_email(text) {
        Class::Email
    } else if has(b':') && text.parse::<Ipv6Addr>().is_ok() {
        Class::Ipv6
    } else if has(b'.') && text.parse::<Ipv4Addr>().is_ok() {
        Class::Ipv4
    } else {
        Class::Text
    }
}

/// A day that the calendar has (RFC 3339, `full-date`).
fn is_date(bytes: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return false };
    let (Some(century), Some(year)) = (two(*y1, *y2), two(*y3, *y4)) else { return false };
    let (Some(month), Some(day)) = (two(*m1, *m2), two(*d1, *d2)) else { return false };
    let year = century * 100 + year;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    year > 0 && (1..=days).contains(&day)
}

/// RFC 3339, `date-time`; a leap second is left out, since few who validate know when there was one.
fn is_date_time(bytes: &[u8]) -> bool {
    let Some((date, rest)) = bytes.split_at_checked(10) else { return false };
    let [b'T' | b't', h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = rest else { return false };
    let below = |one, other, limit| two(one, other).is_some_and(|number| number < limit);
    if !is_date(date) || !below(*h1, *h2, 24) || !below(*m1, *m2, 60) || !below(*s1, *s2, 60) {
        return false;
    }
    let zone = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            &fraction[digits..]
        }
        zone => zone,
    };
    match zone {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => below(*h1, *h2, 24) && below(*m1, *m2, 60),
        _ => false,
    }
}

fn two(ten: u8, one: u8) -> Option<u32> {
    (ten.is_ascii_digit() && one.is_ascii_digit()).then(|| u32::from(ten - b'0') * 10 + u32::from(one - b'0'))
}

/// An address of letters that need no quotes, at a name of at least two labels (RFC 5321 section 4.1.2).
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_atom = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte))
    };
    local.len() <= 64 && local.split('.').all(is_atom) && domain.contains('.') && is_name(domain)
}

/// A name of letters, digits and hyphens (RFC 1123 section 2.1).
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// An absolute URI of the two schemes that APIs send, with a plain host (RFC 3986 section 3).
fn is_http_uri(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    is_name(host) && is_port && tail.matches('#').count() <= 1 && is_of_uri_characters(tail.as_bytes())
}

fn is_of_uri_characters(mut bytes: &[u8]) -> bool {
    while let [byte, rest @ ..] = bytes {
        bytes = match (byte, rest) {
            (b'%', [high, low, rest @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest,
            (b'%', _) => return false,
            (byte, rest) if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?#".contains(byte) => rest,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_narrowest_class() {
        let check = |text: &str, expected: Class| assert_eq!(Class::of_text(text), expected, "{text}");
        check("", Class::Empty);
        check("true", Class::BooleanText);
        check("True", Class::Text);
        check("0", Class::IntegerText);
        check("-7", Class::IntegerText);
        check("-0", Class::Text);
        check("9223372036854775807", Class::IntegerText);
        check("9223372036854775808", Class::Digits);
        check("-9223372036854775809", Class::Text);
        check("007", Class::Digits);
        check("1.50", Class::DecimalText);
        check("-0.5", Class::DecimalText);
        check("01.5", Class::Text);
        check("1.", Class::Text);
        check("1e5", Class::Text);
        check("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", Class::Uuid);
        check("12345678-1234-1234-1234-123456789012", Class::Uuid);
        check("2024-02-29", Class::Date);
        check("2023-02-29", Class::Text);
        check("2024-02-30", Class::Text);
        check("2024-01-02T03:04:05Z", Class::DateTime);
        check("2024-01-02T03:04:05.678+01:00", Class::DateTime);
        check("2024-01-02T24:04:05Z", Class::Text);
        check("2024-01-02 03:04:05Z", Class::Text);
        check("ada@example.com", Class::Email);
        check("ada@localhost", Class::Text);
        check("a..b@example.com", Class::Text);
        check("https://example.com:8443/a?b=%20#c", Class::Uri);
        check("https://exa mple.com", Class::Text);
        check("http://", Class::Text);
        check("192.0.2.1", Class::Ipv4);
        check("192.0.2.256", Class::Text);
        check("2001:db8::1", Class::Ipv6);
        check("12:30", Class::Text);
    }

    #[test]
    fn classes_are_numbered_in_the_order_of_their_list() {
        for (number, class) in Class::ALL.iter().enumerate() {
            assert_eq!(*class as usize, number);
        }
    }
}
