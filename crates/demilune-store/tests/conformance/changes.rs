//! Who is woken by a change. Wake-ups may come for nothing, so each case first waits until none is left.

use std::time::{Duration, Instant};

use demilune_policy::rule::{Unmatched, ZoneSettings};
use demilune_store::{Changes, Database, Store};
use sqlx::postgres::PgListener;
use tokio::time::{sleep, timeout};

use crate::fixture::{Fixture, add, at, conformance, create_zone, identifiers, keys, origin, run, target};

conformance![every_change_wakes, many_wait_at_once, a_wait_may_be_given_up, nothing_wakes_once_the_store_is_gone];

/// What a gateway may wait for at most.
const SOON: Duration = Duration::from_secs(1);

/// Waits until nothing wakes any more, also not the echo of what was told to other processes.
async fn settle(changes: &mut Changes) {
    while timeout(Duration::from_millis(250), changes.changed()).await.is_ok() {}
}

async fn assert_woken(changes: &mut Changes, what: &str) {
    assert!(timeout(SOON, changes.changed()).await.is_ok(), "{what}");
    settle(changes).await;
}

async fn every_change_wakes(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let mut changes = store.changes();
    settle(&mut changes).await;
    let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
    assert_woken(&mut changes, "an operation added").await;
    store.route_set(&zone, id, target("http://o", "/"), at(0)).await.unwrap();
    assert_woken(&mut changes, "a route set").await;
    store.route_delete(&zone, id).await.unwrap();
    assert_woken(&mut changes, "a route removed").await;
    store.operation_delete(&zone, vec![id]).await.unwrap();
    assert_woken(&mut changes, "an operation removed").await;
    let given = origin("a.example", "http://o");
    store.origin_set(&zone, given.clone(), at(0)).await.unwrap();
    assert_woken(&mut changes, "an origin set").await;
    store.origin_delete(&zone, &given.host).await.unwrap();
    assert_woken(&mut changes, "an origin removed").await;
    store.session_identifiers_set(&zone, identifiers(&["cookie a"])).await.unwrap();
    assert_woken(&mut changes, "session identifiers").await;
    let settings = ZoneSettings { unmatched: Unmatched::Log, ..ZoneSettings::default() };
    store.zone_settings_set(&zone, settings).await.unwrap();
    assert_woken(&mut changes, "settings").await;
    store.zone_delete(&zone).await.unwrap();
    assert_woken(&mut changes, "a zone removed").await;
    create_zone(&store, "new").await;
    assert_woken(&mut changes, "a zone added").await;
}

async fn many_wait_at_once(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let mut waiting = [store.changes(), store.clone().changes(), store.changes()];
    for changes in &mut waiting {
        settle(changes).await;
    }
    add(&store, &zone, "GET /", at(0)).await;
    for changes in &mut waiting {
        assert_woken(changes, "each of them").await;
    }
}

/// A gateway waits for a change or for its next poll, whichever is first.
async fn a_wait_may_be_given_up(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let mut changes = store.changes();
    settle(&mut changes).await;
    assert!(timeout(Duration::from_millis(10), changes.changed()).await.is_err());
    add(&store, &zone, "GET /", at(0)).await;
    assert_woken(&mut changes, "the change before the wait").await;
}

async fn nothing_wakes_once_the_store_is_gone(fixture: &Fixture) {
    let store = fixture.store().await;
    let mut changes = store.changes();
    store.close().await;
    drop(store);
    settle(&mut changes).await;
    assert!(timeout(Duration::from_millis(50), changes.changed()).await.is_err());
}

/// Makes changes until somebody else hears of one, which is once they listen.
async fn heard_at_last(store: &Store, changes: &mut Changes) {
    let zone = "z".parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(15);
    for number in 0.. {
        settle(changes).await;
        drop(store.operation_upsert(&zone, keys(number..number + 1), at(0)).await);
        if timeout(SOON, changes.changed()).await.is_ok() {
            return;
        }
        assert!(Instant::now() < deadline, "nobody hears");
    }
}

#[test]
fn another_process_is_woken_within_a_second() {
    run(&Fixture::postgres(), async |fixture| {
        let (store, zone) = fixture.store_with_zone().await;
        let other = fixture.store().await;
        let mut changes = other.changes();
        heard_at_last(&store, &mut changes).await;
        settle(&mut changes).await;
        store.origin_set(&zone, origin("a.example", "http://o"), at(0)).await.unwrap();
        assert_woken(&mut changes, "by another process").await;
    });
}

#[test]
fn a_lost_connection_is_listened_on_again() {
    run(&Fixture::postgres(), async |fixture| {
        let (store, _) = fixture.store_with_zone().await;
        let other = fixture.store().await;
        let mut changes = other.changes();
        heard_at_last(&store, &mut changes).await;
        let ended = fixture.number(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND query LIKE 'LISTEN %'",
        );
        assert_eq!(ended, 2);
        assert!(timeout(Duration::from_secs(5), changes.changed()).await.is_ok(), "what was missed may have been one");
        heard_at_last(&store, &mut changes).await;
    });
}

#[test]
fn a_busy_process_tells_others_ten_times_a_second() {
    run(&Fixture::postgres(), async |fixture| {
        let (store, zone) = fixture.store_with_zone().await;
        let Database::Postgres(url) = &fixture.database else { panic!() };
        let mut listener = PgListener::connect(url).await.unwrap();
        listener.listen("demilune_changes").await.unwrap();
        let started = Instant::now();
        for number in 0..300 {
            store.operation_upsert(&zone, keys(number..number + 1), at(0)).await.unwrap();
        }
        sleep(Duration::from_millis(300)).await;
        let tenths = started.elapsed().as_millis() / 100;
        let mut told = 0;
        while timeout(Duration::from_millis(10), listener.recv()).await.is_ok() {
            told += 1;
        }
        assert!((2..=tenths + 2).contains(&told), "{told} in {tenths} tenths of a second");
    });
}

/// Connections of stores to this database.
fn connections(fixture: &Fixture) -> i64 {
    fixture.number(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'demilune'",
    )
}

#[test]
fn closing_ends_what_tells_and_listens() {
    run(&Fixture::postgres(), async |fixture| {
        let (store, zone) = fixture.store_with_zone().await;
        add(&store, &zone, "GET /", at(0)).await;
        settle(&mut store.changes()).await;
        timeout(Duration::from_secs(5), store.close()).await.unwrap();
        // The server takes a moment to see that a connection was closed.
        sleep(Duration::from_millis(200)).await;
        assert_eq!(connections(fixture), 0);
    });
}

#[test]
fn dropping_ends_what_tells_and_listens() {
    run(&Fixture::postgres(), async |fixture| {
        let (store, zone) = fixture.store_with_zone().await;
        add(&store, &zone, "GET /", at(0)).await;
        settle(&mut store.changes()).await;
        assert!(connections(fixture) > 0);
        drop(store);
        let deadline = Instant::now() + Duration::from_secs(5);
        while connections(fixture) > 0 {
            assert!(Instant::now() < deadline, "{} are left", connections(fixture));
            sleep(Duration::from_millis(50)).await;
        }
    });
}
