//! `demilune drift`: where a document and the requests of a zone disagree.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use demilune_control::manage::{Command, DriftFinding, DriftKind, DriftReport, Reply};

use super::{Managed, mismatch, read_document};
use crate::{
    config::Environment,
    failure::Failure,
    output::{self, Format},
};

/// The document and the requests disagree.
const CODE_DRIFT: u8 = 1;
/// Nothing was compared.
const CODE_TROUBLE: u8 = 2;
/// Most findings of a kind that are printed; JSON has more.
const SHOWN: usize = 40;

/// Say where an OpenAPI document and a zone's requests disagree
///
/// Compares which operations there are with the requests of the last ten days, and what they look like with those of the
/// last seven; only requests that were answered with 2xx count. Ends with 0 if they agree, with 1 if they do not, and with
/// 2 if they could not be compared.
#[derive(Args)]
pub(super) struct Drift {
    #[command(flatten)]
    managed: Managed,
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    /// The OpenAPI document, JSON or YAML
    #[arg(long, value_name = "FILE")]
    schema: PathBuf,
    /// What ends it with 1: all of them unless told
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KINDS", default_values_t = FailOn::ALL)]
    fail_on: Vec<FailOn>,
}

/// What may be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// The document forbids what the origin accepts
    Tighter,
    /// Seen, and not in the document
    Undocumented,
    /// In the document, and not seen
    Unseen,
    /// The document lets through what nobody sends
    Looser,
    /// Nothing
    None,
}

impl FailOn {
    const ALL: [Self; 4] = [Self::Tighter, Self::Undocumented, Self::Unseen, Self::Looser];

    const fn kind(self) -> Option<DriftKind> {
        match self {
            Self::Tighter => Some(DriftKind::Tighter),
            Self::Undocumented => Some(DriftKind::Undocumented),
            Self::Unseen => Some(DriftKind::Unseen),
            Self::Looser => Some(DriftKind::Looser),
            Self::None => None,
        }
    }
}

impl Drift {
    pub(super) fn run(self, environment: &Environment) -> ExitCode {
        match self.compare(environment) {
            Ok(false) => ExitCode::SUCCESS,
            Ok(true) => ExitCode::from(CODE_DRIFT),
            Err(failure) => {
                let _ = failure.report();
                ExitCode::from(CODE_TROUBLE)
            }
        }
    }

    /// Whether there is something to fail on.
    fn compare(self, environment: &Environment) -> Result<bool, Failure> {
        let format = self.managed.output;
        let source = read_document(&self.schema)?;
        let command = Command::Drift { zone: self.zone, source };
        let Reply::Drift(report) = self.managed.call(environment, command)? else { return mismatch() };
        match format {
            Format::Json => output::print_json(&report)?,
            Format::Table => output::print(&text(&report))?,
        }
        Ok(self.fail_on.iter().filter_map(|fail_on| fail_on.kind()).any(|kind| report.counts.of(kind) > 0))
    }
}

/// The report for people.
fn text(report: &DriftReport) -> String {
    let DriftReport { from, until, operations, operations_seen, operations_compared, requests, counts, .. } = report;
    let mut text = format!(
        "{operations_seen} of {operations} operations of the document had requests from {from} to {until}: {requests} answered \
         with 2xx. What the document says of requests was compared for {operations_compared}.\n"
    );
    for kind in DriftKind::ALL {
        let found: Vec<_> = report.findings.iter().filter(|finding| finding.kind == kind).collect();
        if counts.of(kind) == 0 {
            continue;
        }
        // Writing to a string does not fail, here and below.
        let _ = writeln!(text, "\n{} ({})", heading(kind), counts.of(kind));
        for finding in found.iter().take(SHOWN) {
            push_finding(&mut text, finding);
        }
        let more = counts.of(kind).saturating_sub(found.len().min(SHOWN) as u64);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more; --output json lists a thousand in all");
        }
    }
    if DriftKind::ALL.into_iter().all(|kind| counts.of(kind) == 0) {
        text.push_str("\nThey agree.\n");
    }
    push_rest(&mut text, report);
    text
}

const fn heading(kind: DriftKind) -> &'static str {
    match kind {
        DriftKind::Tighter => "Tighter than traffic: the document forbids what the origin accepts",
        DriftKind::Undocumented => "Seen, and not in the document",
        DriftKind::Unseen => "In the document, and not seen",
        DriftKind::Looser => "Looser than traffic: the document lets through what nobody sends",
    }
}

fn push_finding(text: &mut String, finding: &DriftFinding) {
    let DriftFinding { method, host, endpoint, place, keyword, message, .. } = finding;
    let place = place.as_ref().map_or_else(String::new, |place| format!(" {place}"));
    let keyword = keyword.as_ref().map_or_else(String::new, |keyword| format!(" {keyword}"));
    let _ = write!(text, "  {method} {host}{endpoint}{place}{keyword}\n      {message}");
    if finding.place.is_none() && finding.count > 0 {
        let _ = write!(text, " {} requests.", finding.count);
    }
    if let Some(since) = &finding.since {
        let _ = write!(text, " Since {since}.");
    }
    text.push('\n');
}

fn push_rest(text: &mut String, report: &DriftReport) {
    let lines = [
        (
            report.not_compared.len() as u64 + report.more_not_compared,
            "places of the document cannot be compared; --output json says why",
        ),
        (report.elsewhere, "operations with requests are on hosts that the document does not name, and were left out"),
        (report.ignored, "discovered operations are ignored, and were left out"),
        (report.problems.len() as u64, "problems were found in the document; --output json lists them"),
    ];
    let lines: Vec<_> =
        lines.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}.\n")).collect();
    if !lines.is_empty() {
        text.push('\n');
        text.push_str(&lines.concat());
    }
}
