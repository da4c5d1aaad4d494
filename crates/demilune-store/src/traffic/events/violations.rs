//! Violations as bytes: three texts each, every one after its length in four bytes. Texts of the database would not do,
//! since names in a document may hold what PostgreSQL refuses.

use super::EventViolation;

/// Most bytes of a place that are kept.
const PLACE_BYTES_MAX: usize = 1_024;

pub(super) fn encode(violations: &[EventViolation]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for violation in violations {
        let places = [&violation.request_place, &violation.document_place].map(|place| start(place));
        for text in [&violation.keyword, places[0], places[1]] {
            bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

pub(super) fn decode(mut bytes: &[u8]) -> Result<Vec<EventViolation>, Malformed> {
    let mut violations = Vec::new();
    while !bytes.is_empty() {
        violations.push(EventViolation {
            keyword: text(&mut bytes)?,
            request_place: text(&mut bytes)?,
            document_place: text(&mut bytes)?,
        });
    }
    if violations.is_empty() { Err(Malformed) } else { Ok(violations) }
}

/// What was stored is no list of violations.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

fn text(bytes: &mut &[u8]) -> Result<String, Malformed> {
    let (length, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Malformed)?;
    let (text, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
    *bytes = rest;
    str::from_utf8(text).map(str::to_owned).map_err(|_| Malformed)
}

fn start(place: &str) -> &str {
    &place[..place.floor_char_boundary(PLACE_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(keyword: &str, request_place: &str, document_place: &str) -> EventViolation {
        let (keyword, request_place) = (keyword.to_owned(), request_place.to_owned());
        EventViolation { keyword, request_place, document_place: document_place.to_owned() }
    }

    #[test]
    fn what_is_written_is_read() {
        let check = |violations: &[EventViolation]| {
            assert_eq!(decode(&encode(violations)).as_deref(), Ok(violations));
        };
        check(&[violation("type", "/body/age", "/paths/~1a/post")]);
        check(&[violation("size", "/body", ""), violation("enum", "/query/\u{0}", "/é\n")]);
    }

    #[test]
    fn a_place_is_cut_between_two_characters() {
        let check = |place: &str, kept: usize| {
            let read = decode(&encode(&[violation("type", place, place)])).unwrap().remove(0);
            assert_eq!((read.request_place.as_str(), read.document_place.as_str()), (&place[..kept], &place[..kept]));
        };
        check(&"a".repeat(1_024), 1_024);
        check(&"a".repeat(1_025), 1_024);
        check(&format!("a{}", "é".repeat(600)), 1_023);
    }

    #[test]
    fn other_bytes_are_refused() {
        let whole = encode(&[violation("type", "/body", "/a")]);
        for end in 0..whole.len() {
            assert_eq!(decode(&whole[..end]), Err(Malformed), "{end}");
        }
        assert_eq!(decode(&[&whole[..], &[0]].concat()), Err(Malformed));
        assert_eq!(decode(&[0, 0, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed));
    }
}
