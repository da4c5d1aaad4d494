//! What is counted of documents that are tried on requests.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use demilune_schema::{Tally, validate::Verdict};

use crate::observe::RecordKey;

/// The counts of one operation in one trial. Names of trials are UUIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialCounts {
    /// The zone and the operation.
    pub key: RecordKey,
    /// The trial.
    pub trial: Arc<str>,
    /// Everything that was counted since it began.
    pub tally: Tally,
}

/// What is counted of documents that are tried: at most [`Tally::FINDINGS_MAX`] things for each operation.
#[derive(Debug, Default)]
pub struct Trials {
    counts: Mutex<HashMap<(RecordKey, Arc<str>), Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    tally: Tally,
    /// Requests that the store knows of.
    stored: u64,
}

impl Trials {
    /// These trials go on, and what was counted of others is forgotten.
    pub fn keep(&self, trials: &BTreeSet<Arc<str>>) {
        self.lock().retain(|(_, trial), _| trials.contains(trial));
    }

    /// Counts that the store does not know, of at most so many operations.
    #[must_use]
    pub fn changed(&self, max: usize) -> Vec<TrialCounts> {
        let counts = self.lock();
        let changed = counts.iter().filter(|(_, counts)| seen(&counts.tally) != counts.stored);
        let counts = |((key, trial), counts): (&(RecordKey, Arc<str>), &Counts)| TrialCounts {
            key: *key,
            trial: Arc::clone(trial),
            tally: counts.tally.clone(),
        };
        changed.take(max).map(counts).collect()
    }

    /// The store knows these.
    pub fn stored(&self, stored: &[TrialCounts]) {
        let mut counts = self.lock();
        for known in stored {
            if let Some(counts) = counts.get_mut(&(known.key, Arc::clone(&known.trial))) {
                counts.stored = seen(&known.tally);
            }
        }
    }

    /// Counts a request; without a verdict, one that could not be looked at.
    pub(crate) fn count(&self, key: RecordKey, trial: &Arc<str>, verdict: Option<&Verdict>) {
        let mut counts = self.lock();
        let tally = &mut counts.entry((key, Arc::clone(trial))).or_default().tally;
        match verdict {
            Some(verdict) => tally.add(verdict),
            None => tally.pass_over(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(RecordKey, Arc<str>), Counts>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seen(tally: &Tally) -> u64 {
    tally.requests + tally.passed_over
}
