//! Why a place of a log holds no record.

use std::fmt;

/// Where in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A line, from 1.
    Line(u64),
    /// An entry of a HAR document, from 1.
    Entry(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Entry(number) => write!(f, "entry {number}"),
        }
    }
}

/// Why a place of a log holds no record; `Display` completes "line 7: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Defect {
    /// Not JSON, or not an object.
    #[error("it is no JSON object")]
    Json,
    /// The parts do not stand where the format has them.
    #[error("it does not have the form of the log")]
    Form,
    /// No time, or one that names no instant.
    #[error("it has no time with a date and an offset from UTC")]
    Time,
    /// Such as the bytes of a TLS handshake that came to a plain port.
    #[error("it has no method and path")]
    Request,
    /// Skipped unread.
    #[error("it is longer than 1 MiB")]
    TooLong,
    /// The HAR document is cut off or no JSON from here on.
    #[error("the document ends or breaks here")]
    Document,
}
