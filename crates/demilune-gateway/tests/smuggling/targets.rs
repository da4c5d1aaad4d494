//! Targets and hosts.

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    [hosts(), targets(), methods()].into_iter().flatten().collect()
}

fn line(line: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n")
}

fn host(fields: &str) -> String {
    format!("GET /a HTTP/1.1\r\n{fields}Connection: close\r\n\r\n")
}

fn hosts() -> Vec<Row> {
    vec![
        Row::refused("no_host", "no Host field", 400, host("")),
        Row::refused("no_host_in_http_1_0", "no Host field in HTTP/1.0", 400, "GET /a HTTP/1.0\r\n\r\n"),
        Row::refused("two_hosts", "two Host fields that differ", 400, host("Host: api.test\r\nHost: other.test\r\n")),
        Row::refused(
            "two_equal_hosts",
            "two Host fields that agree",
            400,
            host("Host: api.test\r\nHost: api.test\r\n"),
        ),
        Row::refused("empty_host", "an empty Host field", 400, host("Host:\r\n")),
        Row::refused("host_list", "two hosts in one field", 400, host("Host: api.test, other.test\r\n")),
        Row::refused("host_with_space", "a space within the host", 400, host("Host: api.test other.test\r\n")),
        Row::refused(
            "host_with_userinfo",
            "user information before the host",
            400,
            host("Host: other.test@api.test\r\n"),
        ),
        Row::refused("host_with_path", "a path behind the host", 400, host("Host: api.test/a\r\n")),
        Row::refused("host_with_scheme", "a URL as host", 400, host("Host: http://api.test\r\n")),
        Row::refused("host_with_bad_port", "a port that is no number", 400, host("Host: api.test:80x\r\n")),
        Row::refused("host_percent_encoded", "a percent-encoded host", 400, host("Host: api%2etest\r\n")),
        Row::refused("unknown_host", "a host that no zone has", 421, host("Host: other.test\r\n")),
    ]
}

fn targets() -> Vec<Row> {
    vec![
        Row::passed(
            "absolute_target_wins",
            "an absolute target beside another Host field",
            "GET http://api.test/a HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n",
            &[("GET /a", "")],
        ),
        Row::refused(
            "absolute_target_of_another",
            "an absolute target that no zone has, beside a Host field that one has",
            421,
            line("GET http://other.test/a"),
        ),
        Row::refused(
            "absolute_target_without_host",
            "an absolute target and no Host field",
            400,
            "GET http://api.test/a HTTP/1.1\r\n\r\n",
        ),
        Row::refused(
            "absolute_target_with_userinfo",
            "user information in an absolute target",
            400,
            line("GET http://u:p@api.test/a"),
        ),
        Row::refused(
            "absolute_target_of_other_scheme",
            "a target of another scheme",
            400,
            line("GET ftp://api.test/a"),
        ),
        Row::passed(
            "target_like_authority",
            "a path that looks like a host",
            line("GET //other.test/a"),
            &[("GET /other.test/a", "")],
        ),
        Row::refused("relative_target", "a target that is no path", 400, line("GET a")),
        Row::refused("target_with_fragment", "a fragment", 400, line("GET /a#b")),
        Row::refused("target_with_control", "a control character in the target", 400, line("GET /a\x01b")),
        Row::refused("target_with_delete", "DEL in the target", 400, line("GET /a\x7fb")),
        Row::refused("target_with_raw_utf8", "UTF-8 that is not percent-encoded", 400, line("GET /ä")),
        Row::refused("target_with_space", "a space within the path", 400, line("GET /a b")),
        Row::passed(
            "target_with_encoded_line_end",
            "a percent-encoded line end, which stays encoded",
            line("GET /a%0d%0aX:%20y"),
            &[("GET /a%0D%0AX:%20y", "")],
        ),
        Row::refused("asterisk_for_get", "`*` with another method than OPTIONS", 400, line("GET *")),
        Row::refused(
            "authority_for_get",
            "a host and port with another method than CONNECT",
            400,
            line("GET api.test:80"),
        ),
    ]
}

fn methods() -> Vec<Row> {
    vec![
        Row::refused(
            "connect",
            "CONNECT",
            405,
            "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nConnection: close\r\n\r\n",
        ),
        Row::refused("connect_with_path", "CONNECT with a path", 400, line("CONNECT /a")),
        Row::refused("trace", "TRACE that no operation names", 405, line("TRACE /a")),
    ]
}
