//! A chunked body: sizes, extensions, data and trailers, checked as they pass (RFC 9112 7.1).

use super::{Defect, FramingLimits, field};

/// Bytes of extensions in one body: hyper stops at 16 KiB, and nobody needs a fraction of it.
const EXTENSION_BYTES_MAX: usize = 8_192;
/// So many hexadecimal digits always fit 64 bits.
const SIZE_DIGITS_MAX: u8 = 16;

/// Follows one chunked body, in whatever pieces it arrives.
#[derive(Debug, Default)]
pub struct ChunkReader {
    state: State,
    /// Bytes of the size line so far.
    line_bytes: usize,
    /// Bytes of extensions in all size lines so far.
    extension_bytes: usize,
    /// Bytes of trailers so far.
    trailer_bytes: usize,
    trailers: usize,
    /// The trailer line that is not complete yet.
    line: Vec<u8>,
}

/// A body that cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// So many bytes of the piece are sound.
    pub sound: usize,
    /// What is wrong with the next one.
    pub defect: Defect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size { size: u64, digits: u8 },
    Extension { size: u64, part: Part },
    SizeFeed { size: u64 },
    Data { left: u64 },
    DataReturn,
    DataFeed,
    Trailer,
    Done,
}

/// Where in the extensions of a chunk the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Name { begun: bool },
    Value { begun: bool },
    Quoted,
    Escaped,
    QuoteClosed,
}

impl Default for State {
    fn default() -> Self {
        Self::Size { size: 0, digits: 0 }
    }
}

impl ChunkReader {
    /// Reads on; returns how many bytes belong to the body, which is all of them unless it ended.
    pub fn advance(&mut self, bytes: &[u8], limits: &FramingLimits) -> Result<usize, Broken> {
        let mut at = 0;
        while at < bytes.len() && !self.is_done() {
            if let State::Data { left } = self.state {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - at);
                self.take_data(left - taken as u64);
                at += taken;
            } else {
                self.take(bytes[at], limits).map_err(|defect| Broken { sound: at, defect })?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// Whether the body ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    fn take_data(&mut self, left: u64) {
        self.state = if left == 0 { State::DataReturn } else { State::Data { left } };
    }

    fn take(&mut self, byte: u8, limits: &FramingLimits) -> Result<(), Defect> {
        self.state = match (self.state, byte) {
            (State::Size { size, digits }, _) => self.take_size(size, digits, byte, limits)?,
            (State::Extension { size, part }, _) => self.take_extension(size, part, byte, limits)?,
            (State::SizeFeed { size: 0 }, b'\n') => State::Trailer,
            (State::SizeFeed { size }, b'\n') => State::Data { left: size },
            (State::SizeFeed { .. }, _) => return Err(Defect::BareCarriageReturn),
            (State::DataReturn, b'\r') => State::DataFeed,
            (State::DataFeed, b'\n') => self.next_size(),
            (State::DataReturn | State::DataFeed, _) => return Err(Defect::ChunkEnd),
            (State::Trailer, _) => self.take_trailer(byte, limits)?,
            (state @ (State::Data { .. } | State::Done), _) => state,
        };
        Ok(())
    }

    fn next_size(&mut self) -> State {
        self.line_bytes = 0;
        State::default()
    }

    fn take_size(&mut self, size: u64, digits: u8, byte: u8, limits: &FramingLimits) -> Result<State, Defect> {
        match byte {
            b'\r' if digits > 0 => Ok(State::SizeFeed { size }),
            b';' if digits > 0 => {
                self.count_extension(limits)?;
                Ok(State::Extension { size, part: Part::Name { begun: false } })
            }
            _ => {
                self.count_line(limits)?;
                let digit = char::from(byte).to_digit(16).ok_or(Defect::ChunkSize)?;
                if digits == SIZE_DIGITS_MAX {
                    return Err(Defect::ChunkSize);
                }
                Ok(State::Size { size: size << 4 | u64::from(digit), digits: digits + 1 })
            }
        }
    }

    fn take_extension(&mut self, size: u64, part: Part, byte: u8, limits: &FramingLimits) -> Result<State, Defect> {
        if byte == b'\r' {
            return if part.may_end() { Ok(State::SizeFeed { size }) } else { Err(Defect::ChunkExtension) };
        }
        self.count_extension(limits)?;
        let part = part.next(byte).ok_or(Defect::ChunkExtension)?;
        Ok(State::Extension { size, part })
    }

    fn count_line(&mut self, limits: &FramingLimits) -> Result<(), Defect> {
        self.line_bytes += 1;
        if self.line_bytes > limits.chunk_line_bytes_max { Err(Defect::ChunkLineTooLong) } else { Ok(()) }
    }

    fn count_extension(&mut self, limits: &FramingLimits) -> Result<(), Defect> {
        self.extension_bytes += 1;
        if self.extension_bytes > EXTENSION_BYTES_MAX {
            return Err(Defect::ChunkLineTooLong);
        }
        self.count_line(limits)
    }

    fn take_trailer(&mut self, byte: u8, limits: &FramingLimits) -> Result<State, Defect> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > limits.trailer_bytes_max.min(FramingLimits::TRAILER_BYTES_CAP) {
            return Err(Defect::TrailersTooLarge);
        }
        if byte != b'\n' {
            if self.line.ends_with(b"\r") {
                // hyper finds this byte too, and must not be the first.
                return Err(Defect::BareCarriageReturn);
            }
            self.line.push(byte);
            return Ok(State::Trailer);
        }
        let line = field::line(&self.line)?;
        if line.is_empty() {
            return Ok(State::Done);
        }
        let (name, _) = field::split(line)?;
        if !field::is_trailer(name) {
            return Err(Defect::TrailerForbidden);
        }
        self.trailers += 1;
        if self.trailers > limits.headers_max {
            return Err(Defect::TooManyFields);
        }
        self.line.clear();
        Ok(State::Trailer)
    }
}

impl Part {
    /// The part after `byte`; `None` where the grammar has no such byte. White space is taken only inside quotes:
    /// around the signs it is "bad" (RFC 9112 7.1.1), and servers disagree about it.
    fn next(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Name { begun: true }, b'=') => Some(Self::Value { begun: false }),
            (Self::Value { begun: false }, b'"') | (Self::Escaped, b'\t' | b' '..=b'~') => Some(Self::Quoted),
            (Self::Name { begun: true } | Self::Value { begun: true } | Self::QuoteClosed, b';') => {
                Some(Self::Name { begun: false })
            }
            (Self::Name { .. }, _) if field::is_token_byte(byte) => Some(Self::Name { begun: true }),
            (Self::Value { .. }, _) if field::is_token_byte(byte) => Some(Self::Value { begun: true }),
            (Self::Quoted, b'"') => Some(Self::QuoteClosed),
            (Self::Quoted, b'\\') => Some(Self::Escaped),
            (Self::Quoted, b'\t' | b' '..=b'~') => Some(Self::Quoted),
            _ => None,
        }
    }

    fn may_end(self) -> bool {
        matches!(self, Self::Name { begun: true } | Self::Value { begun: true } | Self::QuoteClosed)
    }
}
