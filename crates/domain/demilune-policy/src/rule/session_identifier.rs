//! What tells one API client from another (contract 6.1).

use std::fmt;

/// Where the characteristic is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionIdentifierKind {
    /// A request header field; its name has no letter case.
    Header,
    /// A cookie; its name has.
    Cookie,
}

impl SessionIdentifierKind {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

/// A header or cookie that tells one API client from another. Keeps the name as it was given, which clients compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionIdentifier {
    kind: SessionIdentifierKind,
    name: Box<str>,
}

impl SessionIdentifier {
    /// Longest name in characters: longer than any header in use, and short enough to be hashed with each request.
    pub const NAME_CHARS_MAX: usize = 128;
    /// Most identifiers of a zone: each is looked for in every request that has none of those before it.
    pub const PER_ZONE_MAX: usize = 10;

    /// Checks a type and a name of the contract.
    pub fn parse(kind: &str, name: &str) -> Result<Self, SessionIdentifierError> {
        let kind = match kind {
            "header" => SessionIdentifierKind::Header,
            "cookie" => SessionIdentifierKind::Cookie,
            "jwt" => return Err(SessionIdentifierError::Jwt),
            _ => return Err(SessionIdentifierError::Kind(kind.to_owned())),
        };
        if name.is_empty() || name.len() > Self::NAME_CHARS_MAX || !name.bytes().all(is_token) {
            return Err(SessionIdentifierError::Name(name.to_owned()));
        }
        Ok(Self { kind, name: name.into() })
    }

    /// Where it is found.
    #[must_use]
    pub fn kind(&self) -> SessionIdentifierKind {
        self.kind
    }

    /// The name as given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same with its name as it is compared: header names in lower case.
    #[must_use]
    pub fn normalized(&self) -> Self {
        match self.kind {
            SessionIdentifierKind::Header => Self { kind: self.kind, name: self.name.to_ascii_lowercase().into() },
            SessionIdentifierKind::Cookie => self.clone(),
        }
    }
}

impl fmt::Display for SessionIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}

/// Why a session identifier is refused; `Display` is a sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionIdentifierError {
    /// Claims of tokens that nobody can verify yet would let clients choose their sessions.
    #[error("identifiers of type jwt need a token configuration, which this release has none of; use header or cookie")]
    Jwt,
    /// Not a type of the contract.
    #[error("{0:?} is no type of a session identifier; write header or cookie")]
    Kind(String),
    /// Not a token of RFC 9110 section 5.6.2.
    #[error(
        "{0:?} is no name of a header or cookie; write 1 to {max} letters, digits or !#$%&'*+-.^_`|~",
        max = SessionIdentifier::NAME_CHARS_MAX
    )]
    Name(String),
}

/// `tchar` of RFC 9110 section 5.6.2, which RFC 6265 section 4.1.1 takes for cookie names.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_normalize_to_lower_case_for_headers_alone() {
        let header = SessionIdentifier::parse("header", "X-Api-Key").unwrap();
        assert_eq!((header.name(), header.normalized().name()), ("X-Api-Key", "x-api-key"));
        let cookie = SessionIdentifier::parse("cookie", "SID").unwrap();
        assert_eq!(cookie.normalized(), cookie);
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        assert_eq!(SessionIdentifier::parse("jwt", "id:$.sub"), Err(SessionIdentifierError::Jwt));
        assert_eq!(SessionIdentifier::parse("Header", "a"), Err(SessionIdentifierError::Kind("Header".to_owned())));
        for name in ["", "a b", "a:b", "é", &"x".repeat(129)] {
            assert!(SessionIdentifier::parse("header", name).is_err(), "{name}");
        }
    }
}
