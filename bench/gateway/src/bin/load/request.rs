//! Requests from a file, as the bytes that go out.

use std::{fs, io, path::Path};

/// Reads one request from each line `METHOD HOST PATH SESSION`.
pub(crate) fn read(file: &Path, body_bytes: usize) -> io::Result<Vec<Vec<u8>>> {
    let text = fs::read_to_string(file)?;
    let requests: Option<Vec<_>> = text.lines().map(|line| bytes(line, body_bytes)).collect();
    requests.filter(|requests| !requests.is_empty()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: write METHOD HOST PATH SESSION", file.display()))
    })
}

fn bytes(line: &str, body_bytes: usize) -> Option<Vec<u8>> {
    let mut words = line.split(' ');
    let (method, host, path, session) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let mut body = String::new();
    let mut about_body = String::new();
    if method == "POST" {
        const EMPTY: usize = r#"{"text":""}"#.len();
        body = format!(r#"{{"text":"{}"}}"#, "x".repeat(body_bytes.saturating_sub(EMPTY)));
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
        let request = String::from_utf8(bytes("POST h /p s", 1024).unwrap()).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /p HTTP/1.1\r\nHost: h\r\n") && head.contains("Content-Length: 1024"), "{head}");
        assert_eq!(body.len(), 1024);
    }

    #[test]
    fn a_line_without_a_session_is_none() {
        assert_eq!(bytes("GET h /p", 0), None);
    }
}
