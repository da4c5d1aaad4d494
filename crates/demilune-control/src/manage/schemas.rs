//! The commands that export a host's operations and put what was learned in force, and how far learning has come.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{Host, OperationId, Timestamp, ZoneId};
use demilune_policy::rule::OperationRule;
use demilune_store::StoreFailure;

use super::{AppliedSchemaView, ManageError, Manager, Reply, SchemaLearningView, SchemaView};
use crate::{
    clock,
    export::{ExportError, Selection, documents},
    schemas::{ApplyError, Blocks, Progress, apply},
};

/// Most operations whose evidence is looked at: reading three days of each takes a moment.
const LEARNING_MAX: usize = 100;

/// How far the learning of a zone's schemas has come.
pub(super) struct SchemasLearning {
    /// Operations that have one.
    pub(super) with_schemas: u64,
    /// Operations that have none, but evidence: most requests first.
    pub(super) learning: Vec<SchemaLearningView>,
    /// How many more of those there are.
    pub(super) more: u64,
}

impl Manager {
    pub(super) async fn schema_export(&self, zone: Option<&str>, host: &str) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        let host: Host = host.parse().map_err(|error| ManageError::ExportHost(host.to_owned(), error))?;
        let selection = Selection { hosts: vec![host.clone()], learned: true, extensions: None };
        let document = documents(&self.store, &zone, &selection).await?.pop();
        let document = document.ok_or_else(|| ManageError::ExportNothing(host.clone()))?;
        let document = serde_json::to_value(document).map_err(|error| StoreFailure::Internal(Box::new(error)))?;
        Ok(Reply::SchemaExported(SchemaView { zone: zone.to_string(), host: host.to_string(), document }))
    }

    pub(super) async fn schema_apply_learned(
        &self,
        zone: Option<&str>,
        operation: &str,
        now: bool,
    ) -> Result<Reply, ManageError> {
        let id: OperationId =
            operation.parse().map_err(|error| ManageError::OperationId(operation.to_owned(), error))?;
        let zone = self.zone_find(zone).await?.id;
        let stored = self.store.operation_get(&zone, id).await?.ok_or(ManageError::OperationNotFound(id))?;
        let blocks = if now { Blocks::AtOnce } else { Blocks::AfterADay };
        let schema = apply(&self.store, &zone, &stored.operation, blocks, clock::now()).await?;
        Ok(Reply::SchemaApplied(AppliedSchemaView {
            zone: zone.to_string(),
            operation: id.to_string(),
            schema_id: schema.id.to_string(),
            name: schema.name,
            created_at: schema.created_at.to_string(),
            log_until: schema.log_until.map(|time| time.to_string()),
        }))
    }

    /// How far the learning has come for the operations of a zone.
    pub(super) async fn schemas_learning(
        &self,
        zone: &ZoneId,
        known: &BTreeMap<OperationId, &OperationRule>,
        now: Timestamp,
    ) -> Result<SchemasLearning, StoreFailure> {
        let all = self.store.learned_schema_all(zone).await?;
        let with_schemas: BTreeSet<OperationId> = all.into_iter().map(|(operation, _)| operation).collect();
        let window = Progress::window(now);
        let mut waiting = self.store.learning_operations(zone, window.since, window.until).await?;
        waiting.retain(|operation| !with_schemas.contains(operation));
        let more = waiting.len().saturating_sub(LEARNING_MAX) as u64;
        let mut learning = Vec::new();
        for operation in waiting.into_iter().take(LEARNING_MAX) {
            let Some(rule) = known.get(&operation) else { continue };
            let progress = Progress::of(&self.store, zone, operation, now).await?;
            learning.push(SchemaLearningView {
                operation: (*rule).into(),
                requests: progress.requests,
                requests_needed: Progress::NEEDED,
                summary: progress.sentence(),
            });
        }
        learning.sort_by_key(|seen| std::cmp::Reverse(seen.requests));
        Ok(SchemasLearning { with_schemas: with_schemas.len() as u64, learning, more })
    }
}

impl From<ExportError> for ManageError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::ZoneNotFound(zone) => Self::ZoneGone(zone),
            error @ ExportError::TooLarge => Self::Export(error.to_string()),
            ExportError::Store(failure) => failure.into(),
        }
    }
}

impl From<ApplyError> for ManageError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Store(failure) => failure.into(),
            error => Self::NotLearned(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use demilune_inventory::OperationKey;
    use demilune_schema::learn::{Evidence, LearnKey, Supporter};
    use demilune_store::LearningRow;
    use demilune_traffic::Hour;

    use super::*;
    use crate::{
        jobs::hourly::last_complete_hour,
        manage::{Command, LearningView, OperationText, testing},
    };

    #[tokio::test]
    async fn a_host_is_exported_the_same_each_time() {
        let (_folder, manager) = testing::manager(10).await;
        let operation = |method: &str, host: &str, endpoint: &str| OperationText {
            method: method.to_owned(),
            host: host.to_owned(),
            endpoint: endpoint.to_owned(),
        };
        let operations = vec![
            operation("PUT", "a.example", "/users/{id}"),
            operation("GET", "a.example", "/users/{id}"),
            operation("GET", "b.example", "/"),
        ];
        manager.execute(Command::OperationsAdd { zone: None, operations }).await.unwrap();
        let export = Command::SchemaExport { zone: None, host: "A.example".to_owned() };
        let Reply::SchemaExported(exported) = manager.execute(export.clone()).await.unwrap() else { panic!() };
        assert_eq!(exported.host, "a.example");
        let paths = exported.document["paths"].as_object().unwrap();
        assert_eq!(paths.keys().collect::<Vec<_>>(), ["/users/{var1}"]);
        assert_eq!(paths["/users/{var1}"]["put"]["operationId"], "put_users_var1");
        assert_eq!(manager.execute(export).await.unwrap(), Reply::SchemaExported(exported));
    }

    /// Stores what a source saw of an operation in the last complete hour.
    async fn see(manager: &Manager, operation: OperationId, source: &str, requests: u32) {
        let hour = Hour::of(last_complete_hour(clock::now()).start() - Hour::SECONDS);
        let mut evidence = Evidence::new(Arc::default());
        for number in 0..requests {
            evidence.observe(&LearnKey::new([7; 16]), hour, Supporter(number), &["1"], None);
        }
        let row = LearningRow {
            zone: "z1".parse().unwrap(),
            operation,
            source: source.parse().unwrap(),
            hour,
            published: 0,
            sequence: evidence.sequence(),
            evidence: evidence.encode(),
        };
        assert_eq!(manager.store.learning_write(vec![row], clock::now()).await.unwrap().stored, 1);
    }

    async fn learning(manager: &Manager) -> LearningView {
        let Reply::Learning(views) = manager.execute(Command::Learning { zone: None }).await.unwrap() else { panic!() };
        views[0].clone()
    }

    #[tokio::test]
    async fn the_learning_goes_from_the_first_request_to_a_schema() {
        let (_folder, manager) = testing::manager(10).await;
        let keys = ["/a/{id}", "/b/{id}"].map(|endpoint| OperationKey {
            method: "GET".parse().unwrap(),
            host: "a.example".parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
        });
        let zone = "z1".parse().unwrap();
        let added = manager.store.operation_upsert(&zone, keys.to_vec(), clock::now()).await.unwrap();
        let [a, b] = [0, 1].map(|place: usize| added[place].operation.operation.id);
        see(&manager, a, "first", 300).await;
        see(&manager, b, "first", 400).await;
        let seen = learning(&manager).await;
        let requests: Vec<_> =
            seen.learning_schemas.iter().map(|seen| (seen.operation.endpoint.as_str(), seen.requests)).collect();
        assert_eq!((seen.with_schemas, requests), (0, vec![("/b/{var1}", 400), ("/a/{var1}", 300)]));
        see(&manager, a, "second", 800).await;
        let recompute = Command::Recompute { zone: None, at: None, keep_newer: false };
        let Reply::Recomputed(computed) = manager.execute(recompute).await.unwrap() else { panic!() };
        assert_eq!(computed.with_schemas, 1);
        let seen = learning(&manager).await;
        assert_eq!((seen.with_schemas, seen.learning_schemas.len()), (1, 1));
    }

    async fn add(manager: &Manager, endpoint: &str) -> OperationId {
        let key = OperationKey {
            method: "GET".parse().unwrap(),
            host: "a.example".parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
        };
        let added = manager.store.operation_upsert(&"z1".parse().unwrap(), vec![key], clock::now()).await.unwrap();
        added[0].operation.operation.id
    }

    fn apply_learned(operation: &str, now: bool) -> Command {
        Command::SchemaApplyLearned { zone: None, operation: operation.to_owned(), now }
    }

    #[tokio::test]
    async fn a_learned_schema_logs_for_a_day_unless_it_is_to_block_now() {
        let (_folder, manager) = testing::manager(10).await;
        let id = add(&manager, "/a/{id}").await;
        see(&manager, id, "first", 1_000).await;
        let check = async |now: bool, hours: Option<i64>| {
            let reply = manager.execute(apply_learned(&id.to_string(), now)).await.unwrap();
            let Reply::SchemaApplied(applied) = reply else { panic!("another reply") };
            assert_eq!(applied.operation, id.to_string());
            let micros = |text: &str| text.parse::<Timestamp>().unwrap().as_micros();
            let until = applied.log_until.as_deref().map(|until| micros(until) - micros(&applied.created_at));
            assert_eq!(until, hours.map(|hours| hours * 3_600_000_000), "{now}");
        };
        check(false, Some(24)).await;
        check(true, None).await;
    }

    #[tokio::test]
    async fn what_cannot_be_put_in_force_is_refused() {
        let (_folder, manager) = testing::manager(10).await;
        let id = add(&manager, "/a/{id}").await;
        let check = async |operation: &str, part: &str| {
            let refused = manager.execute(apply_learned(operation, true)).await.unwrap_err().chain();
            assert!(refused.contains(part), "{refused}");
        };
        check(&id.to_string(), "no schema was put in force: 0 of 1000 requests").await;
        check("a", "cannot be the id of an operation").await;
        check("f174e90a-fafe-4643-bbbc-4a0ed4fc8415", "the zone has no operation with the id f174e90a").await;
    }

    #[tokio::test]
    async fn a_host_without_operations_cannot_be_exported() {
        let (_folder, manager) = testing::manager(10).await;
        let export = |host: &str| Command::SchemaExport { zone: None, host: host.to_owned() };
        let refused = manager.execute(export("a.example")).await.unwrap_err();
        assert!(refused.chain().contains("no operation of the host a.example"), "{refused}");
        assert!(matches!(manager.execute(export("a b")).await, Err(ManageError::ExportHost(..))));
    }
}
