//! Documents that are tried on requests before they are put in force: what they are read from, and what came of it.

mod begin;
mod report;

pub(crate) use begin::{Candidate, TrialError, begin, end, show};
pub use report::{FoundMisfit, KeywordLine, ProblemLine, TrialReport, TriedOperation};
