//! What was found in an uploaded document, as it looks on the wire (contract 6.7).

use demilune_schema::document::{KeywordReport, KeywordUse, Problem, Severity, Treatment};
use serde::Serialize;
use utoipa::ToSchema;

/// The number of a warning about a keyword that requests are checked against only roughly. Problems of documents have
/// smaller numbers.
const APPROXIMATED: u16 = 40;
/// The number of a warning about a keyword that changes nothing.
const IGNORED: u16 = 41;

/// What was found in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct UploadDetails {
    /// What does not keep the document from being used.
    warnings: Vec<UploadEvent>,
    /// What keeps it from being used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<UploadEvent>,
    /// What ended reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    critical: Option<CriticalEvent>,
}

/// Something that was found, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct UploadEvent {
    /// The kind: a number that stays.
    code: u16,
    /// A sentence.
    message: String,
    /// Where, such as `.paths["/pet/{petId}"].get.parameters[0]`; the first of them, where there are many.
    locations: Vec<String>,
}

/// What ended reading, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CriticalEvent {
    /// The kind: a number that stays.
    code: u16,
    /// A sentence.
    message: String,
    /// Where; empty for the document as a whole.
    location: String,
}

impl UploadDetails {
    /// Everything that was found. `is_used` says that the document is used all the same, so that nothing is an error.
    pub(super) fn new(problems: &[Problem], keywords: &KeywordReport, is_used: bool) -> Self {
        let mut details = Self::default();
        for problem in problems {
            match problem.severity {
                severity if is_used || severity == Severity::Warning => add(&mut details.warnings, problem),
                Severity::Critical if details.critical.is_none() => details.critical = Some(problem.into()),
                _ => add(&mut details.errors, problem),
            }
        }
        details.warnings.extend(keywords.uses.iter().filter_map(UploadEvent::of_keyword));
        details
    }

    /// A sentence with its first place for each kind of thing that keeps the document from being used.
    pub(super) fn sentences(&self) -> Vec<String> {
        let critical = self.critical.iter().map(|event| sentence(&event.message, &event.location));
        let errors = self.errors.iter();
        let errors = errors.map(|event| sentence(&event.message, event.locations.first().map_or("", String::as_str)));
        critical.chain(errors).collect()
    }

    /// A sentence with its first place for each warning, after its number.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = (u16, String)> {
        let place = |event: &UploadEvent| event.locations.first().cloned().unwrap_or_default();
        self.warnings.iter().map(move |event| (event.code, sentence(&event.message, &place(event))))
    }
}

/// One kind of thing in several places is one entry.
fn add(events: &mut Vec<UploadEvent>, problem: &Problem) {
    let (code, message) = (problem.code.number(), &problem.message);
    let location = Some(problem.location.clone()).filter(|location| !location.is_empty());
    if let Some(event) = events.iter_mut().find(|event| event.code == code && event.message == *message) {
        event.locations.extend(location);
        return;
    }
    events.push(UploadEvent { code, message: message.clone(), locations: location.into_iter().collect() });
}

impl UploadEvent {
    /// What is not done about a keyword; none if it is enforced.
    fn of_keyword(found: &KeywordUse) -> Option<Self> {
        let (code, treatment) = match found.treatment {
            Treatment::Enforced => return None,
            Treatment::Approximated => (APPROXIMATED, "is only checked roughly"),
            Treatment::Ignored => (IGNORED, "changes nothing"),
        };
        let message = format!("{} {treatment}: {}", found.keyword, found.reason);
        Some(Self { code, message, locations: found.places.clone() })
    }
}

impl From<&Problem> for CriticalEvent {
    fn from(problem: &Problem) -> Self {
        Self { code: problem.code.number(), message: problem.message.clone(), location: problem.location.clone() }
    }
}

fn sentence(message: &str, location: &str) -> String {
    if location.is_empty() { message.to_owned() } else { format!("{message} ({location})") }
}
