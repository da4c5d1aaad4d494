//! Percent triplets and what must be written as one (contract 4.1, step 3; RFC 3986 sections 2.1 to 2.4).

use std::convert::Infallible;

/// Appends a segment, in which every `%` must begin a triplet.
pub(crate) fn push_strict(to: &mut String, segment: &[u8]) -> Result<(), BrokenTriplet> {
    push(to, segment, |_, rest| Err(BrokenTriplet(String::from_utf8_lossy(rest).chars().take(3).collect())))
}

/// Appends a segment, in which a `%` that begins no triplet is a literal one.
pub(crate) fn push_lenient(to: &mut String, segment: &[u8]) {
    let Ok(()) = push(to, segment, |to, _| {
        push_triplet(to, b'%');
        Ok::<(), Infallible>(())
    });
}

/// A `%` without two hex digits behind it, with what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokenTriplet(pub(crate) String);

/// Whether the path is what `push_strict` and `push_lenient` would make of it.
pub(crate) fn is_normal(path: &[u8]) -> bool {
    let mut rest = path;
    loop {
        match rest {
            [] => return true,
            [b'%', high, low, behind @ ..] => {
                let (Some(high_value), Some(low_value)) = (hex_digit(*high), hex_digit(*low)) else { return false };
                let lower_case = high.is_ascii_lowercase() || low.is_ascii_lowercase();
                if lower_case || is_unreserved(high_value << 4 | low_value) {
                    return false;
                }
                rest = behind;
            }
            [byte, behind @ ..] if stays(*byte) => rest = behind,
            _ => return false,
        }
    }
}

/// Whether a byte is written as itself: unreserved or reserved (RFC 3986 sections 2.2 and 2.3).
fn stays(byte: u8) -> bool {
    STAYS[usize::from(byte)]
}

/// The answers of `stays`, looked up because every byte of every request path is asked about.
const STAYS: [bool; 256] = {
    let mut stays = [false; 256];
    let mut byte: u8 = 0;
    // Beyond ASCII, nothing is either.
    while byte.is_ascii() {
        stays[byte as usize] = is_unreserved(byte) || is_reserved(byte);
        byte += 1;
    }
    stays
};

fn push<E>(
    to: &mut String,
    segment: &[u8],
    mut broken: impl FnMut(&mut String, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = segment;
    while let [byte, behind @ ..] = rest {
        if *byte != b'%' {
            push_byte(to, *byte);
            rest = behind;
        } else if let [high, low, behind @ ..] = behind
            && let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low))
        {
            push_decoded(to, high << 4 | low);
            rest = behind;
        } else {
            broken(to, rest)?;
            rest = behind;
        }
    }
    Ok(())
}

fn push_byte(to: &mut String, byte: u8) {
    if stays(byte) {
        to.push(char::from(byte));
    } else {
        push_triplet(to, byte);
    }
}

fn push_decoded(to: &mut String, byte: u8) {
    if is_unreserved(byte) {
        to.push(char::from(byte));
    } else {
        push_triplet(to, byte);
    }
}

fn push_triplet(to: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    to.push('%');
    to.push(char::from(DIGITS[usize::from(byte >> 4)]));
    to.push(char::from(DIGITS[usize::from(byte & 15)]));
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const fn is_reserved(byte: u8) -> bool {
    matches!(
        byte,
        b':' | b'/'
            | b'?'
            | b'#'
            | b'['
            | b']'
            | b'@'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
    )
}

fn hex_digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_triplet_is_named() {
        let check = |segment: &str, named: &str| {
            assert_eq!(push_strict(&mut String::new(), segment.as_bytes()), Err(BrokenTriplet(named.to_owned())));
        };
        check("a%zz", "%zz");
        check("a%", "%");
        check("%4", "%4");
        check("%%41", "%%4");
        check("ok%20%+1b", "%+1");
        check("%aéx", "%aé");
    }

    #[test]
    fn every_byte_has_one_spelling() {
        for byte in 0..=u8::MAX {
            let mut literal = String::new();
            push_byte(&mut literal, byte);
            let mut encoded = String::new();
            push_strict(&mut encoded, format!("%{byte:02x}").as_bytes()).unwrap();
            // Reserved characters mean one thing encoded and another literal (RFC 3986 section 2.2).
            assert_eq!(literal == encoded, !is_reserved(byte), "{byte}");
        }
    }
}
