//! What a chunked body may hold: each defect by examples, and the bytes that still pass before it.

use super::*;

/// The chunked body behind a head: whether all of it is sound, or its first bytes and why no more.
#[track_caller]
fn check_chunks(body: &str, expected: Result<(), (usize, Defect)>) {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (passed, _, stop) = read_cut(format!("{head}{body}").as_bytes());
    let sound = &String::from_utf8(passed).unwrap()[head.len()..];
    match expected {
        Ok(()) => assert_eq!((sound, stop), (body, Stop::Hungry)),
        Err((bytes, defect)) => assert_eq!((sound, stop), (&body[..bytes], Stop::Body(defect)), "{body:?}"),
    }
    let mut reader = ChunkReader::default();
    let advanced = reader.advance(body.as_bytes(), &LIMITS);
    assert_eq!(advanced, expected.map(|()| body.len()).map_err(|(sound, defect)| Broken { sound, defect }));
    assert_eq!(reader.is_done(), expected.is_ok(), "{body:?}");
}

#[test]
fn chunks_pass_unchanged() {
    let bodies = [
        "0\r\n\r\n",
        "000\r\n\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
        "A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
        "1;a\r\nb\r\n0;c=d;e=\"f \\\" ;\tg\"\r\n\r\n",
        "0\r\nA: b\r\nC:\r\n\r\n",
        "0000000000000001\r\na\r\n0\r\n\r\n",
    ];
    for body in bodies {
        check_chunks(body, Ok(()));
    }
}

#[test]
fn a_chunk_size_is_a_short_hexadecimal_number() {
    for (body, sound) in [
        ("\r\n", 0),
        ("g\r\n", 0),
        ("-1\r\n", 0),
        ("0x1\r\n", 1),
        (" 1\r\n", 0),
        ("1 \r\n", 1),
        (";a\r\n", 0),
        ("1\n", 1),
    ] {
        check_chunks(body, Err((sound, Defect::ChunkSize)));
    }
    check_chunks("00000000000000001\r\n", Err((16, Defect::ChunkSize)));
    check_chunks("1\ra\r\n", Err((2, Defect::BareCarriageReturn)));
}

#[test]
fn chunk_extensions_keep_to_their_grammar() {
    let bodies = [
        ("1;\r\n", 2),
        ("1; a\r\n", 2),
        ("1;a \r\n", 3),
        ("1;a=\r\n", 4),
        ("1;a= b\r\n", 4),
        ("1;=b\r\n", 2),
        ("1;a=\"b\r\n", 6),
        ("1;a=\"b\"c\r\n", 7),
        ("1;a=b\"\r\n", 5),
        ("1;a\n", 3),
        ("1;a=\"\n\"\r\n", 5),
        ("1;a=\"\\\0\"\r\n", 6),
        ("1;a=\"\x7f\"\r\n", 5),
        ("1;;a\r\n", 2),
        ("1;a;\r\n", 4),
    ];
    for (body, sound) in bodies {
        check_chunks(body, Err((sound, Defect::ChunkExtension)));
    }
    check_chunks(&format!("1;{}\r\n", "a".repeat(31)), Err((32, Defect::ChunkLineTooLong)));
    let chunk = format!("1;{}\r\nb\r\n", "a".repeat(30));
    let (_, _, stop) = read([
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(),
        chunk.repeat(1_000).as_bytes(),
    ]);
    assert_eq!(stop, Stop::Body(Defect::ChunkLineTooLong));
}

#[test]
fn chunk_data_ends_where_its_size_says() {
    check_chunks("1\r\nab\r\n", Err((4, Defect::ChunkEnd)));
    check_chunks("2\r\na\r\n0\r\n\r\n", Err((5, Defect::ChunkEnd)));
    check_chunks("1\r\na\n0\r\n\r\n", Err((4, Defect::ChunkEnd)));
    check_chunks("1\r\na\r0\r\n\r\n", Err((5, Defect::ChunkEnd)));
}

#[test]
fn trailers_are_fields_that_frame_nothing() {
    check_chunks("0\r\nA : b\r\n\r\n", Err((9, Defect::SpaceBeforeColon)));
    check_chunks("0\r\nA\r\n\r\n", Err((5, Defect::ColonMissing)));
    check_chunks("0\r\nA: b\r\n c\r\n\r\n", Err((12, Defect::Fold)));
    check_chunks("0\r\nA: b\n\r\n", Err((7, Defect::BareLineFeed)));
    check_chunks("0\r\nA: \rb\r\n\r\n", Err((7, Defect::BareCarriageReturn)));
    check_chunks("0\r\n\n", Err((3, Defect::BareLineFeed)));
    check_chunks("0\r\nA: \0\r\n\r\n", Err((8, Defect::ControlCharacter)));
    for name in ["Content-Length", "transfer-encoding", "HOST", "Authorization", "Cookie", "Trailer", "TE"] {
        let body = format!("0\r\n{name}: 1\r\n\r\n");
        check_chunks(&body, Err((body.len() - 3, Defect::TrailerForbidden)));
    }
    let fields = "A:\r\n".repeat(LIMITS.headers_max);
    check_chunks(&format!("0\r\n{fields}\r\n"), Ok(()));
    check_chunks(&format!("0\r\n{fields}A:\r\n\r\n"), Err((38, Defect::TooManyFields)));
    check_chunks(&format!("0\r\nA: {}\r\n\r\n", "b".repeat(64)), Err((67, Defect::TrailersTooLarge)));
}
