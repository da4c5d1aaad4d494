//! JSON as it is checked: read once into a flat list that borrows from the text, with nothing in it twice.

mod build;
mod node;
mod reader;
mod strings;
mod tape;

pub(crate) use build::Builder;
pub(crate) use node::{Format, Node};
pub(crate) use reader::{DEPTH_MAX, JsonError, JsonErrorKind, Step, read};
pub(crate) use tape::Tape;
