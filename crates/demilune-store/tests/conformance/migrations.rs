//! The schema's version: who may open what.

use demilune_store::{OpenError, Store};
use futures_util::future::join_all;

use crate::fixture::{Fixture, add, at, conformance, stored};

conformance![
    what_is_pending_is_shown_and_not_done,
    a_migrated_database_opens_without_migrating,
    reopening_keeps_everything,
    many_migrate_at_once,
    a_newer_schema_opens_while_it_serves_this_release,
    a_newer_schema_that_does_not_is_refused,
    an_empty_database_is_not_migrated_unasked,
];

async fn what_is_pending_is_shown_and_not_done(fixture: &Fixture) {
    let pending = Store::migrations_pending(&fixture.database).await.unwrap();
    assert_eq!(pending[0].version, 1);
    assert!(pending.iter().all(|step| step.sql.contains("CREATE TABLE") && !step.name.is_empty()));
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
