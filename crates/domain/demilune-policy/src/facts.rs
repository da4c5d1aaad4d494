//! What a decision needs to know of a request.

use std::borrow::Cow;

use http::{HeaderMap, Method};

/// The facts of one request.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The request method.
    pub method: &'a Method,
    /// The host, as [`canonical_host`] gives it.
    pub host: &'a str,
    /// The path as the client sent it, without the query.
    pub path: &'a str,
    /// The header fields.
    pub headers: &'a HeaderMap,
}

/// The host of an authority as the inventory writes it: lower case, without port and final dot.
#[must_use]
pub fn canonical_host(authority: &str) -> Cow<'_, str> {
    let host = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_host_is_written_as_the_inventory_writes_it() {
        let check = |authority: &str, expected: &str| assert_eq!(canonical_host(authority), expected, "{authority}");
        check("api.example.com", "api.example.com");
        check("API.Example.com.:8080", "api.example.com");
        check("127.0.0.1:80", "127.0.0.1");
        check("[::1]:8080", "[::1]");
        check("[::1]", "[::1]");
        check("", "");
    }
}
