//! The ids of zones and operations, each its own type.

use std::{fmt, str::FromStr};

use crate::Timestamp;

/// Names one zone: 1 to 32 of `A-Z a-z 0-9 - _`, kept as given (contract 1.7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(Box<str>);

impl ZoneId {
    /// Longest id in characters (contract 1.7).
    pub const CHARS_MAX: usize = 32;

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A zone id of 32 lower-case hex digits from 16 random bytes.
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(random)).into())
    }
}

impl FromStr for ZoneId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = (1..=Self::CHARS_MAX).contains(&text.len());
        let legal = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if fits && legal { Ok(Self(text.into())) } else { Err(IdError::Zone) }
    }
}

impl fmt::Display for ZoneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one operation: a UUID (RFC 9562), printed as 36 lower-case characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId([u8; 16]);

/// Where the hyphens stand in a UUID's text.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl OperationId {
    /// Length of the text, and of nothing else that is accepted (contract 1.7).
    pub const CHARS: usize = 36;

    /// A version 7 UUID (RFC 9562 section 5.7) from the time and random bytes, of which the first 48 bits and the six
    /// that say version and variant are not used. Ids that are made one after the other lie side by side in an index,
    /// so that a batch of inserts writes fewer pages.
    #[must_use]
    pub const fn from_time_and_random(now: Timestamp, random: [u8; 16]) -> Self {
        // Before 1970 and after the year 10889 the bits wrap, which costs the order and nothing else.
        let millis = now.as_micros().div_euclid(1000).to_be_bytes();
        let mut bytes = random;
        let mut place = 0;
        while place < 6 {
            bytes[place] = millis[place + 2];
            place += 1;
        }
        bytes[6] = bytes[6] & 0x0f | 0x70;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl FromStr for OperationId {
    type Err = IdError;

    /// Accepts the hyphenated form of 36 characters in any letter case.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let text = text.as_bytes();
        if text.len() != Self::CHARS {
            return Err(IdError::Operation);
        }
        let mut bytes = [0; 16];
        let mut digits = 0;
        for (place, letter) in text.iter().enumerate() {
            if HYPHENS.contains(&place) {
                if *letter != b'-' {
                    return Err(IdError::Operation);
                }
                continue;
            }
            let digit = hex_digit(*letter).ok_or(IdError::Operation)?;
            bytes[digits / 2] = bytes[digits / 2] << 4 | digit;
            digits += 1;
        }
        Ok(Self(bytes))
    }
}

/// Whether a text is a UUID of [`OperationId::CHARS`] characters with its hyphens, in any letter case (RFC 9562 section 4).
#[must_use]
pub fn is_uuid(text: &[u8]) -> bool {
    text.len() == OperationId::CHARS
        && text
            .iter()
            .enumerate()
            .all(|(place, letter)| if HYPHENS.contains(&place) { *letter == b'-' } else { letter.is_ascii_hexdigit() })
}

fn hex_digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = u128::from_be_bytes(self.0);
        let part = |shift: u32, bits: u32| digits >> shift & ((1 << bits) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 32),
            part(80, 16),
            part(64, 16),
            part(48, 16),
            part(0, 48)
        )
    }
}

/// Why a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 1 to 32 characters of `A-Z a-z 0-9 - _`.
    #[error("a zone id has 1 to 32 characters of A-Z, a-z, 0-9, - and _")]
    Zone,
    /// Not a hyphenated UUID.
    #[error("an operation id is a UUID of 36 characters, with hyphens")]
    Operation,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_id_is_kept_as_given() {
        for text in ["023e105f4ecef8ad9ca31a8372d0c353", "a", "Zone_1-b"] {
            assert_eq!(text.parse::<ZoneId>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn other_texts_are_no_zone_ids() {
        for text in ["", "a/b", "a b", "é", "..", &"a".repeat(33)] {
            assert_eq!(text.parse::<ZoneId>(), Err(IdError::Zone), "{text:?}");
        }
    }

    #[test]
    fn a_random_zone_id_has_thirty_two_hex_digits() {
        assert_eq!(ZoneId::from_random([0x0a; 16]).as_str(), "0a".repeat(16));
    }

    #[test]
    fn an_operation_id_prints_in_lower_case() {
        let check = |text: &str| {
            assert_eq!(text.parse::<OperationId>().unwrap().to_string(), text.to_lowercase());
        };
        check("f174e90a-fafe-4643-bbbc-4a0ed4fc8415");
        check("F174E90A-FAFE-4643-BBBC-4A0ED4FC8415");
        check("00000000-0000-0000-0000-000000000000");
    }

    #[test]
    fn other_texts_are_no_operation_ids() {
        for text in [
            "",
            "f174e90afafe4643bbbc4a0ed4fc8415",
            "f174e90a-fafe-4643-bbbc-4a0ed4fc841",
            "f174e90a-fafe-4643-bbbc-4a0ed4fc84155",
            "f174e90a-fafe-4643-bbbc_4a0ed4fc8415",
            "g174e90a-fafe-4643-bbbc-4a0ed4fc8415",
            "+174e90a-fafe-4643-bbbc-4a0ed4fc8415",
            "é174e90a-fafe-4643-bbbc-4a0ed4fc84",
        ] {
            assert_eq!(text.parse::<OperationId>(), Err(IdError::Operation), "{text:?}");
        }
    }

    #[test]
    fn a_new_operation_id_is_a_version_7_uuid() {
        // The example of RFC 9562, appendix A.6.
        let now: Timestamp = "2022-02-22T14:22:22-05:00".parse().unwrap();
        let random = 0x0000_0000_0000_fcc3_d8c4_dc0c_0c07_398f_u128.to_be_bytes();
        let id = OperationId::from_time_and_random(now, random).to_string();
        assert_eq!(id, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn a_later_id_is_larger() {
        let id = |millis: i64, random| {
            OperationId::from_time_and_random(Timestamp::from_micros(millis * 1000).unwrap(), [random; 16])
        };
        assert!(id(1, 0xff) < id(2, 0));
    }
}
