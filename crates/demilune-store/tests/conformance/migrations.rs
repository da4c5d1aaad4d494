//! The schema's version: who may open what.

use std::collections::{BTreeMap, BTreeSet};

use demilune_policy::rule::ZoneSettings;
use demilune_store::{ActionChange, MitigationAction, NewUserSchema, OpenError, Store, ValidationSettings};
use futures_util::future::join_all;

use crate::{
    fixture::{Fixture, add, all, at, conformance, create_zone, origin, revision, rules, stored, target},
    learned_schemas::schema,
    thresholds::{replace, result},
    user_schemas::{add_schema, new},
};

conformance![
    what_is_pending_is_shown_and_not_done,
    a_migrated_database_opens_without_migrating,
    reopening_keeps_everything,
    many_migrate_at_once,
    a_newer_schema_opens_while_it_serves_this_release,
    a_newer_schema_that_does_not_is_refused,
    an_empty_database_is_not_migrated_unasked,
    a_database_of_the_first_release_is_kept,
    a_database_of_the_release_before_is_kept,
    the_first_release_works_on_this_schema,
];

async fn what_is_pending_is_shown_and_not_done(fixture: &Fixture) {
    let pending = Store::migrations_pending(&fixture.database).await.unwrap();
    assert_eq!(pending[0].version, 1);
    assert!(pending[0].sql.contains("CREATE TABLE"));
    assert!(pending.iter().all(|step| !step.sql.is_empty() && !step.name.is_empty()));
    assert_eq!(Store::migrations_pending(&fixture.database).await.unwrap(), pending, "still to do");
    if fixture.is_sqlite() {
        assert_eq!(std::fs::read_dir(fixture.folder.path()).unwrap().count(), 0, "not even a file was made");
    } else {
        assert_eq!(fixture.number("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), 0);
    }
    fixture.store().await;
    assert_eq!(Store::migrations_pending(&fixture.database).await.unwrap(), []);
}

async fn an_empty_database_is_not_migrated_unasked(fixture: &Fixture) {
    let error = fixture.open(false, 1).await.err().unwrap();
    assert!(error.to_string().contains("demilune migrate"), "{error}");
    assert!(matches!(error, OpenError::MigrationNeeded { found: 0, .. }), "{error:?}");
    if fixture.is_sqlite() {
        assert!(!fixture.path().exists(), "not even a file was made");
    }
}

async fn a_migrated_database_opens_without_migrating(fixture: &Fixture) {
    fixture.store().await.close().await;
    fixture.open(false, 1).await.unwrap().ping().await.unwrap();
}

async fn reopening_keeps_everything(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    add(&store, &zone, "GET /", at(0)).await;
    let before = (store.zone_list().await.unwrap(), stored(&store, &zone).await);
    store.close().await;
    let again = fixture.store().await;
    assert_eq!((again.zone_list().await.unwrap(), stored(&again, &zone).await), before);
}

async fn many_migrate_at_once(fixture: &Fixture) {
    for opened in join_all((0..4).map(|_| fixture.open(true, 1))).await {
        opened.unwrap().ping().await.unwrap();
    }
    assert_eq!(fixture.number("SELECT count(*) FROM demilune_schema"), 1);
}

async fn a_newer_schema_opens_while_it_serves_this_release(fixture: &Fixture) {
    fixture.store().await.close().await;
    fixture.sql("UPDATE demilune_schema SET version = 99, oldest_binary = 1");
    assert_eq!(Store::migrations_pending(&fixture.database).await.unwrap(), []);
    fixture.store().await.ping().await.unwrap();
    assert_eq!(fixture.number("SELECT version FROM demilune_schema"), 99, "left alone");
}

async fn a_newer_schema_that_does_not_is_refused(fixture: &Fixture) {
    fixture.store().await.close().await;
    fixture.sql("UPDATE demilune_schema SET version = 99, oldest_binary = 98");
    for error in [
        fixture.open(true, 1).await.err().unwrap(),
        fixture.open(false, 1).await.err().unwrap(),
        Store::migrations_pending(&fixture.database).await.unwrap_err(),
    ] {
        assert!(matches!(error, OpenError::TooNew { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("99") && text.contains("98"), "{text}");
    }
}

/// What the first release wrote: its schema, one zone, one operation.
fn first_release(fixture: &Fixture) {
    let schema = if fixture.is_sqlite() {
        include_str!("../../src/migrations/sqlite_0001_inventory.sql")
    } else {
        include_str!("../../src/migrations/postgres_0001_inventory.sql")
    };
    fixture.sql(&format!(
        "{schema}; CREATE TABLE demilune_schema (version BIGINT NOT NULL, oldest_binary BIGINT NOT NULL); \
         INSERT INTO demilune_schema (version, oldest_binary) VALUES (1, 1);"
    ));
    fixture.sql(&first_release_adds(fixture, "z"));
}

const FIRST_RELEASE_ID: &str = "018bcfe5-6800-7000-8000-00000000002a";

/// The statements by which the first release added a zone and an operation. The digest of the operation's key is that
/// of `GET example.com /users/{var1}`.
fn first_release_adds(fixture: &Fixture, zone: &str) -> String {
    let digest = "21b677b63686c9599756054d97aa26911607edf7ba851e2b3b7e6984f6db4365";
    let hash = if fixture.is_sqlite() { format!("x'{digest}'") } else { format!("'\\x{digest}'::bytea") };
    format!(
        "INSERT INTO zones (zone_id, name, created_at) VALUES ('{zone}', '{zone}.example', 1700000000000001); \
         INSERT INTO operations (zone_id, key_hash, operation_id, method, host, endpoint, last_updated) \
         VALUES ('{zone}', {hash}, '{FIRST_RELEASE_ID}', 'GET', 'example.com', '/users/{{var1}}', 1700000000000000); \
         UPDATE zones SET revision = revision + 1, operation_count = operation_count + 1 WHERE zone_id = '{zone}';"
    )
}

async fn a_database_of_the_first_release_is_kept(fixture: &Fixture) {
    first_release(fixture);
    let pending = Store::migrations_pending(&fixture.database).await.unwrap();
    assert_eq!(pending.iter().map(|step| step.version).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert!(matches!(fixture.open(false, 1).await, Err(OpenError::MigrationNeeded { found: 1, .. })));
    let (store, zone) = (fixture.store().await, "z".parse().unwrap());
    assert_eq!(revision(&store, &zone).await, 1);
    assert_eq!(store.zone_settings_get(&zone).await.unwrap(), Some(ZoneSettings::default()));
    let again = add(&store, &zone, "GET /users/{id}", at(5)).await;
    assert!(!again.added);
    assert_eq!(again.operation.operation.id.to_string(), FIRST_RELEASE_ID);
    let listed = store.operation_list(&zone, all()).await.unwrap().unwrap().operations;
    assert_eq!(listed, [again.operation]);
}

/// Takes out what this release has added to the schema.
fn release_before(fixture: &Fixture) {
    fixture.sql(
        "DROP TABLE discovered_operations; DROP TABLE schema_trial_counts; DROP TABLE schema_trials; \
         ALTER TABLE zone_settings DROP COLUMN validated_bytes_max; ALTER TABLE zone_settings DROP COLUMN schemas_max; \
         ALTER TABLE zone_settings DROP COLUMN schemas_bytes_max; \
         DROP TABLE operation_actions; DROP TABLE validation_settings; DROP TABLE user_schema_operations; \
         DROP TABLE user_schemas; DROP TABLE operation_schemas; \
         ALTER TABLE operations DROP COLUMN has_parameter_schemas; UPDATE demilune_schema SET version = 4;",
    );
    if !fixture.is_sqlite() {
        fixture.sql(
            "DROP TABLE traffic_sightings; DROP TABLE traffic_learning; DROP TABLE traffic_event_counts; DROP TABLE traffic_event_keywords; \
             DROP TABLE traffic_events;",
        );
    }
}

async fn a_database_of_the_release_before_is_kept(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "GET /a", at(0)).await.operation.operation.id;
    replace(&store, &zone, &[(id, Some(result(1)))]).await;
    let before = (rules(&store, &zone).await, store.operation_get(&zone, id).await.unwrap());
    store.close().await;
    release_before(fixture);
    let store = fixture.store().await;
    assert_eq!((rules(&store, &zone).await, store.operation_get(&zone, id).await.unwrap()), before);
    assert_eq!(store.learned_schema_all(&zone).await.unwrap(), []);
    store.learned_schema_replace(&zone, vec![(id, Some(schema(1)))]).await.unwrap();
    assert_eq!(store.learned_schema_get(&zone, id).await.unwrap(), Some(schema(1)));
}

async fn the_first_release_works_on_this_schema(fixture: &Fixture) {
    let store = fixture.store().await;
    assert_eq!(fixture.number("SELECT oldest_binary FROM demilune_schema"), 1);
    fixture.sql(&first_release_adds(fixture, "old"));
    let zone = "old".parse().unwrap();
    let id = stored(&store, &zone).await[0].id;
    let route = target("http://o/{var1}", "/users/{id}");
    store.route_set(&zone, id, route.clone(), at(0)).await.unwrap();
    replace(&store, &zone, &[(id, Some(result(1)))]).await;
    store.learned_schema_replace(&zone, vec![(id, Some(schema(1)))]).await.unwrap();
    add_schema(&store, &zone, new(1)).await;
    add_schema(&store, &zone, NewUserSchema { learned_from: Some(id), ..new(2) }).await;
    let block = ActionChange::Set(MitigationAction::Block);
    store.operation_actions_change(&zone, vec![(id, block)]).await.unwrap();
    store.validation_settings_change(&zone, |settings| ValidationSettings { is_off: true, ..settings }).await.unwrap();
    store.job_note(&zone, "thresholds", 1).await.unwrap();
    store.origin_set(&zone, origin("a.example", "http://o"), at(0)).await.unwrap();
    store.zone_settings_set(&zone, ZoneSettings { head_as_get: false, ..ZoneSettings::default() }).await.unwrap();
    let before = rules(&store, &zone).await;
    assert_eq!(before.operations[0].route, Some(route));

    // It told SQLite to keep references, and removed nothing but what it knew.
    let removes = "DELETE FROM zones WHERE zone_id = 'old'; DELETE FROM operations WHERE zone_id = 'old'; \
                   DELETE FROM grants WHERE zone_id = 'old';";
    let keep = if fixture.is_sqlite() { "PRAGMA foreign_keys = ON;" } else { "" };
    fixture.sql(&format!("{keep} {removes} {}", first_release_adds(fixture, "old")));
    let after = rules(&store, &zone).await;
    assert_eq!((after.origins, after.settings), (vec![], ZoneSettings::default()));
    assert_eq!(after.operations[0].route, None);
    assert_eq!(store.thresholds_get(&zone, id).await.unwrap(), None);
    assert_eq!(store.learned_schema_get(&zone, id).await.unwrap(), None);
    assert_eq!(store.job_done(&zone, "thresholds").await.unwrap(), None);
    let validation = store.gateway_rules(&zone, BTreeSet::new()).await.unwrap().unwrap().validation;
    assert_eq!((validation.schemas, validation.actions), (vec![], BTreeMap::new()));
    assert_eq!(validation.settings, ValidationSettings::default());
    // SQLite has one process, which is of one release.
    assert!(fixture.is_sqlite() || after.revision > before.revision);
    create_zone(&store, "new").await;
}
