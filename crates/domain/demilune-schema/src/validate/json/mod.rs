//! JSON as it is checked: read once into a flat list that borrows from the text, with nothing in it twice.

mod build;
mod error;
mod node;
mod numbers;
mod reader;
mod strings;
mod tape;

pub(crate) use build::Builder;
pub(crate) use error::{JsonError, JsonErrorKind, Step};
pub(crate) use node::{Format, Node};
pub(crate) use reader::{DEPTH_MAX, read};
pub(crate) use tape::Tape;
