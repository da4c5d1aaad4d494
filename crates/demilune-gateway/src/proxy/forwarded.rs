//! What the origin is told about the client: `X-Forwarded-*`, `Forwarded` (RFC 7239) and `Via` (RFC 9110 section 7.6.3).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use ipnet::IpNet;

use super::present::Present;
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
/// Whether a head has any of them.
const ANY_CLAIM: Present = Present::FORWARDED
    .or(Present::X_FORWARDED_FOR)
    .or(Present::X_FORWARDED_HOST)
    .or(Present::X_FORWARDED_PROTO)
    .or(Present::X_FORWARDED_PORT)
    .or(Present::X_REAL_IP);

/// Where a connection comes from, and how.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The peer's address.
    pub(crate) address: SocketAddr,
    /// Whether what it says of those before it is believed.
    pub(crate) trusted: bool,
    forwarded_for: HeaderValue,
    /// The first pair of its element in `Forwarded`.
    forwarded_node: Box<str>,
    scheme: &'static str,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, tls: bool, trusted_networks: &[IpNet]) -> Self {
        let ip = address.ip().to_canonical();
        let node = match ip {
            IpAddr::V4(v4) => format!("for={v4}"),
            IpAddr::V6(v6) => format!("for=\"[{v6}]\""),
        };
        Self {
            address: SocketAddr::new(ip, address.port()),
            trusted: trusted_networks.iter().any(|network| network.contains(&ip)),
            forwarded_for: value(&ip.to_string()),
            forwarded_node: node.into(),
            scheme: if tls { "https" } else { "http" },
        }
    }
}

/// Tells the origin about the client, its host as it was sent, and the hop.
pub(crate) fn tell(headers: &mut HeaderMap, present: Present, client: &Client, host: &HeaderValue) {
    let claimed = present.any(ANY_CLAIM);
    if claimed && !client.trusted {
        for name in &CLAIMS {
            headers.remove(name);
        }
    }
    let forwarded = forwarded_element(client, host);
    if claimed && client.trusted {
        append(headers, X_FORWARDED_FOR, &client.forwarded_for);
        append(headers, header::FORWARDED, &forwarded);
        headers.entry(X_FORWARDED_PROTO).or_insert(HeaderValue::from_static(client.scheme));
        headers.entry(X_FORWARDED_HOST).or_insert_with(|| host.clone());
        return;
    }
    headers.insert(X_FORWARDED_FOR, client.forwarded_for.clone());
    headers.insert(header::FORWARDED, forwarded);
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(client.scheme));
    headers.insert(X_FORWARDED_HOST, host.clone());
}

/// Who asked: behind trusted proxies the nearest address that is none of theirs, as far as they say it.
pub(crate) fn caller(headers: &HeaderMap, client: &Client, trusted_networks: &[IpNet]) -> IpAddr {
    let mut nearest = client.address.ip();
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for hop in hops {
        if !trusted_networks.iter().any(|network| network.contains(&nearest)) {
            break;
        }
        // What cannot be read hides whatever is behind it.
        let Some(address) = address(hop.trim()) else { break };
        nearest = address;
    }
    nearest
}

/// An address with or without a port, as proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Adds this hop to `Via`.
pub(crate) fn add_via(headers: &mut HeaderMap, present: Present, version: Version, via: &Via) {
    let hop = if version == Version::HTTP_10 { &via.hop_10 } else { &via.hop_11 };
    if present.any(Present::VIA) {
        append(headers, header::VIA, hop);
    } else {
        headers.insert(header::VIA, hop.clone());
    }
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
    if let Ok(joined) = HeaderValue::from_maybe_shared(Bytes::from(joined)) {
        headers.insert(name, joined);
    }
}

/// A port's colon is no character of a token, so such hosts are quoted; no host holds a quote or a back slash.
fn forwarded_element(client: &Client, host: &HeaderValue) -> HeaderValue {
    let host = host.as_bytes();
    let plain = host.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    let quote: &[u8] = if plain { b"" } else { b"\"" };
    let parts = [client.forwarded_node.as_bytes(), b";host=", quote, host, quote, b";proto=", client.scheme.as_bytes()];
    let element = Bytes::from(parts.concat());
    // Made of a checked value and visible ASCII.
    HeaderValue::from_maybe_shared(element).unwrap_or_else(|_| client.forwarded_for.clone())
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
        let present = Present::of(&headers);
        tell(&mut headers, present, client, &HeaderValue::from_static(host));
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
    fn the_caller_is_the_nearest_who_is_not_trusted() {
        let check = |client_address: &str, lines: &[&'static str], expected: &str| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            let networks = ["10.0.0.0/8".parse().unwrap()];
            let caller = caller(&headers, &client(client_address, false), &networks);
            assert_eq!(caller.to_string(), expected, "{client_address} {lines:?}");
        };
        check("192.0.2.1:9", &["1.1.1.1"], "192.0.2.1");
        check("10.0.0.1:9", &[], "10.0.0.1");
        check("10.0.0.1:9", &["9.9.9.9, 1.1.1.1"], "1.1.1.1");
        check("10.0.0.1:9", &["9.9.9.9, 1.1.1.1", "10.0.0.2 , 10.0.0.3"], "1.1.1.1");
        check("10.0.0.1:9", &["10.0.0.3,10.0.0.2"], "10.0.0.3");
        check("10.0.0.1:9", &["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2");
        check("10.0.0.1:9", &["[2001:db8::1]:4711"], "2001:db8::1");
        check("10.0.0.1:9", &["[2001:db8::1]"], "2001:db8::1");
        check("10.0.0.1:9", &["::ffff:1.1.1.1"], "1.1.1.1");
        check("10.0.0.1:9", &["1.1.1.1:80"], "1.1.1.1");
    }

    #[test]
    fn a_request_that_comes_round_is_known() {
        let via = Via::new(&NodeName::new(7));
        let mut headers = HeaderMap::new();
        headers.insert(header::VIA, HeaderValue::from_static("1.1 other"));
        assert!(!via.came_round(&headers));
        add_via(&mut headers, Present::VIA, Version::HTTP_11, &via);
        assert_eq!(headers["via"], "1.1 other, 1.1 demilune-0000000000000007");
        assert!(via.came_round(&headers));
    }
}
