//! What a head may hold: each defect by examples.

use super::*;

#[track_caller]
fn check_head(text: impl AsRef<[u8]>, expected: Result<(BodyFraming, bool), Defect>) {
    let text = text.as_ref();
    let shown = text.escape_ascii().to_string();
    let read = HeadReader::default().read(text, &LIMITS);
    let found = read.map(|head| {
        let head = head.expect("the head should be complete");
        assert_eq!(head.bytes, text.len(), "{shown}");
        (head.body, head.upgrade)
    });
    assert_eq!(found, expected, "{shown}");
    let (passed, heads, stop) = read_cut(text);
    match expected {
        Ok(_) => assert_eq!((passed.as_slice(), heads), (text, 1), "{shown}"),
        Err(defect) => assert_eq!((passed.as_slice(), heads, stop), (&[][..], 0, Stop::Head(defect)), "{shown}"),
    }
}

#[track_caller]
fn check_line(line: &str, expected: Result<(), Defect>) {
    check_head(format!("{line}\r\nHost: a\r\n\r\n"), expected.map(|()| (BodyFraming::None, false)));
}

#[track_caller]
fn check_fields(fields: &str, expected: Result<BodyFraming, Defect>) {
    check_head(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"), expected.map(|body| (body, false)));
}

#[test]
fn a_request_line_is_three_parts_with_single_spaces() {
    for line in ["GET / HTTP/1.1", "GET / HTTP/1.0", "x!#$%&'*+-.^_`|~9 /a?b HTTP/1.1"] {
        check_line(line, Ok(()));
    }
    let lines = [
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / a HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1",
        "GET / HTTP/11.1",
        "GET / HTTP/1.1.1",
        "GET /\tHTTP/1.1",
        "GET / HTTPS/1.1",
        "GET / ",
    ];
    for line in lines {
        check_line(line, Err(Defect::RequestLine));
    }
}

#[test]
fn a_method_is_a_token() {
    for line in ["G(T / HTTP/1.1", "GET\t/ / HTTP/1.1", "G\"T / HTTP/1.1", "GÄT / HTTP/1.1", " GET / HTTP/1.1"] {
        check_line(line, Err(Defect::Method));
    }
    check_head(b"\x16\x03\x01\x02\x00\x01", Err(Defect::Method));
}

#[test]
fn other_versions_are_not_spoken() {
    for line in ["PRI * HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/0.9", "GET / HTTP/3.0", "GET / HTTP/2.0"] {
        check_line(line, Err(Defect::Version));
    }
}

#[test]
fn a_target_has_the_form_its_method_takes() {
    let lines = [
        "OPTIONS * HTTP/1.1",
        "CONNECT a:443 HTTP/1.1",
        "CONNECT [::1]:443 HTTP/1.1",
        "GET http://a HTTP/1.1",
        "GET HTTPS://a:1/b?c HTTP/1.1",
        "GET http://a?b HTTP/1.1",
        "GET //a HTTP/1.1",
        "GET /http://a HTTP/1.1",
    ];
    for line in lines {
        check_line(line, Ok(()));
    }
    let lines = [
        "GET * HTTP/1.1",
        "GET a HTTP/1.1",
        "GET a:443 HTTP/1.1",
        "GET ftp://a/ HTTP/1.1",
        "GET http:/a HTTP/1.1",
        "OPTIONS *a HTTP/1.1",
        "CONNECT / HTTP/1.1",
        "CONNECT * HTTP/1.1",
        "GET ?a HTTP/1.1",
        "GET ws://a/ HTTP/1.1",
    ];
    for line in lines {
        check_line(line, Err(Defect::TargetForm));
    }
}

#[test]
fn the_host_of_a_target_is_valid() {
    let lines = [
        "GET http:/// HTTP/1.1",
        "GET http://u@a/ HTTP/1.1",
        "GET http://a:b/ HTTP/1.1",
        "GET http://a,b/ HTTP/1.1",
        "GET http://%61/ HTTP/1.1",
        "GET http://a:65536/ HTTP/1.1",
        "CONNECT a HTTP/1.1",
        "CONNECT http://a HTTP/1.1",
        "CONNECT a:443/ HTTP/1.1",
    ];
    for line in lines {
        check_line(line, Err(Defect::TargetAuthority));
    }
}

#[test]
fn a_target_holds_only_what_needs_no_encoding() {
    for line in ["GET /%zz{a}\"|^[]\\?`{}|^ HTTP/1.1", "GET /;a=b,c/@:!$&'()*+~ HTTP/1.1", "GET /a??/?b HTTP/1.1"] {
        check_line(line, Ok(()));
    }
    for line in ["GET /ä HTTP/1.1", "GET /< HTTP/1.1", "GET /` HTTP/1.1", "GET /?\" HTTP/1.1", "GET /?> HTTP/1.1"] {
        check_line(line, Err(Defect::TargetCharacter));
    }
    for line in ["GET /#a HTTP/1.1", "GET /?a#b HTTP/1.1", "GET http://a#b HTTP/1.1", "GET http://a/?# HTTP/1.1"] {
        check_line(line, Err(Defect::TargetFragment));
    }
}

#[test]
fn a_line_ends_in_both_characters_and_holds_no_other_control() {
    check_head("GET / HTTP/1.1\nHost: a\r\n\r\n", Err(Defect::BareLineFeed));
    check_head("GET / HTTP/1.1\r\nHost: a\n\r\n", Err(Defect::BareLineFeed));
    check_head("GET / HTTP/1.1\r\nHost: a\r\n\n", Err(Defect::BareLineFeed));
    check_head("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Err(Defect::BareLineFeed));
    check_head("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Err(Defect::BareCarriageReturn));
    check_head("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Err(Defect::BareCarriageReturn));
    check_head("GET / HTTP/1.1\rHost: a\r\n\r\n", Err(Defect::BareCarriageReturn));
    check_fields("A: b\rC: d\r\n", Err(Defect::BareCarriageReturn));
    for byte in ["\0", "\x01", "\x08", "\x0b", "\x0c", "\x1b", "\x1f", "\x7f"] {
        check_fields(&format!("A: b{byte}c\r\n"), Err(Defect::ControlCharacter));
        check_line(&format!("GET /{byte} HTTP/1.1"), Err(Defect::ControlCharacter));
    }
}

#[test]
fn a_field_is_a_token_and_a_value() {
    for fields in
        ["A:b\r\n", "A: \t b \t\r\n", "A:\r\n", "A: b\tc\r\n", "A: ä\r\n", "A:: b:c\r\n", "a!#$%&'*+.^_`|~9:\r\n"]
    {
        check_fields(fields, Ok(BodyFraming::None));
    }
    check_fields("A\r\n", Err(Defect::ColonMissing));
    for fields in ["A : b\r\n", "A\t: b\r\n"] {
        check_fields(fields, Err(Defect::SpaceBeforeColon));
    }
    for fields in [" A: b\r\n", "\tA: b\r\n", " \r\n"] {
        check_fields(fields, Err(Defect::Fold));
    }
    for fields in [": b\r\n", "A B: c\r\n", "A(: b\r\n", "Ä: b\r\n", "[A]: b\r\n", "\"A\": b\r\n", "A/: b\r\n"] {
        check_fields(fields, Err(Defect::FieldName));
    }
    check_head("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Err(Defect::Fold));
}

#[test]
fn there_is_exactly_one_host() {
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        check_head(format!("GET / {version}\r\n\r\n"), Err(Defect::HostMissing));
        check_head(format!("GET http://a/ {version}\r\n\r\n"), Err(Defect::HostMissing));
        check_head(format!("GET / {version}\r\nhOST: a\r\n\r\n"), Ok((BodyFraming::None, false)));
    }
    for fields in ["Host: a\r\n", "host: b\r\n", "A: b\r\nHOST:\r\n"] {
        check_fields(fields, Err(Defect::HostRepeated));
    }
    for host in ["", " ", "a b", "a,b", "a/", "u@a", "a:", "a:x", "a\tb", "http://a", "a:1:2", "[::1", "ä"] {
        check_head(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), Err(Defect::Host));
    }
}

#[test]
fn a_length_is_one_number() {
    check_fields("Content-Length: 0\r\n", Ok(BodyFraming::None));
    check_fields("content-LENGTH:\t7 \r\n", Ok(BodyFraming::Length(7)));
    check_fields("Content-Length: 0000000000000000000007\r\n", Ok(BodyFraming::Length(7)));
    check_fields("Content-Length: 9223372036854775807\r\n", Ok(BodyFraming::Length(u64::MAX / 2)));
    let values = [
        "",
        "+1",
        "-1",
        "1,1",
        "1, 2",
        "1 1",
        "0x1",
        "1.0",
        "1e1",
        "a",
        "٣",
        "9223372036854775808",
        "18446744073709551617",
        "1;",
        "1\t2",
    ];
    for value in values {
        check_fields(&format!("Content-Length: {value}\r\n"), Err(Defect::ContentLength));
    }
    for second in ["1", "2", "x"] {
        let fields = format!("Content-Length: 1\r\nContent-Length: {second}\r\n");
        check_fields(&fields, Err(Defect::ContentLengthRepeated));
    }
}

#[test]
fn the_only_coding_is_chunked_once() {
    for value in ["chunked", "Chunked", " CHUNKED\t"] {
        check_fields(&format!("Transfer-Encoding:{value}\r\n"), Ok(BodyFraming::Chunked));
    }
    let values = [
        "",
        "gzip",
        "identity",
        "chunked, gzip",
        "chunked, chunked",
        "chunked,",
        ", chunked",
        "chunked;a=b",
        "xchunked",
        "chunked chunked",
        "\"chunked\"",
        "gzip, , chunked",
    ];
    for value in values {
        check_fields(&format!("Transfer-Encoding: {value}\r\n"), Err(Defect::TransferEncoding));
    }
    for value in ["gzip, chunked", "identity,chunked", "gzip, deflate, Chunked", "x, chunked"] {
        check_fields(&format!("Transfer-Encoding: {value}\r\n"), Err(Defect::TransferEncodingUnknown));
    }
    let fields = "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n";
    check_fields(fields, Err(Defect::TransferEncoding));
    check_head("GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", Err(Defect::CodingInHttp10));
}

#[test]
fn a_length_and_a_coding_exclude_each_other() {
    check_fields("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", Err(Defect::LengthAndCoding));
    check_fields("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", Err(Defect::LengthAndCoding));
    check_fields("Content-Length: 0\r\nTransfer-Encoding: gzip\r\n", Err(Defect::LengthAndCoding));
}

#[test]
fn connection_options_take_no_field_away_that_counts() {
    for value in ["close", "keep-alive, x", "", ",close,,", "TE", "x-hop"] {
        check_fields(&format!("Connection: {value}\r\n"), Ok(BodyFraming::None));
    }
    let values =
        ["host", "close, Content-Length", "transfer-encoding", "authorization", "cookie", "a b", "a;b", "ä", "\"a\""];
    for value in values {
        check_fields(&format!("Connection: {value}\r\n"), Err(Defect::ConnectionOption));
    }
}

#[test]
fn an_upgrade_needs_both_fields_and_http_11() {
    let both = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";
    check_head(format!("GET / HTTP/1.1\r\nHost: a\r\n{both}\r\n"), Ok((BodyFraming::None, true)));
    check_head(format!("GET / HTTP/1.0\r\nHost: a\r\n{both}\r\n"), Ok((BodyFraming::None, false)));
    check_fields("Upgrade: websocket\r\n", Ok(BodyFraming::None));
    check_fields("Connection: upgrade\r\n", Ok(BodyFraming::None));
}

#[test]
fn a_head_is_bounded() {
    let fill = |bytes: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "b".repeat(bytes));
    let spare = LIMITS.head_bytes_max - fill(0).len();
    check_head(fill(spare), Ok((BodyFraming::None, false)));
    check_head(fill(spare + 1), Err(Defect::HeadTooLarge));
    check_head("G".repeat(LIMITS.head_bytes_max), Err(Defect::HeadTooLarge));
    let fields = "A: b\r\n".repeat(LIMITS.headers_max - 1);
    check_fields(&fields, Ok(BodyFraming::None));
    check_fields(&format!("{fields}A: b\r\n"), Err(Defect::TooManyFields));
}

#[test]
fn no_limit_exceeds_what_hyper_reads() {
    let limits = FramingLimits { head_bytes_max: usize::MAX, ..LIMITS };
    let text = "G".repeat(FramingLimits::HEAD_BYTES_CAP);
    assert_eq!(HeadReader::default().read(text.as_bytes(), &limits), Err(Defect::HeadTooLarge));
}
