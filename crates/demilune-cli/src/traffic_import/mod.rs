//! Requests of access logs, counted as the gateway counts its own: matched to the operations of a zone, summed by
//! operation and five minutes, learned from, seen for discovery where no operation matches, and sent to the store as what
//! one source has counted.

mod advice;
mod counts;
mod lessons;
mod recognizer;
mod send;
mod session_by;
mod spill;
mod strays;
mod summary;
mod tally;

pub(crate) use advice::{Hints, UNKNOWN_FORMAT, nothing_usable, remark};
pub(crate) use counts::{Broken, Clock, CountError, Counts, FileCounts, count};
pub(crate) use recognizer::Recognizer;
pub(crate) use send::{Origin, Stored, send};
pub(crate) use session_by::SessionBy;
pub(crate) use summary::{FileReport, Summary};
