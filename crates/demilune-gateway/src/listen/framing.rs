//! One reading of HTTP/1 requests, strict enough that no other server can read them differently (RFC 9112).
//!
//! Where the RFC lets a recipient repair a message, it is refused instead: what is passed has one request line, one
//! host, one body length. The readers do no I/O; they may be handed the bytes in pieces, and the pieces' borders never
//! change what is found.

mod authority;
mod chunk;
mod defect;
mod field;
mod head;
mod request_line;
#[cfg(test)]
mod tests;

pub use chunk::{Broken, ChunkReader};
pub use defect::Defect;
pub use head::{BodyFraming, Head, HeadReader};

/// How much of the parts that are read as a whole is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FramingLimits {
    /// Bytes of a request line with its fields and the empty line; at most [`FramingLimits::HEAD_BYTES_CAP`].
    pub head_bytes_max: usize,
    /// Fields of a head, and of a trailer section.
    pub headers_max: usize,
    /// Bytes of a chunk's size line with its extensions, without its CRLF.
    pub chunk_line_bytes_max: usize,
    /// Bytes of a trailer section; at most [`FramingLimits::TRAILER_BYTES_CAP`].
    pub trailer_bytes_max: usize,
}

impl FramingLimits {
    /// No limit raises a head above this: hyper refuses longer targets and names by itself, and the guard would have
    /// passed what hyper does not read.
    pub const HEAD_BYTES_CAP: usize = 65_536;
    /// No limit raises a trailer section above this: hyper refuses 16 KiB by itself.
    pub const TRAILER_BYTES_CAP: usize = 16_383;
}

impl Default for FramingLimits {
    fn default() -> Self {
        Self { head_bytes_max: 65_536, headers_max: 100, chunk_line_bytes_max: 256, trailer_bytes_max: 8_192 }
    }
}

/// The requests of one connection, one after the other: says how much of what arrived may go on.
#[derive(Debug)]
pub struct RequestStream {
    limits: FramingLimits,
    phase: Phase,
    /// An empty line before the awaited head was dropped.
    line_dropped: bool,
    /// The body that is being read belongs to a request for an upgrade.
    upgrade: bool,
    heads: u64,
}

/// What may go on, and why no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// So many leading bytes of the window may go on.
    pub bytes: usize,
    /// Why the bytes behind them may not.
    pub stop: Stop,
}

/// Why bytes are held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// More input must come first: the same bytes must be shown again with it.
    Hungry,
    /// The next two bytes are an empty line that must be left out ([`RequestStream::line_dropped`]).
    EmptyLine,
    /// The last request asked for another protocol ([`RequestStream::upgraded`], [`RequestStream::not_upgraded`]).
    Upgrade,
    /// The next head is refused; nothing behind it can be read.
    Head(Defect),
    /// The body that had begun is refused; nothing behind it can be read.
    Body(Defect),
}

#[derive(Debug)]
enum Phase {
    Head(HeadReader),
    Sized(u64),
    Chunked(ChunkReader),
    Upgrade,
    Upgraded,
    RefusedHead(Defect),
    RefusedBody(Defect),
}

impl RequestStream {
    /// The requests of a new connection.
    #[must_use]
    pub fn new(limits: FramingLimits) -> Self {
        Self { limits, phase: Phase::Head(HeadReader::default()), line_dropped: false, upgrade: false, heads: 0 }
    }

    /// How much of `window` may go on. The window begins with the first byte that has not gone on yet; asking twice
    /// about the same bytes is cheap and changes nothing.
    pub fn pass(&mut self, window: &[u8]) -> Passed {
        let mut bytes = 0;
        loop {
            let rest = &window[bytes..];
            match self.step(rest) {
                Ok(0) => return Passed { bytes, stop: Stop::Hungry },
                Ok(passed) => bytes += passed,
                Err((passed, stop)) => return Passed { bytes: bytes + passed, stop },
            }
        }
    }

    /// How many heads went on so far.
    #[must_use]
    pub fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether the next byte belongs to a head.
    #[must_use]
    pub fn awaits_head(&self) -> bool {
        matches!(self.phase, Phase::Head(_))
    }

    /// Whether no request is under way as far as its bytes go: the next is awaited, or the outcome of an upgrade.
    #[must_use]
    pub fn is_between(&self) -> bool {
        matches!(self.phase, Phase::Head(_) | Phase::Upgrade)
    }

    /// Whether the last request asked for another protocol and nothing was decided yet; its body may still be coming.
    #[must_use]
    pub fn awaits_upgrade(&self) -> bool {
        self.upgrade
    }

    /// Whether the bytes are another protocol's by now.
    #[must_use]
    pub fn is_upgraded(&self) -> bool {
        matches!(self.phase, Phase::Upgraded)
    }

    /// Notes that the caller took the empty line out of the window.
    pub fn line_dropped(&mut self) {
        self.line_dropped = true;
    }

    /// Notes that the connection speaks another protocol from here on: everything passes.
    pub fn upgraded(&mut self) {
        self.upgrade = false;
        self.phase = Phase::Upgraded;
    }

    /// Notes that the upgrade was declined: the next head follows.
    pub fn not_upgraded(&mut self) {
        self.upgrade = false;
        self.await_head();
    }

    fn step(&mut self, rest: &[u8]) -> Result<usize, (usize, Stop)> {
        match &mut self.phase {
            Phase::Head(_) => self.step_head(rest),
            Phase::Sized(left) => {
                let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                *left -= passed as u64;
                if *left == 0 {
                    self.end_body();
                }
                Ok(passed)
            }
            Phase::Chunked(reader) => match reader.advance(rest, &self.limits) {
                Ok(passed) => {
                    if reader.is_done() {
                        self.end_body();
                    }
                    Ok(passed)
                }
                Err(Broken { sound, defect }) => {
                    self.phase = Phase::RefusedBody(defect);
                    Err((sound, Stop::Body(defect)))
                }
            },
            Phase::Upgrade => Err((0, Stop::Upgrade)),
            Phase::Upgraded => Ok(rest.len()),
            Phase::RefusedHead(defect) => Err((0, Stop::Head(*defect))),
            Phase::RefusedBody(defect) => Err((0, Stop::Body(*defect))),
        }
    }

    fn step_head(&mut self, rest: &[u8]) -> Result<usize, (usize, Stop)> {
        let Phase::Head(reader) = &mut self.phase else { return Ok(0) };
        let read = match rest {
            [b'\r', b'\n', ..] if self.line_dropped => Err(Defect::EmptyLines),
            [b'\r', b'\n', ..] => return Err((0, Stop::EmptyLine)),
            [] | [b'\r'] => Ok(None),
            _ => reader.read(rest, &self.limits),
        };
        match read {
            Ok(Some(head)) => {
                self.begin_body(&head);
                Ok(head.bytes)
            }
            Ok(None) => Ok(0),
            Err(defect) => {
                self.phase = Phase::RefusedHead(defect);
                Err((0, Stop::Head(defect)))
            }
        }
    }

    fn begin_body(&mut self, head: &Head) {
        self.heads += 1;
        self.upgrade = head.upgrade;
        match head.body {
            BodyFraming::None => self.end_body(),
            BodyFraming::Length(length) => self.phase = Phase::Sized(length),
            BodyFraming::Chunked => self.phase = Phase::Chunked(ChunkReader::default()),
        }
    }

    fn end_body(&mut self) {
        if self.upgrade {
            self.phase = Phase::Upgrade;
        } else {
            self.await_head();
        }
    }

    fn await_head(&mut self) {
        self.phase = Phase::Head(HeadReader::default());
        self.line_dropped = false;
    }
}
