//! The formats, and how one is told from its content.

use super::{LogFormat, clf, json_lines};

/// What a log is written in.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    /// HAR 1.2: one JSON document.
    Har,
    /// The Common or Combined Log Format.
    Clf,
    /// A JSON object in each line.
    JsonLines,
    /// A format string of nginx.
    Lines(LogFormat),
}

impl Format {
    /// How much of the content to guess from.
    pub(super) const SAMPLE_BYTES: usize = 64 << 10;

    /// The format by the first bytes of the content; none when no line among them can be read.
    pub(super) fn guess(sample: &[u8]) -> Option<Self> {
        if is_har(sample) {
            return Some(Self::Har);
        }
        sample.split(|byte| *byte == b'\n').find_map(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if json_lines::read(line).is_ok() {
                Some(Self::JsonLines)
            } else {
                clf::read(&String::from_utf8_lossy(line)).ok().map(|_| Self::Clf)
            }
        })
    }

    /// The name for people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Har => "har",
            Self::Clf => "clf",
            Self::JsonLines => "jsonl",
            Self::Lines(_) => "log format",
        }
    }
}

/// Whether an object begins whose member `log` is an object: no server writes such lines.
fn is_har(sample: &[u8]) -> bool {
    let mut rest = sample;
    [&b"{"[..], b"\"log\"", b":", b"{"].into_iter().all(|token| {
        let found = rest.trim_ascii_start().strip_prefix(token);
        rest = found.unwrap_or_default();
        found.is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_from_the_first_line_that_can_be_read() {
        let check = |sample: &str, expected: Option<&str>| {
            let guessed = Format::guess(sample.as_bytes());
            assert_eq!(guessed.as_ref().map(Format::name), expected, "{sample:?}");
        };
        let clf = r#"192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5"#;
        let json = r#"{"time":1,"method":"GET","path":"/"}"#;
        check("", None);
        check("just words", None);
        check("{\"log\":\"a line of a container\"}", None);
        check("  {\n \"log\" : {", Some("har"));
        check(clf, Some("clf"));
        check(json, Some("jsonl"));
        check(&format!("\n# since Monday\r\n{clf}\r\n{json}"), Some("clf"));
        check(&format!("{{\"level\":\"info\",\"msg\":\"started\"}}\n{json}\n{{\"cut"), Some("jsonl"));
    }
}
