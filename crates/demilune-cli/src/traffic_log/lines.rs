//! Lines of a stream, each within a bound.

use std::io::{self, BufRead, Read};

/// Longest line in bytes: longer than any server's limit on a request's head, with which a line grows.
pub(super) const LINE_BYTES_MAX: usize = 1 << 20;

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    /// Its bytes.
    Text(&'l [u8]),
    /// It is too long and was skipped.
    TooLong,
}

/// Lines of a stream.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), number: 0 }
    }

    /// The next line and its number from 1; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        self.buffer.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        if (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let line = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        if line.len() > LINE_BYTES_MAX {
            self.reader.skip_until(b'\n')?;
            return Ok(Some((self.number, Line::TooLong)));
        }
        Ok(Some((self.number, Line::Text(line.strip_suffix(b"\r").unwrap_or(line)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut lines = Lines::new(text);
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            all.push(match line {
                Line::Text(text) => (number, Some(text.to_vec())),
                Line::TooLong => (number, None),
            });
        }
        all
    }

    #[test]
    fn a_line_ends_with_a_newline_or_with_the_stream() {
        let text = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(lines(b"a\r\n\nb"), [(1, text("a")), (2, text("")), (3, text("b"))]);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let text = [&longest[..], b"\n", &longest[..], b"y\nb\n"].concat();
        assert_eq!(lines(&text), [(1, Some(longest)), (2, None), (3, Some(b"b".to_vec()))]);
    }
}
