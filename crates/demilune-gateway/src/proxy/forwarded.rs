//! What the origin is told about the client: `X-Forwarded-*`, `Forwarded` (RFC 7239) and `Via` (RFC 9110 section 7.6.3).

use std::{
    fmt::Write,
    net::{IpAddr, SocketAddr},
};

use http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use ipnet::IpNet;

use crate::options::NodeName;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// What others say of the client, which only those may who are trusted.
const CLAIMS: [HeaderName; 6] = [
    X_FORWARDED_FOR,
    X_FORWARDED_HOST,
    X_FORWARDED_PROTO,
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-real-ip"),
    header::FORWARDED,
];

/// Where a connection comes from, and how.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The peer's address.
    pub(crate) address: SocketAddr,
    /// Whether what it says of those before it is believed.
    pub(crate) trusted: bool,
    /// Whether it came over TLS.
    pub(crate) tls: bool,
    forwarded_for: HeaderValue,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, tls: bool, trusted_networks: &[IpNet]) -> Self {
        let ip = address.ip().to_canonical();
        Self {
            address: SocketAddr::new(ip, address.port()),
            trusted: trusted_networks.iter().any(|network| network.contains(&ip)),
            tls,
            forwarded_for: value(&ip.to_string()),
        }
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

/// Tells the origin about the client, its host as it was sent, and the hop.
pub(crate) fn tell(headers: &mut HeaderMap, client: &Client, host: &HeaderValue) {
    if !client.trusted {
        for name in &CLAIMS {
            headers.remove(name);
        }
    }
    let forwarded = forwarded_element(client, host);
    append(headers, X_FORWARDED_FOR, &client.forwarded_for);
    append(headers, header::FORWARDED, &value(&forwarded));
    if !headers.contains_key(X_FORWARDED_PROTO) {
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(client.scheme()));
    }
    if !headers.contains_key(X_FORWARDED_HOST) {
        headers.insert(X_FORWARDED_HOST, host.clone());
    }
}

/// Adds this hop to `Via`.
pub(crate) fn add_via(headers: &mut HeaderMap, version: Version, via: &Via) {
    let hop = if version == Version::HTTP_10 { &via.hop_10 } else { &via.hop_11 };
    append(headers, header::VIA, hop);
}

/// This node's entries for `Via`.
#[derive(Clone, Debug)]
pub(crate) struct Via {
    node: NodeName,
    hop_10: HeaderValue,
    hop_11: HeaderValue,
}

impl Via {
    pub(crate) fn new(node: &NodeName) -> Self {
        let hop = |version: &str| value(&format!("{version} {}", node.as_str()));
        Self { node: node.clone(), hop_10: hop("1.0"), hop_11: hop("1.1") }
    }

    /// Whether a request went through this node before.
    pub(crate) fn came_round(&self, headers: &HeaderMap) -> bool {
        let name = self.node.as_str().as_bytes();
        let mut lines = headers.get_all(header::VIA).into_iter();
        lines.any(|line| line.as_bytes().windows(name.len()).any(|part| part == name))
    }
}

/// Appends to the list that the field is, in one line.
fn append(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    let mut lines = headers.get_all(&name).into_iter().peekable();
    if lines.peek().is_none() {
        headers.insert(name, value.clone());
        return;
    }
    let mut joined = Vec::new();
    for line in lines.chain([value]) {
        if !joined.is_empty() {
            joined.extend_from_slice(b", ");
        }
        joined.extend_from_slice(line.as_bytes());
    }
    if let Ok(joined) = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined)) {
        headers.insert(name, joined);
    }
}

fn forwarded_element(client: &Client, host: &HeaderValue) -> String {
    let mut element = String::with_capacity(96);
    // Writing to a string does not fail.
    let _ = match client.address.ip() {
        IpAddr::V4(v4) => write!(element, "for={v4}"),
        IpAddr::V6(v6) => write!(element, "for=\"[{v6}]\""),
    };
    if let Ok(host) = host.to_str() {
        // A port's colon is no character of a token, so the value is quoted; no host holds a quote or a back slash.
        let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        let _ = if plain { write!(element, ";host={host}") } else { write!(element, ";host=\"{host}\"") };
    }
    let _ = write!(element, ";proto={}", client.scheme());
    element
}

#[expect(clippy::expect_used, reason = "addresses, node names and checked hosts are visible ASCII")]
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(client: &Client, host: &'static str, fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        tell(&mut headers, client, &HeaderValue::from_static(host));
        headers
    }

    fn client(address: &str, tls: bool) -> Client {
        Client::new(address.parse().unwrap(), tls, &["10.0.0.0/8".parse().unwrap()])
    }

    #[test]
    fn the_origin_learns_who_asked_for_what() {
        let headers = told(&client("192.0.2.1:9", true), "a.example", &[]);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1");
        assert_eq!(headers["x-forwarded-proto"], "https");
        assert_eq!(headers["x-forwarded-host"], "a.example");
        assert_eq!(headers["forwarded"], "for=192.0.2.1;host=a.example;proto=https");
    }

    #[test]
    fn addresses_and_ports_are_quoted_where_the_grammar_wants_it() {
        let headers = told(&client("[2001:db8::1]:9", false), "a.example:8080", &[]);
        assert_eq!(headers["forwarded"], "for=\"[2001:db8::1]\";host=\"a.example:8080\";proto=http");
        assert_eq!(headers["x-forwarded-for"], "2001:db8::1");
        assert_eq!(told(&client("[::ffff:192.0.2.1]:9", false), "a", &[])["x-forwarded-for"], "192.0.2.1");
    }

    #[test]
    fn strangers_cannot_speak_for_others() {
        let claims = [
            ("x-forwarded-for", "1.1.1.1"),
            ("forwarded", "for=1.1.1.1"),
            ("x-real-ip", "1.1.1.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-port", "1"),
        ];
        let headers = told(&client("192.0.2.1:9", false), "a.example", &claims);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1");
        assert_eq!(headers["forwarded"], "for=192.0.2.1;host=a.example;proto=http");
        assert_eq!(
            (&headers["x-forwarded-proto"], &headers["x-forwarded-host"]),
            (&"http".parse().unwrap(), &"a.example".parse().unwrap())
        );
        assert!(!headers.contains_key("x-real-ip") && !headers.contains_key("x-forwarded-port"));
    }

    #[test]
    fn trusted_peers_are_believed_and_added_to() {
        let claims = [
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "10.0.0.2"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=1.1.1.1"),
        ];
        let headers = told(&client("10.0.0.1:9", false), "a.example", &claims);
        assert_eq!(headers["x-forwarded-for"], "1.1.1.1, 10.0.0.2, 10.0.0.1");
        assert_eq!(headers["x-forwarded-proto"], "https");
        assert_eq!(headers["forwarded"], "for=1.1.1.1, for=10.0.0.1;host=a.example;proto=http");
    }

    #[test]
    fn a_request_that_comes_round_is_known() {
        let via = Via::new(&NodeName::new(7));
        let mut headers = HeaderMap::new();
        headers.insert(header::VIA, HeaderValue::from_static("1.1 other"));
        assert!(!via.came_round(&headers));
        add_via(&mut headers, Version::HTTP_11, &via);
        assert_eq!(headers["via"], "1.1 other, 1.1 demilune-0000000000000007");
        assert!(via.came_round(&headers));
    }
}
