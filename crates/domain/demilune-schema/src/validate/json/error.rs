//! Why bytes are not read as JSON.

use std::fmt;

/// Why bytes are not read as JSON, and where in the value it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    /// What is wrong.
    pub(crate) kind: JsonErrorKind,
    /// The way to the value in which it was found.
    pub(crate) steps: Vec<Step>,
}

/// What is wrong with bytes that are not read as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonErrorKind {
    /// They are not UTF-8.
    Encoding,
    /// They are no JSON text.
    Syntax,
    /// An object has two members of one name.
    Duplicate,
    /// Values are nested too deeply.
    Depth,
    /// A number lies beyond what a double holds.
    Number,
    /// There is more of it than can be addressed.
    Size,
}

/// One step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member of that name.
    Member(String),
    /// The item at that index, from 0 on.
    Item(u32),
}

impl JsonError {
    /// Where it was found, for a sentence: empty at the outermost value.
    pub(crate) fn place(&self) -> String {
        let steps = self.steps.iter().map(|step| match step {
            Step::Member(name) => format!("[{name:?}]"),
            Step::Item(index) => format!("[{index}]"),
        });
        let place: String = steps.collect();
        if place.is_empty() { place } else { format!(" at {place}") }
    }
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "it is not UTF-8",
            Self::Syntax => "it is not JSON",
            Self::Duplicate => "an object has two members of one name",
            Self::Depth => "it is nested too deeply",
            Self::Number => "a number is beyond what a double holds",
            Self::Size => "it is too large",
        })
    }
}
