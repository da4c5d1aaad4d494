//! Whatever a log holds, reading it ends, and never by a panic.

use std::io::{self, Cursor};

use proptest::prelude::*;

use super::{Format, Input, LogFormat, read};

const PIECES: [&str; 24] = [
    "{\"log\":{\"entries\":[",
    "{\"startedDateTime\":\"2026-05-21T14:27:01Z\",\"request\":{\"method\":\"GET\",\"url\":\"https://a/b\"}}",
    "{\"time\":1,\"method\":\"GET\",\"path\":\"/a?b\",\"status\":200",
    "\"request\":{\"method\":\"GET\",\"uri\":\"/\",\"headers\":{\"A\":[\"b\"]}},\"ts\":1e9",
    ",\"RequestMethod\":\"GET\",\"RequestPath\":\"/\",\"StartUTC\":\"2026-05-21T14:27:01Z\",\"Duration\":-1",
    ",\"decision\":\"forwarded\",\"duration_us\":1e300,\"session\":\"00000abcdef\"",
    ",\"response_code\":\"200\",\"start_time\":\"-\"",
    "192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] ",
    "\"GET /a HTTP/1.1\" 200 5",
    "\"\\x16\\x03\" 400 - \"\\\"\" \"-\"",
    " [",
    "] \"",
    "\"",
    "\\",
    "\\x",
    "\\u12",
    "é",
    "\u{0}",
    "\n",
    "}",
    "]",
    ",",
    "://",
    "@#?",
];

const LOG_FORMATS: [&str; 3] = [
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\"",
    "{\"t\":\"$msec\",\"m\":\"$request_method\",\"u\":\"$uri\",\"a\":\"$args\",\"s\":$status,\"c\":\"$cookie_a\"}",
    "$status $msec $request_method $request_uri",
];

fn formats() -> Vec<Format> {
    let lines = LOG_FORMATS.iter().map(|text| Format::Lines(LogFormat::parse(text).unwrap()));
    [Format::Har, Format::Clf, Format::JsonLines].into_iter().chain(lines).collect()
}

fn read_all(content: &[u8]) {
    for format in formats() {
        // Every place is told of, in order.
        let _ = read(content, &format, |_, record| {
            if let Ok(record) = record {
                let _ = (record.path_only().len(), record.bytes_in(), record.fields.get("a.b"));
            }
            Ok::<_, io::Error>(())
        });
    }
    if let Ok(input) = Input::of(Cursor::new(content.to_vec())) {
        let format = input.guessed().cloned().unwrap_or(Format::Clf);
        let _ = input.read(&format, |_, _| Ok::<_, io::Error>(()));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(content in prop::collection::vec(any::<u8>(), 0..200)) {
        read_all(&content);
    }

    #[test]
    fn any_pieces_of_logs_are_read(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12)) {
        read_all(pieces.concat().as_bytes());
    }

    #[test]
    fn any_text_is_a_log_format_or_is_refused(format in "[$a-z{}_' \"\\[\\]é]{0,40}", line in ".{0,60}") {
        for fixed in ["", "$msec $status $request "] {
            if let Ok(format) = LogFormat::parse(&format!("{fixed}{format}")) {
                let _ = format.read(&line);
            }
        }
    }
}
