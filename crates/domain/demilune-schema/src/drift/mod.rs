//! Where what a document says of an operation differs from what was sent to it.
//!
//! [`compare`] takes the document's own words and the [`Evidence`] of traffic. What a document
//! allows beyond traffic is measured by the rules of learned schemas; what it would refuse, by what was counted of
//! requests that were answered with 2xx. Evidence holds classes, histograms and few values: what it cannot tell is among
//! [`Comparison::not_compared`], and a count says whether it is exact. Names and values that fewer than five callers sent
//! are in no answer.

mod body;
mod bounds;
mod difference;
mod findings;
mod format;
mod members;
mod parameters;
mod parts;
mod presence;
mod spot;
#[cfg(test)]
mod testing;
mod types;
mod values;

pub use difference::{Comparison, Counted, Difference, Kind, NotCompared};

use self::findings::Findings;
use crate::{
    document::OperationText,
    learn::{Evidence, Profile, Shown},
};

/// Compares what a document says of one operation's requests with what was seen of them. `variables` are the endpoint's
/// own names of its variables in their order, by which places are called; the document's are matched by theirs.
#[must_use]
pub fn compare(text: &OperationText, evidence: &Evidence, variables: &[&str]) -> Comparison {
    let shown = Shown::of(evidence, variables, Profile::Document);
    let mut findings = Findings::default();
    if !evidence.is_empty() {
        parameters::compare(text, evidence, variables, shown.as_ref(), &mut findings);
        body::compare(text.request_body.as_ref(), evidence, shown.as_ref(), &mut findings);
    }
    findings.finish(evidence.requests(), evidence.bodies())
}
