//! Fields that concern one connection only (RFC 9110 section 7.6.1), which no intermediary sends on.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::present::Present;

/// Fields of one connection that need no mention in `Connection`. `TE` and `Upgrade` are put back where they may pass.
const ALWAYS: [(Present, HeaderName); 8] = [
    (Present::CONNECTION, header::CONNECTION),
    (Present::KEEP_ALIVE, HeaderName::from_static("keep-alive")),
    (Present::PROXY_CONNECTION, HeaderName::from_static("proxy-connection")),
    (Present::TE, header::TE),
    (Present::TRANSFER_ENCODING, header::TRANSFER_ENCODING),
    (Present::UPGRADE, header::UPGRADE),
    (Present::HTTP2_SETTINGS, HeaderName::from_static("http2-settings")),
    (Present::PROXY_AUTHORIZATION, header::PROXY_AUTHORIZATION),
];

/// What a head wanted for its connection that may be wanted for the next one, too.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    /// `Upgrade`, where `Connection` names it. Never `h2c`: the next connection speaks HTTP/1.1.
    pub(crate) upgrade: Option<HeaderValue>,
    /// Whether trailers are welcome.
    pub(crate) trailers: bool,
}

/// Takes out the fields that concern the connection, and says what was wanted of it.
pub(crate) fn strip(headers: &mut HeaderMap, present: Present) -> Wanted {
    let mut found = Wanted::default();
    if present.any(Present::UPGRADE.or(Present::TE)) {
        found = wanted(headers);
    }
    if present.any(Present::CONNECTION) {
        let named: Vec<HeaderName> = connection_options(headers).filter_map(|name| name.parse().ok()).collect();
        for name in named {
            headers.remove(name);
        }
    }
    for (field, name) in &ALWAYS {
        if present.any(*field) {
            headers.remove(name);
        }
    }
    found
}

fn wanted(headers: &HeaderMap) -> Wanted {
    let upgrades = connection_options(headers).any(|option| option.eq_ignore_ascii_case("upgrade"));
    let upgrade = headers.get(header::UPGRADE).filter(|_| upgrades).cloned();
    let te = headers.get_all(header::TE).into_iter().filter_map(|value| value.to_str().ok());
    let trailers = te.flat_map(|value| value.split(',')).any(|coding| coding.trim().eq_ignore_ascii_case("trailers"));
    Wanted { upgrade: upgrade.filter(|protocol| !protocol.as_bytes().eq_ignore_ascii_case(b"h2c")), trailers }
}

/// The options of all `Connection` fields, but for those that say whether it stays open.
fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    let options = lines.flat_map(|line| line.split(',')).map(str::trim);
    options.filter(|option| !option.eq_ignore_ascii_case("close") && !option.eq_ignore_ascii_case("keep-alive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(fields: &[(&'static str, &'static str)]) -> (Wanted, Vec<String>) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let present = Present::of(&headers);
        let wanted = strip(&mut headers, present);
        (wanted, headers.keys().map(ToString::to_string).collect())
    }

    #[test]
    fn fields_of_the_connection_go_and_others_stay() {
        let (wanted, left) = stripped(&[
            ("connection", "keep-alive, X-Mine"),
            ("connection", "x-also"),
            ("x-mine", "1"),
            ("x-also", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic x"),
            ("transfer-encoding", "chunked"),
            ("x-other", "1"),
        ]);
        assert_eq!(left, ["x-other"]);
        assert_eq!(wanted, Wanted::default());
    }

    #[test]
    fn an_upgrade_is_wanted_only_where_the_connection_names_it() {
        let check = |fields: &[(&'static str, &'static str)], expected: Option<&'static str>| {
            assert_eq!(stripped(fields).0.upgrade, expected.map(HeaderValue::from_static), "{fields:?}");
        };
        check(&[("connection", "Upgrade"), ("upgrade", "websocket")], Some("websocket"));
        check(&[("connection", "keep-alive, upgrade"), ("upgrade", "x")], Some("x"));
        check(&[("upgrade", "websocket")], None);
        check(&[("connection", "upgrade"), ("upgrade", "h2c")], None);
    }

    #[test]
    fn trailers_are_welcome_where_te_says_so() {
        assert!(stripped(&[("te", "gzip;q=0.5, trailers"), ("connection", "te")]).0.trailers);
        assert!(!stripped(&[("te", "gzip")]).0.trailers);
    }
}
