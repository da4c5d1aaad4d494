//! A log as it is stored: compression taken off, what is read hashed, and the format told from the beginning.

use std::{
    fmt::Write as _,
    io::{self, BufReader, Chain, Cursor, Read},
};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::{Defect, Format, LogRecord, Place, read};

/// What a gzip file begins with (RFC 1952 section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
const BUFFER_BYTES: usize = 256 << 10;

/// Bytes without compression.
type Plain = Box<dyn Read>;

/// A log that was opened.
pub(crate) struct Input {
    content: Chain<Cursor<Vec<u8>>, Hashed<Plain>>,
    guessed: Option<Format>,
    is_empty: bool,
}

/// A log that was read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadLog {
    /// SHA-256 of the content without compression, in lower-case hex digits.
    pub(crate) content_hash: String,
}

impl Input {
    /// Begins to read what is stored.
    pub(crate) fn of(stored: impl Read + 'static) -> io::Result<Self> {
        let mut stored = BufReader::with_capacity(BUFFER_BYTES, stored);
        let magic = head(&mut stored, GZIP_MAGIC.len())?;
        let is_gzip = magic == GZIP_MAGIC;
        let stored = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(magic).chain(stored));
        let plain: Plain = if is_gzip { Box::new(MultiGzDecoder::new(stored)) } else { Box::new(stored) };
        let mut hashed = Hashed { reader: plain, hasher: Sha256::new() };
        let mut sample = head(&mut hashed, Format::SAMPLE_BYTES)?;
        if sample.starts_with(&BYTE_ORDER_MARK) {
            sample.drain(..BYTE_ORDER_MARK.len());
        }
        let (guessed, is_empty) = (Format::guess(&sample), sample.is_empty());
        Ok(Self { content: Cursor::new(sample).chain(hashed), guessed, is_empty })
    }

    /// The format that the content seems to have.
    pub(crate) fn guessed(&self) -> Option<&Format> {
        self.guessed.as_ref()
    }

    /// Whether it holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Gives each record, or why a place holds none, and reads on to the end, so that the hash is that of all.
    pub(crate) fn read<E: From<io::Error>>(
        self,
        format: &Format,
        each: impl FnMut(Place, Result<LogRecord, Defect>) -> Result<(), E>,
    ) -> Result<ReadLog, E> {
        let mut content = BufReader::with_capacity(BUFFER_BYTES, self.content);
        read(&mut content, format, each)?;
        io::copy(&mut content, &mut io::sink())?;
        let (_, hashed) = content.into_inner().into_inner();
        Ok(ReadLog { content_hash: hex(&hashed.hasher.finalize()) })
    }
}

/// Hashes what is read.
struct Hashed<R> {
    reader: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..length]);
        Ok(length)
    }
}

/// The first bytes, fewer only where there are no more.
fn head(reader: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(length as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const LINE: &[u8] = b"{\"time\":1,\"method\":\"GET\",\"path\":\"/\"}\n";

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// The guessed format, the number of records, and the hash.
    fn check(stored: Vec<u8>) -> io::Result<(&'static str, usize, String)> {
        let input = Input::of(Cursor::new(stored))?;
        let format = input.guessed().unwrap().clone();
        let mut records = 0;
        let log = input.read(&format, |_, record| {
            records += usize::from(record.is_ok());
            Ok::<_, io::Error>(())
        })?;
        Ok((format.name(), records, log.content_hash))
    }

    #[test]
    fn compression_does_not_change_what_is_read_or_its_hash() {
        let content = LINE.repeat(10_000);
        let expected = ("jsonl", 10_000, hex(&Sha256::digest(&content)));
        assert_eq!(check(content.clone()).unwrap(), expected);
        assert_eq!(check(gzip(&content)).unwrap(), expected);
        // Rotated logs are often put together.
        let (first, second) = content.split_at(LINE.len() * 7);
        assert_eq!(check([gzip(first), gzip(second)].concat()).unwrap(), expected);
    }

    #[test]
    fn a_byte_order_mark_belongs_to_no_line() {
        assert_eq!(check([&BYTE_ORDER_MARK[..], LINE].concat()).unwrap().1, 1);
    }

    #[test]
    fn what_follows_a_har_document_is_hashed_too() {
        let document = b"{\"log\":{\"entries\":[]}}";
        let followed = [&document[..], &b" ".repeat(1 << 20)].concat();
        assert_eq!(check(followed.clone()).unwrap().2, hex(&Sha256::digest(&followed)));
    }

    #[test]
    fn a_compressed_file_that_is_cut_off_cannot_be_read() {
        let mut stored = gzip(&LINE.repeat(10_000));
        stored.truncate(stored.len() - 20);
        assert_eq!(check(stored).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_has_no_known_form_has_no_format() {
        for content in ["", "a", "just words\n"] {
            assert!(Input::of(content.as_bytes()).unwrap().guessed().is_none());
        }
    }
}
