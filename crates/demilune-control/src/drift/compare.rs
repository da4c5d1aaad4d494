//! Compares a document with what is known of a zone's requests.

use std::{collections::BTreeMap, sync::Arc};

use demilune_inventory::{
    Host, Matcher, MatcherOptions, NormalizedPath, OperationId, OperationKey, Timestamp, Variables, ZoneId,
};
use demilune_policy::rule::ZoneRules;
use demilune_schema::{
    document::{Descriptions, Options},
    drift::{self, Comparison, Counted, Difference, Kind},
};
use demilune_store::{DiscoveredOperation, Store, StoreFailure, TrafficPoint, TrafficScope};
use demilune_traffic::{Hour, StatusClass};
use serde_json::Value;
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{
    operations::{Observed, ObservedId, Standings, example, standings},
    report::{DriftFinding, DriftKind, DriftReport, NotComparedLine},
};
use crate::{
    clock::hour_text,
    discovery::{Discovered, DiscoveredState},
    export::variables,
    jobs::discovery::period_start,
    reading,
    schemas::{EvidenceWindow, sum},
    trial::ProblemLine,
};

/// One document is compared at a time, since it is held meanwhile.
static COMPARED: Semaphore = Semaphore::const_new(1);
/// How long numbers of requests are kept, by the hour (`TrafficLimits`).
const KEPT_MICROS: i64 = 400 * 86_400 * 1_000_000;

/// Why a document was not compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriftError {
    /// There is no such zone.
    #[error("there is no zone {0}")]
    ZoneGone(ZoneId),
    /// The document cannot be used; each line is a sentence.
    #[error("the document cannot be used: {}", .0.join("; "))]
    Rejected(Vec<String>),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// Says where a document and the requests of a zone disagree: those of the days that discovery looks at for which
/// operations there are, those of the last seven days for what they look like.
pub(crate) async fn compare(
    store: &Store,
    zone: &ZoneId,
    source: String,
    now: Timestamp,
) -> Result<DriftReport, DriftError> {
    let gone = || DriftError::ZoneGone(zone.clone());
    let _turn = COMPARED.acquire().await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
    let inventory = Inventory::new(store.zone_rules(zone).await?.ok_or_else(gone)?);
    // Servers that name no host are taken for the zone's own, as with uploads.
    let host = store.zone_get(zone).await?.ok_or_else(gone)?.name.parse::<Host>().ok();
    let reading = reading::one_at_a_time(move || read(&source, host));
    let (described, problems) = reading.await?.map_err(DriftError::Rejected)?;
    let from = period_start(now);
    let (observed, ignored) = observed(store, zone, &inventory, from, now).await?;
    let documented: Vec<&OperationKey> = described.keys().collect();
    let standings = standings(&documented, &observed);
    let report = DriftReport {
        from: from.to_string(),
        until: now.to_string(),
        operations: documented.len() as u64,
        operations_seen: standings.requests.iter().filter(|requests| **requests > 0).count() as u64,
        requests: standings.requests.iter().copied().fold(0, u64::saturating_add),
        elsewhere: standings.elsewhere,
        ignored,
        problems,
        ..DriftReport::default()
    };
    let mut comparing = Comparing { store, zone, inventory: &inventory, observed: &observed, from, now, report };
    comparing.undocumented(&standings).await?;
    comparing.unseen(&described, &standings).await?;
    comparing.requests(&described).await?;
    Ok(comparing.report.finish())
}

fn read(source: &str, host: Option<Host>) -> Result<(Arc<Descriptions>, Vec<ProblemLine>), Vec<String>> {
    let (described, problems) = Descriptions::read(source.as_bytes(), &Options { host, ..Options::default() });
    let described = described.ok_or_else(|| reading::refusal(&problems))?;
    Ok((Arc::new(described), ProblemLine::of(&problems)))
}

/// The saved operations of a zone.
struct Inventory {
    rules: ZoneRules,
    ids: BTreeMap<OperationKey, OperationId>,
    keys: BTreeMap<OperationId, OperationKey>,
}

impl Inventory {
    fn new(rules: ZoneRules) -> Self {
        let ids = rules.operations.iter().map(|rule| (rule.key.clone(), rule.id)).collect();
        let keys = rules.operations.iter().map(|rule| (rule.id, rule.key.clone())).collect();
        Self { rules, ids, keys }
    }
}

/// The operations that requests were sent to, and how many discovered ones are left out since somebody said so.
async fn observed(
    store: &Store,
    zone: &ZoneId,
    inventory: &Inventory,
    from: Timestamp,
    now: Timestamp,
) -> Result<(Vec<Observed>, u64), StoreFailure> {
    let mut observed: BTreeMap<ObservedId, Observed> = BTreeMap::new();
    for (id, record) in store.traffic_totals(zone, from, now).await? {
        let requests = record.answered(StatusClass::Successful);
        if let Some(id) = id.filter(|_| requests > 0)
            && let Some(key) = inventory.keys.get(&id)
        {
            let id = ObservedId::Saved(id);
            observed.insert(id.clone(), Observed { id, key: key.clone(), example: example(key), requests });
        }
    }
    let mut ignored = 0;
    for Discovered { operation, state } in Discovered::by(store, &inventory.rules).await? {
        let DiscoveredOperation { id, key, example, requests, .. } = operation;
        // What was saved since had requests before that, which no operation counted.
        let saved = inventory.ids.get(&key).filter(|_| state == DiscoveredState::Saved);
        let id = saved.map_or(ObservedId::Discovered(id), |id| ObservedId::Saved(*id));
        if state == DiscoveredState::Ignored {
            ignored += 1;
        } else {
            let known = observed.entry(id.clone()).or_insert(Observed { id, key, example, requests: 0 });
            known.requests = known.requests.saturating_add(requests);
        }
    }
    Ok((observed.into_values().collect(), ignored))
}

struct Comparing<'c> {
    store: &'c Store,
    zone: &'c ZoneId,
    inventory: &'c Inventory,
    observed: &'c [Observed],
    from: Timestamp,
    now: Timestamp,
    report: DriftReport,
}

/// When requests to an operation came.
#[derive(Clone, Debug, Default)]
struct Times {
    first: Option<String>,
    last: Option<String>,
}

impl Comparing<'_> {
    async fn undocumented(&mut self, standings: &Standings) -> Result<(), StoreFailure> {
        for observed in standings.undocumented.iter().filter_map(|place| self.observed.get(*place)) {
            let (finding, times) = match &observed.id {
                ObservedId::Saved(id) => {
                    let finding = DriftFinding { operation_id: Some(id.to_string()), ..finding(&observed.key) };
                    (finding, self.times(DriftKind::Undocumented, *id).await?)
                }
                ObservedId::Discovered(id) => {
                    let finding = DriftFinding { discovered_id: Some(id.to_string()), ..finding(&observed.key) };
                    let found = self.store.discovered_get(self.zone, id).await?;
                    (finding, explained(found.as_ref().map(|(_, explanation)| explanation.as_str())))
                }
            };
            self.report.add(DriftFinding {
                kind: DriftKind::Undocumented,
                message: "Requests are answered with success, and the document does not describe them.".to_owned(),
                count: observed.requests,
                of: observed.requests,
                since: times.first.clone(),
                first_seen: times.first,
                last_seen: times.last,
                ..finding
            });
        }
        Ok(())
    }

    async fn unseen(&mut self, described: &Descriptions, standings: &Standings) -> Result<(), StoreFailure> {
        let ZoneRules { operations, settings, .. } = &self.inventory.rules;
        let options = MatcherOptions { head_as_get: settings.head_as_get };
        let saved = Matcher::build(operations.iter().map(|rule| &rule.key), options);
        let mut variables = Variables::default();
        for (key, _) in described.keys().zip(&standings.requests).filter(|(_, requests)| **requests == 0) {
            let id = self.inventory.ids.get(key).copied();
            let times = match id {
                Some(id) => self.times(DriftKind::Unseen, id).await?,
                None => Times::default(),
            };
            let other = wider(&saved, &self.inventory.rules, key, &mut variables).filter(|_| id.is_none());
            let message = match (&times.last, other) {
                (Some(_), _) => "No request was answered with success since then.".to_owned(),
                (None, None) => "No request was answered with success.".to_owned(),
                (None, Some(OperationKey { method, host, endpoint })) => format!(
                    "No request was counted for it: those that it would have count for {method} {host}{endpoint}, which is \
                     saved and fits them; save this one too to tell them apart."
                ),
            };
            let since = times.last.clone().unwrap_or_else(|| self.from.to_string());
            self.report.add(DriftFinding {
                kind: DriftKind::Unseen,
                operation_id: id.map(|id| id.to_string()),
                message,
                first_seen: times.first,
                last_seen: times.last,
                since: Some(since),
                ..finding(key)
            });
        }
        Ok(())
    }

    /// When an operation had requests that were answered with 2xx, of all that is kept; nothing if it is not listed anyway.
    async fn times(&self, kind: DriftKind, id: OperationId) -> Result<Times, StoreFailure> {
        if !self.report.lists_more(kind) {
            return Ok(Times::default());
        }
        let since = Timestamp::from_micros(self.now.as_micros().saturating_sub(KEPT_MICROS)).unwrap_or(self.from);
        let series = self.store.traffic_series(self.zone, TrafficScope::Operation(id), since, self.now).await?;
        let is_successful = |point: &&TrafficPoint| point.record.answered(StatusClass::Successful) > 0;
        let mut seen = series.points.iter().filter(is_successful).map(|point| hour_text(Hour::of(point.start)));
        let first = seen.next();
        let last = seen.next_back().or_else(|| first.clone());
        Ok(Times { first, last })
    }

    /// Compares what the document says of requests with what they were.
    async fn requests(&mut self, described: &Arc<Descriptions>) -> Result<(), StoreFailure> {
        let window = EvidenceWindow::of_week(self.now);
        let learned = self.store.learning_operations(self.zone, window.since, window.until).await?;
        let keys = &self.inventory.keys;
        let mut compared: Vec<(&OperationKey, OperationId)> =
            learned.into_iter().filter_map(|id| Some((keys.get(&id)?, id))).collect();
        compared.retain(|(key, _)| described.has(key));
        compared.sort_unstable();
        for (key, id) in compared {
            let evidence = sum(self.store, self.zone, id, window).await?;
            let (described, own) = (Arc::clone(described), key.clone());
            // Milliseconds: not where requests are answered.
            let comparing = spawn_blocking(move || {
                let text = described.of(&own)?;
                Some(drift::compare(&text, &evidence, &variables(&own.endpoint)))
            });
            let comparison = comparing.await.map_err(|error| StoreFailure::Internal(Box::new(error)))?;
            if let Some(comparison) = comparison {
                self.report.operations_compared += 1;
                self.add(key, id, comparison);
            }
        }
        Ok(())
    }

    fn add(&mut self, key: &OperationKey, id: OperationId, comparison: Comparison) {
        for difference in comparison.differences {
            let operation_id = Some(id.to_string());
            self.report.add(DriftFinding { operation_id, ..of_difference(key, difference) });
        }
        self.report.more_findings += comparison.differences_left_out as u64;
        self.report.more_not_compared += comparison.not_compared_left_out as u64;
        for one in comparison.not_compared {
            self.report.add_not_compared(NotComparedLine {
                method: key.method.to_string(),
                host: key.host.to_string(),
                endpoint: key.endpoint.to_string(),
                place: one.place,
                keyword: one.keyword,
                reason: one.why.to_owned(),
            });
        }
    }
}

/// A finding about an operation of which nothing is said yet.
fn finding(key: &OperationKey) -> DriftFinding {
    DriftFinding {
        kind: DriftKind::Unseen,
        method: key.method.to_string(),
        host: key.host.to_string(),
        endpoint: key.endpoint.to_string(),
        operation_id: None,
        discovered_id: None,
        place: None,
        location: None,
        keyword: None,
        documented: None,
        seen: None,
        message: String::new(),
        count: 0,
        counted: Counted::Exactly.as_str().to_owned(),
        of: 0,
        callers_at_least: None,
        first_seen: None,
        last_seen: None,
        since: None,
    }
}

fn of_difference(key: &OperationKey, difference: Difference) -> DriftFinding {
    let kind = match difference.kind {
        Kind::Tighter => DriftKind::Tighter,
        Kind::Undocumented => DriftKind::Undocumented,
        Kind::Unseen => DriftKind::Unseen,
        Kind::Looser => DriftKind::Looser,
    };
    let first_seen = difference.first.map(hour_text);
    DriftFinding {
        kind,
        since: first_seen.clone(),
        first_seen,
        last_seen: difference.last.map(hour_text),
        message: sentence(&difference),
        place: Some(difference.place),
        keyword: Some(difference.keyword.to_owned()),
        location: Some(difference.location),
        documented: Some(difference.documented),
        seen: Some(difference.seen),
        count: difference.count,
        counted: difference.counted.as_str().to_owned(),
        of: difference.of,
        callers_at_least: Some(difference.callers_at_least as u64),
        ..finding(key)
    }
}

fn sentence(difference: &Difference) -> String {
    let Difference { kind, documented, seen, counted, count, of, .. } = difference;
    let said = |value: &Value| if value.is_null() { "nothing".to_owned() } else { value.to_string() };
    let (documented, seen) = (said(documented), said(seen));
    let counted = match counted {
        Counted::Exactly => String::new(),
        other => format!("{} ", other.as_str()),
    };
    match kind {
        Kind::Tighter => format!(
            "The document says {documented}, but {seen} was sent and answered with success: {counted}{count} of {of}."
        ),
        Kind::Undocumented => format!("The document does not have it: {counted}{count} of {of} do."),
        Kind::Unseen => format!("The document has it, and none of {of} does."),
        Kind::Looser => format!("The document says {documented}, where {seen} would do: {counted}{count} of {of}."),
    }
}

/// The saved operation that takes the requests of another one, which is not saved.
fn wider<'r>(
    saved: &Matcher,
    rules: &'r ZoneRules,
    key: &OperationKey,
    variables: &mut Variables,
) -> Option<&'r OperationKey> {
    let (host, path) = example(key);
    let path = NormalizedPath::from_live(path.as_bytes()).ok()?;
    let found = saved.find(Some(key.method), &host, &path, variables)?;
    let rule = rules.operations.get(usize::try_from(found.operation).ok()?)?;
    Some(&rule.key)
}

/// The times of a discovered operation, which its explanation has.
fn explained(explanation: Option<&str>) -> Times {
    let explanation: Value = explanation.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let time = |name: &str| explanation[name].as_str().map(str::to_owned);
    Times { first: time("first_seen"), last: time("last_seen") }
}
