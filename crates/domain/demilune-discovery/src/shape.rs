//! What a segment of a path looks like.

use std::fmt;

use demilune_inventory::is_uuid;

/// Longest text in bytes that can be the name of something in an API.
const WORD_BYTES_MAX: usize = 64;
/// Longest value in bytes that is kept to see whether it is the only one at its place: versions and dates are no longer.
const KEPT_BYTES_MAX: usize = 12;
/// From how many digits on an integer is no version, and is not kept.
const KEPT_DIGITS_MAX: usize = 4;
/// From how many hexadecimal digits on a text is a hash.
const HASH_BYTES_MIN: usize = 8;
/// From how many letters and digits on a mixture of them is a token.
const TOKEN_BYTES_MIN: usize = 16;

/// What may stand in a word beside letters and digits, and an at sign in front.
const MARKS: &[u8] = b"-_.~:$!()";

/// Words that answer a question, and name nothing.
const BOOLEANS: [&str; 2] = ["true", "false"];

/// The shape of a segment, or of what stands before a file's ending in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// Decimal digits.
    Integer,
    /// Digits with points between them: a decimal number or a version.
    Numbers,
    /// `2024-02-29`.
    Date,
    /// A time of a day, with the day.
    DateTime,
    /// RFC 9562 section 4.
    Uuid,
    /// At least eight hexadecimal digits.
    Hash,
    /// A long mixture of letters and digits.
    Token,
    /// Letters with three digits or more: `order-1024`.
    Numbered,
    /// Holds an at sign behind other letters.
    Address,
    /// Anything that no name in an API looks like: encoded characters, lists, long texts.
    Text,
    /// What may be the name of something.
    Word,
}

impl Shape {
    /// Every shape that is no word; its place is its number in stored bytes.
    pub(crate) const VALUES: [Self; 10] = [
        Self::Integer,
        Self::Numbers,
        Self::Date,
        Self::DateTime,
        Self::Uuid,
        Self::Hash,
        Self::Token,
        Self::Numbered,
        Self::Address,
        Self::Text,
    ];

    /// The shape of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        if bytes.iter().all(|byte| byte.is_ascii_alphabetic() || MARKS.contains(byte)) {
            return Self::of_letters(text);
        }
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        let is = |wanted: fn(&u8) -> bool| bytes.iter().all(wanted);
        if digits == bytes.len() && digits > 0 {
            return Self::Integer;
        }
        if is_uuid(bytes) {
            return Self::Uuid;
        }
        if let Some(shape) = dated(bytes) {
            return shape;
        }
        if digits > 0 && is(|byte| byte.is_ascii_digit() || *byte == b'.') {
            return Self::Numbers;
        }
        if digits > 0 && digits < bytes.len() && bytes.len() >= HASH_BYTES_MIN && is(u8::is_ascii_hexdigit) {
            return Self::Hash;
        }
        let is_behind = |place: Option<usize>| place.is_some_and(|place| place > 0);
        if is_behind(text.find('@')) || (text.contains('%') && is_behind(text.find("%40"))) {
            return Self::Address;
        }
        let is_plain = is(|byte| byte.is_ascii_alphanumeric() || *byte == b'@' || MARKS.contains(byte));
        if !is_plain {
            return Self::Text;
        }
        if is_token(bytes, digits) {
            return Self::Token;
        }
        if bytes.len() > WORD_BYTES_MAX {
            return Self::Text;
        }
        if digits >= 3 { Self::Numbered } else { Self::Word }
    }

    /// The shape of a text of letters and marks alone, which most segments are.
    fn of_letters(text: &str) -> Self {
        match text {
            _ if is_uuid(text.as_bytes()) => Self::Uuid,
            _ if BOOLEANS.contains(&text) || text.len() > WORD_BYTES_MAX => Self::Text,
            _ => Self::Word,
        }
    }

    /// Its name in explanations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Numbers => "numbers with points",
            Self::Date => "date",
            Self::DateTime => "date and time",
            Self::Uuid => "uuid",
            Self::Hash => "hash",
            Self::Token => "token",
            Self::Numbered => "letters and digits",
            Self::Address => "address",
            Self::Text => "text",
            Self::Word => "word",
        }
    }

    /// Whether a text of this shape may stand in a template if it is the only one at its place: versions and dates of
    /// interfaces do. Others are never kept, since they may say who somebody is.
    pub(crate) fn keeps(self, text: &str) -> bool {
        let length = match self {
            Self::Integer => KEPT_DIGITS_MAX,
            Self::Numbers | Self::Date | Self::Numbered => KEPT_BYTES_MAX,
            _ => 0,
        };
        text.len() <= length
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Dates, and times behind them.
fn dated(bytes: &[u8]) -> Option<Shape> {
    let (date, time) = bytes.split_at_checked(10)?;
    let is_date = date.iter().enumerate().all(|(at, byte)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let is_time = |byte: &u8| byte.is_ascii_digit() || b":.+-Zz%A".contains(byte);
    match time {
        _ if !is_date => None,
        [] => Some(Shape::Date),
        [b'T' | b't', time @ ..] if time.iter().all(is_time) => Some(Shape::DateTime),
        _ => None,
    }
}

/// Whether letters and digits alternate as no name lets them.
fn is_token(bytes: &[u8], digits: usize) -> bool {
    let (mut turns, mut cases) = (0, 0);
    for pair in bytes.windows(2) {
        let [one, other] = pair else { continue };
        turns += usize::from(one.is_ascii_digit() != other.is_ascii_digit());
        cases += usize::from(one.is_ascii_uppercase() && other.is_ascii_lowercase());
    }
    bytes.len() >= TOKEN_BYTES_MIN && digits >= 2 && (turns >= 4 || (turns >= 2 && cases >= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_shape() {
        let check = |text: &str, expected: Shape| assert_eq!(Shape::of(text), expected, "{text}");
        check("7", Shape::Integer);
        check("1.1", Shape::Numbers);
        check("2010-04-01", Shape::Date);
        check("2010-04-01T10:00:00Z", Shape::DateTime);
        check("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", Shape::Uuid);
        check("6dcb09b5b57875f334f61aebed695e2e4193db5e", Shape::Hash);
        check("pi_3MtwBwLkdIwHu7ix28a3tqPa", Shape::Token);
        check("order-1024", Shape::Numbered);
        check("ada@example.com", Shape::Address);
        check("ada%40example.com", Shape::Address);
        check("a%20b", Shape::Text);
        check("a,b", Shape::Text);
        check(&"long-".repeat(13), Shape::Text);
        for word in ["users", "v1", "oauth2", "@me", "chat.postMessage", "deadbeef", "get-user-by-id", "~", ""] {
            check(word, Shape::Word);
        }
    }

    #[test]
    fn what_may_name_somebody_is_never_kept() {
        for text in
            ["123456", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "ada@example.com", "6dcb09b5b5", "order-1024-2048"]
        {
            assert!(!Shape::of(text).keeps(text), "{text}");
        }
        for text in ["1", "1.1", "2010-04-01", "sha256"] {
            assert!(Shape::of(text).keeps(text), "{text}");
        }
    }
}
