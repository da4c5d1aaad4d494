//! Which fields of interest a head has, found in one pass: most heads have few, and looking each of them up costs more.

use http::HeaderMap;

/// The fields of a head that an intermediary does something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Present(u32);

macro_rules! fields {
    ($($name:ident = $bit:literal $text:literal;)+) => {
        impl Present {
            $(pub(crate) const $name: Self = Self(1 << $bit);)+
        }

        fn bit(name: &str) -> u32 {
            match name {
                $($text => 1 << $bit,)+
                _ if is_alias(name) => Present::ALIAS.0,
                _ => 0,
            }
        }

        /// Whether this is the name of such a field but for `_` in the place of `-`: servers that hand fields on as
        /// variables take the two for one.
        pub(crate) fn is_alias(name: &str) -> bool {
            name.contains('_') && {
                let name = name.replace('_', "-");
                matches!(name.as_str(), $($text)|+ | "x-request-id")
            }
        }
    };
}

fields! {
    CONNECTION = 0 "connection";
    KEEP_ALIVE = 1 "keep-alive";
    PROXY_CONNECTION = 2 "proxy-connection";
    TE = 3 "te";
    TRANSFER_ENCODING = 4 "transfer-encoding";
    UPGRADE = 5 "upgrade";
    HTTP2_SETTINGS = 6 "http2-settings";
    PROXY_AUTHORIZATION = 7 "proxy-authorization";
    VIA = 8 "via";
    FORWARDED = 9 "forwarded";
    X_FORWARDED_FOR = 10 "x-forwarded-for";
    X_FORWARDED_HOST = 11 "x-forwarded-host";
    X_FORWARDED_PROTO = 12 "x-forwarded-proto";
    X_FORWARDED_PORT = 13 "x-forwarded-port";
    X_REAL_IP = 14 "x-real-ip";
    CONTENT_LENGTH = 15 "content-length";
    EXPECT = 16 "expect";
}

impl Present {
    /// A field that some servers take for one of these.
    pub(crate) const ALIAS: Self = Self(1 << 17);
}

impl Present {
    /// Looks at each field of a head once.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(headers.keys().fold(0, |found, name| found | bit(name.as_str())))
    }

    /// Whether any of these is there.
    pub(crate) fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    /// All of both.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn fields_are_found_whatever_stands_between_them() {
        let mut headers = HeaderMap::new();
        for name in ["host", "te", "x-other", "via"] {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        let present = Present::of(&headers);
        assert!(present.any(Present::TE) && present.any(Present::VIA.or(Present::EXPECT)));
        assert!(!present.any(Present::EXPECT) && !present.any(Present::CONNECTION));
    }

    #[test]
    fn a_field_with_underscores_may_pass_for_another() {
        for name in ["x_forwarded_for", "x-forwarded_for", "content_length", "transfer_encoding", "x_request_id"] {
            assert!(is_alias(name), "{name}");
        }
        for name in ["x-forwarded-for", "x_other", "_", "via_"] {
            assert!(!is_alias(name), "{name}");
        }
    }
}
