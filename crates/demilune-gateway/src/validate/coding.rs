//! Content codings taken off (RFC 9110 section 8.4), within a bound, and only where no reader can see another content.

use std::{
    borrow::Cow,
    io::{self, BufRead, Read},
};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::bufread::{GzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use ruzstd::decoding::StreamingDecoder;

use super::room::Reservation;

/// Most codings one over the other. Two are already more than clients use.
const CODINGS_MAX: usize = 2;
/// Bytes that are taken off at a time.
const STEP: usize = 16 << 10;
/// Largest window of Zstandard (RFC 9659): what a decoder keeps beside its output.
const ZSTD_WINDOW_MAX: u64 = 8 << 20;

/// A content coding that is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstandard,
}

/// Why the content cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodingError {
    /// Not one of gzip, deflate, br and zstd, or too many of them.
    Unknown,
    /// Not what the coding asks for, or bytes behind its end, which readers take in different ways.
    Broken,
    /// Longer than is allowed.
    TooLong,
    /// There is no room for it now.
    NoRoom,
}

/// Whether the content is in a coding.
pub(super) fn is_coded(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_ENCODING)
}

/// The content without its codings; at most `bytes_max` bytes at each step, with room taken for them.
pub(super) fn decode<'b>(
    content: &'b [u8],
    headers: &HeaderMap,
    bytes_max: usize,
    room: &mut Reservation,
) -> Result<Cow<'b, [u8]>, CodingError> {
    let mut content = Cow::Borrowed(content);
    for coding in codings(headers)?.into_iter().rev() {
        content = Cow::Owned(take_off(coding, &content, bytes_max, room)?);
    }
    Ok(content)
}

/// The codings in the order in which they were put on.
fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, CodingError> {
    let mut codings = Vec::new();
    for field in headers.get_all(header::CONTENT_ENCODING) {
        let text = field.to_str().map_err(|_| CodingError::Unknown)?;
        for name in text.split(',').map(|name| name.trim_matches([' ', '\t'])).filter(|name| !name.is_empty()) {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            match () {
                () if is("identity") => {}
                () if is("gzip") || is("x-gzip") => codings.push(Coding::Gzip),
                () if is("deflate") => codings.push(Coding::Deflate),
                () if is("br") => codings.push(Coding::Brotli),
                () if is("zstd") => codings.push(Coding::Zstandard),
                () => return Err(CodingError::Unknown),
            }
        }
    }
    if codings.len() > CODINGS_MAX { Err(CodingError::Unknown) } else { Ok(codings) }
}

fn take_off(coding: Coding, coded: &[u8], bytes_max: usize, room: &mut Reservation) -> Result<Vec<u8>, CodingError> {
    let mut out = Output { bytes: Vec::new(), bytes_max, room };
    let rest = match coding {
        Coding::Gzip => {
            let mut decoder = GzDecoder::new(coded);
            out.read_all(&mut decoder)?;
            decoder.into_inner().len()
        }
        Coding::Deflate => {
            let mut decoder = ZlibDecoder::new(coded);
            out.read_all(&mut decoder)?;
            decoder.into_inner().len()
        }
        Coding::Brotli => out.brotli(coded)?,
        Coding::Zstandard => {
            let decoder = StreamingDecoder::new_with_max_window_size(coded, ZSTD_WINDOW_MAX);
            let mut decoder = decoder.map_err(|_| CodingError::Broken)?;
            out.read_all(&mut decoder)?;
            decoder.into_inner().fill_buf().map_or(0, <[u8]>::len)
        }
    };
    if rest == 0 { Ok(out.bytes) } else { Err(CodingError::Broken) }
}

/// What was taken off so far.
struct Output<'r> {
    bytes: Vec<u8>,
    bytes_max: usize,
    room: &'r mut Reservation,
}

impl Output<'_> {
    fn read_all(&mut self, decoder: &mut impl Read) -> Result<(), CodingError> {
        let mut step = [0; STEP];
        loop {
            match decoder.read(&mut step) {
                Ok(0) => return Ok(()),
                Ok(count) => self.add(&step[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(CodingError::Broken),
            }
        }
    }

    /// Gives how many bytes are left behind the end.
    fn brotli(&mut self, coded: &[u8]) -> Result<usize, CodingError> {
        let allocator = StandardAlloc::default;
        // Strict: windows of at most 16 MiB, as RFC 7932 has them.
        let mut state = BrotliState::new_strict(allocator(), allocator(), allocator());
        let (mut step, mut left, mut read, mut total) = ([0; STEP], coded.len(), 0, 0);
        loop {
            let (mut free, mut written) = (STEP, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut read,
                coded,
                &mut free,
                &mut written,
                &mut step,
                &mut total,
                &mut state,
            );
            self.add(&step[..written])?;
            match result {
                BrotliResult::ResultSuccess => return Ok(left),
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput | BrotliResult::ResultFailure => return Err(CodingError::Broken),
            }
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), CodingError> {
        let length = self.bytes.len() + bytes.len();
        if length > self.bytes_max {
            return Err(CodingError::TooLong);
        }
        if length > self.bytes.capacity() {
            let wanted = (2 * self.bytes.capacity()).clamp(length, self.bytes_max.max(length));
            if !self.room.grow(wanted - self.bytes.capacity()) {
                return Err(CodingError::NoRoom);
            }
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{GzEncoder, ZlibEncoder},
    };
    use http::HeaderValue;

    use super::{super::room::Room, *};

    /// `{"a":1}` as the command `brotli` writes it.
    const BROTLI: &[u8] = &[0x0b, 0x03, 0x80, 0x7b, 0x22, 0x61, 0x22, 0x3a, 0x31, 0x7d, 0x03];
    /// The same as `zstd` writes it, without a checksum.
    const ZSTANDARD: &[u8] =
        &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x07, 0x39, 0x00, 0x00, 0x7b, 0x22, 0x61, 0x22, 0x3a, 0x31, 0x7d];
    const PLAIN: &[u8] = b"{\"a\":1}";

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn fields(codings: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_str(codings).unwrap())])
    }

    fn check(codings: &str, content: &[u8], expected: Result<&[u8], CodingError>) {
        let mut room = Room::new(4_096).reservation();
        let decoded = decode(content, &fields(codings), 1_024, &mut room);
        assert_eq!(decoded.as_deref().map_err(|error| *error), expected, "{codings}");
    }

    fn with(content: &[u8], more: &[u8]) -> Vec<u8> {
        [content, more].concat()
    }

    #[test]
    fn codings_are_taken_off_in_the_order_in_which_they_were_put_on() {
        check("gzip", &gzip(PLAIN), Ok(PLAIN));
        check("X-GZip", &gzip(PLAIN), Ok(PLAIN));
        check("deflate", &zlib(PLAIN), Ok(PLAIN));
        check("br", BROTLI, Ok(PLAIN));
        check("zstd", ZSTANDARD, Ok(PLAIN));
        check("identity", PLAIN, Ok(PLAIN));
        check("deflate, gzip", &gzip(&zlib(PLAIN)), Ok(PLAIN));
        check("gzip , identity,", &gzip(PLAIN), Ok(PLAIN));
    }

    #[test]
    fn bytes_behind_the_end_are_a_defect() {
        let more: [(&str, Vec<u8>); 4] =
            [("gzip", gzip(PLAIN)), ("deflate", zlib(PLAIN)), ("br", BROTLI.into()), ("zstd", ZSTANDARD.into())];
        for (coding, coded) in more {
            check(coding, &with(&coded, b"x"), Err(CodingError::Broken));
            check(coding, &with(&coded, &coded), Err(CodingError::Broken));
        }
    }

    #[test]
    fn what_is_not_in_the_coding_or_cut_short_is_a_defect() {
        for (coding, coded) in
            [("gzip", gzip(PLAIN)), ("deflate", zlib(PLAIN)), ("br", BROTLI.into()), ("zstd", ZSTANDARD.into())]
        {
            check(coding, PLAIN, Err(CodingError::Broken));
            check(coding, &coded[..coded.len() - 1], Err(CodingError::Broken));
            check(coding, b"", Err(CodingError::Broken));
        }
    }

    #[test]
    fn unknown_codings_and_too_many_of_them_are_told() {
        check("compress", PLAIN, Err(CodingError::Unknown));
        check("gzip, gzip, gzip", PLAIN, Err(CodingError::Unknown));
        check("gzip;q=1", PLAIN, Err(CodingError::Unknown));
    }

    #[test]
    fn a_bomb_ends_at_the_bound_and_within_the_room() {
        let bomb = gzip(&vec![b'0'; 1 << 20]);
        check("gzip", &bomb, Err(CodingError::TooLong));
        let room = Room::new(500);
        let mut reservation = room.reservation();
        assert_eq!(decode(&bomb, &fields("gzip"), 1 << 20, &mut reservation), Err(CodingError::NoRoom));
        assert!(room.taken() <= 500);
    }
}
