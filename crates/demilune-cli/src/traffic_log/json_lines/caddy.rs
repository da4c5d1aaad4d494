//! Caddy's access log: `request` holds what was asked, `ts` is when it was answered.

use super::Members;
use crate::traffic_log::{Defect, LogRecord, record::address, time};

pub(super) fn read(members: Members<'_>) -> Result<LogRecord, Defect> {
    let request = members.inner("request").ok_or(Defect::Request)?;
    let time_micros = members.time(&["ts", "time"])?;
    let (method, target) = request.request(&["method"], &["uri", "path", "url"])?;
    let mut record = LogRecord::new(time_micros, method, target);
    record.host = record.host.or_else(|| request.owned(&["host"]));
    record.status = members.status(&["status"]);
    record.remote_addr = request.text(&["client_ip", "remote_ip"]).map(|text| address(&text));
    record.remote_user = members.owned(&["user_id"]);
    record.request_bytes = members.count(&["bytes_read"]);
    record.response_bytes = members.count(&["size"]);
    record.response_type = members.media_type("resp_headers");
    record.duration_us = members.number(&["duration"]).and_then(time::micros);
    request.headers_into("headers", &mut record);
    record.arrived_before();
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::super::read;

    /// As Caddy 2.7 writes it, with cookies and credentials taken out as they are unless it is told otherwise.
    const LINE: &str = r#"{"level":"info","ts":1709835557.872107,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"50174","client_ip":"192.0.2.7","proto":"HTTP/1.1","method":"GET","host":"localhost:8889","uri":"/test/hi?a=b","headers":{"User-Agent":["Go-http-client/1.1"],"Accept-Encoding":["gzip"],"Cookie":["REDACTED"],"Authorization":["REDACTED"],"X-Api-Key":["k1"]}},"bytes_read":3,"user_id":"","duration":0.872107,"size":12,"status":200,"resp_headers":{"Server":["Caddy"],"Content-Type":[]}}"#;

    #[test]
    fn a_line_is_read_and_what_was_taken_out_is_none() {
        let record = read(LINE.as_bytes()).unwrap();
        assert_eq!(record.time_micros, 1_709_835_557_000_000, "it arrived before it was logged");
        assert_eq!((record.method.as_str(), record.path.as_str()), ("GET", "/test/hi?a=b"));
        assert_eq!((record.host.as_deref(), record.status), (Some("localhost:8889"), Some(200)));
        assert_eq!(
            (record.request_bytes, record.response_bytes, record.duration_us),
            (Some(3), Some(12), Some(872_107))
        );
        assert_eq!((record.remote_addr.as_deref(), record.remote_user.as_deref()), (Some("192.0.2.7"), None));
        assert_eq!((record.headers.len(), &record.headers["x-api-key"]), (3, &"k1".parse().unwrap()));
        assert_eq!(record.response_type, None);
        assert_eq!(record.fields.get("request.remote_port").as_deref(), Some("50174"));
    }

    #[test]
    fn the_type_of_the_answer_is_among_its_header_fields() {
        let line = LINE.replace(r#""Content-Type":[]"#, r#""Content-Type":["text/html; charset=utf-8"]"#);
        assert_eq!(read(line.as_bytes()).unwrap().response_type.as_deref(), Some("text/html; charset=utf-8"));
    }

    #[test]
    fn other_spellings_of_the_time_are_read() {
        for time in ["\"2024-03-07T18:19:17.872+0000\"", "1709835557872.107", "\"07/Mar/2024:18:19:17 +0000\""] {
            let line = LINE.replace("1709835557.872107", time).replace("0.872107", "0");
            assert_eq!(read(line.as_bytes()).unwrap().time_micros / 1_000_000, 1_709_835_557, "{time}");
        }
    }
}
