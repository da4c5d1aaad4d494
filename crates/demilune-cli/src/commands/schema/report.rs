//! What came of trying a document on requests, for people.

use std::fmt::Write;

use demilune_control::manage::{KeywordLine, TrialReport, TriedOperation};

/// Most operations whose findings are printed; JSON has more.
const OPERATIONS_SHOWN: usize = 50;
/// Most findings of an operation that are printed.
const FINDINGS_SHOWN: usize = 10;

/// The report, from the operations that fit least to the keywords of the document.
pub(super) fn text(report: &TrialReport) -> String {
    let mut text = String::new();
    // Writing to a string does not fail, here and below.
    let _ = writeln!(
        text,
        "{} requests, of which {} do not fit{}; {} operations of the document had none.",
        report.requests,
        report.misfits,
        passed_over(report.passed_over),
        report.without_requests,
    );
    let misfits: Vec<_> = report.operations.iter().filter(|operation| operation.misfits > 0).collect();
    for operation in misfits.iter().take(OPERATIONS_SHOWN) {
        push_operation(&mut text, operation);
    }
    let more = misfits.len().saturating_sub(OPERATIONS_SHOWN);
    if more > 0 {
        let _ = writeln!(text, "\n{more} more operations have requests that do not fit; --output json lists them.");
    }
    push_problems(&mut text, report);
    push_keywords(&mut text, &report.keywords);
    text
}

fn passed_over(requests: u64) -> String {
    if requests == 0 { String::new() } else { format!(", and {requests} were not looked at for want of room") }
}

fn push_operation(text: &mut String, operation: &TriedOperation) {
    let TriedOperation { method, host, endpoint, requests, misfits, .. } = operation;
    let _ = writeln!(text, "\n{method} {host}{endpoint}: {misfits} of {requests} do not fit");
    for finding in operation.findings.iter().take(FINDINGS_SHOWN) {
        let _ = writeln!(
            text,
            "  {:>8}  {:<20} {}  (document: {})",
            finding.requests, finding.keyword, finding.request_place, finding.document_place
        );
    }
    let hidden = operation.findings.len().saturating_sub(FINDINGS_SHOWN);
    if hidden > 0 {
        let _ = writeln!(text, "  and {hidden} more keywords; --output json lists them");
    }
}

fn push_problems(text: &mut String, report: &TrialReport) {
    if report.problems.is_empty() {
        return;
    }
    text.push_str("\nProblems of the document:\n");
    for problem in &report.problems {
        let _ = writeln!(text, "  {} {}: {} {}", problem.severity, problem.code, problem.message, problem.location);
    }
}

fn push_keywords(text: &mut String, keywords: &[KeywordLine]) {
    text.push_str("\nKeywords of the document:\n");
    let enforced: Vec<_> = keywords.iter().filter(|line| line.treatment == "enforced").collect();
    let list: Vec<_> = enforced.iter().map(|line| format!("{} ({})", line.keyword, line.count)).collect();
    let _ = writeln!(text, "  enforced: {}", if list.is_empty() { "none".to_owned() } else { list.join(", ") });
    for line in keywords.iter().filter(|line| line.treatment != "enforced") {
        let KeywordLine { keyword, treatment, reason, count, place } = line;
        let _ = writeln!(text, "  {treatment}: {keyword} ({count}): {reason}; first at {place}");
    }
}
