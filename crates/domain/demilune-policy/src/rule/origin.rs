//! The server that a host's traffic is sent to when no route says otherwise.

use std::{fmt, str::FromStr};

use demilune_inventory::Host;

use super::{Server, ServerError};

/// An origin of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The host or host pattern whose requests go there. It also decides which zone a live request belongs to.
    pub host: Host,
    /// Where they go.
    pub url: OriginUrl,
    /// The `Host` field that the origin gets.
    pub host_header: HostHeader,
}

/// The URL of an origin: a server without a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginUrl(Server);

impl OriginUrl {
    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.0
    }
}

impl FromStr for OriginUrl {
    type Err = OriginUrlError;

    fn from_str(text: &str) -> Result<Self, OriginUrlError> {
        match Server::parse_prefix(text)? {
            (server, "" | "/") => Ok(Self(server)),
            _ => Err(OriginUrlError::Path),
        }
    }
}

impl fmt::Display for OriginUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is no URL of an origin; `Display` is a sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginUrlError {
    /// It names no server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// It has a path, a query or a fragment.
    #[error("the URL of an origin ends behind its host and port; to change paths, give an operation a route")]
    Path,
}

/// What an origin gets as `Host`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum HostHeader {
    /// What the client sent.
    #[default]
    Client,
    /// This text.
    Fixed(Box<str>),
}

impl FromStr for HostHeader {
    type Err = HostHeaderError;

    /// Reads `host[:port]`.
    fn from_str(text: &str) -> Result<Self, HostHeaderError> {
        // The scheme only says which port is left out; none is, when it is neither 80 nor 443.
        match Server::parse_prefix(&format!("http://{text}")) {
            Ok((server, "")) if server.port() == 80 => Ok(Self::Fixed(server.name().into())),
            Ok((server, "")) => Ok(Self::Fixed(format!("{}:{}", server.name(), server.port()).into())),
            _ => Err(HostHeaderError(text.to_owned())),
        }
    }
}

/// A text is no value of a `Host` field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no value of a Host field; write host or host:port")]
pub struct HostHeaderError(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_ends_behind_its_port() {
        let check = |text: &str| text.parse::<OriginUrl>().map(|url| url.to_string());
        assert_eq!(check("https://Api.internal:443/"), Ok("https://api.internal".to_owned()));
        for text in ["http://h/base", "http://h?q", "http://h#f", "http://h/#"] {
            assert_eq!(check(text), Err(OriginUrlError::Path), "{text}");
        }
    }

    #[test]
    fn a_host_header_is_a_name_and_perhaps_a_port() {
        let check = |text: &str, expected: &str| assert_eq!(text.parse(), Ok(HostHeader::Fixed(expected.into())));
        check("Api.Example.com", "api.example.com");
        check("api.example.com:8080", "api.example.com:8080");
        for text in ["", "a b", "http://h", "h/", "u@h", "{x}.h"] {
            assert!(text.parse::<HostHeader>().is_err(), "{text}");
        }
    }
}
