//! Request lines, field lines and their ends.

use super::{HIDDEN, Row, hiding};

pub(super) fn rows() -> Vec<Row> {
    [lines(), fields(), versions()].into_iter().flatten().collect()
}

fn line(line: &str) -> String {
    format!("{line}\r\nHost: api.test\r\nConnection: close\r\n\r\n")
}

fn with(fields: &str) -> String {
    format!("GET /a HTTP/1.1\r\nHost: api.test\r\n{fields}Connection: close\r\n\r\n")
}

fn lines() -> Vec<Row> {
    vec![
        Row::refused("two_spaces_before_target", "two spaces behind the method", 400, line("GET  /a HTTP/1.1")),
        Row::refused("two_spaces_before_version", "two spaces before the version", 400, line("GET /a  HTTP/1.1")),
        Row::refused("space_behind_version", "a space behind the version", 400, line("GET /a HTTP/1.1 ")),
        Row::refused("space_before_method", "a space before the method", 400, line(" GET /a HTTP/1.1")),
        Row::refused("tab_in_request_line", "a tab between method and target", 400, line("GET\t/a HTTP/1.1")),
        Row::refused("second_target", "two targets", 400, line("GET /a /b HTTP/1.1")),
        Row::refused("method_no_token", "a method with a bracket", 400, line("G(T /a HTTP/1.1")),
        Row::passed(
            "one_empty_line",
            "one empty line before the request",
            line("\r\nGET /a HTTP/1.1"),
            &[("GET /a", "")],
        ),
        Row::refused("two_empty_lines", "two empty lines before the request", 400, line("\r\n\r\nGET /a HTTP/1.1")),
        Row::refused("line_feed_first", "a line feed before the request", 400, line("\nGET /a HTTP/1.1")),
        Row::refused("carriage_return_first", "a carriage return before the request", 400, line("\rGET /a HTTP/1.1")),
        Row::refused(
            "tls_without_tls",
            "a TLS handshake where none is spoken",
            400,
            b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
        ),
    ]
}

fn fields() -> Vec<Row> {
    let hidden = format!("Content-Length: {}\r\n", HIDDEN.len());
    vec![
        Row::refused(
            "bare_line_feeds",
            "lines that end in a line feed alone",
            400,
            "GET /a HTTP/1.1\nHost: api.test\n\n",
        ),
        Row::refused(
            "bare_line_feed_hides_field",
            "a line feed before a second field",
            400,
            hiding("POST /a", "X: y\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"),
        ),
        Row::refused(
            "bare_line_feed_ends_head",
            "a line feed alone ends the head",
            400,
            "GET /a HTTP/1.1\r\nHost: api.test\r\n\nGET /hidden HTTP/1.1\r\nHost: api.test\r\n\r\n",
        ),
        Row::refused(
            "bare_carriage_return",
            "a carriage return within a value",
            400,
            with("X: y\rContent-Length: 5\r\n"),
        ),
        Row::refused("double_carriage_return", "two carriage returns before the line feed", 400, with("X: y\r\r\n")),
        Row::refused("nul_in_value", "NUL within a value", 400, with("X: a\0b\r\n")),
        Row::refused("control_in_value", "a vertical tab within a value", 400, with("X: a\x0bb\r\n")),
        Row::refused("nul_in_name", "NUL within a name", 400, with("X\0: a\r\n")),
        Row::refused(
            "space_before_colon",
            "a space behind the name `Content-Length`",
            400,
            hiding("POST /a", &hidden.replace(':', " :"), HIDDEN),
        ),
        Row::refused(
            "space_before_name",
            "a space before the first name",
            400,
            "GET /a HTTP/1.1\r\n Host: api.test\r\n\r\n",
        ),
        Row::refused("empty_name", "a field without a name", 400, with(": y\r\n")),
        Row::refused("pseudo_field", "a pseudo-field of HTTP/2", 400, with(":authority: other.test\r\n")),
        Row::refused("no_colon", "a line without a colon", 400, with("Content-Length\r\n")),
        Row::refused("name_no_token", "a name with brackets", 400, with("X[]: y\r\n")),
        Row::refused("folded_value", "a value continued on the next line", 400, with("X: y\r\n Content-Length: 5\r\n")),
        Row::refused(
            "folded_by_tab",
            "a coding on the next line, behind a tab",
            400,
            hiding("POST /a", "Transfer-Encoding:\r\n\tchunked\r\n", "0\r\n\r\n"),
        ),
        Row::passed(
            "underscored_names",
            "`Transfer_Encoding`, `Content_Length` and `X_Forwarded_For`, which some servers take for the names with `-`",
            with("Transfer_Encoding: chunked\r\nContent_Length: 99\r\nX_Forwarded_For: 1.1.1.1\r\n"),
            &[("GET /a", "")],
        ),
    ]
}

fn versions() -> Vec<Row> {
    vec![
        Row::refused("http_0_9", "a line without a version", 400, "GET /a\r\n"),
        Row::refused("http_2_preface", "the preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Row::refused("http_1_2", "HTTP/1.2", 505, line("GET /a HTTP/1.2")),
        Row::refused("http_2_0", "HTTP/2.0", 505, line("GET /a HTTP/2.0")),
        Row::refused("lower_case_version", "`http/1.1`", 400, line("GET /a http/1.1")),
        Row::refused("version_of_two_digits", "HTTP/1.10", 400, line("GET /a HTTP/1.10")),
    ]
}
