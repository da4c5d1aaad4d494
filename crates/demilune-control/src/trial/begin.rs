//! Begins, shows and ends the trial of a zone.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{Host, OperationId, OperationKey, Timestamp, ZoneId};
use demilune_schema::document::{Document, Options};
use demilune_store::{NewTrial, Store, StoreFailure, Trial};
use serde::{Deserialize, Serialize};

use super::report::{KeywordLine, ProblemLine, TrialReport};
use crate::{
    reading,
    schemas::{self, ApplyError},
};

/// What is to be tried.
#[derive(Clone, Debug)]
pub(crate) enum Candidate {
    /// A document, and what its owner calls it.
    Document { name: String, source: String },
    /// What would be put in force if what was learned about an operation were applied now.
    Learned(OperationId),
}

/// Why no trial begins.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrialError {
    /// There is no such zone.
    #[error("there is no zone {0}")]
    ZoneGone(ZoneId),
    /// The document cannot be used; each line is a sentence.
    #[error("the document cannot be used: {}", .0.join("; "))]
    Rejected(Vec<String>),
    /// Nothing that could be tried was learned.
    #[error(transparent)]
    NotLearned(ApplyError),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// What was found in a document, as it is stored with its trial.
#[derive(Serialize, Deserialize)]
struct Details {
    keywords: Vec<KeywordLine>,
    problems: Vec<ProblemLine>,
}

/// Begins a trial in the place of the one before.
pub(crate) async fn begin(
    store: &Store,
    zone: &ZoneId,
    candidate: Candidate,
    now: Timestamp,
) -> Result<Trial, TrialError> {
    let gone = || TrialError::ZoneGone(zone.clone());
    let zone_name = store.zone_get(zone).await?.ok_or_else(gone)?.name;
    // Servers that name no host are taken for the zone's own, as with uploads.
    let default_host = zone_name.parse::<Host>().ok();
    let (name, source) = match candidate {
        Candidate::Document { name, source } => (name, source),
        Candidate::Learned(id) => learned(store, zone, id, now).await?,
    };
    let host = default_host.clone();
    let reading = reading::one_at_a_time(move || (read(&source, host), source));
    let (read, source) = reading.await?;
    let (operations, details) = read?;
    let new = NewTrial { name, default_host, operations, details, source };
    store.trial_begin(zone, new, now).await?.ok_or_else(gone)
}

async fn learned(
    store: &Store,
    zone: &ZoneId,
    id: OperationId,
    now: Timestamp,
) -> Result<(String, String), TrialError> {
    let stored = store.operation_get(zone, id).await?.ok_or(TrialError::NotLearned(ApplyError::Gone))?;
    let source = schemas::learned_source(store, zone, &stored.operation, now).await.map_err(TrialError::NotLearned)?;
    Ok((format!("learned-{id}"), source))
}

/// What a document describes and what was found in it, as they are stored.
fn read(source: &str, host: Option<Host>) -> Result<(String, String), TrialError> {
    let read = Document::read(source.as_bytes(), &Options { host, ..Options::default() });
    let Some(document) = read.document else { return Err(TrialError::Rejected(reading::refusal(&read.problems))) };
    let line = |key: &OperationKey| [key.method.as_str().to_owned(), key.host.to_string(), key.endpoint.to_string()];
    let operations: Vec<_> = document.operations.iter().map(|operation| line(&operation.key)).collect();
    let details = Details { keywords: KeywordLine::of(&read.keywords), problems: ProblemLine::of(&read.problems) };
    let json = |error: serde_json::Error| TrialError::Store(StoreFailure::Internal(Box::new(error)));
    Ok((serde_json::to_string(&operations).map_err(json)?, serde_json::to_string(&details).map_err(json)?))
}

/// The trial of a zone and what came of it so far; none if there is none. Of the operations of the document, the second
/// number says how many the zone does not have, so that their requests are not looked at.
pub(crate) async fn show(store: &Store, zone: &ZoneId) -> Result<Option<(Trial, TrialReport, u64)>, StoreFailure> {
    let Some(trial) = store.trial_get(zone).await? else { return Ok(None) };
    let counts = store.trial_counts(zone, trial.id).await?;
    let json = |error: serde_json::Error| StoreFailure::Internal(Box::new(error));
    let details: Details = serde_json::from_str(&trial.details).map_err(json)?;
    let described: Vec<[String; 3]> = serde_json::from_str(&trial.operations).map_err(json)?;
    let described: Vec<_> = described.iter().filter_map(key).collect();
    let saved = store.zone_rules(zone).await?.map(|rules| rules.operations).unwrap_or_default();
    let by_id: BTreeMap<OperationId, &OperationKey> = saved.iter().map(|rule| (rule.id, &rule.key)).collect();
    let keys: BTreeSet<&OperationKey> = by_id.values().copied().collect();
    let not_saved = described.iter().filter(|key| !keys.contains(key)).count();
    // Those of an operation that was deleted since are nobody's.
    let counted = counts.iter().filter_map(|(id, tally)| Some((*by_id.get(id)?, Some(*id), tally)));
    let report = TrialReport::new(counted, described.len() - not_saved, details.keywords, details.problems);
    Ok(Some((trial, report, not_saved as u64)))
}

/// Ends the trial of a zone; false if there is none.
pub(crate) async fn end(store: &Store, zone: &ZoneId) -> Result<bool, StoreFailure> {
    store.trial_end(zone).await
}

fn key([method, host, endpoint]: &[String; 3]) -> Option<OperationKey> {
    Some(OperationKey { method: method.parse().ok()?, host: host.parse().ok()?, endpoint: endpoint.parse().ok()? })
}
