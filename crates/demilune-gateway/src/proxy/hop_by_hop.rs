//! Fields that concern one connection only (RFC 9110 section 7.6.1), which no intermediary sends on.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::present::{Present, is_alias};

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

/// Takes out the fields that a server behind may take for ones that are written or read here.
pub(crate) fn strip_aliases(headers: &mut HeaderMap) {
    let aliases: Vec<HeaderName> = headers.keys().filter(|name| is_alias(name.as_str())).cloned().collect();
    for name in aliases {
        headers.remove(name);
    }
}

/// What a head wanted for its connection that may be wanted for the next one, too.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    /// `Upgrade`, where `Connection` names it. Never one with `h2c` in it: what is spoken then is HTTP again, and its
    /// requests would pass undecided.
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
    Wanted { upgrade: upgrade.filter(|protocols| !offers(protocols, "h2c")), trailers }
}

/// Whether a list of protocols has one of this name, whatever its version.
fn offers(protocols: &HeaderValue, name: &str) -> bool {
    let names = |protocol: &str| protocol.split('/').next().is_some_and(|own| own.trim().eq_ignore_ascii_case(name));
    // Where it is no text, it may be anything.
    protocols.to_str().map_or(true, |protocols| protocols.split(',').any(names))
}

impl Wanted {
    /// Whether an origin's switch to these protocols is one that was asked for.
    pub(crate) fn allows(&self, switched_to: Option<&HeaderValue>) -> bool {
        let Some((asked, protocol)) = self.upgrade.as_ref().zip(switched_to) else { return false };
        let protocol = protocol.to_str().unwrap_or_default();
        let name = protocol.split('/').next().unwrap_or_default().trim();
        !name.is_empty() && offers(asked, name)
    }
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
        for protocols in ["h2c", "H2C", "websocket, h2c", "h2c,websocket", "h2c/1"] {
            check(&[("connection", "upgrade"), ("upgrade", protocols)], None);
        }
    }

    #[test]
    fn an_origin_switches_only_to_what_was_asked_for() {
        let check = |asked: Option<&'static str>, switched_to: Option<&'static str>, expected: bool| {
            let wanted = Wanted { upgrade: asked.map(HeaderValue::from_static), trailers: false };
            assert_eq!(wanted.allows(switched_to.map(HeaderValue::from_static).as_ref()), expected, "{switched_to:?}");
        };
        check(Some("websocket"), Some("WebSocket"), true);
        check(Some("a/1, b/2"), Some("b/2"), true);
        check(Some("websocket"), Some("h2c"), false);
        check(Some("websocket"), Some("websocket, h2c"), false);
        check(Some("websocket"), Some(""), false);
        check(Some("websocket"), None, false);
        check(None, Some("websocket"), false);
    }

    #[test]
    fn trailers_are_welcome_where_te_says_so() {
        assert!(stripped(&[("te", "gzip;q=0.5, trailers"), ("connection", "te")]).0.trailers);
        assert!(!stripped(&[("te", "gzip")]).0.trailers);
    }
}
