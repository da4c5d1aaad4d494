//! Access logs of other servers, and of our own gateway: read as a stream of requests with their times, headers and
//! answers.
//!
//! [`Input`] takes compression off, tells the format from the beginning and hashes what is read; [`read()`] gives each
//! record, or says why a place holds none. What does not hold together is counted by the caller and never ends the
//! reading.

mod clf;
mod defect;
mod escape;
mod format;
mod har;
mod input;
mod json_lines;
mod lines;
mod log_format;
#[cfg(test)]
mod never_panics;
mod read;
mod record;
mod request_line;
mod time;

pub(crate) use defect::{Defect, Place};
pub(crate) use format::Format;
pub(crate) use input::{Input, ReadLog};
pub(crate) use log_format::{LogFormat, LogFormatError};
pub(crate) use read::read;
pub(crate) use record::LogRecord;
