//! Lengths and codings.

use super::{HIDDEN, Row, hiding};

pub(super) fn rows() -> Vec<Row> {
    [both(), lengths(), codings()].into_iter().flatten().collect()
}

fn length(value: &str) -> String {
    hiding("POST /a", &format!("Content-Length: {value}\r\n"), HIDDEN)
}

fn coding(fields: &str) -> String {
    hiding("POST /a", &format!("{fields}\r\n"), &format!("0\r\n\r\n{HIDDEN}"))
}

/// A chunked body that is accepted, on a connection that ends with it.
fn chunked(coding: &str) -> String {
    hiding("POST /a", &format!("{coding}\r\nConnection: close\r\n"), "2\r\nhi\r\n0\r\n\r\n")
}

fn both() -> Vec<Row> {
    vec![
        Row::refused(
            "length_then_coding",
            "Content-Length, then Transfer-Encoding (CL.TE)",
            400,
            coding("Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ),
        Row::refused(
            "coding_then_length",
            "Transfer-Encoding, then Content-Length (TE.CL)",
            400,
            coding("Transfer-Encoding: chunked\r\nContent-Length: 5"),
        ),
        Row::refused(
            "zero_length_and_coding",
            "Content-Length of 0 beside chunks (CL.0)",
            400,
            coding("Content-Length: 0\r\nTransfer-Encoding: chunked"),
        ),
        Row::refused(
            "length_and_unknown_coding",
            "Content-Length beside an unknown coding",
            400,
            coding("Content-Length: 5\r\nTransfer-Encoding: xchunked"),
        ),
    ]
}

fn lengths() -> Vec<Row> {
    let exact = HIDDEN.len();
    let padded = format!("000{exact}");
    let two = format!("Content-Length: {exact}\r\nContent-Length: {exact}\r\n");
    vec![
        Row::refused("length_list", "a list of equal lengths", 400, length(&format!("{exact}, {exact}"))),
        Row::refused("length_twice", "two equal Content-Length fields", 400, hiding("POST /a", &two, HIDDEN)),
        Row::refused(
            "lengths_that_differ",
            "two lengths that differ",
            400,
            hiding("POST /a", &format!("Content-Length: 0\r\nContent-Length: {exact}\r\n"), HIDDEN),
        ),
        Row::refused("length_with_plus", "a length with a plus sign", 400, length(&format!("+{exact}"))),
        Row::refused("length_negative", "a negative length", 400, length("-1")),
        Row::refused("length_with_space", "a space between digits", 400, length("4 2")),
        Row::refused("length_with_comma", "a comma behind the digits", 400, length("42,")),
        Row::refused("length_hexadecimal", "a hexadecimal length", 400, length("0x2A")),
        Row::refused("length_exponent", "a length with an exponent", 400, length("4e1")),
        Row::refused("length_empty", "an empty length", 400, length("")),
        Row::refused("length_overflow", "a length of 65 bits", 400, length("18446744073709551658")),
        Row::refused(
            "length_over_63_bits",
            "a length that a signed number does not hold",
            400,
            length("9223372036854775808"),
        ),
        Row::refused("length_over_limit", "a length above the limit", 413, length("9223372036854775807")),
        Row::passed(
            "length_with_zeros",
            "leading zeros, which are left out",
            hiding("POST /a", &format!("Content-Length: {padded}\r\nConnection: close\r\n"), HIDDEN),
            &[("POST /a", HIDDEN)],
        ),
    ]
}

fn codings() -> Vec<Row> {
    vec![
        Row::refused("coding_xchunked", "`xchunked`", 400, coding("Transfer-Encoding: xchunked")),
        Row::passed(
            "coding_with_spaces",
            "`chunked` between spaces and tabs",
            chunked("Transfer-Encoding: \t chunked \t"),
            &[("POST /a", "hi")],
        ),
        Row::passed(
            "coding_in_capitals",
            "`CHUNKED` in a field in capitals",
            chunked("TRANSFER-ENCODING: CHUNKED"),
            &[("POST /a", "hi")],
        ),
        Row::refused(
            "coding_behind_control",
            "a vertical tab before `chunked`",
            400,
            coding("Transfer-Encoding: \x0bchunked"),
        ),
        Row::refused(
            "coding_before_colon_space",
            "a space behind the name `Transfer-Encoding`",
            400,
            coding("Transfer-Encoding : chunked"),
        ),
        Row::refused(
            "coding_then_identity",
            "`chunked, identity`",
            400,
            coding("Transfer-Encoding: chunked, identity"),
        ),
        Row::refused(
            "identity_then_coding",
            "`identity, chunked`",
            501,
            coding("Transfer-Encoding: identity, chunked"),
        ),
        Row::refused("gzip_then_coding", "`gzip, chunked`", 501, coding("Transfer-Encoding: gzip, chunked")),
        Row::refused("identity_alone", "`identity` beside nothing", 400, coding("Transfer-Encoding: identity")),
        Row::refused("coding_list", "`chunked, chunked`", 400, coding("Transfer-Encoding: chunked, chunked")),
        Row::refused(
            "coding_twice",
            "two equal Transfer-Encoding fields",
            400,
            coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        ),
        Row::refused(
            "codings_that_differ",
            "`chunked` and `identity` in two fields",
            400,
            coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
        ),
        Row::refused("coding_with_parameter", "`chunked;q=1`", 400, coding("Transfer-Encoding: chunked;q=1")),
        Row::refused("coding_quoted", "`\"chunked\"`", 400, coding("Transfer-Encoding: \"chunked\"")),
        Row::refused("coding_empty", "an empty Transfer-Encoding", 400, coding("Transfer-Encoding:")),
        Row::refused(
            "coding_in_http_1_0",
            "chunks in HTTP/1.0",
            400,
            format!("POST /a HTTP/1.0\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"),
        ),
    ]
}
