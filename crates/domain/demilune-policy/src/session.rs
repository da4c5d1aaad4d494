//! Which API client a request comes from: a keyed hash of the first configured characteristic that it carries.

use std::{fmt, hash::Hasher, net::IpAddr};

use demilune_traffic::SessionHash;
use http::{HeaderMap, HeaderName, header};
use siphasher::sip::SipHasher13;

use crate::rule::{SessionIdentifier, SessionIdentifierKind};

/// The key of the hashes. It stays outside of the store, so that a dump of the store cannot be reversed.
#[derive(Clone)]
pub struct SessionKey([u8; 16]);

impl SessionKey {
    /// Takes 16 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The hash of a value that no request carries, such as a field of a log, under its name.
    #[must_use]
    pub fn hash_field(&self, name: &str, value: &[u8]) -> SessionHash {
        let mut hasher = self.hasher(b'f', name);
        hasher.write(value);
        SessionHash::of(hasher.finish())
    }

    /// A key for other hashes, which says nothing of this one; the same for the same purpose.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> [u8; 16] {
        let mut key = [0; 16];
        for (half, part) in key.chunks_exact_mut(8).zip(0_u8..) {
            let mut hasher = self.hasher(b'd', purpose);
            hasher.write(&[part]);
            half.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        key
    }

    /// The hash of the network that a client's address is part of: 24 bits of IPv4, 56 of IPv6, about what one
    /// customer of a provider has.
    #[must_use]
    pub fn hash_network(&self, address: IpAddr) -> SessionHash {
        let address = address.to_canonical();
        let mut hasher = self.hasher(b'n', if address.is_ipv4() { "4" } else { "6" });
        match address {
            IpAddr::V4(address) => hasher.write(&address.octets()[..3]),
            IpAddr::V6(address) => hasher.write(&address.octets()[..7]),
        }
        SessionHash::of(hasher.finish())
    }

    /// A hasher that has read where a value stands. Neither names nor values hold a NUL, so what is hashed can be read
    /// in one way only.
    fn hasher(&self, kind: u8, name: &str) -> SipHasher13 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(&[kind]);
        hasher.write(name.as_bytes());
        hasher.write(&[0]);
        hasher
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// The session that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its hash.
    pub hash: SessionHash,
    /// Which of the zone's identifiers it was found by, from 0.
    pub identifier: usize,
}

/// A session identifier made ready for requests.
#[derive(Clone, Debug)]
pub(crate) struct Characteristic {
    place: Place,
    name: Box<str>,
}

#[derive(Clone, Debug)]
enum Place {
    Header(HeaderName),
    Cookie,
}

impl Characteristic {
    pub(crate) fn new(identifier: &SessionIdentifier) -> Self {
        let normalized = identifier.normalized();
        let header = HeaderName::from_bytes(normalized.name().as_bytes()).ok();
        let place = match (normalized.kind(), header) {
            (SessionIdentifierKind::Header, Some(name)) => Place::Header(name),
            _ => Place::Cookie,
        };
        Self { place, name: normalized.name().into() }
    }

    /// The hash of what the request carries here; nothing where it carries nothing or an empty text. Several field
    /// lines count together, as one value would that joins them (RFC 9110 section 5.3).
    fn hash(&self, headers: &HeaderMap, key: &SessionKey) -> Option<SessionHash> {
        let mut found = false;
        let hasher = match &self.place {
            Place::Header(name) => {
                let mut hasher = key.hasher(b'h', &self.name);
                for value in headers.get_all(name) {
                    let value = value.as_bytes().trim_ascii();
                    if found {
                        hasher.write(b", ");
                    }
                    hasher.write(value);
                    found |= !value.is_empty();
                }
                hasher
            }
            Place::Cookie => {
                let mut hasher = key.hasher(b'c', &self.name);
                if let Some(value) = cookie(headers, self.name.as_bytes()) {
                    hasher.write(value);
                    found = !value.is_empty();
                }
                hasher
            }
        };
        found.then(|| SessionHash::of(hasher.finish()))
    }
}

/// The session of a request by the first characteristic that it carries.
pub(crate) fn identify(characteristics: &[Characteristic], headers: &HeaderMap, key: &SessionKey) -> Option<Session> {
    characteristics
        .iter()
        .enumerate()
        .find_map(|(identifier, found)| found.hash(headers, key).map(|hash| Session { hash, identifier }))
}

/// The first cookie of this name (RFC 6265 section 5.4, as servers commonly read it).
fn cookie<'h>(headers: &'h HeaderMap, name: &[u8]) -> Option<&'h [u8]> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.find_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        (pair[..equals].trim_ascii() == name).then(|| pair[equals + 1..].trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(identifiers: &[(&str, &str)], fields: &[(&'static str, &str)]) -> Option<Session> {
        let characteristics: Vec<_> = identifiers
            .iter()
            .map(|(kind, name)| Characteristic::new(&SessionIdentifier::parse(kind, name).unwrap()))
            .collect();
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value);
        }
        identify(&characteristics, &headers, &SessionKey::new(*b"0123456789abcdef"))
    }

    #[test]
    fn the_first_characteristic_that_is_there_counts() {
        let identifiers = [("header", "Authorization"), ("cookie", "sid")];
        let by = |fields: &[(&'static str, &str)]| session(&identifiers, fields).map(|session| session.identifier);
        assert_eq!(by(&[("authorization", "x"), ("cookie", "sid=1")]), Some(0));
        assert_eq!(by(&[("cookie", "a=b; sid=1")]), Some(1));
        assert_eq!(by(&[("authorization", " "), ("cookie", "sid=")]), None);
        assert_eq!(by(&[]), None);
    }

    #[test]
    fn the_hash_depends_on_type_name_and_value() {
        let fields = [("x-a", "1"), ("x-b", "1"), ("cookie", "x-a=1; x-c=2")];
        let hashes: std::collections::HashSet<_> =
            [("header", "x-a"), ("header", "x-b"), ("cookie", "x-a"), ("cookie", "x-c")]
                .iter()
                .map(|identifier| session(&[*identifier], &fields).unwrap().hash)
                .collect();
        assert_eq!(hashes.len(), 4);
    }

    #[test]
    fn a_header_name_has_no_letter_case_and_a_cookie_name_has() {
        let fields = [("x-key", "1"), ("cookie", "Sid=1")];
        assert_eq!(session(&[("header", "X-KEY")], &fields), session(&[("header", "x-key")], &fields));
        assert_eq!(session(&[("cookie", "sid")], &fields), None);
        assert!(session(&[("cookie", "Sid")], &fields).is_some());
    }

    #[test]
    fn several_lines_of_a_field_count_together() {
        let once = session(&[("header", "x-a")], &[("x-a", "1, 2")]);
        assert_eq!(session(&[("header", "x-a")], &[("x-a", "1"), ("x-a", "2")]), once);
        assert_ne!(session(&[("header", "x-a")], &[("x-a", "1")]), once);
    }

    #[test]
    fn the_hash_is_of_44_bits_and_reproducible() {
        let hash = session(&[("header", "x-a")], &[("x-a", "alice")]).unwrap().hash;
        assert!((1..1 << 44).contains(&hash.get()));
        assert_eq!(hash.to_string().len(), 11);
        let mut hasher = SipHasher13::new_with_key(b"0123456789abcdef");
        hasher.write(b"hx-a\0alice");
        assert_eq!(hash.get(), hasher.finish() >> 20);
    }

    #[test]
    fn a_field_of_a_log_is_another_identifier_than_a_header_of_its_name() {
        let key = SessionKey::new(*b"0123456789abcdef");
        let field = key.hash_field("x-a", b"alice");
        assert_eq!(field, key.hash_field("x-a", b"alice"));
        assert_ne!(field, session(&[("header", "x-a")], &[("x-a", "alice")]).unwrap().hash);
        let network = |address: &str| key.hash_network(address.parse().unwrap());
        assert_eq!(network("192.0.2.7"), network("::ffff:192.0.2.200"));
        assert_ne!(network("192.0.2.7"), network("192.0.3.7"));
        assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:ff::1"));
        assert_ne!(network("2001:db8:1:2::3"), network("2001:db8:1:100::3"));
        assert_ne!(key.derived("learning"), key.derived("other"));
        assert_eq!(key.derived("learning"), key.derived("learning"));
        let mut hasher = SipHasher13::new_with_key(b"0123456789abcdef");
        hasher.write(b"fx-a\0alice");
        assert_eq!(field.get(), hasher.finish() >> 20);
    }
}
