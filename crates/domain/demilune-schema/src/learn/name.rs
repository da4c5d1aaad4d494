//! Names and literals that may be kept as text: those that look like what a programmer chose, not like data.

/// Longest name that is kept.
pub(super) const NAME_CHARS_MAX: usize = 64;
/// Longest literal that is kept.
const LITERAL_CHARS_MAX: usize = 32;

/// Whether a parameter's or member's name may be kept.
pub(crate) fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return false };
    bytes.len() <= NAME_CHARS_MAX
        && (first.is_ascii_alphabetic() || b"_$@".contains(first))
        && bytes[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.$:[]-".contains(byte))
        && !looks_like_data(bytes, 6)
}

/// Whether a value may be kept to become a member of an enumeration: a word that begins with a letter, or a short
/// number.
pub(crate) fn is_literal(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return false };
    if first.is_ascii_digit() {
        return bytes.len() <= 4 && bytes.iter().all(u8::is_ascii_digit);
    }
    bytes.len() <= LITERAL_CHARS_MAX
        && first.is_ascii_alphabetic()
        && bytes[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(byte))
        && !looks_like_data(bytes, 4)
}

/// Ids, keys, hashes and tokens: many digits, a long run of hex digits, or letters without a pattern.
fn looks_like_data(bytes: &[u8], digits_max: usize) -> bool {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    digits > digits_max || has_long_hex(bytes) || is_jwt(bytes) || (bytes.len() >= 16 && is_scrambled(bytes))
}

/// Whether a long text is not made of words: digits stand between letters again and again, its words have two letters or
/// so, or one of 16 letters or more has hardly one twice.
fn is_scrambled(bytes: &[u8]) -> bool {
    let turns = bytes.windows(2).filter(|pair| match pair {
        [one, other] => {
            one.is_ascii_digit() && other.is_ascii_alphabetic() || one.is_ascii_alphabetic() && other.is_ascii_digit()
        }
        _ => false,
    });
    let (mut words, mut letters, mut is_odd) = (0, 0, false);
    for part in bytes.split(|byte| !byte.is_ascii_alphanumeric()) {
        for word in part.chunk_by(|one, other| !(one.is_ascii_lowercase() && other.is_ascii_uppercase())) {
            words += 1;
            letters += word.len();
            is_odd |= word.len() >= 16 && bits_a_character(word) > 3.75;
        }
    }
    is_odd || turns.count() >= 4 || letters < 3 * words
}

/// Eight hex digits or more of which one is a decimal digit, on their own.
fn has_long_hex(bytes: &[u8]) -> bool {
    bytes
        .split(|byte| !byte.is_ascii_alphanumeric())
        .any(|word| word.len() >= 8 && word.iter().all(u8::is_ascii_hexdigit) && word.iter().any(u8::is_ascii_digit))
}

/// RFC 7519: a JSON object in base64url begins so.
fn is_jwt(bytes: &[u8]) -> bool {
    bytes.starts_with(b"eyJ")
}

/// The entropy of the characters' frequencies. Words repeat letters; 16 random characters of 62 have about 3.8 bits.
#[expect(clippy::cast_precision_loss, reason = "both are below 65")]
fn bits_a_character(bytes: &[u8]) -> f64 {
    let mut counts = [0_u8; 128];
    for byte in bytes {
        counts[usize::from(*byte & 0x7f)] += 1;
    }
    let length = bytes.len() as f64;
    let share = |count: &u8| f64::from(*count) / length;
    -counts.iter().filter(|count| **count > 0).map(|count| share(count) * share(count).log2()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_programmers_choose_are_kept() {
        for name in [
            "id",
            "page_size",
            "shippingAddressLine2",
            "$filter",
            "@type",
            "filter[status]",
            "ids[]",
            "X-Request-Id",
            "created_at.gte",
            "subscription_cancel_at_period_end",
            "dependencyGraphAutosubmitActionOptions",
            "sha256",
            "requested_attention_from_reviewer_teams",
            "a",
            "_",
            "oauth2_client_id",
        ] {
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn names_that_look_like_data_are_not() {
        for name in [
            "",
            "ada@example.com",
            "4111111111111111",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "user_20240101123",
            "deadbeef1",
            "eyJhbGciOiJIUzI1NiJ9",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "a b",
            "ü",
            "kQxZpWvYtRbNmLjHgFdS",
        ] {
            assert!(!is_name(name), "{name}");
        }
        assert!(!is_name(&"a".repeat(65)));
    }

    #[test]
    fn literals_are_words_or_short_numbers() {
        for literal in [
            "open",
            "WAITING_FOR_PAYMENT",
            "subscription_cancel_at_period",
            "v2.1",
            "en-GB",
            "application:read",
            "10",
            "2024",
        ] {
            assert!(is_literal(literal), "{literal}");
        }
        for value in ["12345", "10a", "", "user12345", "a/b", "ada@example.com", "cafe1234beef", "eyJabc"] {
            assert!(!is_literal(value), "{value}");
        }
    }
}
