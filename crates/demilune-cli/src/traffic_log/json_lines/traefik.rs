//! Traefik's access log in JSON. Header fields are there as `request_NAME` where it is told to keep them.

use super::{Members, members::header_into};
use crate::traffic_log::{Defect, LogRecord, record::address, time};

pub(super) fn read(members: Members<'_>) -> Result<LogRecord, Defect> {
    let time_micros = members.time(&["StartUTC", "StartLocal", "time"])?;
    let (method, target) = members.request(&["RequestMethod"], &["RequestPath"])?;
    let mut record = LogRecord::new(time_micros, method, target);
    record.host = record.host.or_else(|| members.owned(&["RequestAddr", "RequestHost"]));
    record.status = members.status(&["DownstreamStatus", "OriginStatus"]);
    record.remote_addr = members.text(&["ClientHost", "ClientAddr"]).map(|text| address(&text));
    record.remote_user = members.owned(&["ClientUsername"]);
    record.request_bytes = members.count(&["RequestContentSize"]);
    record.response_bytes = members.count(&["DownstreamContentSize"]);
    record.response_type = members.owned(&["downstream_Content-Type", "origin_Content-Type"]);
    record.duration_us = members.number(&["Duration"]).and_then(|nanos| time::micros(nanos / 1e9));
    for (name, value) in members.all() {
        if let Some(name) = name.strip_prefix("request_") {
            header_into(name, value, &mut record);
        }
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::super::read;

    /// As Traefik 2 writes it, told to keep some header fields and to redact another.
    const LINE: &str = r#"{"ClientAddr":"172.16.100.1:49880","ClientHost":"172.16.100.1","ClientPort":"49880","ClientUsername":"-","DownstreamContentSize":19,"DownstreamStatus":404,"Duration":204055,"Overhead":204055,"RequestAddr":"api.example.com","RequestContentSize":0,"RequestCount":1,"RequestHost":"api.example.com","RequestMethod":"GET","RequestPath":"/orders/7?x=1","RequestPort":"-","RequestProtocol":"HTTP/1.1","RequestScheme":"http","RetryAttempts":0,"StartLocal":"2021-06-05T04:03:22.742209746Z","StartUTC":"2021-06-05T04:03:22.742209746Z","level":"info","msg":"","request_Authorization":"REDACTED","request_X-Api-Key":"k1","downstream_Content-Type":"text/plain; charset=utf-8","time":"2021-06-05T04:03:22Z"}"#;

    #[test]
    fn a_line_is_read() {
        let record = read(LINE.as_bytes()).unwrap();
        assert_eq!(record.time_micros, 1_622_865_802_742_209);
        assert_eq!((record.method.as_str(), record.path.as_str()), ("GET", "/orders/7?x=1"));
        assert_eq!((record.host.as_deref(), record.status), (Some("api.example.com"), Some(404)));
        assert_eq!((record.request_bytes, record.response_bytes, record.duration_us), (Some(0), Some(19), Some(204)));
        assert_eq!((record.remote_addr.as_deref(), record.remote_user.as_deref()), (Some("172.16.100.1"), None));
        assert_eq!(record.response_type.as_deref(), Some("text/plain; charset=utf-8"));
        assert_eq!((record.headers.len(), &record.headers["x-api-key"]), (1, &"k1".parse().unwrap()));
    }
}
