//! Access logs: whatever a file holds, every place of it is told of once and in order, and a record is one that can be
//! counted.
#![no_main]

use std::io::{self, Cursor};

use libfuzzer_sys::fuzz_target;

/// The binary has no library, so its module is built into the target.
#[allow(dead_code, unused_imports)]
#[path = "../../crates/demilune-cli/src/traffic_log/mod.rs"]
mod traffic_log;

use traffic_log::{Format, Input, LogFormat, Place, read};

const LOG_FORMATS: [&str; 3] = [
    r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
    r#"{"t":"$msec","m":"$request_method","u":"$uri","a":"$args","h":"$host","s":$status,"c":"$cookie_a"}"#,
    "$status $msec $request_time $request_method $request_uri $upstream_addr",
];

fuzz_target!(|data: &[u8]| {
    let [choice, content @ ..] = data else { return };
    match choice % 8 {
        0 => check(content, &Format::Har),
        1 => check(content, &Format::Clf),
        2 => check(content, &Format::JsonLines),
        3 => as_guessed(content),
        4 => with_its_own_format(content),
        other => check(content, &log_format(LOG_FORMATS[usize::from(other) - 5])),
    }
});

fn log_format(text: &str) -> Format {
    Format::Lines(LogFormat::parse(text).expect("the format is sound"))
}

/// The first line is the format of the others.
fn with_its_own_format(content: &[u8]) {
    let text = String::from_utf8_lossy(content);
    let (format, lines) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(format) = LogFormat::parse(format) {
        check(lines.as_bytes(), &Format::Lines(format));
    }
}

/// Compressed or not, as a file is read.
fn as_guessed(content: &[u8]) {
    let Ok(input) = Input::of(Cursor::new(content.to_vec())) else { return };
    let Some(format) = input.guessed().cloned() else { return };
    let mut records = 0;
    let log = input.read(&format, |_, record| {
        records += usize::from(record.is_ok());
        Ok::<_, io::Error>(())
    });
    if let Ok(log) = log {
        assert_eq!(log.content_hash.len(), 64);
        assert!(matches!(format, Format::Har) || records > 0, "what was guessed cannot be read");
    }
}

fn check(content: &[u8], format: &Format) {
    let mut last = 0;
    let outcome = read(content, format, |place, record| {
        let (Place::Line(number) | Place::Entry(number)) = place;
        assert!(number > last, "{place} comes after {last}");
        last = number;
        if let Ok(record) = record {
            assert!(!record.path.is_empty() && record.path.starts_with(record.path_only()));
            assert!(record.status.is_none_or(|status| (100..1000).contains(&status)));
            assert!(record.session.is_none_or(|session| (1..1 << 44).contains(&session)));
            let _ = (record.bytes_in(), record.fields.get("a.b"));
        }
        Ok::<_, io::Error>(())
    });
    assert!(outcome.is_ok(), "bytes in memory can be read");
}
