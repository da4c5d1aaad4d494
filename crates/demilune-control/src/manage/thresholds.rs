//! The commands about what is computed by the hour: computing it now, and how far the learning has come.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{OperationId, Timestamp};
use demilune_policy::rule::OperationRule;
use demilune_store::Zone;
use demilune_traffic::{Hour, SessionWindow};

use super::{
    LearningOperationView, LearningView, ManageError, Manager, OperationView, RecomputedView, Reply,
    schemas::SchemasLearning,
};
use crate::{
    clock::{self, hour_text, unix_seconds},
    discovery::DiscoveredState,
    jobs::{
        SchemasJob, ThresholdsJob,
        hourly::{ComputeError, last_complete_hour},
        schemas, thresholds,
    },
    learning::Learning,
};

/// Most operations whose learning is looked at: reading a day of each takes a moment.
const LEARNING_MAX: usize = 1_000;
/// How far back thresholds can be computed: samples are kept for 168 hours.
const KEPT_SECONDS: u64 = 168 * Hour::SECONDS;

impl Manager {
    pub(super) async fn recompute(
        &self,
        zone: Option<&str>,
        at: Option<&str>,
        keep_newer: bool,
    ) -> Result<Reply, ManageError> {
        let now = clock::now();
        let end = match at {
            Some(text) => hour_at(text, now).ok_or_else(|| ManageError::RecomputeTime(text.to_owned()))?,
            None => last_complete_hour(now),
        };
        let zone = self.zone_find(zone).await?.id;
        let thresholds::Computed { operations, with_thresholds } =
            ThresholdsJob::new(self.store.clone()).recompute(&zone, end, keep_newer).await?;
        let schemas::Computed { with_schemas, .. } =
            SchemasJob::new(self.store.clone()).recompute(&zone, end, keep_newer).await?;
        let discovered = self.rediscover(&zone, now).await?;
        let in_review = discovered.iter().filter(|found| found.state == DiscoveredState::Review).count() as u64;
        let (zone, window_end) = (zone.to_string(), hour_text(end));
        Ok(Reply::Recomputed(RecomputedView { zone, window_end, operations, with_thresholds, with_schemas, in_review }))
    }

    pub(super) async fn learning(&self, zone: Option<&str>) -> Result<Reply, ManageError> {
        let zones = match zone {
            Some(zone) => vec![self.zone_find(Some(zone)).await?],
            None => self.store.zone_list().await?,
        };
        let mut views = Vec::with_capacity(zones.len());
        for zone in zones {
            views.push(self.learning_of(&zone).await?);
        }
        Ok(Reply::Learning(views))
    }

    async fn learning_of(&self, zone: &Zone) -> Result<LearningView, ManageError> {
        let rules = self.store.zone_rules(&zone.id).await?.ok_or_else(|| ManageError::ZoneGone(zone.id.clone()))?;
        let identifiers = !rules.session_identifiers.is_empty();
        let with_thresholds: BTreeSet<OperationId> =
            self.store.thresholds_all(&zone.id).await?.into_iter().map(|(operation, _)| operation).collect();
        let known: BTreeMap<OperationId, &OperationRule> =
            rules.operations.iter().map(|rule| (rule.id, rule)).collect();
        let now = clock::now();
        let until = Hour::of(Hour::of(unix_seconds(now)).end());
        let since = Hour::of(until.start().saturating_sub(SessionWindow::HOURS * Hour::SECONDS));
        let mut learning = self.store.session_operations(&zone.id, since, until).await?;
        learning.retain(|operation| known.contains_key(operation) && !with_thresholds.contains(operation));
        let more = learning.len().saturating_sub(LEARNING_MAX) as u64;
        learning.truncate(LEARNING_MAX);
        let mut seen = Learning::of(&self.store, &zone.id, learning, now).await?;
        seen.sort_by(|a, b| b.totals.sessions_estimated.total_cmp(&a.totals.sessions_estimated));
        let view = |seen: &Learning| {
            Some(LearningOperationView {
                operation: OperationView::from(*known.get(&seen.operation)?),
                sessions: seen.sessions(),
                sessions_needed: Learning::sessions_needed(),
                summary: seen.sentence(identifiers),
            })
        };
        let SchemasLearning { with_schemas, learning: learning_schemas, more: more_schemas } =
            self.schemas_learning(&zone.id, &known, now).await?;
        Ok(LearningView {
            zone: zone.into(),
            operations: known.len() as u64,
            with_thresholds: with_thresholds.len() as u64,
            learning: seen.iter().filter_map(view).collect(),
            more,
            with_schemas,
            learning_schemas,
            more_schemas,
        })
    }
}

impl From<ComputeError> for ManageError {
    fn from(error: ComputeError) -> Self {
        match error {
            ComputeError::Busy => Self::RecomputeBusy,
            ComputeError::Store(failure) => failure.into(),
        }
    }
}

/// The hour that a time lies in, if there can be records of the 24 hours before it.
fn hour_at(text: &str, now: Timestamp) -> Option<Hour> {
    let time = unix_seconds(text.parse::<Timestamp>().ok()?);
    let now = unix_seconds(now);
    let known = now.saturating_sub(KEPT_SECONDS)..=Hour::of(now).end();
    known.contains(&time).then(|| Hour::of(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manage::{Command, testing};

    #[test]
    fn a_time_is_taken_for_the_full_hour_before_it() {
        let now: Timestamp = "2026-11-23T10:20:00Z".parse().unwrap();
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(hour_at(text, now).map(hour_text).as_deref(), expected, "{text}");
        };
        check("2026-11-23T10:00:00Z", Some("2026-11-23T10:00:00.000000Z"));
        check("2026-11-23T09:59:59Z", Some("2026-11-23T09:00:00.000000Z"));
        check("2026-11-23T11:00:00Z", Some("2026-11-23T11:00:00.000000Z"));
        check("2026-11-23T11:00:01Z", None);
        check("2026-11-16T10:20:00Z", Some("2026-11-16T10:00:00.000000Z"));
        check("2026-11-16T10:19:59Z", None);
        check("yesterday", None);
    }

    #[tokio::test]
    async fn an_empty_zone_is_computed_and_has_nothing_to_learn() {
        let (_folder, manager) = testing::manager(10).await;
        let Reply::Recomputed(view) =
            manager.execute(Command::Recompute { zone: None, at: None, keep_newer: false }).await.unwrap()
        else {
            panic!("another reply");
        };
        assert_eq!((view.operations, view.with_thresholds, view.with_schemas, view.in_review), (0, 0, 0, 0));
        let Reply::Learning(views) = manager.execute(Command::Learning { zone: None }).await.unwrap() else {
            panic!("another reply");
        };
        assert_eq!((views.len(), views[0].learning.len(), views[0].learning_schemas.len()), (1, 0, 0));
    }

    #[tokio::test]
    async fn a_time_without_records_is_refused() {
        let (_folder, manager) = testing::manager(10).await;
        let command = Command::Recompute { zone: None, at: Some("2001-01-01T00:00:00Z".to_owned()), keep_newer: false };
        assert!(manager.execute(command).await.unwrap_err().chain().contains("of the last 168 hours"));
    }
}
