//! What came of trying a document on requests, in the one shape that the API, the commands and their JSON share.

use demilune_inventory::{OperationId, OperationKey};
use demilune_schema::{
    Tally,
    document::{KeywordReport, Problem, Severity, Treatment},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most operations that are listed.
const OPERATIONS_MAX: usize = 1_000;

/// What came of trying a document on requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialReport {
    /// Requests to the operations of the document.
    pub requests: u64,
    /// Those of them that do not fit.
    pub misfits: u64,
    /// Requests that were not looked at, since there was no room for their body.
    pub passed_over: u64,
    /// Those with requests: most that do not fit first, then most requests.
    pub operations: Vec<TriedOperation>,
    /// How many more of those there are.
    pub more_operations: u64,
    /// Operations of the document without a request.
    pub without_requests: u64,
    /// What is done about the keywords of the document.
    pub keywords: Vec<KeywordLine>,
    /// What is wrong with the document.
    pub problems: Vec<ProblemLine>,
}

/// What came of trying a document on the requests to one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TriedOperation {
    /// Its id; absent where requests of a file were looked at.
    pub operation_id: Option<String>,
    /// The request method.
    pub method: String,
    /// The host or host pattern.
    pub host: String,
    /// The path template.
    pub endpoint: String,
    /// Requests that were looked at.
    pub requests: u64,
    /// Those of them that do not fit.
    pub misfits: u64,
    /// Requests that were not looked at, since there was no room for their body.
    pub passed_over: u64,
    /// What does not fit, most requests first.
    pub findings: Vec<FoundMisfit>,
    /// In how many requests something else does not fit, which is not listed.
    pub more_findings: u64,
}

/// A keyword that requests do not keep to, and where. It holds no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundMisfit {
    /// The keyword, or what stands in its place.
    pub keyword: String,
    /// Where in the request, as a JSON Pointer; `*` for any place of a list and for names that the document does not know.
    pub request_place: String,
    /// Where in the document, as a JSON Pointer.
    pub document_place: String,
    /// In how many requests.
    pub requests: u64,
}

/// What is done about a keyword of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeywordLine {
    /// The keyword.
    pub keyword: String,
    /// `enforced`, `approximated` or `ignored`.
    pub treatment: String,
    /// Why it is not enforced as it stands; empty if it is.
    pub reason: String,
    /// In how many places it stands.
    pub count: usize,
    /// The first of them.
    pub place: String,
}

/// Something that is wrong with the document, without keeping it from being used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemLine {
    /// The kind: a number that stays.
    pub code: u16,
    /// `warning`, or `error` where it keeps the document from being used.
    pub severity: String,
    /// A sentence.
    pub message: String,
    /// Where, such as `.paths["/pets"].get`.
    pub location: String,
}

impl TrialReport {
    /// What was counted of the operations of a document, each once, with its id where it has one.
    pub fn new<'t>(
        counted: impl IntoIterator<Item = (&'t OperationKey, Option<OperationId>, &'t Tally)>,
        operations: usize,
        keywords: Vec<KeywordLine>,
        problems: Vec<ProblemLine>,
    ) -> Self {
        let mut report = Self { keywords, problems, ..Self::default() };
        for (key, id, tally) in counted {
            report.requests += tally.requests;
            report.misfits += tally.misfits;
            report.passed_over += tally.passed_over;
            report.operations.push(TriedOperation::new(key, id, tally));
        }
        report.without_requests = operations.saturating_sub(report.operations.len()) as u64;
        report
            .operations
            .sort_by(|one, other| other.order().cmp(&one.order()).then_with(|| one.name().cmp(&other.name())));
        report.more_operations = report.operations.len().saturating_sub(OPERATIONS_MAX) as u64;
        report.operations.truncate(OPERATIONS_MAX);
        report
    }
}

impl TriedOperation {
    fn new(key: &OperationKey, id: Option<OperationId>, tally: &Tally) -> Self {
        let (findings, more_findings) = tally.findings();
        let found = findings.into_iter().map(|(finding, requests)| FoundMisfit {
            keyword: finding.keyword.clone(),
            request_place: finding.request_place.clone(),
            document_place: finding.document_place.clone(),
            requests,
        });
        Self {
            operation_id: id.map(|id| id.to_string()),
            method: key.method.as_str().to_owned(),
            host: key.host.to_string(),
            endpoint: key.endpoint.to_string(),
            requests: tally.requests,
            misfits: tally.misfits,
            passed_over: tally.passed_over,
            findings: found.collect(),
            more_findings,
        }
    }

    fn order(&self) -> (u64, u64) {
        (self.misfits, self.requests)
    }

    fn name(&self) -> (&str, &str, &str) {
        (&self.host, &self.endpoint, &self.method)
    }
}

impl KeywordLine {
    /// The lines of a report.
    #[must_use]
    pub fn of(report: &KeywordReport) -> Vec<Self> {
        let line = |found: &demilune_schema::document::KeywordUse| Self {
            keyword: found.keyword.clone(),
            treatment: match found.treatment {
                Treatment::Enforced => "enforced",
                Treatment::Approximated => "approximated",
                Treatment::Ignored => "ignored",
            }
            .to_owned(),
            reason: found.reason.to_owned(),
            count: found.count,
            place: found.places.first().cloned().unwrap_or_default(),
        };
        report.uses.iter().map(line).collect()
    }
}

impl ProblemLine {
    /// The lines of these problems.
    #[must_use]
    pub fn of(problems: &[Problem]) -> Vec<Self> {
        let line = |problem: &Problem| Self {
            code: problem.code.number(),
            severity: if problem.severity == Severity::Warning { "warning" } else { "error" }.to_owned(),
            message: problem.message.clone(),
            location: problem.location.clone(),
        };
        problems.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use demilune_schema::validate::{Verdict, Violation};

    use super::*;

    fn key(text: &str) -> OperationKey {
        let endpoint = text.parse().unwrap();
        OperationKey { method: "GET".parse().unwrap(), host: "a.example".parse().unwrap(), endpoint }
    }

    fn tally(requests: u64, misfits: u64) -> Tally {
        let mut tally = Tally::default();
        for number in 0..requests {
            let violation = Violation {
                keyword: "type".to_owned(),
                request_place: "/query/q".to_owned(),
                document_place: "/paths".to_owned(),
            };
            let violations = if number < misfits { vec![violation] } else { Vec::new() };
            tally.add(&Verdict { violations, has_more: false });
        }
        tally
    }

    #[test]
    fn what_fits_least_comes_first() {
        let counted = [("/a", tally(9, 0)), ("/b", tally(5, 2)), ("/c", tally(7, 2)), ("/d", tally(9, 0))];
        let counted: Vec<_> = counted.into_iter().map(|(endpoint, tally)| (key(endpoint), tally)).collect();
        let rows = counted.iter().map(|(key, tally)| (key, None, tally));
        let report = TrialReport::new(rows, 6, Vec::new(), Vec::new());
        let order: Vec<_> = report.operations.iter().map(|tried| tried.endpoint.as_str()).collect();
        assert_eq!(order, ["/c", "/b", "/a", "/d"]);
        assert_eq!((report.requests, report.misfits, report.without_requests), (30, 4, 2));
        assert_eq!(report.operations[0].findings[0].requests, 2);
    }
}
