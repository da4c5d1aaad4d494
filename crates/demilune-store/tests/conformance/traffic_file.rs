//! The file that SQLite keeps records of traffic in: the inventory is there without it.

use std::{fs, path::PathBuf};

use demilune_store::{EventFilter, Store, StoreFailure, TrafficLimits, TrafficScope};
use demilune_traffic::Hour;
use rusqlite::Connection;

use crate::{
    fixture::{Fixture, chain, create_zone, run, stored},
    sessions::sessions_row,
    traffic::{NOW, add, at_second, requests, row},
};

fn path(fixture: &Fixture) -> PathBuf {
    fixture.path().with_file_name("demilune-traffic.db")
}

/// An inventory with one operation, and its record.
async fn filled(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    add(&store, &zone, "/a").await;
    store.traffic_write(vec![row(&zone, None, NOW, "a", 3)], at_second(NOW)).await.unwrap();
    store.close().await;
}

/// All of the inventory works, and every question about records says which file is the matter.
async fn check_inventory_alone(fixture: &Fixture, because: &str) -> Store {
    let store = fixture.store().await;
    let zone = "z".parse().unwrap();
    store.ping().await.unwrap();
    assert_eq!(stored(&store, &zone).await.len(), 1);
    let id = add(&store, &zone, "/b").await;
    assert_eq!(store.operation_delete(&zone, vec![id]).await.unwrap(), [id]);
    let other = create_zone(&store, "other").await;
    assert!(store.zone_delete(&other).await.unwrap());
    let (from, to, source) = (at_second(0), at_second(NOW + 300), "import:1".parse().unwrap());
    let failures = [
        store.traffic_write(vec![row(&zone, None, NOW, "a", 4)], at_second(NOW)).await.unwrap_err(),
        store.traffic_series(&zone, TrafficScope::Zone, from, to).await.unwrap_err(),
        store.traffic_totals(&zone, from, to).await.unwrap_err(),
        store.traffic_maintain(at_second(NOW), TrafficLimits::default()).await.unwrap_err(),
        store.session_windows(&zone, vec![id], Hour::of(NOW)).await.unwrap_err(),
        store.session_operations(&zone, Hour::of(0), Hour::of(NOW)).await.unwrap_err(),
        store.import_begin(&zone, "hash", &source, None, from).await.unwrap_err(),
        store.import_session_by(&zone, std::slice::from_ref(&source)).await.unwrap_err(),
        store.learning_write(Vec::new(), from).await.unwrap_err(),
        store.learning_evidence(&zone, id, Hour::of(0), Hour::of(NOW)).await.unwrap_err(),
        store.learning_operations(&zone, Hour::of(0), Hour::of(NOW)).await.unwrap_err(),
        store.sightings_list(&zone, 0, 1).await.unwrap_err(),
        store.events_write(Vec::new()).await.unwrap_err(),
        store.events_list(&zone, &EventFilter::default(), 0, 1).await.unwrap_err(),
    ];
    for failure in failures {
        assert!(matches!(failure, StoreFailure::Unavailable(_)), "{failure:?}");
        let text = chain(&failure);
        assert!(text.contains("demilune-traffic.db") && text.contains(because), "{text}");
    }
    store
}

#[test]
fn records_outlast_the_process() {
    run(&Fixture::sqlite(), async |fixture| {
        filled(fixture).await;
        let store = fixture.store().await;
        assert_eq!(requests(&store, &"z".parse().unwrap(), TrafficScope::Zone).await, [(NOW, 300, 3)]);
    });
}

#[test]
fn a_missing_file_is_made_again() {
    run(&Fixture::sqlite(), async |fixture| {
        filled(fixture).await;
        fs::remove_file(path(fixture)).unwrap();
        let store = fixture.store().await;
        let zone = "z".parse().unwrap();
        assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, []);
        store.traffic_write(vec![row(&zone, None, NOW, "a", 4)], at_second(NOW)).await.unwrap();
        assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, 300, 4)]);
    });
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    run(&Fixture::sqlite(), async |fixture| {
        filled(fixture).await;
        let text = "a text of more than a hundred bytes, ".repeat(50);
        fs::write(path(fixture), &text).unwrap();
        check_inventory_alone(fixture, "is not a database, or it is damaged").await;
        assert_eq!(fs::read_to_string(path(fixture)).unwrap(), text);
    });
}

#[test]
fn another_programs_file_is_named_and_left_alone() {
    run(&Fixture::sqlite(), async |fixture| {
        filled(fixture).await;
        fs::remove_file(path(fixture)).unwrap();
        Connection::open(path(fixture)).unwrap().execute_batch("CREATE TABLE t (n)").unwrap();
        let before = fs::read(path(fixture)).unwrap();
        check_inventory_alone(fixture, "another program").await;
        assert_eq!(fs::read(path(fixture)).unwrap(), before);
    });
}

#[test]
fn an_inventory_in_its_place_is_not_written_into() {
    run(&Fixture::sqlite(), async |fixture| {
        filled(fixture).await;
        fs::copy(fixture.path(), path(fixture)).unwrap();
        check_inventory_alone(fixture, "an inventory, not records").await;
        let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'traffic_records'";
        let found: i64 = Connection::open(path(fixture)).unwrap().query_row(tables, [], |row| row.get(0)).unwrap();
        assert_eq!(found, 0);
    });
}

#[test]
fn a_newer_releases_file_is_used_only_if_it_still_serves_this_one() {
    run(&Fixture::sqlite(), async |fixture| {
        filled(fixture).await;
        let set = |sql: &str| Connection::open(path(fixture)).unwrap().execute_batch(sql).unwrap();
        set("UPDATE demilune_schema SET version = 9, oldest_binary = 1");
        let store = fixture.store().await;
        assert_eq!(requests(&store, &"z".parse().unwrap(), TrafficScope::Zone).await, [(NOW, 300, 3)]);
        store.close().await;
        assert_eq!(schema(fixture), 9, "left alone");
        set("UPDATE demilune_schema SET oldest_binary = 8");
        check_inventory_alone(fixture, "a newer release made it, with schema 9").await;
    });
}

#[test]
fn damage_within_the_file_is_reported_with_its_name() {
    run(&Fixture::sqlite(), async |fixture| {
        filled(fixture).await;
        let mut bytes = fs::read(path(fixture)).unwrap();
        // The first page names the tables; what is behind it holds them.
        bytes[4_096..].fill(0xa5);
        fs::write(path(fixture), bytes).unwrap();
        let store = fixture.store().await;
        let zone = "z".parse().unwrap();
        assert_eq!(stored(&store, &zone).await.len(), 1);
        let (from, to) = (at_second(0), at_second(NOW + 300));
        let failure = store.traffic_series(&zone, TrafficScope::Zone, from, to).await.unwrap_err();
        assert!(chain(&failure).contains("demilune-traffic.db"), "{}", chain(&failure));
    });
}

#[test]
fn a_file_of_the_first_release_is_kept() {
    run(&Fixture::sqlite(), async |fixture| {
        filled(fixture).await;
        let set = |sql: &str| Connection::open(path(fixture)).unwrap().execute_batch(sql).unwrap();
        set(
            "DROP TABLE traffic_sessions; DROP TABLE traffic_imports; DROP TABLE traffic_learning; DROP TABLE traffic_sightings; \
             DROP TABLE traffic_event_counts; DROP TABLE traffic_event_keywords; DROP TABLE traffic_events; UPDATE demilune_schema SET version = 1",
        );
        let store = fixture.store().await;
        let zone = "z".parse().unwrap();
        let id = stored(&store, &zone).await[0].id;
        assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, 300, 3)]);
        store.traffic_write(vec![sessions_row(&zone, id, NOW, "a", 1)], at_second(NOW)).await.unwrap();
        assert_eq!(store.session_operations(&zone, Hour::of(NOW), Hour::of(NOW + 3_600)).await.unwrap(), [id]);
        assert_eq!(schema(fixture), 5);
    });
}

/// The version that the file says.
fn schema(fixture: &Fixture) -> i64 {
    let connection = Connection::open(path(fixture)).unwrap();
    connection.query_row("SELECT version FROM demilune_schema", [], |row| row.get(0)).unwrap()
}

#[test]
fn the_file_says_its_schema() {
    run(&Fixture::sqlite(), async |fixture| {
        filled(fixture).await;
        assert_eq!(schema(fixture), 5);
    });
}
