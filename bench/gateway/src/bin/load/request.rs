//! Requests from a file, as the bytes that go out.

use std::{fs, io, path::Path};

/// Reads one request from each line `METHOD HOST PATH SESSION`.
pub(crate) fn read(file: &Path, body: &str) -> io::Result<Vec<Vec<u8>>> {
    let text = fs::read_to_string(file)?;
    let requests: Option<Vec<_>> = text.lines().map(|line| bytes(line, body)).collect();
    requests.filter(|requests| !requests.is_empty()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: write METHOD HOST PATH SESSION", file.display()))
    })
}

/// The JSON body of each POST: one long text, or as members of all kinds as an API takes.
pub(crate) fn body(bytes: usize, order: bool) -> String {
    if !order {
        const EMPTY: usize = r#"{"text":""}"#.len();
        return format!(r#"{{"text":"{}"}}"#, "x".repeat(bytes.saturating_sub(EMPTY)));
    }
    let item = |number: usize| {
        format!(
            r#"{{"id":{number},"sku":"AB-{:04}","name":"Blue widget","price":12.5,"quantity":{},"gift":false,"tags":["new","sale"]}}"#,
            number * 7,
            1 + number % 9
        )
    };
    let whole = |items: &[String], note: &str| {
        format!(
            r#"{{"customer":{{"id":4711,"email":"reader@example.com"}},"items":[{}],"note":"{note}"}}"#,
            items.join(",")
        )
    };
    let mut items = Vec::new();
    while whole(&items, "").len() + item(items.len() + 1).len() < bytes {
        items.push(item(items.len() + 1));
    }
    let missing = bytes.saturating_sub(whole(&items, "").len());
    whole(&items, &"x".repeat(missing))
}

fn bytes(line: &str, body: &str) -> Option<Vec<u8>> {
    let mut words = line.split(' ');
    let (method, host, path, session) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let body = if method == "POST" { body } else { "" };
    let mut about_body = String::new();
    if method == "POST" {
        about_body = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: demilune-bench\r\nAccept: application/json\r\n\
         X-Session: {session}\r\n{about_body}\r\n{body}"
    );
    Some(request.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_has_a_body_of_the_size_asked_for() {
        for order in [false, true] {
            let request = String::from_utf8(bytes("POST h /p s", &body(1024, order)).unwrap()).unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(
                head.starts_with("POST /p HTTP/1.1\r\nHost: h\r\n") && head.contains("Content-Length: 1024"),
                "{head}"
            );
            assert_eq!(body.len(), 1024);
        }
    }

    #[test]
    fn a_line_without_a_session_is_none() {
        assert_eq!(bytes("GET h /p", ""), None);
    }
}
