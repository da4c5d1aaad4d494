//! A request head: its end, and how the body behind it is framed.

use super::request_line::{self, Version};
use super::{Defect, FramingLimits, authority, field};

/// A sound request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its length up to and with the empty line.
    pub bytes: usize,
    /// What follows it.
    pub body: BodyFraming,
    /// It asks for another protocol: an Upgrade field, and `Connection: upgrade`, in HTTP/1.1.
    pub upgrade: bool,
}

/// How a request's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// There is none, or one of no bytes.
    None,
    /// So many bytes, never zero.
    Length(u64),
    /// Chunks up to an empty one, then trailers.
    Chunked,
}

/// Reads one head that may arrive in pieces, each line once.
#[derive(Debug, Default)]
pub struct HeadReader {
    /// Where the line that is not complete yet begins.
    line_start: usize,
    /// Up to where no line feed was found.
    scanned: usize,
    version: Option<Version>,
    fields: Fields,
}

/// What the fields said so far.
#[derive(Debug, Default)]
struct Fields {
    count: usize,
    host: bool,
    body: Option<BodyFraming>,
    upgrade: bool,
    upgrade_option: bool,
}

impl HeadReader {
    /// Reads on. `window` holds the head from its first byte, and at least what it held the last time; `None` says that
    /// more must come.
    pub fn read(&mut self, window: &[u8], limits: &FramingLimits) -> Result<Option<Head>, Defect> {
        let bytes_max = limits.head_bytes_max.min(FramingLimits::HEAD_BYTES_CAP);
        // Behind the limit nothing is looked at, so that a head in one piece is judged like one in many.
        let window = &window[..window.len().min(bytes_max)];
        check_first_byte(window)?;
        while let Some(offset) = memchr::memchr(b'\n', &window[self.scanned..]) {
            let feed = self.scanned + offset;
            let line = field::line(&window[self.line_start..feed])?;
            self.line_start = feed + 1;
            self.scanned = feed + 1;
            match self.version {
                None => self.version = Some(request_line::read(line)?),
                Some(version) if line.is_empty() => return self.fields.finish(version, feed + 1).map(Some),
                Some(version) => self.fields.read(line, version, limits)?,
            }
        }
        self.scanned = window.len();
        if window.len() < bytes_max { Ok(None) } else { Err(Defect::HeadTooLarge) }
    }
}

/// What is not HTTP at all, such as a TLS handshake, is told by its first byte: no line may ever end in it.
fn check_first_byte(window: &[u8]) -> Result<(), Defect> {
    match window.first() {
        Some(b'\r') => Err(Defect::BareCarriageReturn),
        Some(b'\n') => Err(Defect::BareLineFeed),
        Some(byte) if !field::is_token_byte(*byte) => Err(Defect::Method),
        _ => Ok(()),
    }
}

impl Fields {
    fn read(&mut self, line: &[u8], version: Version, limits: &FramingLimits) -> Result<(), Defect> {
        let (name, value) = field::split(line)?;
        self.count += 1;
        if self.count > limits.headers_max {
            return Err(Defect::TooManyFields);
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.read_host(value),
            7 if name.eq_ignore_ascii_case(b"upgrade") => {
                self.upgrade = true;
                Ok(())
            }
            10 if name.eq_ignore_ascii_case(b"connection") => self.read_connection(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.read_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.read_coding(value, version),
            _ => Ok(()),
        }
    }

    fn read_host(&mut self, value: &[u8]) -> Result<(), Defect> {
        if self.host {
            return Err(Defect::HostRepeated);
        }
        self.host = true;
        if authority::is_valid(value) { Ok(()) } else { Err(Defect::Host) }
    }

    fn read_connection(&mut self, value: &[u8]) -> Result<(), Defect> {
        // Empty members of a list are to be ignored (RFC 9110 5.6.1.2).
        for option in field::members(value).filter(|option| !option.is_empty()) {
            if !field::is_connection_option(option) {
                return Err(Defect::ConnectionOption);
            }
            self.upgrade_option |= option.eq_ignore_ascii_case(b"upgrade");
        }
        Ok(())
    }

    fn read_length(&mut self, value: &[u8]) -> Result<(), Defect> {
        match self.body {
            Some(BodyFraming::Chunked) => Err(Defect::LengthAndCoding),
            Some(_) => Err(Defect::ContentLengthRepeated),
            None => {
                self.body = Some(read_length(value)?);
                Ok(())
            }
        }
    }

    fn read_coding(&mut self, value: &[u8], version: Version) -> Result<(), Defect> {
        match self.body {
            _ if version == Version::Http10 => Err(Defect::CodingInHttp10),
            Some(BodyFraming::Chunked) => Err(Defect::TransferEncoding),
            Some(_) => Err(Defect::LengthAndCoding),
            None if value.eq_ignore_ascii_case(b"chunked") => {
                self.body = Some(BodyFraming::Chunked);
                Ok(())
            }
            None => Err(coding_defect(value)),
        }
    }

    fn finish(&self, version: Version, bytes: usize) -> Result<Head, Defect> {
        if !self.host {
            return Err(Defect::HostMissing);
        }
        let upgrade = self.upgrade && self.upgrade_option && version == Version::Http11;
        Ok(Head { bytes, body: self.body.unwrap_or(BodyFraming::None), upgrade })
    }
}

/// Only digits, and no more than a signed 64-bit number holds: further hops may have no wider one.
fn read_length(value: &[u8]) -> Result<BodyFraming, Defect> {
    match decimal(value).ok_or(Defect::ContentLength)? {
        0 => Ok(BodyFraming::None),
        length => Ok(BodyFraming::Length(length)),
    }
}

fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    let mut number = 0_i64;
    for byte in value {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    u64::try_from(number).ok()
}

#[cold]
fn coding_defect(value: &[u8]) -> Defect {
    let mut codings = field::members(value);
    let chunked_last = codings.next_back().is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    let others_known = |coding: &[u8]| coding.is_empty() || coding.eq_ignore_ascii_case(b"chunked");
    if chunked_last && !codings.any(others_known) { Defect::TransferEncodingUnknown } else { Defect::TransferEncoding }
}
