//! What tells the sessions of a log apart, where it is not the zone's session identifiers.

use std::{convert::Infallible, str::FromStr};

use demilune_policy::{SessionKey, rule::SessionIdentifier};
use demilune_traffic::SessionHash;

use crate::traffic_log::LogRecord;

/// The client's address in place of a session.
const REMOTE_ADDR: &str = "remote_addr";

/// What tells the sessions of a log apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionBy {
    text: String,
    /// The header field or cookie that the text names, unless a field of the log has the name.
    identifier: Option<SessionIdentifier>,
}

impl FromStr for SessionBy {
    type Err = Infallible;

    /// Reads `remote_addr`, `remote_user`, `cookie:NAME`, the name of a header field, or that of a field of the log.
    /// nginx's names for header fields and cookies are understood.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let cookie = text.strip_prefix("cookie:").or_else(|| text.strip_prefix("cookie_"));
        let identifier = match (cookie, text.strip_prefix("http_")) {
            (Some(name), _) => SessionIdentifier::parse("cookie", name),
            (None, Some(name)) => SessionIdentifier::parse("header", &name.replace('_', "-")),
            (None, None) => SessionIdentifier::parse("header", text),
        };
        Ok(Self { text: text.to_owned(), identifier: identifier.ok() })
    }
}

impl SessionBy {
    /// The text as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether clients are told apart by nothing but their addresses.
    pub(super) fn is_address(&self) -> bool {
        self.text == REMOTE_ADDR
    }

    /// What requests of the log are looked at for in place of the zone's session identifiers. A session that is found by
    /// one that the zone has too is the same as in live traffic.
    pub(super) fn identifier(&self) -> Option<&SessionIdentifier> {
        self.identifier.as_ref()
    }

    /// The session of a record by a field that is no header field.
    pub(super) fn session(&self, record: &LogRecord, key: &SessionKey) -> Option<SessionHash> {
        let hash = |value: &str| key.hash_field(&self.text, value.as_bytes());
        match self.text.as_str() {
            REMOTE_ADDR => record.remote_addr.as_deref().map(hash),
            "remote_user" => record.remote_user.as_deref().map(hash),
            name => record.fields.get(name).map(|value| hash(&value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_and_cookies_are_named_in_several_ways() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let by: SessionBy = text.parse().unwrap();
            let identifier = by.identifier().map(|identifier| (identifier.kind().as_str(), identifier.name()));
            assert_eq!(identifier, expected, "{text}");
        };
        check("X-Api-Key", Some(("header", "X-Api-Key")));
        check("http_x_api_key", Some(("header", "x-api-key")));
        check("cookie:sid", Some(("cookie", "sid")));
        check("cookie_sid", Some(("cookie", "sid")));
        check("user.id of my log", None);
    }
}
