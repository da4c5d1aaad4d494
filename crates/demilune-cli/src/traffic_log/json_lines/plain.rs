//! Our own form, which others can be brought to: `time`, `method`, `host`, `path` and `status`, and where there are
//! `request_headers`, `request_body`, `response_headers`, `response_bytes` and `duration_ms`. The names that nginx's variables have, and a
//! few that are common, are understood as well.

use serde_json::Value;

use super::{Members, members::header_into};
use crate::traffic_log::{
    Defect, LogRecord,
    record::address,
    request_line::{Target, request_line},
    time,
};

/// Times of arrival.
const ARRIVED: [&str; 5] = ["time", "timestamp", "@timestamp", "ts", "start_time"];
/// Variables of nginx with the time at which a request had ended.
const ENDED: [&str; 3] = ["msec", "time_iso8601", "time_local"];
const METHODS: [&str; 2] = ["method", "request_method"];
const TARGETS: [&str; 4] = ["path", "request_uri", "uri", "url"];
const HOSTS: [&str; 5] = ["host", "http_host", "authority", "vhost", "server_name"];

pub(super) fn read(members: Members<'_>) -> Result<LogRecord, Defect> {
    let arrived = members.time(&ARRIVED);
    let time_micros = arrived.or_else(|_| members.time(&ENDED))?;
    let (method, mut target) = match members.text(&["request"]) {
        Some(line) => request_line(&line)?,
        None => members.request(&METHODS, &TARGETS)?,
    };
    add_query(members, &mut target);
    let mut record = LogRecord::new(time_micros, method, target);
    record.host = record.host.or_else(|| members.owned(&HOSTS));
    record.status = members.status(&["status", "status_code"]);
    record.remote_addr = members.text(&["remote_addr", "remote_ip", "client_ip"]).map(|text| address(&text));
    record.remote_user = members.owned(&["remote_user"]);
    record.request_bytes = members.count(&["request_bytes", "content_length"]);
    record.response_bytes = members.count(&["response_bytes", "body_bytes_sent", "bytes_sent"]);
    let named = members.media_type("response_headers");
    record.response_type = named.or_else(|| members.owned(&["sent_http_content_type", "upstream_http_content_type"]));
    let millis = members.number(&["duration_ms"]).map(|millis| millis / 1e3);
    record.duration_us = millis.or_else(|| members.number(&["request_time"])).and_then(time::micros);
    members.headers_into("request_headers", &mut record);
    members.headers_into("headers", &mut record);
    for (name, value) in members.all() {
        match name.strip_prefix("http_") {
            Some(header) => header_into(&header.replace('_', "-"), value, &mut record),
            None if name == "request_body" => record.request_body = body(value),
            None => {}
        }
    }
    if arrived.is_err() {
        record.arrived_before();
    }
    Ok(record)
}

fn add_query(members: Members<'_>, target: &mut Target) {
    let query = members.text(&["query", "args", "query_string"]).filter(|_| !target.path.contains('?'));
    if let Some(query) = query {
        target.path.push('?');
        target.path.push_str(query.strip_prefix('?').unwrap_or(&query));
    }
}

/// A body as text, or as the JSON that it was.
fn body(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(other.to_string().into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use crate::traffic_log::Defect;

    #[test]
    fn our_own_form_is_read_whole() {
        let line = r#"{"time":"2026-11-23T09:30:00.25Z","method":"POST","host":"api.example.com","path":"/orders?dry=1",
            "status":201,"request_headers":{"Authorization":"Bearer x","X-Many":["a","b"],"X-Count":7},
            "request_body":{"n":1},"response_headers":{"content-type":"text/html"},"response_bytes":310,"duration_ms":12.5}"#;
        let record = read(line.as_bytes()).unwrap();
        assert_eq!(record.time_micros, 1_795_426_200_250_000);
        assert_eq!((record.method.as_str(), record.path.as_str()), ("POST", "/orders?dry=1"));
        assert_eq!((record.host.as_deref(), record.status), (Some("api.example.com"), Some(201)));
        assert_eq!((record.response_bytes, record.duration_us, record.bytes_in()), (Some(310), Some(12_500), 7));
        assert_eq!(record.request_body.as_deref(), Some(&b"{\"n\":1}"[..]));
        assert_eq!(record.response_type.as_deref(), Some("text/html"));
        assert_eq!(record.headers.get_all("x-many").iter().count(), 2);
        assert_eq!(
            (&record.headers["authorization"], &record.headers["x-count"]),
            (&"Bearer x".parse().unwrap(), &"7".parse().unwrap())
        );
    }

    #[test]
    fn the_variables_of_nginx_are_understood() {
        let line = r#"{"msec":"1779373620.250","request":"GET /a HTTP/1.1","http_host":"a.example","status":"200",
            "request_time":"0.250","body_bytes_sent":"5","http_x_api_key":"k1","remote_addr":"192.0.2.7",
            "sent_http_content_type":"text/css"}"#;
        let record = read(line.as_bytes()).unwrap();
        assert_eq!((record.time_micros, record.duration_us), (1_779_373_620_000_000, Some(250_000)));
        assert_eq!((record.host.as_deref(), record.remote_addr.as_deref()), (Some("a.example"), Some("192.0.2.7")));
        assert_eq!(
            (&record.headers["x-api-key"], record.response_type.as_deref()),
            (&"k1".parse().unwrap(), Some("text/css"))
        );
    }

    #[test]
    fn a_query_may_stand_apart() {
        let check = |rest: &str, expected: &str| {
            let record = read(format!(r#"{{"time":1,"method":"GET",{rest}}}"#).as_bytes()).unwrap();
            assert_eq!(record.path, expected);
        };
        check(r#""path":"/a","query":"b=c""#, "/a?b=c");
        check(r#""path":"/a","query":"?b=c""#, "/a?b=c");
        check(r#""path":"/a?x","query":"b=c""#, "/a?x");
        check(r#""url":"https://h.example/a?x""#, "/a?x");
    }

    #[test]
    fn what_is_missing_is_said() {
        let check = |line: &str, expected: Defect| assert_eq!(read(line.as_bytes()).unwrap_err(), expected, "{line}");
        check(r#"{"method":"GET","path":"/"}"#, Defect::Time);
        check(r#"{"time":"2026-11-23 09:30:00","method":"GET","path":"/"}"#, Defect::Time);
        check(r#"{"time":1,"path":"/"}"#, Defect::Request);
        check(r#"{"time":1,"method":"GET"}"#, Defect::Request);
        check(r#"{"time":1,"method":"G T","path":"/"}"#, Defect::Request);
    }
}
