//! How often requests did not fit: by operation, action and keyword.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use demilune_policy::rule::MitigationAction;
use demilune_schema::validate::Verdict;

use crate::observe::RecordKey;

/// Most counts, so that documents full of keywords cannot take all memory: a thousand operations with 16 keywords each,
/// for both actions.
const COUNTS_MAX: usize = 32_768;

/// Counts of one keyword.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ViolationCount {
    pub(crate) key: RecordKey,
    pub(crate) action: &'static str,
    pub(crate) keyword: String,
}

/// How often requests did not fit.
#[derive(Debug, Default)]
pub(crate) struct ViolationCounts {
    counts: Mutex<HashMap<ViolationCount, u64>>,
}

impl ViolationCounts {
    /// A request did not fit: each of its keywords counts once.
    pub(crate) fn add(&self, key: RecordKey, action: MitigationAction, verdict: &Verdict) {
        let mut keywords: Vec<&str> = verdict.violations.iter().map(|violation| violation.keyword.as_str()).collect();
        keywords.sort_unstable();
        keywords.dedup();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for keyword in keywords {
            let count = ViolationCount { key, action: action.as_str(), keyword: keyword.to_owned() };
            if counts.len() < COUNTS_MAX || counts.contains_key(&count) {
                *counts.entry(count).or_default() += 1;
            }
        }
    }

    /// The counts of operations that there are; those of others are forgotten.
    pub(crate) fn totals(&self, exists: impl Fn(&RecordKey) -> bool) -> Vec<(ViolationCount, u64)> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|count, _| exists(&count.key));
        counts.iter().map(|(count, number)| (count.clone(), *number)).collect()
    }
}
