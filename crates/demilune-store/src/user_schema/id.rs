//! What names a schema.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// Names one schema: a UUID (RFC 9562), printed as 36 lower-case characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaId(Uuid);

/// Length of the text, and of nothing else that is accepted (contract 1.7).
const CHARS: usize = 36;

impl SchemaId {
    /// An id that nothing else has.
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl FromStr for SchemaId {
    type Err = SchemaIdError;

    /// Accepts the hyphenated form of 36 characters in any letter case.
    fn from_str(text: &str) -> Result<Self, SchemaIdError> {
        // Of the forms that the library knows, one has this length.
        let id = Some(text).filter(|text| text.len() == CHARS).and_then(|text| Uuid::try_parse(text).ok());
        id.map(Self).ok_or(SchemaIdError)
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Not a hyphenated UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a schema id is a UUID of 36 characters, with hyphens")]
pub struct SchemaIdError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hyphenated_uuids_are_ids() {
        let check = |text: &str, expected: Option<&str>| {
            let id = text.parse::<SchemaId>().ok().map(|id| id.to_string());
            assert_eq!(id.as_deref(), expected, "{text}");
        };
        let canonical = "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e";
        check(canonical, Some(canonical));
        check("0F05E4FC-1C36-4BD2-A5E7-B29D32D3DC8E", Some(canonical));
        check("0f05e4fc1c364bd2a5e7b29d32d3dc8e", None);
        check("{0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e}", None);
        check("0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8g", None);
        check("0f05e4fc1-c36-4bd2-a5e7-b29d32d3dc8e", None);
        check("", None);
    }
}
