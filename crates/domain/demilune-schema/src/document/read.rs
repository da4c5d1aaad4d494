//! A document as a whole: what it describes, what is wrong with it, and what of it is enforced.

use std::sync::Arc;

use demilune_inventory::{Host, OperationKey};
use serde_json::Value;

use super::{
    Code, KeywordReport, Limits, Options, Problem, Version,
    operations::{self, Described},
    place::Place,
    schema::{Library, compile},
    text::{self, TextError},
};
use crate::validate::{Schemas, Validator};

/// A document that can be enforced.
#[derive(Clone, Debug)]
pub struct Document {
    /// The version of OpenAPI that it is written in.
    pub version: Version,
    /// What it describes, ordered by key; each key stands once.
    pub operations: Vec<Operation>,
}

/// One operation of a document.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Method, host and endpoint.
    pub key: OperationKey,
    /// Where it is in the document, such as `.paths["/pets"].get`.
    pub location: Arc<str>,
    /// Checks requests to it. Operations that several servers repeat share one.
    pub validator: Validator,
}

/// What reading a document came to.
#[derive(Clone, Debug)]
pub struct Read {
    /// The document, unless a problem keeps it from being used.
    pub document: Option<Document>,
    /// Everything that is wrong with it, in the order in which it was found; [`Problem::PER_CODE_MAX`] of each kind.
    pub problems: Vec<Problem>,
    /// What of it is enforced.
    pub keywords: KeywordReport,
}

impl Document {
    /// Reads a document from JSON or YAML.
    #[must_use]
    pub fn read(bytes: &[u8], options: &Options) -> Read {
        let source = match text::read(bytes, &options.limits) {
            Ok(source) => source,
            Err(error) => return refused(&error, &options.limits),
        };
        let mut library = Library::new(&source, version(&source).unwrap_or(Version::V30), &options.limits);
        if let Err(sentence) = version(&source) {
            library.problem(Code::Version, &Place::At(""), sentence);
            return finish(library, None);
        }
        let Some(described) = operations::read(&mut library, &source, options) else { return finish(library, None) };
        library.rewrite_pending();
        if library.is_full() {
            let max = options.limits.schemas_max;
            let sentence = format!("it has more than {max} schemas, or too many ways from one to the next");
            library.problem(Code::Budget, &Place::At(""), sentence);
            return finish(library, None);
        }
        let schemas = compile(&mut library, &options.limits);
        finish(library, Some((described, schemas)))
    }

    /// The hosts of its operations, each once, in order.
    #[must_use]
    pub fn hosts(&self) -> Vec<&Host> {
        // Operations are ordered by host first.
        let mut hosts: Vec<&Host> = self.operations.iter().map(|operation| &operation.key.host).collect();
        hosts.dedup();
        hosts
    }
}

fn finish(library: Library<'_>, described: Option<(Vec<Described>, Schemas)>) -> Read {
    let version = library.version();
    let (problems, report) = library.into_findings();
    let described = described.filter(|_| !problems.forbid_use());
    let document = described.map(|(described, schemas)| {
        let schemas = Arc::new(schemas);
        let operations = described.into_iter().map(|described| Operation {
            key: described.key,
            location: described.location,
            validator: Validator::new(described.rules, Arc::clone(&schemas)),
        });
        Document { version, operations: operations.collect() }
    });
    Read { document, problems: problems.into_list(), keywords: report.finish() }
}

fn refused(error: &TextError, limits: &Limits) -> Read {
    let (code, message) = match error {
        TextError::TooLarge => (Code::TooLarge, format!("the document has more than {} bytes", limits.bytes_max)),
        TextError::TooMany => (Code::Budget, format!("the document has more than {} values", limits.values_max)),
        TextError::Unreadable(sentence) => (Code::Unreadable, sentence.clone()),
    };
    let problem = Problem { code, severity: code.severity(), message, location: String::new() };
    Read { document: None, problems: vec![problem], keywords: KeywordReport::default() }
}

fn version(source: &Value) -> Result<Version, &'static str> {
    if source.get("swagger").is_some() {
        return Err("this is a Swagger 2.0 document: convert it to OpenAPI 3 first");
    }
    // YAML makes a number of an unquoted 3.1.
    let version = source.get("openapi").map(Value::to_string).unwrap_or_default();
    let version = version.trim_matches('"');
    let is = |wanted: &str| version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    match () {
        () if is("3.0") => Ok(Version::V30),
        () if is("3.1") => Ok(Version::V31),
        () => Err("this is no OpenAPI 3.0 or 3.1 document: its member openapi must begin with 3.0 or 3.1"),
    }
}
