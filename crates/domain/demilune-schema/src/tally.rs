//! How requests to one operation fit a document that is tried on them: counts, and no values.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::validate::{Verdict, Violation};

/// Counts of one operation's requests. The same requests give the same counts, in whatever order and over however many
/// gateways they come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were looked at.
    pub requests: u64,
    /// Those of them that do not fit.
    pub misfits: u64,
    /// Requests that were not looked at, since there was no room for their body.
    pub passed_over: u64,
    /// By what does not fit: in how many requests. Of more than [`Tally::FINDINGS_MAX`] the first in their order.
    findings: BTreeMap<Finding, u64>,
    /// Findings of requests that are not listed.
    unlisted: u64,
}

/// What does not fit, and where. It holds nothing that a client sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where in the document, as a JSON Pointer.
    pub document_place: String,
    /// The keyword, or what stands in its place.
    pub keyword: String,
    /// Where in the request, as a JSON Pointer in which `*` stands for every place of a list, and for names that the
    /// document does not know.
    pub request_place: String,
}

/// Bytes that are no tally.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no tally of requests")]
pub struct TallyError;

impl Tally {
    /// Most findings of an operation that are told apart: each is a keyword of the document that some request breaks.
    pub const FINDINGS_MAX: usize = 64;
    /// Most bytes of a place.
    const PLACE_BYTES_MAX: usize = 1_024;

    /// Counts a request.
    pub fn add(&mut self, verdict: &Verdict) {
        self.requests += 1;
        if verdict.is_valid() {
            return;
        }
        self.misfits += 1;
        let mut findings: Vec<_> = verdict.violations.iter().map(Finding::of).collect();
        findings.sort_unstable();
        // A list of a hundred wrong items is one finding.
        findings.dedup();
        for finding in findings {
            self.count(finding, 1);
        }
    }

    /// Counts a request that was not looked at.
    pub fn pass_over(&mut self) {
        self.passed_over += 1;
    }

    /// Adds the counts of other requests.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.misfits += other.misfits;
        self.passed_over += other.passed_over;
        self.unlisted += other.unlisted;
        for (finding, requests) in &other.findings {
            self.count(finding.clone(), *requests);
        }
    }

    /// What does not fit, with in how many requests, the most frequent first; and how many findings of requests are not
    /// listed.
    #[must_use]
    pub fn findings(&self) -> (Vec<(&Finding, u64)>, u64) {
        let mut findings: Vec<_> = self.findings.iter().map(|(finding, requests)| (finding, *requests)).collect();
        findings.sort_by_key(|(_, requests)| std::cmp::Reverse(*requests));
        (findings, self.unlisted)
    }

    /// The counts as text. Equal counts have equal texts.
    #[must_use]
    pub fn encode(&self) -> String {
        let finding = |(finding, requests): (&Finding, &u64)| {
            json!([finding.document_place, finding.keyword, finding.request_place, requests])
        };
        let findings: Vec<Value> = self.findings.iter().map(finding).collect();
        json!([1, self.requests, self.misfits, self.passed_over, self.unlisted, findings]).to_string()
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self, TallyError> {
        Self::read(text).ok_or(TallyError)
    }

    fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let [version, requests, misfits, passed_over, unlisted, listed] = value.as_array()?.as_slice() else {
            return None;
        };
        let [requests, misfits, passed_over, unlisted] =
            [requests.as_u64()?, misfits.as_u64()?, passed_over.as_u64()?, unlisted.as_u64()?];
        let mut findings = BTreeMap::new();
        for finding in listed.as_array()? {
            let [document_place, keyword, request_place, requests] = finding.as_array()?.as_slice() else {
                return None;
            };
            let [document_place, keyword, request_place] =
                [document_place.as_str()?, keyword.as_str()?, request_place.as_str()?].map(str::to_owned);
            findings.insert(Finding { document_place, keyword, request_place }, requests.as_u64()?);
        }
        let is_tally = version.as_u64() == Some(1) && findings.len() <= Self::FINDINGS_MAX && misfits <= requests;
        is_tally.then_some(Self { requests, misfits, passed_over, findings, unlisted })
    }

    /// Keeps the first findings of all in their order: one that is left out now would be left out of any sum as well.
    fn count(&mut self, finding: Finding, requests: u64) {
        if self.findings.len() >= Self::FINDINGS_MAX && !self.findings.contains_key(&finding) {
            let last = self.findings.last_entry().filter(|last| *last.key() > finding);
            let Some(last) = last else {
                self.unlisted += requests;
                return;
            };
            self.unlisted += last.remove();
        }
        *self.findings.entry(finding).or_default() += requests;
    }
}

impl Finding {
    fn of(violation: &Violation) -> Self {
        Self {
            document_place: cut(violation.document_place.clone()),
            keyword: violation.keyword.clone(),
            request_place: cut(without_indices(&violation.request_place)),
        }
    }
}

/// A pointer in which the places of lists are one.
fn without_indices(place: &str) -> String {
    let is_index = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    let steps: Vec<_> = place.split('/').map(|step| if is_index(step) { "*" } else { step }).collect();
    steps.join("/")
}

fn cut(mut place: String) -> String {
    place.truncate(place.floor_char_boundary(Tally::PLACE_BYTES_MAX));
    place
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdict(places: &[&str]) -> Verdict {
        let violation = |place: &&str| Violation {
            keyword: "type".to_owned(),
            request_place: (*place).to_owned(),
            document_place: "/paths".to_owned(),
        };
        Verdict { violations: places.iter().map(violation).collect(), has_more: false }
    }

    fn listed(tally: &Tally) -> Vec<(&str, u64)> {
        tally.findings().0.into_iter().map(|(finding, requests)| (finding.request_place.as_str(), requests)).collect()
    }

    #[test]
    fn a_request_counts_once_for_each_thing_that_does_not_fit() {
        let mut tally = Tally::default();
        for places in [&["/body/a/0/b", "/body/a/17/b"][..], &["/query/q", "/body/a/3/b"], &[]] {
            tally.add(&verdict(places));
        }
        tally.pass_over();
        assert_eq!((tally.requests, tally.misfits, tally.passed_over), (3, 2, 1));
        assert_eq!(listed(&tally), [("/body/a/*/b", 2), ("/query/q", 1)]);
    }

    #[test]
    fn only_so_many_findings_are_listed_and_the_others_are_counted() {
        let mut tally = Tally::default();
        for number in (0..300).rev() {
            tally.add(&verdict(&[&format!("/body/a{number:03}")]));
        }
        let (listed, unlisted) = tally.findings();
        assert_eq!((listed.len(), unlisted), (64, 236));
        assert!(listed.iter().all(|(finding, _)| finding.request_place.as_str() < "/body/a064"));
    }

    #[test]
    fn other_texts_are_no_tally() {
        for text in ["", "[]", "[2,0,0,0,0,[]]", "[1,0,1,0,0,[]]", "[1,0,0,0,0,[[1]]]", "[1,0,0,0,-1,[]]"] {
            assert_eq!(Tally::decode(text), Err(TallyError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole_in_any_order(numbers in prop::collection::vec((0..600_u32, any::<bool>()), 0..900)) {
            let (mut whole, mut one, mut other) = (Tally::default(), Tally::default(), Tally::default());
            for (number, first) in numbers {
                let verdict = verdict(&[&format!("/body/a{number}")]);
                whole.add(&verdict);
                if first { one.add(&verdict) } else { other.add(&verdict) }
            }
            let mut sum = other.clone();
            sum.merge(&one);
            one.merge(&other);
            prop_assert_eq!(&sum, &whole);
            prop_assert_eq!(&one, &whole);
            prop_assert_eq!(Tally::decode(&whole.encode()), Ok(whole));
        }
    }
}
