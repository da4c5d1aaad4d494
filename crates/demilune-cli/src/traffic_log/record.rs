//! One request as a log tells of it.

use std::{borrow::Cow, net::IpAddr, net::SocketAddr, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Map, Value};

use super::request_line::Target;

/// One request as a log tells of it. What the log does not say is absent.
#[derive(Clone, Debug)]
pub(crate) struct LogRecord {
    /// When it arrived, in microseconds since the epoch.
    pub(crate) time_micros: i64,
    /// The method.
    pub(crate) method: Method,
    /// The host that the client named, with its port if the log has it.
    pub(crate) host: Option<String>,
    /// The target with its query.
    pub(crate) path: String,
    /// What it was answered; none where it was not.
    pub(crate) status: Option<u16>,
    /// The header fields of the request that the log has.
    pub(crate) headers: HeaderMap,
    /// The client's address, without a port.
    pub(crate) remote_addr: Option<String>,
    /// The client's name, as the server checked it.
    pub(crate) remote_user: Option<String>,
    /// All else, by name.
    pub(crate) fields: Fields,
    /// The request's body.
    pub(crate) request_body: Option<Vec<u8>>,
    /// Bytes of the request's body, where the log counts them itself.
    pub(crate) request_bytes: Option<u64>,
    /// Bytes of the answer's body.
    pub(crate) response_bytes: Option<u64>,
    /// The media type of the answer.
    pub(crate) response_type: Option<String>,
    /// How long it took, in microseconds.
    pub(crate) duration_us: Option<u64>,
    /// The session's hash, in the log of our own gateway.
    pub(crate) session: Option<u64>,
    /// Our own gateway's policy answered.
    pub(crate) blocked: bool,
    /// Our own gateway got no answer from the origin.
    pub(crate) origin_error: bool,
}

impl LogRecord {
    pub(super) fn new(time_micros: i64, method: Method, target: Target) -> Self {
        Self {
            time_micros,
            method,
            host: target.host,
            path: target.path,
            status: None,
            headers: HeaderMap::new(),
            remote_addr: None,
            remote_user: None,
            fields: Fields::None,
            request_body: None,
            request_bytes: None,
            response_bytes: None,
            response_type: None,
            duration_us: None,
            session: None,
            blocked: false,
            origin_error: false,
        }
    }

    /// The path without the query.
    pub(crate) fn path_only(&self) -> &str {
        self.path.split_once('?').map_or(self.path.as_str(), |(path, _)| path)
    }

    /// Bytes of the request's body, as far as the log knows them.
    pub(crate) fn bytes_in(&self) -> u64 {
        self.request_bytes.or_else(|| self.request_body.as_ref().map(|body| body.len() as u64)).unwrap_or(0)
    }

    /// Adds a header field; one that cannot be sent is left out.
    pub(super) fn add_header(&mut self, name: &str, value: &str) {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            // More fields than a map takes belong to no request that was served.
            let _ = self.headers.try_append(name, value);
        }
    }

    /// Adds a cookie.
    pub(super) fn add_cookie(&mut self, name: &str, value: &str) {
        self.add_header(header::COOKIE.as_str(), &format!("{name}={value}"));
    }

    /// Logs that are written when a request ends have that time: takes what it lasted off.
    pub(super) fn arrived_before(&mut self) {
        let duration = self.duration_us.and_then(|micros| i64::try_from(micros).ok()).unwrap_or(0);
        self.time_micros = self.time_micros.saturating_sub(duration);
    }
}

/// What a log says beside what a [`LogRecord`] has members for.
#[derive(Clone, Debug)]
pub(crate) enum Fields {
    /// Nothing.
    None,
    /// Variables of a log format.
    Named(Vec<(Arc<str>, String)>),
    /// Members of a line of JSON, all of them.
    Json(Map<String, Value>),
}

impl Fields {
    /// The value of a field that is not empty. Members of members of JSON are named with dots between.
    pub(crate) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::None => None,
            Self::Named(fields) => {
                let (_, value) = fields.iter().find(|(known, _)| **known == *name)?;
                Some(value.as_str().into())
            }
            Self::Json(members) => match members.get(name) {
                Some(value) => text(value),
                None => text(nested(members, name)?),
            },
        }
    }
}

fn nested<'v>(members: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    let mut names = name.split('.');
    let first = members.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

/// A single value as text; none for what logs write where there is none.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => present(text).map(Cow::Borrowed),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(truth) => Some(truth.to_string().into()),
        _ => None,
    }
}

/// A text, unless it is what logs write for none.
pub(super) fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && *text != "-")
}

/// A client's address without its port.
pub(super) fn address(text: &str) -> String {
    let ip = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    ip.map_or_else(|_| text.to_owned(), |ip| ip.to_string())
}

/// A status that servers send.
pub(super) fn status(number: f64) -> Option<u16> {
    let fits = (100.0..1000.0).contains(&number);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "three digits")]
    fits.then_some(number as u16)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_found_by_its_name_or_by_the_names_on_the_way() {
        let Value::Object(members) = json!({"user": "a", "n": 7, "x.y": "dot", "a": {"b": {"c": "deep"}}, "none": "-"})
        else {
            panic!()
        };
        let fields = Fields::Json(members);
        let check = |name: &str, expected: Option<&str>| assert_eq!(fields.get(name).as_deref(), expected, "{name}");
        check("user", Some("a"));
        check("n", Some("7"));
        check("x.y", Some("dot"));
        check("a.b.c", Some("deep"));
        check("a.b", None);
        check("none", None);
        check("", None);
        assert_eq!(Fields::Named(vec![("user".into(), "a".to_owned())]).get("user").as_deref(), Some("a"));
        assert_eq!(Fields::None.get("user"), None);
    }

    #[test]
    fn an_address_loses_its_port() {
        let check = |text: &str, expected: &str| assert_eq!(address(text), expected);
        check("192.0.2.7", "192.0.2.7");
        check("192.0.2.7:4711", "192.0.2.7");
        check("2001:db8::1", "2001:db8::1");
        check("[2001:db8::1]:443", "2001:db8::1");
        check("unix:", "unix:");
    }

    #[test]
    fn more_header_fields_than_a_map_takes_are_left_out() {
        let target = Target { host: None, path: "/".to_owned() };
        let mut record = LogRecord::new(0, Method::GET, target);
        for number in 0..40_000 {
            record.add_header(&format!("x-{number}"), "1");
        }
        assert!(record.headers.len() > 10_000);
    }
}
