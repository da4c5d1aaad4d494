//! Where a document and the requests of a zone disagree.

mod compare;
mod operations;
mod report;

pub(crate) use compare::{DriftError, compare};
pub use report::{DriftCounts, DriftFinding, DriftKind, DriftReport, NotComparedLine};
