//! What only a server can do: go away and come back.

use std::time::{Duration, Instant};

use demilune_inventory::ZoneId;
use demilune_store::{BackupError, Database, OpenError, OperationUpsertError, Store, StoreFailure, StoreOptions};
use demilune_test_postgres::TestPostgres;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::{task::JoinSet, time::timeout};

use crate::fixture::{Fixture, add, at, create_zone, key, origin, run, stored, target};

async fn open(url: &str) -> Result<Store, OpenError> {
    let database = Database::Postgres(url.to_owned());
    Store::open(&StoreOptions { database, migrate: true, operations_per_zone_max: 100_000 }).await
}

/// A store on a server of its own.
async fn own_server() -> (TestPostgres, Store, ZoneId) {
    let server = TestPostgres::start();
    server.create_database("own");
    let store = open(&server.url("own")).await.unwrap();
    let zone = create_zone(&store, "z").await;
    (server, store, zone)
}

#[test]
fn a_store_recovers_by_itself_when_the_server_comes_back() {
    run(&Fixture::sqlite(), async |_| {
        let (server, store, zone) = own_server().await;
        add(&store, &zone, "GET /before", at(0)).await;
        server.kill();
        let asked = Instant::now();
        let answer = store.operation_upsert(&zone, vec![key("GET /during")], at(0)).await;
        assert!(matches!(answer, Err(OperationUpsertError::Store(StoreFailure::Unavailable(_)))), "{answer:?}");
        assert!(matches!(store.zone_get(&zone).await, Err(StoreFailure::Unavailable(_))));
        assert!(matches!(store.ping().await, Err(StoreFailure::Unavailable(_))));
        assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
        assert!(store.stats().unavailable >= 3);
        server.restart();
        // The first call of each kind may still meet a connection of the old server.
        let deadline = Instant::now() + Duration::from_secs(10);
        while let Err(error) = store.operation_upsert(&zone, vec![key("GET /after")], at(0)).await {
            assert!(Instant::now() < deadline, "{}", crate::fixture::chain(&error));
        }
        while store.ping().await.is_err() {
            assert!(Instant::now() < deadline);
        }
        let found: Vec<String> =
            stored(&store, &zone).await.into_iter().map(|operation| operation.key.endpoint.to_string()).collect();
        assert_eq!(found, ["/after", "/before"]);
    });
}

#[test]
fn what_was_acknowledged_survives_a_crash_of_the_server() {
    run(&Fixture::sqlite(), async |_| {
        let (server, store, zone) = own_server().await;
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            let (store, zone) = (store.clone(), zone.clone());
            writers.spawn(async move {
                let mut acknowledged = Vec::new();
                for step in 0.. {
                    let wanted = key(&format!("GET /{writer}/{step}"));
                    match store.operation_upsert(&zone, vec![wanted.clone()], at(0)).await {
                        Ok(_) => acknowledged.push(wanted),
                        Err(OperationUpsertError::Store(StoreFailure::Unavailable(_))) => break,
                        Err(error) => panic!("{}", crate::fixture::chain(&error)),
                    }
                }
                acknowledged
            });
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.kill();
        let acknowledged = writers.join_all().await.concat();
        assert!(acknowledged.len() > 100, "{}", acknowledged.len());
        server.restart();
        let again = open(&server.url("own")).await.unwrap();
        let found: std::collections::BTreeSet<_> =
            stored(&again, &zone).await.into_iter().map(|operation| operation.key).collect();
        assert!(acknowledged.iter().all(|key| found.contains(key)));
    });
}

#[test]
fn a_server_that_is_away_is_named_without_the_password() {
    run(&Fixture::sqlite(), async |_| {
        let error = open("postgres://app:hunter2@127.0.0.1:1/shield").await.err().unwrap();
        let text = crate::fixture::chain(&error);
        assert!(matches!(error, OpenError::Connect { .. }), "{error:?}");
        assert!(text.contains("127.0.0.1") && text.contains("shield"), "{text}");
        assert!(!format!("{text} {error:?}").contains("hunter2"), "{text}");
    });
}

#[test]
fn a_missing_database_is_named() {
    run(&Fixture::postgres(), async |fixture| {
        let Database::Postgres(url) = &fixture.database else { panic!() };
        let missing = format!("{}missing", &url[..=url.rfind('/').unwrap()]);
        let text = crate::fixture::chain(&open(&missing).await.err().unwrap());
        assert!(text.contains("missing") && text.contains("does not exist"), "{text}");
    });
}

#[test]
fn a_backup_is_left_to_the_servers_tools() {
    run(&Fixture::postgres(), async |fixture| {
        let to = fixture.folder.path().join("copy.db");
        assert!(matches!(fixture.store().await.backup(to.clone()).await, Err(BackupError::Postgres)));
        assert!(!to.exists());
    });
}

/// Waits until a statement on this database waits for a lock.
async fn lock_waited_for(fixture: &Fixture) {
    const WAITING: &str =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while fixture.number(WAITING) == 0 {
        assert!(Instant::now() < deadline, "nothing waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Has the server look for a deadlock when a connection of the store has waited for some seconds, and not before, so
/// that the store's transaction is the one that is taken back.
fn choose_the_store(fixture: &Fixture) {
    const SET: &str = "ALTER DATABASE %I SET deadlock_timeout = %L";
    fixture.sql(&format!("DO $$ BEGIN EXECUTE format('{SET}', current_database(), '3s'); END $$"));
}

/// Removing a zone locks the zone, then its operations; whoever adds locks them the other way round.
#[test]
fn a_zone_is_removed_in_spite_of_a_deadlock() {
    run(&Fixture::postgres(), async |fixture| {
        choose_the_store(fixture);
        let (store, zone) = fixture.store_with_zone().await;
        add(&store, &zone, "GET /", at(0)).await;
        let Database::Postgres(url) = &fixture.database else { panic!() };
        let mut other = PgConnection::connect(url).await.unwrap();
        other.execute("SET deadlock_timeout = '60s'").await.unwrap();
        other.execute("BEGIN; UPDATE operations SET last_updated = last_updated + 1").await.unwrap();
        let removal = tokio::spawn(async move { store.zone_delete(&zone).await });
        lock_waited_for(fixture).await;
        other.execute("UPDATE zones SET revision = revision + 1; COMMIT").await.unwrap();
        assert!(removal.await.unwrap().unwrap());
    });
}

#[test]
fn operations_are_removed_in_spite_of_a_deadlock() {
    run(&Fixture::postgres(), async |fixture| {
        choose_the_store(fixture);
        let (store, zone) = fixture.store_with_zone().await;
        let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
        let Database::Postgres(url) = &fixture.database else { panic!() };
        let mut other = PgConnection::connect(url).await.unwrap();
        other.execute("SET deadlock_timeout = '60s'").await.unwrap();
        other.execute("BEGIN; UPDATE zones SET revision = revision + 1").await.unwrap();
        let removal = tokio::spawn(async move { store.operation_delete(&zone, vec![id]).await });
        lock_waited_for(fixture).await;
        other.execute("UPDATE operations SET last_updated = last_updated + 1; COMMIT").await.unwrap();
        assert_eq!(removal.await.unwrap().unwrap(), [id]);
    });
}

/// A client that hangs up ends the call it made, in whatever state it is.
#[test]
fn a_call_that_is_given_up_leaves_no_lock_behind() {
    run(&Fixture::postgres(), async |fixture| {
        let (store, zone) = fixture.store_with_zone().await;
        let free = create_zone(&store, "free").await;
        let Database::Postgres(url) = &fixture.database else { panic!() };
        let mut other = PgConnection::connect(url).await.unwrap();
        other.execute("BEGIN; UPDATE zones SET revision = revision + 1 WHERE zone_id = 'z'").await.unwrap();
        let set = async |zone: &ZoneId, host: &str| {
            store.origin_set(zone, origin(host, "http://o"), at(0)).await.unwrap();
        };
        // It holds the lock on all origins, and waits for the zone.
        tokio::select! {
            () = set(&zone, "a.example") => panic!("the zone is locked"),
            () = lock_waited_for(fixture) => {}
        }
        other.execute("COMMIT").await.unwrap();
        timeout(Duration::from_secs(2), set(&free, "b.example")).await.unwrap();
        timeout(Duration::from_secs(2), set(&zone, "c.example")).await.unwrap();
        assert_eq!(store.origin_list(&zone).await.unwrap().unwrap().len(), 1, "the call was not carried out");
    });
}

/// Removing a zone locks the zone, then its operations; whoever sets a route locks them the other way round.
#[test]
fn a_route_is_set_in_spite_of_a_deadlock() {
    run(&Fixture::postgres(), async |fixture| {
        choose_the_store(fixture);
        let (store, zone) = fixture.store_with_zone().await;
        let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
        let Database::Postgres(url) = &fixture.database else { panic!() };
        let mut other = PgConnection::connect(url).await.unwrap();
        other.execute("SET deadlock_timeout = '60s'").await.unwrap();
        other.execute("BEGIN; UPDATE zones SET revision = revision + 1").await.unwrap();
        let route = target("http://o", "/");
        let setting = tokio::spawn(async move { store.route_set(&zone, id, route, at(0)).await });
        lock_waited_for(fixture).await;
        other.execute("UPDATE operations SET last_updated = last_updated + 1; COMMIT").await.unwrap();
        assert!(setting.await.unwrap().unwrap().is_some());
    });
}
