//! What is wrong with a document, each with a code that stays, a sentence, and where it is.

use std::{collections::BTreeMap, fmt};

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind of problem.
    pub code: Code,
    /// What it means for the document.
    pub severity: Severity,
    /// A sentence that says what to change.
    pub message: String,
    /// Where it is, such as `.paths["/pet/{petId}"].get.parameters[0]`; empty for the document as a whole.
    pub location: String,
}

/// What a problem means for the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The document is used; something in it does not count, or counts in another way than its author may think.
    Warning,
    /// The document is not used.
    Error,
    /// The document is not used, and reading it ended here.
    Critical,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $severity:ident;)+) => {
        /// The kinds of problems. Numbers are never given to another kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every kind.
            pub const ALL: &[Code] = &[$(Code::$name,)+];

            /// The number by which programs know it.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Code::$name => $number,)+ }
            }

            /// What a problem of this kind means for the document.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity,)+ }
            }
        }
    };
}

codes! {
    /// More bytes than are read.
    TooLarge = 1, Critical;
    /// Neither JSON nor YAML.
    Unreadable = 2, Critical;
    /// No OpenAPI document of a version that is read.
    Version = 3, Critical;
    /// More operations, schemas, patterns or nesting than are taken on.
    Budget = 4, Critical;
    /// An object describes nothing that can be enforced.
    Empty = 5, Error;
    /// Something is not of the kind that OpenAPI wants there.
    Structure = 10, Error;
    /// A path that is no path template.
    Path = 11, Error;
    /// A method that no operation may have.
    Method = 12, Warning;
    /// A server without a host, or that is no HTTP URL.
    Server = 13, Error;
    /// Two operations with one method, host and endpoint.
    Repeated = 14, Error;
    /// A reference to something that is not there, or not in this document.
    Reference = 15, Error;
    /// References that lead back to themselves.
    Circle = 16, Error;
    /// A parameter that cannot be understood.
    Parameter = 20, Error;
    /// A variable of a path without its parameter, or the other way round.
    Variable = 21, Warning;
    /// A style that does not go with its place.
    Style = 22, Error;
    /// Two parameters with one name in one place.
    RepeatedParameter = 23, Error;
    /// A media type that is none.
    MediaType = 24, Error;
    /// A schema that is none.
    Schema = 30, Error;
    /// A schema that takes too much work for one value.
    Cost = 31, Error;
    /// A keyword whose form belongs to another version of OpenAPI; it is taken as meant.
    Form = 32, Warning;
}

impl Problem {
    /// How many of one kind are listed: more than anybody reads.
    pub const PER_CODE_MAX: usize = 100;
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.location.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.location, self.message)
    }
}

/// The problems of one document, at most so many of each kind.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    counts: BTreeMap<Code, usize>,
}

impl Problems {
    pub(super) fn add(&mut self, code: Code, location: String, message: impl Into<String>) {
        let count = self.counts.entry(code).or_default();
        *count += 1;
        if *count <= Problem::PER_CODE_MAX {
            self.found.push(Problem { code, severity: code.severity(), message: message.into(), location });
        }
    }

    /// Whether the document is not used.
    pub(super) fn forbid_use(&self) -> bool {
        self.found.iter().any(|problem| problem.severity > Severity::Warning)
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.found
    }
}
