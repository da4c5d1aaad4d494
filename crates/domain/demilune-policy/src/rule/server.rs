//! Where a connection goes: scheme, name or address, and port.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use demilune_inventory::{Host, HostError};

/// How an origin is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP/1.1.
    Http,
    /// HTTP/1.1 over TLS.
    Https,
}

impl Scheme {
    /// The scheme as it stands in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// The port that is meant when none is written (RFC 9110 sections 4.2.1 and 4.2.2).
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// A server: what to connect to, and the name that its certificate must have. Its text, `https://host:port` with the
/// port left out where it is the scheme's own, is canonical.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    scheme: Scheme,
    name: Box<str>,
    port: u16,
}

impl Server {
    /// Reads `scheme://host[:port]`, and gives what follows it.
    pub fn parse_prefix(text: &str) -> Result<(Self, &str), ServerError> {
        let (scheme, rest) = text.split_once("://").ok_or(ServerError::SchemeMissing)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(ServerError::SchemeUnknown(scheme.to_owned())),
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.contains('@') {
            return Err(ServerError::UserInformation);
        }
        let (name, port) = split_port(authority)?;
        let name = canonical_name(name)?;
        Ok((Self { scheme, name, port: port.unwrap_or(scheme.default_port()) }, rest))
    }

    /// A server at an address.
    #[must_use]
    pub fn at(scheme: Scheme, address: IpAddr) -> Self {
        Self { scheme, name: address_name(address), port: scheme.default_port() }
    }

    /// How it is spoken to.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Its name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address, where its name is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        let bare = self.name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&self.name);
        bare.parse().ok()
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `name[:port]`, as a `Host` field names it.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.name.to_string()
        } else {
            format!("{}:{}", self.name, self.port)
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

/// Why a text names no server; `Display` is a sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// No `://`.
    #[error("the URL has no scheme; start it with http:// or https://")]
    SchemeMissing,
    /// Neither http nor https.
    #[error("the scheme {0} cannot be used; write http or https")]
    SchemeUnknown(String),
    /// `user@host`.
    #[error("the URL holds an @ before its host; leave out the user information")]
    UserInformation,
    /// Not a number from 1 to 65535.
    #[error("the port {0} is no number from 1 to 65535")]
    Port(String),
    /// A variable where a server must be named.
    #[error("the host of the URL holds a variable; write the name of a server")]
    Variable,
    /// The host cannot be used.
    #[error(transparent)]
    Host(#[from] HostError),
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), ServerError> {
    let after_name = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority[after_name..].rfind(':') else { return Ok((authority, None)) };
    let (name, port) = (&authority[..after_name + colon], &authority[after_name + colon + 1..]);
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|number: &u16| digits && *number > 0);
    number.map(|number| (name, Some(number))).ok_or_else(|| ServerError::Port(port.to_owned()))
}

fn canonical_name(name: &str) -> Result<Box<str>, ServerError> {
    let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    if let Some(address) = bracketed.and_then(|name| name.parse::<Ipv6Addr>().ok()) {
        return Ok(address_name(address.into()));
    }
    let host: Host = name.parse()?;
    if host.as_str().contains('{') {
        return Err(ServerError::Variable);
    }
    Ok(host.as_str().into())
}

fn address_name(address: IpAddr) -> Box<str> {
    match address {
        IpAddr::V4(v4) => v4.to_string().into(),
        IpAddr::V6(v6) => format!("[{v6}]").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, rest: &str) {
        let (server, behind) = Server::parse_prefix(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((server.to_string().as_str(), behind), (expected, rest), "{text}");
        assert_eq!(Server::parse_prefix(expected), Ok((server, "")), "{expected} is no fixed point");
    }

    #[test]
    fn a_server_has_one_form() {
        check("https://api.example.com", "https://api.example.com", "");
        check("HTTP://API.Example.com:80/x", "http://api.example.com", "/x");
        check("https://localhost:8443/", "https://localhost:8443", "/");
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080", "");
        check("http://[2001:DB8:0::1]:8080/a", "http://[2001:db8::1]:8080", "/a");
        check("https://[::1]", "https://[::1]", "");
        check("http://h?x", "http://h", "?x");
    }

    #[test]
    fn what_names_no_server_is_refused() {
        let check = |text: &str, expected: ServerError| assert_eq!(Server::parse_prefix(text), Err(expected), "{text}");
        check("api.example.com", ServerError::SchemeMissing);
        check("ftp://h", ServerError::SchemeUnknown("ftp".to_owned()));
        check("http://u:p@h/", ServerError::UserInformation);
        check("http://h:0/", ServerError::Port("0".to_owned()));
        check("http://h:99999", ServerError::Port("99999".to_owned()));
        check("http://h:+80", ServerError::Port("+80".to_owned()));
        check("http://{x}.example.com", ServerError::Variable);
        assert!(matches!(Server::parse_prefix("http://[::g]/"), Err(ServerError::Host(_))));
        assert!(matches!(Server::parse_prefix("http:///x"), Err(ServerError::Host(_))));
    }
}
