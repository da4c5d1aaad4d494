//! Laws of records of traffic: what is delivered late, twice or out of order, packed or damaged, adds up all the same.

use demilune_inventory::ZoneId;
use demilune_store::{Store, TrafficLimits, TrafficRow, TrafficScope, TrafficSeries, TrafficStats};
use demilune_traffic::{Hour, Record};
use futures_util::future::join_all;

use crate::{
    fixture::{Fixture, add_all, conformance, create_zone, keys},
    traffic::{NOW, add, at_second, record, requests, row},
};

conformance![
    deliveries_in_any_order_and_number_read_alike,
    packing_changes_no_sum_and_no_second_time,
    a_snapshot_for_a_packed_hour_is_refused,
    sums_are_exact_while_all_maintain_and_write,
    a_damaged_record_hides_no_other,
    a_damaged_record_keeps_no_hour_from_being_packed,
    a_window_that_begins_within_an_hour_has_all_of_it,
    an_hour_that_only_some_have_packed_is_one_point,
    hourly_records_give_way_before_finer_ones,
    operations_without_number_are_all_read_and_kept,
    what_was_done_is_counted,
];

const WEEK: u64 = 7 * 86_400;
/// When the records of the hour from `NOW` on are packed.
const LATER: u64 = NOW + 3_600 + WEEK + 3_600;

async fn series(store: &Store, zone: &ZoneId) -> TrafficSeries {
    store.traffic_series(zone, TrafficScope::Zone, at_second(0), at_second(NOW + 86_400)).await.unwrap()
}

async fn write(store: &Store, rows: Vec<TrafficRow>) {
    store.traffic_write(rows, at_second(NOW)).await.unwrap();
}

async fn maintain(store: &Store, now: u64) -> (u64, u64) {
    let done = store.traffic_maintain(at_second(now), TrafficLimits::default()).await.unwrap();
    (done.hours_packed, done.aged_out + done.orphans + done.over_limit)
}

/// Numbers that follow from the first (`SplitMix64`).
fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 27)) >> 33).unwrap() % below
    }
}

async fn deliveries_in_any_order_and_number_read_alike(fixture: &Fixture) {
    let store = fixture.store().await;
    let mut expected: Option<(TrafficSeries, Record)> = None;
    for seed in 0..6 {
        let zone = create_zone(&store, &format!("zone{seed}")).await;
        let id = add(&store, &zone, "/a").await;
        let mut rows = Vec::new();
        for (source, operation) in [("a", None), ("b", None), ("b", Some(id)), ("c", Some(id))] {
            for (offset, sequence) in [(0, 1), (0, 4), (0, 9), (300, 2), (300, 3), (3_900, 7)] {
                rows.push(row(&zone, operation, NOW + offset, source, sequence));
            }
        }
        let mut number = numbers(seed);
        // Each at least once, some again.
        rows.extend((0..10).map(|_| rows[number(rows.len())].clone()).collect::<Vec<_>>());
        for last in (1..rows.len()).rev() {
            rows.swap(last, number(last + 1));
        }
        while !rows.is_empty() {
            let some = rows.split_off(rows.len() - 1 - number(rows.len().min(8)));
            write(&store, some).await;
        }
        let totals = store.traffic_totals(&zone, at_second(0), at_second(NOW + 86_400)).await.unwrap();
        let found = (series(&store, &zone).await, totals.iter().map(|(_, record)| record).sum());
        assert_eq!(&found, expected.get_or_insert_with(|| found.clone()), "{seed}");
    }
    assert_eq!(expected.unwrap().1.requests(), 4 * (9 + 3 + 7));
}

async fn packing_changes_no_sum_and_no_second_time(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    for (offset, source) in [(0, "a"), (300, "a"), (3_300, "b"), (3_600, "a"), (10_800, "b")] {
        write(&store, vec![row(&zone, None, NOW + offset, source, 5), row(&zone, Some(id), NOW + offset, source, 7)])
            .await;
    }
    let totals = async || store.traffic_totals(&zone, at_second(0), at_second(NOW + 86_400)).await.unwrap();
    let before = totals().await;
    assert_eq!(maintain(&store, LATER + 3_600).await, (2, 0));
    let packed = series(&store, &zone).await;
    let places: Vec<_> = packed.points.iter().map(|point| (point.start - NOW, point.seconds)).collect();
    assert_eq!(places, [(0, 3_600), (3_600, 3_600), (10_800, 300)]);
    assert_eq!(totals().await, before);
    for _ in 0..2 {
        assert_eq!(maintain(&store, LATER + 3_600).await, (0, 0));
        assert_eq!((series(&store, &zone).await, totals().await), (packed.clone(), before.clone()));
    }
}

async fn a_snapshot_for_a_packed_hour_is_refused(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, vec![row(&zone, None, NOW, "a", 5)]).await;
    maintain(&store, LATER).await;
    // By this clock it is in time: the same again, more of it, another five minutes, another source.
    for (offset, source, sequence, stored) in [(0, "a", 5, 0), (0, "a", 8, 0), (300, "a", 2, 0), (300, "b", 3, 1)] {
        let late = row(&zone, None, NOW + offset, source, sequence);
        let written = store.traffic_write(vec![late], at_second(NOW)).await.unwrap();
        assert_eq!((written.stored, written.refused_late), (stored, 1 - stored), "{offset} {source} {sequence}");
    }
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, 3_600, 8)]);
}

async fn sums_are_exact_while_all_maintain_and_write(fixture: &Fixture) {
    let (one, zone) = fixture.store_with_zone().await;
    let stores = [one, fixture.store().await];
    let offsets: Vec<u64> = (0..24).map(|number| number * 300).collect();
    for offset in &offsets {
        write(&stores[0], vec![row(&zone, None, NOW + offset, "old", 3)]).await;
    }
    let limits = TrafficLimits::default();
    let maintaining = (0..6).map(|number| stores[number % 2].traffic_maintain(at_second(LATER + 3_600), limits));
    let writing = (1..=20).map(|sequence| {
        let rows = vec![row(&zone, None, NOW + 86_000, "new", sequence), row(&zone, None, NOW, "old", 3)];
        stores[usize::try_from(sequence).unwrap() % 2].traffic_write(rows, at_second(NOW))
    });
    let (maintained, written) = tokio::join!(join_all(maintaining), join_all(writing));
    assert!(maintained.into_iter().all(|outcome| outcome.is_ok()));
    assert!(written.into_iter().all(|outcome| outcome.is_ok()));
    let expected = [(NOW, 3_600, 36), (NOW + 3_600, 3_600, 36), (NOW + 86_000 - 200, 300, 20)];
    assert_eq!(requests(&stores[0], &zone, TrafficScope::Zone).await, expected);
}

/// Puts bytes that are no record into the rows of a source.
fn damage(fixture: &Fixture, source: &str) {
    let sql = |bytes: &str| format!("UPDATE traffic_records SET record = {bytes} WHERE source = '{source}'");
    if fixture.is_sqlite() {
        let path = fixture.path().with_file_name("demilune-traffic.db");
        rusqlite::Connection::open(path).unwrap().execute(&sql("x'ff00ff'"), []).unwrap();
    } else {
        fixture.sql(&sql("'\\xff00ff'"));
    }
}

async fn a_damaged_record_hides_no_other(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let rows = [(0, "a"), (0, "b"), (300, "b"), (600, "a")]
        .map(|(offset, source)| row(&zone, Some(id), NOW + offset, source, 4));
    write(&store, rows.to_vec()).await;
    damage(fixture, "b");
    let found = series(&store, &zone).await;
    let points: Vec<_> = found.points.iter().map(|point| (point.start - NOW, point.record.requests())).collect();
    assert_eq!((points.as_slice(), found.damaged), ([(0, 4), (600, 4)].as_slice(), 2));
    let totals = store.traffic_totals(&zone, at_second(0), at_second(NOW + 86_400)).await.unwrap();
    assert_eq!(totals, [(Some(id), [&record(4), &record(4)].into_iter().sum())]);
    assert_eq!(store.stats().traffic.damaged, 4, "two readings met two each");
    // What the source counted comes again with its next snapshot.
    write(&store, vec![row(&zone, Some(id), NOW, "b", 5)]).await;
    assert_eq!(requests(&store, &zone, TrafficScope::Operation(id)).await, [(NOW, 300, 9), (NOW + 600, 300, 4)]);
}

async fn a_damaged_record_keeps_no_hour_from_being_packed(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, vec![row(&zone, None, NOW, "a", 4), row(&zone, None, NOW, "b", 4)]).await;
    damage(fixture, "b");
    assert_eq!(maintain(&store, LATER).await, (1, 0));
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, 3_600, 4)]);
    assert_eq!((store.stats().traffic.damaged, store.stats().traffic.rows), (1, 1));
    damage(fixture, "a");
    assert_eq!(maintain(&store, LATER).await, (0, 0));
    assert_eq!(maintain(&store, NOW + 401 * 86_400).await, (0, 1), "it grows old like any other");
}

async fn a_window_that_begins_within_an_hour_has_all_of_it(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    for offset in [0, 3_600, 7_200] {
        write(&store, vec![row(&zone, None, NOW + offset, "a", 1)]).await;
    }
    maintain(&store, LATER + 3_600).await;
    let starts = async |since, until| {
        let window = (at_second(NOW + since), at_second(NOW + until));
        let series = store.traffic_series(&zone, TrafficScope::Unmatched, window.0, window.1).await.unwrap();
        series.points.iter().map(|point| point.start - NOW).collect::<Vec<_>>()
    };
    assert_eq!(starts(0, 3_600).await, [0]);
    assert_eq!(starts(3_599, 3_601).await, [0, 3_600]);
    assert_eq!(starts(3_600, 7_200).await, [3_600]);
    assert_eq!(starts(7_199, 7_201).await, [3_600, 7_200]);
    assert!(starts(7_500, 9_000).await.is_empty());
    assert_eq!(starts(5, 5).await, [0], "a moment lies in an hour");
    assert!(starts(9_000, 0).await.is_empty());
}

async fn an_hour_that_only_some_have_packed_is_one_point(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    write(&store, vec![row(&zone, None, NOW, "a", 1)]).await;
    maintain(&store, LATER).await;
    // Written by a node whose clock is behind, after the hour of the other source and operation was packed.
    write(&store, vec![row(&zone, None, NOW + 300, "b", 2), row(&zone, Some(id), NOW + 600, "a", 4)]).await;
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, Hour::SECONDS, 7)]);
    maintain(&store, LATER).await;
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, Hour::SECONDS, 7)]);
}

async fn hourly_records_give_way_before_finer_ones(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    // Two days that are packed, one that is not; each row is taken for a little over 200 bytes.
    for offset in [0, 86_400, 3 * 86_400] {
        let rows = (0..10).map(|hour| row(&zone, None, NOW + offset + hour * 3_600, "a", 1));
        write(&store, rows.collect()).await;
    }
    let now = NOW + 2 * 86_400 + WEEK + 3_600;
    let rows_left = async |bytes_max| {
        store.traffic_maintain(at_second(now), TrafficLimits { bytes_max, ..TrafficLimits::default() }).await.unwrap();
        let series = store.traffic_series(&zone, TrafficScope::Zone, at_second(0), at_second(now)).await.unwrap();
        let hourly = series.points.iter().filter(|point| point.seconds == Hour::SECONDS).count();
        let oldest = series.points.first().map(|point| (point.start - NOW) / 86_400);
        (hourly, series.points.len() - hourly, oldest)
    };
    assert_eq!(rows_left(100_000).await, (20, 10, Some(0)));
    assert_eq!(rows_left(5_000).await, (10, 10, Some(1)));
    assert_eq!(rows_left(4_999).await, (10, 10, Some(1)));
    assert_eq!(rows_left(2_500).await, (0, 10, Some(3)));
    assert!(store.stats().traffic.bytes <= 2_500);
    assert_eq!(rows_left(0).await, (0, 0, None));
}

async fn operations_without_number_are_all_read_and_kept(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let added = add_all(&store, &zone, keys(0..150)).await;
    let ids: Vec<_> = added.iter().map(|added| added.operation.operation.id).collect();
    write(&store, ids.iter().map(|id| row(&zone, Some(*id), NOW, "a", 2)).collect()).await;
    let check = async |seconds| {
        assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, seconds, 300)]);
        let totals = store.traffic_totals(&zone, at_second(0), at_second(NOW + 86_400)).await.unwrap();
        assert!(
            totals.iter().map(|(id, _)| id.unwrap()).eq(ids.iter().copied().collect::<std::collections::BTreeSet<_>>())
        );
    };
    check(300).await;
    assert_eq!(maintain(&store, LATER).await, (1, 0));
    check(3_600).await;
}

async fn what_was_done_is_counted(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let rows = vec![
        row(&zone, None, NOW, "a", 1),
        row(&zone, Some(id), NOW, "a", 1),
        row(&zone, None, NOW - WEEK - 300, "a", 1),
    ];
    write(&store, rows).await;
    store.operation_delete(&zone, vec![id]).await.unwrap();
    maintain(&store, NOW).await;
    let TrafficStats { rows, bytes, written, refused_late, pruned, damaged, .. } = store.stats().traffic;
    assert_eq!((rows, written, refused_late, pruned, damaged), (1, 2, 1, 1, 0));
    assert!((200..300).contains(&bytes), "{bytes}");
}
