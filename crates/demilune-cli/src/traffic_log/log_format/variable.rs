//! The variables of nginx that say something about a request, and the values of one line.

use std::sync::Arc;

use http::Method;

use super::super::{
    Defect, LogRecord,
    record::{Fields, address, status},
    request_line::{Target, method, request_line},
    time,
};

/// What a variable says about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    RemoteAddr,
    RemoteUser,
    /// With whole seconds.
    Time,
    /// With milliseconds, which therefore comes first.
    Msec,
    Request,
    Method,
    RequestUri,
    /// The path, decoded.
    Uri,
    Args,
    /// The host, and how well it is the one that the client named.
    Host(u8),
    Status,
    /// Of the body alone, which therefore comes first.
    BodyBytesSent,
    BytesSent,
    ContentLength,
    RequestTime,
    /// The media type of the answer, as the client or only nginx got it.
    ResponseType,
    Header(String),
    Cookie(String),
    Other(Arc<str>),
}

impl Variable {
    pub(super) fn named(name: &str) -> Self {
        match name {
            "remote_addr" => Self::RemoteAddr,
            "remote_user" => Self::RemoteUser,
            "time_local" | "time_iso8601" => Self::Time,
            "msec" => Self::Msec,
            "request" => Self::Request,
            "request_method" => Self::Method,
            "request_uri" => Self::RequestUri,
            "uri" | "document_uri" => Self::Uri,
            "args" | "query_string" => Self::Args,
            "http_host" => Self::Host(3),
            "host" => Self::Host(2),
            "server_name" => Self::Host(1),
            "status" => Self::Status,
            "body_bytes_sent" => Self::BodyBytesSent,
            "bytes_sent" => Self::BytesSent,
            "content_length" => Self::ContentLength,
            "request_time" => Self::RequestTime,
            "sent_http_content_type" | "upstream_http_content_type" => Self::ResponseType,
            _ => match (name.strip_prefix("http_"), name.strip_prefix("cookie_")) {
                (Some(header), _) => Self::Header(header.replace('_', "-")),
                (_, Some(cookie)) => Self::Cookie(cookie.to_owned()),
                _ => Self::Other(name.into()),
            },
        }
    }

    pub(super) fn is_path(&self) -> bool {
        matches!(self, Self::RequestUri | Self::Uri)
    }
}

/// The values of one line.
#[derive(Default)]
pub(super) struct Collected {
    time: Option<i64>,
    msec: Option<i64>,
    request: Option<(Method, Target)>,
    method: Option<Method>,
    target: Option<Target>,
    uri: Option<String>,
    args: Option<String>,
    host: Option<(u8, String)>,
    headers: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    others: Vec<(Arc<str>, String)>,
    rest: Rest,
}

/// Values that become members of a record as they are.
#[derive(Default)]
struct Rest {
    status: Option<u16>,
    remote_addr: Option<String>,
    remote_user: Option<String>,
    request_bytes: Option<u64>,
    response_bytes: Option<u64>,
    all_bytes: Option<u64>,
    duration_us: Option<u64>,
    response_type: Option<String>,
}

impl Collected {
    /// Takes a value that is there. One that cannot be read counts as none.
    pub(super) fn take(&mut self, variable: &Variable, value: &str) {
        match variable {
            Variable::RemoteAddr => self.rest.remote_addr = Some(address(value)),
            Variable::RemoteUser => self.rest.remote_user = Some(value.to_owned()),
            Variable::Time => self.time = time::instant(value),
            Variable::Msec => self.msec = time::instant(value),
            Variable::Request => self.request = request_line(value).ok(),
            Variable::Method => self.method = method(value).ok(),
            Variable::RequestUri => self.target = Target::parse(value).ok(),
            Variable::Uri => self.uri = Some(encoded(value)),
            Variable::Args => self.args = Some(value.to_owned()),
            Variable::Host(rank) => self.take_host(*rank, value),
            Variable::Status => self.rest.status = value.parse().ok().and_then(status),
            Variable::BodyBytesSent => self.rest.response_bytes = value.parse().ok(),
            Variable::BytesSent => self.rest.all_bytes = value.parse().ok(),
            Variable::ContentLength => self.rest.request_bytes = value.parse().ok(),
            Variable::RequestTime => self.rest.duration_us = value.parse().ok().and_then(time::micros),
            Variable::ResponseType => self.rest.response_type = Some(value.to_owned()),
            Variable::Header(name) => self.headers.push((name.clone(), value.to_owned())),
            Variable::Cookie(name) => self.cookies.push((name.clone(), value.to_owned())),
            Variable::Other(name) => self.others.push((Arc::clone(name), value.to_owned())),
        }
    }

    /// The record. nginx writes a line when the request has ended, so that what it lasted is taken off its time.
    pub(super) fn finish(self) -> Result<LogRecord, Defect> {
        let time_micros = self.msec.or(self.time).ok_or(Defect::Time)?;
        let uri = self.uri.map(|uri| match self.args {
            Some(args) => format!("{uri}?{args}"),
            None => uri,
        });
        let target = self.target.or_else(|| uri.map(|path| Target { host: None, path }));
        let (method, target) = self.request.or_else(|| self.method.zip(target)).ok_or(Defect::Request)?;
        let mut record = LogRecord::new(time_micros, method, target);
        let Rest {
            status,
            remote_addr,
            remote_user,
            request_bytes,
            response_bytes,
            all_bytes,
            duration_us,
            response_type,
        } = self.rest;
        record.host = record.host.or(self.host.map(|(_, host)| host));
        (record.status, record.duration_us, record.response_type) = (status, duration_us, response_type);
        (record.remote_addr, record.remote_user) = (remote_addr, remote_user);
        (record.request_bytes, record.response_bytes) = (request_bytes, response_bytes.or(all_bytes));
        self.headers.iter().for_each(|(name, value)| record.add_header(name, value));
        self.cookies.iter().for_each(|(name, value)| record.add_cookie(name, value));
        record.fields = Fields::Named(self.others);
        record.arrived_before();
        Ok(record)
    }

    fn take_host(&mut self, rank: u8, value: &str) {
        let known = self.host.as_ref().map_or(0, |(rank, _)| *rank);
        // A server without a name has this one.
        if rank > known && value != "_" {
            self.host = Some((rank, value.to_owned()));
        }
    }
}

/// A decoded path with the characters encoded again that would end it or begin an escape.
fn encoded(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
}
