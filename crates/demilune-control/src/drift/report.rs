//! Where a document and requests disagree, in the one shape that the API, the command and its JSON share.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::trial::ProblemLine;

/// Most findings that are listed, and most places that could not be compared: more than anybody reads.
const LISTED_MAX: usize = 1_000;

/// How a document and requests disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// The origin accepts what the document forbids.
    Tighter,
    /// Requests have what the document does not know.
    Undocumented,
    /// The document describes what no request has.
    Unseen,
    /// The document lets through what no request has.
    Looser,
}

/// Where a document and the requests of a zone disagree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriftReport {
    /// From when on requests to operations were looked at; what they look like is known of the last seven days.
    pub from: String,
    /// Up to when.
    pub until: String,
    /// Operations of the document.
    pub operations: u64,
    /// Those of them with requests that were answered with 2xx.
    pub operations_seen: u64,
    /// Those of them whose requests were compared with what the document says of them.
    pub operations_compared: u64,
    /// Requests to them that were answered with 2xx.
    pub requests: u64,
    /// How many findings there are of each kind.
    pub counts: DriftCounts,
    /// What was found: what is tighter than traffic first, then what is undocumented, unseen, and looser.
    pub findings: Vec<DriftFinding>,
    /// How many more there are.
    pub more_findings: u64,
    /// What of the document cannot be compared with what is kept of requests.
    pub not_compared: Vec<NotComparedLine>,
    /// How many more such places there are.
    pub more_not_compared: u64,
    /// Operations with requests on hosts that the document does not name; they were not looked at.
    pub elsewhere: u64,
    /// Discovered operations that somebody said to ignore; they were left out.
    pub ignored: u64,
    /// What is wrong with the document.
    pub problems: Vec<ProblemLine>,
}

/// How many findings there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriftCounts {
    /// The origin accepts what the document forbids.
    pub tighter: u64,
    /// Requests have what the document does not know.
    pub undocumented: u64,
    /// The document describes what no request has.
    pub unseen: u64,
    /// The document lets through what no request has.
    pub looser: u64,
}

/// One place where a document and requests disagree. It holds no value that fewer than five callers sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriftFinding {
    /// How they disagree.
    pub kind: DriftKind,
    /// The request method.
    pub method: String,
    /// The host or host pattern.
    pub host: String,
    /// The path template.
    pub endpoint: String,
    /// The saved operation, if it is one.
    pub operation_id: Option<String>,
    /// The discovered operation, if nobody saved it.
    pub discovered_id: Option<String>,
    /// Where in requests, such as `/query/lang`; absent where it is about the operation as a whole.
    pub place: Option<String>,
    /// Where in what the document says of the operation, with references put in: a JSON Pointer.
    pub location: Option<String>,
    /// The keyword of the document; absent where it is about the operation as a whole.
    pub keyword: Option<String>,
    /// What the document says.
    pub documented: Option<Value>,
    /// What requests say.
    pub seen: Option<Value>,
    /// In a sentence.
    pub message: String,
    /// How many requests, bodies or values it rests on.
    pub count: u64,
    /// How sure that is: `exactly`, `at least` or `at most`.
    pub counted: String,
    /// Of how many.
    pub of: u64,
    /// Of so many callers at least, where that is known; five are told apart.
    pub callers_at_least: Option<u64>,
    /// When it was seen first, in the hours that are kept.
    pub first_seen: Option<String>,
    /// When it was seen last.
    pub last_seen: Option<String>,
    /// Since when it is so: since it was seen first or, for what is unseen, since it was seen last or, if it never was, since
    /// when requests were looked at.
    pub since: Option<String>,
}

/// What of a document cannot be compared with what is kept of requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotComparedLine {
    /// The request method.
    pub method: String,
    /// The host or host pattern.
    pub host: String,
    /// The path template.
    pub endpoint: String,
    /// Where in requests.
    pub place: String,
    /// The keyword of the document.
    pub keyword: String,
    /// Why.
    pub reason: String,
}

impl DriftKind {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Tighter, Self::Undocumented, Self::Unseen, Self::Looser];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tighter => "tighter",
            Self::Undocumented => "undocumented",
            Self::Unseen => "unseen",
            Self::Looser => "looser",
        }
    }
}

impl DriftCounts {
    /// Those of one kind.
    #[must_use]
    pub const fn of(&self, kind: DriftKind) -> u64 {
        match kind {
            DriftKind::Tighter => self.tighter,
            DriftKind::Undocumented => self.undocumented,
            DriftKind::Unseen => self.unseen,
            DriftKind::Looser => self.looser,
        }
    }

    fn count(&mut self, kind: DriftKind) {
        let counted = match kind {
            DriftKind::Tighter => &mut self.tighter,
            DriftKind::Undocumented => &mut self.undocumented,
            DriftKind::Unseen => &mut self.unseen,
            DriftKind::Looser => &mut self.looser,
        };
        *counted += 1;
    }
}

impl DriftReport {
    /// Counts a finding, and keeps it if there are not too many of its kind.
    pub(super) fn add(&mut self, finding: DriftFinding) {
        let (kind, is_listed) = (finding.kind, self.lists_more(finding.kind));
        self.findings.extend(is_listed.then_some(finding));
        self.counts.count(kind);
    }

    /// Whether another finding of a kind would be kept.
    pub(super) fn lists_more(&self, kind: DriftKind) -> bool {
        self.counts.of(kind) < LISTED_MAX as u64
    }

    /// Notes what could not be compared, if there is not too much of it.
    pub(super) fn add_not_compared(&mut self, line: NotComparedLine) {
        if self.not_compared.len() < LISTED_MAX {
            self.not_compared.push(line);
        } else {
            self.more_not_compared += 1;
        }
    }

    /// Puts what was found in order, and keeps as much as is listed.
    pub(super) fn finish(mut self) -> Self {
        self.findings.sort_by(|one, other| one.order().cmp(&other.order()));
        self.findings.truncate(LISTED_MAX);
        let found: u64 = DriftKind::ALL.into_iter().map(|kind| self.counts.of(kind)).sum();
        // Those that an operation had too many of are counted by number alone.
        self.more_findings += found - self.findings.len() as u64;
        self
    }
}

impl DriftFinding {
    fn order(&self) -> impl Ord {
        let Self { kind, method, host, endpoint, place, keyword, .. } = self;
        (*kind, host, endpoint, method, place, keyword)
    }
}
