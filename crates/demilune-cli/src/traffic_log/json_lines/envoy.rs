//! Envoy's and Istio's access log in JSON. Its members are chosen by the operator; those of Istio are common. What is
//! known as nothing else may be a header field, under its name with underscores.

use super::{Members, members::header_into};
use crate::traffic_log::{Defect, LogRecord, record::address, time};

pub(super) fn read(members: Members<'_>) -> Result<LogRecord, Defect> {
    let time_micros = members.time(&["start_time", "time", "timestamp"])?;
    let (method, target) = members.request(&["method"], &["path", "x_envoy_original_path"])?;
    let mut record = LogRecord::new(time_micros, method, target);
    record.host = record.host.or_else(|| members.owned(&["authority", "host"]));
    record.status = members.status(&["response_code"]);
    record.remote_addr = members.text(&["downstream_remote_address"]).map(|text| address(&text));
    record.request_bytes = members.count(&["bytes_received"]);
    record.response_bytes = members.count(&["bytes_sent"]);
    record.response_type = members.owned(&["response_content_type"]);
    record.duration_us = members.number(&["duration"]).and_then(|millis| time::micros(millis / 1e3));
    for (name, value) in members.all().filter(|(_, value)| value.is_string()) {
        header_into(&name.replace('_', "-"), value, &mut record);
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::super::read;

    /// Istio's own members, and a header field that an operator added.
    const LINE: &str = r#"{"authority":"httpbin.default:8000","bytes_received":"0","bytes_sent":"615","connection_termination_details":null,"downstream_local_address":"10.244.1.5:8000","downstream_remote_address":"10.244.1.3:45678","duration":"4","method":"GET","path":"/status/200","protocol":"HTTP/1.1","request_id":"a1b2c3d4-e5f6-7890","requested_server_name":null,"response_code":"200","response_code_details":"via_upstream","response_flags":"-","route_name":"default","start_time":"2026-02-24T10:30:45.123Z","upstream_cluster":"inbound|8000||","upstream_host":"10.244.1.5:8000","upstream_service_time":"3","user_agent":"curl/7.88.1","x_forwarded_for":null,"x_api_key":"k1","response_content_type":"application/json"}"#;

    #[test]
    fn a_line_is_read() {
        let record = read(LINE.as_bytes()).unwrap();
        assert_eq!(record.time_micros, 1_771_929_045_123_000);
        assert_eq!((record.method.as_str(), record.path.as_str()), ("GET", "/status/200"));
        assert_eq!((record.host.as_deref(), record.status), (Some("httpbin.default:8000"), Some(200)));
        assert_eq!(
            (record.request_bytes, record.response_bytes, record.duration_us),
            (Some(0), Some(615), Some(4_000))
        );
        assert_eq!(record.remote_addr.as_deref(), Some("10.244.1.3"));
        assert_eq!(record.response_type.as_deref(), Some("application/json"));
        assert_eq!(
            (&record.headers["x-api-key"], &record.headers["user-agent"]),
            (&"k1".parse().unwrap(), &"curl/7.88.1".parse().unwrap())
        );
    }

    #[test]
    fn numbers_need_not_be_texts() {
        let line =
            LINE.replace("\"200\",\"response_code_details\"", "200,\"response_code_details\"").replace("\"4\"", "4");
        let record = read(line.as_bytes()).unwrap();
        assert_eq!((record.status, record.duration_us), (Some(200), Some(4_000)));
    }

    #[test]
    fn a_connection_without_http_is_no_request() {
        assert!(read(LINE.replace("\"GET\"", "null").as_bytes()).is_err());
    }
}
