//! The host and port of a Host field or a request target.

use std::net::Ipv6Addr;

/// Whether `text` is `host[:port]` with a host that is not empty. Percent-encoded hosts, user information, zone
/// identifiers and future address forms are not accepted: nothing that routes by host agrees about them.
pub(super) fn is_valid(text: &[u8]) -> bool {
    split_port(text).is_some_and(|(host, port)| is_host(host) && port.is_none_or(is_port))
}

/// Whether `text` is `host:port`.
pub(super) fn is_valid_with_port(text: &[u8]) -> bool {
    is_valid(text) && split_port(text).is_some_and(|(_, port)| port.is_some())
}

fn split_port(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let host_bytes = if text.first() == Some(&b'[') {
        memchr::memchr(b']', text)? + 1
    } else {
        memchr::memchr(b':', text).unwrap_or(text.len())
    };
    match text.split_at(host_bytes) {
        (host, []) => Some((host, None)),
        (host, [b':', port @ ..]) => Some((host, Some(port))),
        _ => None,
    }
}

fn is_host(host: &[u8]) -> bool {
    match host {
        [] => false,
        [b'[', address @ .., b']'] => std::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok()),
        name => name.iter().copied().all(is_name_byte),
    }
}

/// RFC 3986 `unreserved` and `sub-delims`, without the comma: a list of hosts is not a host.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'='
        )
}

fn is_port(port: &[u8]) -> bool {
    // The digits are counted first: `u16` takes a sign.
    matches!(port.len(), 1..=5)
        && port.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(port).is_ok_and(|text| text.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, valid: bool) {
        assert_eq!(is_valid(text.as_bytes()), valid, "{text}");
    }

    #[test]
    fn a_host_may_have_a_port() {
        for text in ["a", "example.com", "example.com:80", "a_b-c.d", "127.0.0.1:65535", "[::1]", "[::1]:8080"] {
            check(text, true);
        }
    }

    #[test]
    fn nothing_else_is_a_host() {
        let texts = [
            "",
            ":80",
            "a:",
            "a:b",
            "a:65536",
            "a:000080",
            "a:+80",
            "a:1:2",
            "a,b",
            "a b",
            "a/b",
            "a@b",
            "a?b",
            "a#b",
            "a%41",
            "a\\b",
            "a\"b",
            "ä",
            "[::1",
            "::1",
            "[]",
            "[::1]a",
            "[1.2.3.4]",
            "[fe80::1%25eth0]",
            "[v1.a]",
            "a[::1]",
            "[::1]:",
            "a\t",
        ];
        for text in texts {
            check(text, false);
        }
    }

    #[test]
    fn a_port_can_be_asked_for() {
        assert!(is_valid_with_port(b"a:443"));
        assert!(!is_valid_with_port(b"a"));
    }
}
