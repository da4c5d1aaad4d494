//! Records of traffic: whatever order snapshots arrive in, and however often, what is read is what was counted.

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_store::{Store, TrafficKey, TrafficLimits, TrafficRow, TrafficScope};
use demilune_traffic::{Bucket, Hour, Observation, Record, Snapshot};

use crate::fixture::{self, Fixture, conformance};

conformance![
    what_was_counted_is_read,
    the_highest_sequence_counts_whatever_the_order,
    sources_are_summed,
    a_window_holds_the_buckets_that_touch_it,
    snapshots_that_come_a_week_late_are_refused,
    old_records_become_hourly_ones_once,
    records_of_removed_operations_go,
    records_of_removed_zones_go,
    the_oldest_hours_go_when_there_is_too_much,
];

/// A moment at the start of an hour.
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) async fn add(store: &Store, zone: &ZoneId, path: &str) -> OperationId {
    fixture::add(store, zone, &format!("GET {path}"), at_second(NOW)).await.operation.operation.id
}

pub(crate) fn at_second(second: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(second).unwrap() * 1_000_000).unwrap()
}

pub(crate) fn record(requests: u64) -> Record {
    let mut record = Record::default();
    for number in 0..requests {
        record.observe(&Observation {
            status: Some(200),
            duration_us: 100 + number,
            bytes_out: 7,
            ..Observation::default()
        });
    }
    record
}

pub(crate) fn row(
    zone: &ZoneId,
    operation: Option<OperationId>,
    second: u64,
    source: &str,
    requests: u64,
) -> TrafficRow {
    TrafficRow {
        key: TrafficKey { zone: zone.clone(), operation },
        bucket: Bucket::of(second),
        source: source.parse().unwrap(),
        snapshot: Snapshot { sequence: requests, record: record(requests), ..Snapshot::default() },
    }
}

pub(crate) async fn requests(store: &Store, zone: &ZoneId, scope: TrafficScope) -> Vec<(u64, u64, u64)> {
    let series = store.traffic_series(zone, scope, at_second(0), at_second(NOW + 86_400)).await.unwrap();
    series.points.iter().map(|point| (point.start, point.seconds, point.record.requests())).collect()
}

async fn what_was_counted_is_read(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let rows = vec![row(&zone, Some(id), NOW, "a", 3), row(&zone, None, NOW, "a", 2)];
    let written = store.traffic_write(rows, at_second(NOW)).await.unwrap();
    assert_eq!((written.stored, written.refused_late), (2, 0));
    assert_eq!(requests(&store, &zone, TrafficScope::Operation(id)).await, [(NOW, 300, 3)]);
    assert_eq!(requests(&store, &zone, TrafficScope::Unmatched).await, [(NOW, 300, 2)]);
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, 300, 5)]);
    let totals = store.traffic_totals(&zone, at_second(0), at_second(NOW + 1)).await.unwrap();
    assert_eq!(totals, [(None, record(2)), (Some(id), record(3))]);
}

async fn the_highest_sequence_counts_whatever_the_order(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    for (requests, already_there) in [(5, 0), (9, 0), (9, 1), (2, 1), (7, 1)] {
        let rows = vec![row(&zone, None, NOW, "a", requests)];
        let written = store.traffic_write(rows, at_second(NOW)).await.unwrap();
        assert_eq!((written.stored, written.already_there), (1, already_there), "{requests}");
    }
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, 300, 9)]);
}

async fn sources_are_summed(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    for source in ["a", "b", "c"] {
        store.traffic_write(vec![row(&zone, None, NOW, source, 4)], at_second(NOW)).await.unwrap();
    }
    let series = store.traffic_series(&zone, TrafficScope::Zone, at_second(NOW), at_second(NOW + 300)).await.unwrap();
    assert_eq!(series.points[0].record, [&record(4), &record(4), &record(4)].into_iter().sum::<Record>());
}

async fn a_window_holds_the_buckets_that_touch_it(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let rows = [0, 300, 600, 900].map(|offset| row(&zone, None, NOW + offset, "a", 1));
    store.traffic_write(rows.to_vec(), at_second(NOW)).await.unwrap();
    let (since, until) = (at_second(NOW + 301), at_second(NOW + 601));
    let series = store.traffic_series(&zone, TrafficScope::Zone, since, until).await.unwrap();
    let starts: Vec<_> = series.points.iter().map(|point| point.start - NOW).collect();
    assert_eq!(starts, [300, 600]);
}

async fn snapshots_that_come_a_week_late_are_refused(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let late = row(&zone, None, NOW - 7 * 86_400 - 300, "a", 1);
    let in_time = row(&zone, None, NOW - 7 * 86_400, "a", 1);
    let written = store.traffic_write(vec![late, in_time], at_second(NOW)).await.unwrap();
    assert_eq!((written.stored, written.refused_late), (1, 1));
}

async fn old_records_become_hourly_ones_once(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let rows = [0, 300, 3_300, 3_600].map(|offset| row(&zone, None, NOW + offset, "a", 2));
    store.traffic_write(rows.to_vec(), at_second(NOW)).await.unwrap();
    let later = at_second(NOW + 3_600 + 7 * 86_400 + Hour::SECONDS);
    let done = store.traffic_maintain(later, TrafficLimits::default()).await.unwrap();
    assert_eq!(done.hours_packed, 1);
    let expected = [(NOW, 3_600, 6), (NOW + 3_600, 300, 2)];
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, expected);
    let again = store.traffic_maintain(later, TrafficLimits::default()).await.unwrap();
    assert_eq!(again.hours_packed, 0);
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, expected);
    let much_later = at_second(NOW + 401 * 86_400);
    let done = store.traffic_maintain(much_later, TrafficLimits::default()).await.unwrap();
    assert_eq!((done.hours_packed, done.aged_out), (1, 2));
}

async fn records_of_removed_operations_go(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let (gone, stays) = (add(&store, &zone, "/a").await, add(&store, &zone, "/b").await);
    let rows = vec![row(&zone, Some(gone), NOW, "a", 1), row(&zone, Some(stays), NOW, "a", 1)];
    store.traffic_write(rows, at_second(NOW)).await.unwrap();
    store.operation_delete(&zone, vec![gone]).await.unwrap();
    assert_eq!(requests(&store, &zone, TrafficScope::Operation(gone)).await, []);
    assert_eq!(requests(&store, &zone, TrafficScope::Operation(stays)).await.len(), 1);
    // A gateway that had counted them already may still write them.
    store.traffic_write(vec![row(&zone, Some(gone), NOW, "b", 1)], at_second(NOW)).await.unwrap();
    let done = store.traffic_maintain(at_second(NOW), TrafficLimits::default()).await.unwrap();
    assert_eq!(done.orphans, 1);
}

async fn records_of_removed_zones_go(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let rows = vec![row(&zone, None, NOW, "a", 1), row(&zone, Some(id), NOW, "a", 1)];
    store.traffic_write(rows, at_second(NOW)).await.unwrap();
    store.zone_delete(&zone).await.unwrap();
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, []);
    // A gateway that had counted them already may still write them.
    store.traffic_write(vec![row(&zone, None, NOW, "b", 1)], at_second(NOW)).await.unwrap();
    let done = store.traffic_maintain(at_second(NOW), TrafficLimits::default()).await.unwrap();
    assert_eq!(done.orphans, 1);
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, []);
}

async fn the_oldest_hours_go_when_there_is_too_much(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let rows = [0, 300, 600].map(|offset| row(&zone, None, NOW + offset, "a", 1));
    store.traffic_write(rows.to_vec(), at_second(NOW)).await.unwrap();
    let room = TrafficLimits { bytes_max: 10_000, ..TrafficLimits::default() };
    assert_eq!(store.traffic_maintain(at_second(NOW), room).await.unwrap().over_limit, 0);
    let none = TrafficLimits { bytes_max: 0, ..TrafficLimits::default() };
    assert_eq!(store.traffic_maintain(at_second(NOW), none).await.unwrap().over_limit, 3);
}
