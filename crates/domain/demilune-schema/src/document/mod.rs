//! OpenAPI 3.0 and 3.1 documents, read with every problem found, and what is and is not enforced of them.

mod body;
mod describe;
mod limits;
mod operations;
mod parameter;
mod place;
mod problem;
mod read;
mod report;
mod schema;
mod servers;
mod text;

pub use describe::{Descriptions, OperationText};
pub use limits::{Limits, Options};
pub use problem::{Code, Problem, Severity};
pub use read::{Document, Operation, Read};
pub use report::{KeywordReport, KeywordUse, Treatment};

pub(crate) use schema::{integer_bounds, own_kinds, restricts, type_kinds};

/// The version of OpenAPI that a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 3.0, whose schemas are nearly JSON Schema.
    V30,
    /// 3.1, whose schemas are JSON Schema 2020-12.
    V31,
}
