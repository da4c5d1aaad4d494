//! Requests of logs judged by a document, as a gateway would judge them, as far as the logs tell.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use demilune_control::manage::{KeywordLine, ProblemLine, TrialReport};
use demilune_inventory::{Host, NormalizedPath, OperationId, Variables};
use demilune_policy::{
    Check, Facts, OnTrial, Ruleset, SessionKey, canonical_host, recognize,
    rule::{OperationRule, ZoneRules, ZoneSettings},
};
use demilune_schema::{
    Tally,
    document::{Document, Options, Read, Severity},
    validate::{Content, RequestParts, Verdict},
};
use serde::Serialize;

use crate::traffic_log::{Defect, Format, Input, LogRecord};

/// Why requests cannot be checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// A file is not there, or may not be read.
    #[error("{0} cannot be read")]
    File(PathBuf, #[source] io::Error),
    /// The document cannot be used; the text says why.
    #[error("{0} cannot be used: {1}")]
    Document(PathBuf, String),
    /// Neither HAR nor lines of JSON, nor one of the formats of access logs.
    #[error(
        "{0} has no format that is known; HAR and lines of JSON are best, since they can hold header fields and bodies"
    )]
    Format(PathBuf),
    /// No document has so many operations.
    #[error("the operations of the document cannot be told apart")]
    Operations,
}

/// What came of it.
#[derive(Serialize)]
pub(crate) struct CheckReport {
    #[serde(flatten)]
    pub(crate) report: TrialReport,
    /// Requests to hosts of the document that none of its operations fits.
    pub(crate) unmatched: u64,
    /// Requests to other hosts, and without one.
    pub(crate) other_hosts: u64,
    /// Places of the files that hold no request.
    pub(crate) unread: u64,
    /// Requests of which the file holds neither the header fields nor the body, so that only path and query were looked at.
    pub(crate) without_headers: u64,
}

/// A document that requests are judged by.
pub(crate) struct Checker {
    ruleset: Ruleset,
    hosts: demilune_inventory::HostTable<()>,
    tallies: Vec<Tally>,
    keywords: Vec<KeywordLine>,
    problems: Vec<ProblemLine>,
    only_successful: bool,
    /// Nothing is identified; it has to be something.
    key: SessionKey,
    variables: Variables,
    unmatched: u64,
    other_hosts: u64,
    unread: u64,
    without_headers: u64,
}

impl Checker {
    /// Reads the document; `host` is that of servers whose URL names none.
    pub(crate) fn new(path: &Path, host: Option<Host>, only_successful: bool) -> Result<Self, CheckError> {
        let source = std::fs::read(path).map_err(|error| CheckError::File(path.to_owned(), error))?;
        let Read { document, problems, keywords } = Document::read(&source, &Options { host, ..Options::default() });
        let Some(document) = document else {
            let errors = problems.iter().filter(|problem| problem.severity > Severity::Warning);
            let sentences = errors.map(|problem| format!("{} ({})", problem.message, problem.location)).take(20);
            return Err(CheckError::Document(path.to_owned(), sentences.collect::<Vec<_>>().join("; ")));
        };
        let hosts = demilune_inventory::HostTable::build(
            document.operations.iter().map(|operation| (operation.key.host.clone(), ())),
        );
        Ok(Self {
            ruleset: ruleset(&document)?,
            hosts,
            tallies: vec![Tally::default(); document.operations.len()],
            keywords: KeywordLine::of(&keywords),
            problems: ProblemLine::of(&problems),
            only_successful,
            key: SessionKey::new([0; 16]),
            variables: Variables::default(),
            unmatched: 0,
            other_hosts: 0,
            unread: 0,
            without_headers: 0,
        })
    }

    /// Judges the requests of a file.
    pub(crate) fn check_file(&mut self, path: &Path) -> Result<(), CheckError> {
        let unreadable = |error| CheckError::File(path.to_owned(), error);
        let input = File::open(path).and_then(Input::of).map_err(unreadable)?;
        if input.is_empty() {
            return Ok(());
        }
        let format = input.guessed().cloned().ok_or_else(|| CheckError::Format(path.to_owned()))?;
        let read = input.read(&format, |_, record: Result<LogRecord, Defect>| {
            match record {
                Ok(record) => self.check(&record, &format),
                Err(_) => self.unread += 1,
            }
            Ok::<_, io::Error>(())
        });
        read.map(drop).map_err(unreadable)
    }

    /// What came of all files.
    pub(crate) fn finish(self) -> CheckReport {
        let operations = self.ruleset.operations();
        let counted = operations.iter().zip(&self.tallies).filter(|(_, tally)| tally.requests > 0);
        let counted = counted.map(|(operation, tally)| (&operation.key, None, tally));
        CheckReport {
            report: TrialReport::new(counted, operations.len(), self.keywords, self.problems),
            unmatched: self.unmatched,
            other_hosts: self.other_hosts,
            unread: self.unread,
            without_headers: self.without_headers,
        }
    }

    fn check(&mut self, record: &LogRecord, format: &Format) {
        if self.only_successful && !record.status.is_some_and(|status| (200..300).contains(&status)) {
            return;
        }
        let Some(host) = record.host.as_deref().map(canonical_host) else {
            self.other_hosts += 1;
            return;
        };
        if self.hosts.find(&host).is_none() {
            self.other_hosts += 1;
            return;
        }
        let path = NormalizedPath::from_live(record.path_only().as_bytes());
        let facts = Facts { method: &record.method, host: &host, path: record.path_only(), headers: &record.headers };
        let found = recognize(&self.ruleset, &facts, &self.key, &mut self.variables);
        let operation = found.operation.filter(|_| !found.preflight).map(|found| found.operation);
        let (Some(operation), Ok(path)) = (operation, path) else {
            self.unmatched += u64::from(!found.preflight);
            return;
        };
        let knows = Knows::of(record, format);
        self.without_headers += u64::from(!knows.headers);
        let check = self.ruleset.check(operation).and_then(|check| check.on_trial.as_ref());
        let tally = self.tallies.get_mut(operation as usize);
        if let (Some(on_trial), Some(tally)) = (check, tally) {
            let variables: Vec<&str> = self.variables.iter().filter_map(|range| path.as_str().get(range)).collect();
            let query = record.path.split_once('?').map(|(_, query)| query);
            let content = match &record.request_body {
                Some(body) if !body.is_empty() && on_trial.validator.reads_content(&record.headers) => {
                    Content::Whole(body)
                }
                Some(body) if !body.is_empty() => Content::NotRead,
                _ => Content::None,
            };
            let parts = RequestParts { variables: &variables, query, headers: &record.headers, content };
            tally.add(&knows.what_is_certain(on_trial.validator.validate(&parts)));
        }
    }
}

/// What a file holds of a request beside method, host and path.
#[derive(Clone, Copy, Debug)]
struct Knows {
    headers: bool,
    body: bool,
}

impl Knows {
    fn of(record: &LogRecord, format: &Format) -> Self {
        let is_whole = matches!(format, Format::Har);
        let has_type = record.headers.contains_key(http::header::CONTENT_TYPE);
        Self { headers: is_whole, body: is_whole || (record.request_body.is_some() && has_type) }
    }

    /// Leaves out what may only be missing in the file.
    fn what_is_certain(self, mut verdict: Verdict) -> Verdict {
        verdict.violations.retain(|violation| {
            let place = violation.request_place.as_str();
            if place.starts_with("/body") || place == "/header/content-type" {
                return self.body;
            }
            let is_header = place.starts_with("/header") || place.starts_with("/cookie");
            !is_header || self.headers || violation.keyword != "required"
        });
        verdict
    }
}

fn ruleset(document: &Document) -> Result<Ruleset, CheckError> {
    let rule = |(number, operation): (usize, &demilune_schema::document::Operation)| {
        let id: OperationId =
            format!("00000000-0000-7000-8000-{number:012}").parse().map_err(|_| CheckError::Operations)?;
        Ok(OperationRule { id, key: operation.key.clone(), route: None })
    };
    let rules = ZoneRules {
        zone: "0".repeat(32).parse().map_err(|_| CheckError::Operations)?,
        revision: 0,
        operations: document.operations.iter().enumerate().map(rule).collect::<Result<_, _>>()?,
        origins: Vec::new(),
        session_identifiers: Vec::new(),
        settings: ZoneSettings::default(),
    };
    let trial: Arc<str> = Arc::from("");
    Ok(Ruleset::with_checks(rules, |rule| {
        let place = document.operations.binary_search_by(|operation| operation.key.cmp(&rule.key)).ok()?;
        let validator = document.operations[place].validator.clone();
        Some(Check { in_force: None, on_trial: Some(OnTrial { trial: Arc::clone(&trial), validator }) })
    }))
}
