//! The Common and Combined Log Formats of Apache, nginx and Traefik, with or without the virtual host in front.

use std::net::IpAddr;

use super::{
    Defect, LogRecord,
    escape::{quoted_length, unescape},
    record::{address, present, status},
    request_line::request_line,
    time,
};

/// Reads `host ident user [time] "request" status bytes`, which may have `vhost:port` in front and `"referer"
/// "user agent"` behind it. Of what follows, only Traefik's duration is read.
pub(super) fn read(line: &str) -> Result<LogRecord, Defect> {
    let (client, rest) = line.split_once(" [").ok_or(Defect::Form)?;
    let (written, rest) = rest.split_once("] \"").ok_or(Defect::Form)?;
    let request_length = quoted_length(rest).ok_or(Defect::Form)?;
    let (request, rest) = (&rest[..request_length], &rest[request_length + 1..]);
    let (answered, rest) = word(rest);
    let (bytes, rest) = word(rest);
    if answered != "-" && answered.parse::<u16>().is_err() {
        return Err(Defect::Form);
    }
    let client = Client::parse(client)?;
    let time_micros = time::common_log(written).ok_or(Defect::Time)?;
    let (method, target) = request_line(&unescape(request))?;
    let mut record = LogRecord::new(time_micros, method, target);
    record.host = record.host.or(client.vhost);
    record.remote_addr = Some(address(client.address));
    record.remote_user = present(client.user).map(|user| unescape(user).into_owned());
    record.status = answered.parse().ok().and_then(status);
    record.response_bytes = bytes.parse().ok();
    behind(rest, &mut record);
    Ok(record)
}

/// What stands before the time.
struct Client<'l> {
    vhost: Option<String>,
    address: &'l str,
    user: &'l str,
}

impl<'l> Client<'l> {
    fn parse(text: &'l str) -> Result<Self, Defect> {
        let (first, rest) = text.split_once(' ').ok_or(Defect::Form)?;
        let (second, behind) = rest.split_once(' ').ok_or(Defect::Form)?;
        let is_vhost = second.parse::<IpAddr>().is_ok() || (first.parse::<IpAddr>().is_err() && has_port(first));
        if !is_vhost {
            return Ok(Self { vhost: None, address: first, user: behind });
        }
        let (_, user) = behind.split_once(' ').ok_or(Defect::Form)?;
        Ok(Self { vhost: present(first).map(str::to_owned), address: second, user })
    }
}

fn has_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// The next word and what is behind it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(' ');
    text.split_at(text.find(' ').unwrap_or(text.len()))
}

/// The quoted referer and user agent, and a duration such as `12ms` at the end.
fn behind(mut rest: &str, record: &mut LogRecord) {
    if let Some(millis) = rest.rsplit(' ').next().and_then(|last| last.strip_suffix("ms")) {
        record.duration_us = millis.parse().ok().and_then(|millis: f64| time::micros(millis / 1e3));
    }
    for name in ["referer", "user-agent"] {
        let Some(text) = rest.trim_start_matches(' ').strip_prefix('"') else { return };
        let Some(length) = quoted_length(text) else { return };
        if let Some(value) = present(&text[..length]) {
            record.add_header(name, &unescape(value));
        }
        rest = &text[length + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of Apache's `mod_log_config`.
    const COMBINED: &str = r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)""#;
    /// From the documentation of Traefik.
    const TRAEFIK: &str = r#"192.0.2.7 - - [05/Jun/2021:04:03:22 +0000] "GET /whoami HTTP/1.1" 200 415 "-" "curl/7.64.1" 7 "whoami@docker" "http://172.17.0.3:80" 3ms"#;

    #[test]
    fn the_combined_format_is_read() {
        let record = read(COMBINED).unwrap();
        assert_eq!(record.time_micros, 971_211_336_000_000);
        assert_eq!((record.method.as_str(), record.path.as_str()), ("GET", "/apache_pb.gif"));
        assert_eq!((record.status, record.response_bytes, record.host), (Some(200), Some(2326), None));
        assert_eq!((record.remote_addr.as_deref(), record.remote_user.as_deref()), (Some("127.0.0.1"), Some("frank")));
        assert_eq!(record.headers["user-agent"], "Mozilla/4.08 [en] (Win98; I ;Nav)");
        assert_eq!(record.headers["referer"], "http://www.example.com/start.html");
    }

    #[test]
    fn the_common_format_has_no_headers() {
        let record = read(r#"::1 - - [10/Oct/2000:13:55:36 -0700] "POST /a HTTP/1.1" 204 -"#).unwrap();
        assert_eq!((record.status, record.response_bytes, record.headers.len()), (Some(204), None, 0));
        assert_eq!(record.remote_addr.as_deref(), Some("::1"));
    }

    #[test]
    fn a_virtual_host_may_stand_in_front() {
        let check = |front: &str, host: Option<&str>, user: Option<&str>| {
            let record = read(&format!(r#"{front} [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5"#)).unwrap();
            assert_eq!((record.host.as_deref(), record.remote_user.as_deref()), (host, user), "{front}");
        };
        check("www.example.com:443 192.0.2.7 - frank", Some("www.example.com:443"), Some("frank"));
        check("www.example.com 2001:db8::1 - -", Some("www.example.com"), None);
        check("www.example.com:80 client.example.net - -", Some("www.example.com:80"), None);
        check("client.example.net - frank", None, Some("frank"));
        check("192.0.2.7 - John Doe", None, Some("John Doe"));
        check("2001:db8::1 - -", None, None);
    }

    #[test]
    fn the_format_of_traefik_has_a_duration_at_the_end() {
        let record = read(TRAEFIK).unwrap();
        assert_eq!((record.duration_us, record.path.as_str()), (Some(3_000), "/whoami"));
        assert_eq!(record.headers["user-agent"], "curl/7.64.1");
    }

    #[test]
    fn quotes_in_a_request_are_escaped() {
        let record =
            read(r#"192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET /\"a\x22 HTTP/1.1" 404 9 "\"" "-""#).unwrap();
        assert_eq!((record.path.as_str(), record.headers.len()), ("/\"a\"", 1));
        assert_eq!(record.headers["referer"], "\"");
    }

    #[test]
    fn what_is_no_request_says_why() {
        let check = |line: &str, expected: Defect| assert_eq!(read(line).unwrap_err(), expected, "{line}");
        check("", Defect::Form);
        check("just words", Defect::Form);
        check(r#"192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1"#, Defect::Form);
        check(r#"192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" OK 9"#, Defect::Form);
        check(r#"192.0.2.7 - - [10/Oct/2000:13:55:36] "GET / HTTP/1.1" 200 9"#, Defect::Time);
        check(r#"192.0.2.7 - - [21/May/2026:14:24:03 +0000] "\x16\x03\x01\x02" 400 157 "-" "-""#, Defect::Request);
        check(r#"192.0.2.7 - - [21/May/2026:14:28:30 +0000] "" 400 0 "-" "-""#, Defect::Request);
    }
}
