//! Chunks, their extensions and trailers.

use super::{HIDDEN, Row, hiding};

pub(super) fn rows() -> Vec<Row> {
    [sizes(), extensions(), trailers(), ends()].into_iter().flatten().collect()
}

fn chunked(body: &str) -> String {
    hiding("POST /a", "Transfer-Encoding: chunked\r\n", body)
}

/// On a connection that ends with it.
fn last(body: &str) -> String {
    hiding("POST /a", "Connection: close\r\nTransfer-Encoding: chunked\r\n", body)
}

fn sizes() -> Vec<Row> {
    let broken =
        |name, what, size: &str| Row::broken(name, what, 400, chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")));
    vec![
        broken("size_with_plus", "a chunk size with a plus sign", "+5"),
        broken("size_negative", "a negative chunk size", "-5"),
        broken("size_with_prefix", "a chunk size with `0x`", "0x5"),
        broken("size_behind_space", "a space before the chunk size", " 5"),
        broken("size_before_space", "a space behind the chunk size", "5 "),
        broken("size_empty", "no chunk size", ""),
        broken("size_no_number", "a chunk size that is no number", "z"),
        broken("size_overflow", "a chunk size of 68 bits", "10000000000000005"),
        broken("size_with_many_zeros", "a chunk size of seventeen digits", "00000000000000005"),
        Row::passed(
            "size_in_capitals",
            "a size in capitals with leading zeros",
            last("0000A\r\n0123456789\r\n0\r\n\r\n"),
            &[("POST /a", "0123456789")],
        ),
        Row::broken("size_line_feed", "a line feed alone behind the size", 400, chunked("5\nhello\r\n0\r\n\r\n")),
        Row::broken(
            "size_carriage_return",
            "a carriage return alone behind the size",
            400,
            chunked("5\rhello\r\n0\r\n\r\n"),
        ),
    ]
}

fn extensions() -> Vec<Row> {
    let broken = |name, what, line: &str| {
        Row::broken(name, what, 400, chunked(&format!("{line}\r\nhello\r\n0\r\n\r\n{HIDDEN}")))
    };
    vec![
        Row::passed(
            "extension",
            "an extension, which is left out",
            last("5;a=b;c=\"d;e\"\r\nhello\r\n0\r\n\r\n"),
            &[("POST /a", "hello")],
        ),
        broken("extension_line_feed", "a line feed within an extension (TERM.EXT)", "5;a\nb"),
        broken("extension_carriage_return", "a carriage return within an extension", "5;a\rb"),
        broken("extension_quoted_line_end", "a line end within a quoted extension", "5;a=\"b\r\nhello\r\n0\r\n\r\n\""),
        broken("extension_empty", "a semicolon and nothing behind it", "5;"),
        broken("extension_with_nul", "NUL in an extension", "5;a=\0"),
        broken("extension_too_long", "an extension of 300 bytes", &format!("5;{}", "a".repeat(300))),
    ]
}

fn trailers() -> Vec<Row> {
    let broken = |name, what, trailers: &str| {
        Row::broken(name, what, 400, chunked(&format!("5\r\nhello\r\n0\r\n{trailers}\r\n\r\n{HIDDEN}")))
    };
    vec![
        broken("trailer_length", "Content-Length in the trailers", "Content-Length: 42"),
        broken("trailer_coding", "Transfer-Encoding in the trailers", "Transfer-Encoding: chunked"),
        broken("trailer_host", "Host in the trailers", "Host: other.test"),
        broken("trailer_authorization", "Authorization in the trailers", "Authorization: Bearer x"),
        broken("trailer_folded", "a folded trailer", "X: y\r\n z"),
        broken("trailer_line_feed", "a line feed alone within the trailers", "X: y\nZ: a"),
        broken("trailer_no_field", "a trailer line without a colon", "GET /hidden HTTP/1.1"),
    ]
}

fn ends() -> Vec<Row> {
    let close = "GET /b HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";
    vec![
        Row::broken("chunk_longer", "data that is longer than its size", 400, chunked("5\r\nhello!\r\n0\r\n\r\n")),
        Row::broken("chunk_shorter", "data that is shorter than its size", 400, chunked("6\r\nhello\r\n0\r\n\r\n")),
        Row::broken("chunk_without_end", "no line end behind the data", 400, chunked("5\r\nhello0\r\n\r\n")),
        Row::broken("chunk_line_feed", "a line feed alone behind the data", 400, chunked("5\r\nhello\n0\r\n\r\n")),
        Row::broken(
            "last_chunk_line_feed",
            "a line feed alone behind the last chunk",
            400,
            chunked("5\r\nhello\r\n0\n\r\n"),
        ),
        Row::broken("end_line_feed", "a line feed alone at the end of the body", 400, chunked("5\r\nhello\r\n0\r\n\n")),
        Row::passed(
            "request_behind_chunks",
            "a request behind the last chunk, which is the next one",
            chunked(&format!("5\r\nhello\r\n0\r\n\r\n{close}")),
            &[("POST /a", "hello"), ("GET /b", "")],
        ),
        Row::passed(
            "garbage_behind_chunks",
            "garbage behind the last chunk, which is no part of the body",
            chunked("5\r\nhello\r\n0\r\n\r\nXYZ\r\n\r\n"),
            &[("POST /a", "hello")],
        )
        .answered(&[200, 400]),
        Row::passed(
            "chunks_in_the_data",
            "data that looks like the last chunk",
            last("5\r\n0\r\n\r\n\r\n0\r\n\r\n"),
            &[("POST /a", "0\r\n\r\n")],
        ),
    ]
}
