//! nginx's `log_format`: literal text with variables in it, and the lines that it gives.

mod variable;

use std::iter::Peekable;

use super::{
    Defect, LogRecord,
    escape::{quoted_length, unescape},
    record::present,
};
use variable::{Collected, Variable};

/// A log format that was read. Lines are taken apart by its literal text: a value ends where the text behind its
/// variable begins.
#[derive(Clone, Debug)]
pub(crate) struct LogFormat {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Variable(Variable),
}

/// Why a text is no log format that requests can be read with; `Display` is a sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LogFormatError {
    /// Where one value ends and the next begins could not be told.
    #[error("nothing stands before ${0} to tell it from the variable before it: write a space or a quote between them")]
    Adjacent(String),
    /// A `$` without a name.
    #[error("a $ without the name of a variable")]
    Name,
    /// No variable has the time.
    #[error("no variable has the time: write $msec, $time_iso8601 or $time_local")]
    NoTime,
    /// No variable has the request.
    #[error("no variable has the request: write $request, or $request_method and $request_uri")]
    NoRequest,
    /// No variable has the status.
    #[error("no variable has the status: write $status")]
    NoStatus,
}

impl LogFormat {
    /// Reads a format, alone or as the directive of nginx's configuration that sets it.
    pub(crate) fn parse(text: &str) -> Result<Self, LogFormatError> {
        let format = unquoted(text);
        let mut parts = Vec::new();
        let mut rest = format.as_str();
        while let Some((literal, behind)) = rest.split_once('$') {
            let (name, after) = variable_name(behind).ok_or(LogFormatError::Name)?;
            if literal.is_empty() && !parts.is_empty() {
                return Err(LogFormatError::Adjacent(name.to_owned()));
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(Variable::named(name)));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        let format = Self { parts };
        format.check()?;
        Ok(format)
    }

    /// Reads a line.
    pub(super) fn read(&self, line: &str) -> Result<LogRecord, Defect> {
        let mut collected = Collected::default();
        let mut rest = line;
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Literal(text) => rest = rest.strip_prefix(text.as_str()).ok_or(Defect::Form)?,
                Part::Variable(variable) => {
                    let (value, after) = rest.split_at(value_length(rest, &mut parts).ok_or(Defect::Form)?);
                    if let Some(value) = present(value) {
                        collected.take(variable, &unescape(value));
                    }
                    rest = after;
                }
            }
        }
        if rest.is_empty() { collected.finish() } else { Err(Defect::Form) }
    }

    fn check(&self) -> Result<(), LogFormatError> {
        let has = |wanted: fn(&Variable) -> bool| {
            self.parts.iter().any(|part| matches!(part, Part::Variable(variable) if wanted(variable)))
        };
        let method_and_path = has(|variable| *variable == Variable::Method) && has(Variable::is_path);
        if !has(|variable| matches!(variable, Variable::Time | Variable::Msec)) {
            return Err(LogFormatError::NoTime);
        }
        if !has(|variable| *variable == Variable::Request) && !method_and_path {
            return Err(LogFormatError::NoRequest);
        }
        if has(|variable| *variable == Variable::Status) { Ok(()) } else { Err(LogFormatError::NoStatus) }
    }
}

/// How long the value at the start of a text is: up to the literal that comes next. Where that begins with a quote, a
/// quote in the value is escaped.
fn value_length<'p>(text: &str, next: &mut Peekable<impl Iterator<Item = &'p Part>>) -> Option<usize> {
    let Some(Part::Literal(literal)) = next.peek() else { return Some(text.len()) };
    if !literal.starts_with('"') {
        return text.find(literal.as_str());
    }
    let mut start = 0;
    loop {
        let quote = start + quoted_length(&text[start..])?;
        if text[quote..].starts_with(literal.as_str()) {
            return Some(quote);
        }
        start = quote + 1;
    }
}

/// The variable's name at the start of a text behind a `$`, and what follows it.
fn variable_name(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{').and_then(|text| text.split_once('}'));
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let (name, rest) =
        braced.unwrap_or_else(|| text.split_at(text.find(|character| !is_part(character)).unwrap_or(text.len())));
    (!name.is_empty() && name.chars().all(is_part)).then_some((name, rest))
}

/// The quoted pieces of a directive put together; a text that is no directive as it is.
fn unquoted(text: &str) -> String {
    let text = text.trim();
    if !text.starts_with("log_format ") && !text.starts_with('\'') {
        return text.to_owned();
    }
    let mut format = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['\'', '"']) {
        let (quote, piece) = (&rest[start..=start], &rest[start + 1..]);
        let end = piece.find(quote).unwrap_or(piece.len());
        format.push_str(&piece[..end]);
        rest = piece.get(end + 1..).unwrap_or_default();
    }
    format
}

#[cfg(test)]
mod tests {
    use super::*;

    /// nginx's own predefined format, and what it writes.
    const COMBINED: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;
    const FULL: &str = r#"$msec $host "$request_method $request_uri $server_protocol" $status $bytes_sent $content_length $body_bytes_sent $request_time "$http_authorization" "$cookie_sid" $upstream_addr"#;

    fn read(format: &str, line: &str) -> Result<LogRecord, Defect> {
        LogFormat::parse(format).unwrap().read(line)
    }

    #[test]
    fn the_combined_format_of_nginx_is_read() {
        let line = r#"203.0.113.9 - ada [21/May/2026:14:27:00 +0000] "GET /blog/x?y=1 HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (X11) \x22q\x22""#;
        let record = read(COMBINED, line).unwrap();
        assert_eq!(record.time_micros, 1_779_373_620_000_000);
        assert_eq!(
            (record.method.as_str(), record.path.as_str(), record.path_only()),
            ("GET", "/blog/x?y=1", "/blog/x")
        );
        assert_eq!((record.status, record.response_bytes, record.host), (Some(200), Some(5120), None));
        assert_eq!((record.remote_addr.as_deref(), record.remote_user.as_deref()), (Some("203.0.113.9"), Some("ada")));
        assert_eq!(record.headers.len(), 1);
        assert_eq!(record.headers["user-agent"], "Mozilla/5.0 (X11) \"q\"");
    }

    #[test]
    fn every_variable_that_is_known_has_its_place() {
        let line = r#"1779373620.250 api.example.com "POST /orders HTTP/2.0" 201 410 205 310 0.250 "Bearer x" "s1" 10.0.0.1:80, 10.0.0.2:80"#;
        let record = read(FULL, line).unwrap();
        assert_eq!(record.time_micros, 1_779_373_620_000_000, "it arrived a quarter second before it was logged");
        assert_eq!((record.method.as_str(), record.path.as_str()), ("POST", "/orders"));
        assert_eq!((record.host.as_deref(), record.status), (Some("api.example.com"), Some(201)));
        assert_eq!(
            (record.request_bytes, record.response_bytes, record.duration_us),
            (Some(205), Some(310), Some(250_000))
        );
        assert_eq!(
            (&record.headers["authorization"], &record.headers["cookie"]),
            (&"Bearer x".parse().unwrap(), &"sid=s1".parse().unwrap())
        );
        assert_eq!(record.fields.get("upstream_addr").as_deref(), Some("10.0.0.1:80, 10.0.0.2:80"));
        assert_eq!(record.fields.get("server_protocol").as_deref(), Some("HTTP/2.0"));
    }

    #[test]
    fn the_type_of_the_answer_may_be_there() {
        let typed =
            |line: &str| read("$msec \"$request\" $status \"$sent_http_content_type\"", line).unwrap().response_type;
        assert_eq!(
            typed("1 \"GET / HTTP/1.1\" 200 \"text/html; charset=utf-8\"").as_deref(),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(typed("1 \"GET / HTTP/1.1\" 204 \"-\""), None);
    }

    #[test]
    fn the_host_of_the_request_comes_before_that_of_the_server() {
        let check = |line: &str, expected: Option<&str>| {
            let record = read("$server_name|$host|$http_host|$msec|$request|$status", line).unwrap();
            assert_eq!(record.host.as_deref(), expected, "{line}");
        };
        check("s.example|h.example|H.example:8080|1|GET / HTTP/1.1|200", Some("H.example:8080"));
        check("s.example|h.example|-|1|GET / HTTP/1.1|200", Some("h.example"));
        check("s.example|-|-|1|GET / HTTP/1.1|200", Some("s.example"));
        check("_|-|-|1|GET / HTTP/1.1|200", None);
        check("_|h.example|-|1|GET http://u.example/ HTTP/1.1|200", Some("u.example"));
    }

    #[test]
    fn a_normalized_uri_is_a_path_and_its_arguments_the_query() {
        let format = "$time_iso8601 $request_method $uri?$args $status";
        let record = read(format, "2026-05-21T14:27:00+00:00 GET /a%b?c=d 200").unwrap();
        assert_eq!((record.path.as_str(), record.path_only()), ("/a%25b?c=d", "/a%25b"));
    }

    #[test]
    fn a_format_may_be_json_or_a_directive() {
        let json = r#"{"t":"$time_iso8601","r":"$request","s":$status,"u":"$http_user_agent"}"#;
        let line = r#"{"t":"2026-05-21T14:27:00+00:00","r":"GET /\u0022\\ HTTP/1.1","s":404,"u":"a\",\"s"}"#;
        let record = read(json, line).unwrap();
        assert_eq!((record.path.as_str(), record.status), ("/\"\\", Some(404)));
        assert_eq!(record.headers["user-agent"], "a\",\"s");
        let directive = "log_format main escape=default '$remote_addr [$time_local] '\n    '\"$request\" ${status}';";
        assert!(read(directive, r#"192.0.2.7 [21/May/2026:14:27:00 +0000] "GET / HTTP/1.1" 200"#).is_ok());
    }

    #[test]
    fn the_default_format_of_envoy_can_be_described() {
        let format = r#"[$time_iso8601] "$request" $status $flags $bytes_received $body_bytes_sent $duration $upstream_time "$http_x_forwarded_for" "$http_user_agent" "$request_id" "$host" "$upstream""#;
        let line = r#"[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80""#;
        let record = read(format, line).unwrap();
        assert_eq!((record.time_micros, record.path.as_str()), (1_460_751_420_310_000, "/api/v1/locations"));
        assert_eq!(
            (record.host.as_deref(), record.status, record.response_bytes),
            (Some("locations"), Some(204), Some(0))
        );
        assert_eq!(record.fields.get("duration").as_deref(), Some("226"));
    }

    #[test]
    fn what_does_not_fit_says_why() {
        let check = |line: &str, expected: Defect| assert_eq!(read(COMBINED, line).unwrap_err(), expected, "{line}");
        check("", Defect::Form);
        check(r#"1 - - [21/May/2026:14:27:00 +0000] "GET / HTTP/1.1" 200 5 "-" "-" more"#, Defect::Form);
        check(r#"1 - - [yesterday] "GET / HTTP/1.1" 200 5 "-" "-""#, Defect::Time);
        check(r#"1 - - [21/May/2026:14:27:00 +0000] "\x16\x03" 400 5 "-" "-""#, Defect::Request);
    }

    #[test]
    fn a_format_that_nothing_can_be_read_with_is_refused() {
        let check = |format: &str, expected: LogFormatError| {
            assert_eq!(LogFormat::parse(format).unwrap_err(), expected, "{format}");
        };
        check("$msec$status $request", LogFormatError::Adjacent("status".to_owned()));
        check("$msec $", LogFormatError::Name);
        check("$msec ${a b}", LogFormatError::Name);
        check("$request $status", LogFormatError::NoTime);
        check("$msec $status $request_method", LogFormatError::NoRequest);
        check("$msec $request", LogFormatError::NoStatus);
        check("", LogFormatError::NoTime);
    }
}
