//! Samples of sessions: whatever order snapshots arrive in, however often, packed or not, a day's sessions are the same.

use std::collections::BTreeMap;

use demilune_inventory::{OperationId, ZoneId};
use demilune_store::{Store, SummariesMaintained, TrafficLimits, TrafficRow};
use demilune_traffic::{Bucket, Hour, SessionHash, SessionSample, SessionWindow, Source, WindowTotals};

use crate::{
    fixture::{Fixture, add_all, conformance, create_zone, keys},
    traffic::{NOW, add, at_second, row},
};

conformance![
    the_sessions_of_a_day_are_read_over_all_sources,
    deliveries_in_any_order_and_number_packed_or_not_read_alike,
    full_samples_read_alike_packed_or_not,
    a_snapshot_without_sessions_leaves_no_row,
    sessions_of_requests_that_no_operation_fits_are_not_kept,
    samples_of_an_hour_that_ended_a_week_ago_are_refused,
    operations_with_samples_in_some_hours_are_named,
    operations_without_number_are_all_read_and_packed,
];

/// The end of the day that is read.
pub(crate) const END: u64 = NOW + 86_400;
pub(crate) type Windows = Vec<(OperationId, WindowTotals, Vec<Source>)>;

/// Sessions with these numbers, each with as many requests as its number's remainder says.
pub(crate) fn sample(sessions: impl IntoIterator<Item = u64>) -> SessionSample {
    let mut sample = SessionSample::default();
    for number in sessions {
        for _ in 0..=number % 3 {
            sample.observe(Some(SessionHash::of((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))));
        }
    }
    sample.observe(None);
    sample
}

/// What a source has seen by its snapshot number `sequence`: each holds all that the one before did.
pub(crate) fn sessions_row(zone: &ZoneId, id: OperationId, second: u64, source: &str, sequence: u64) -> TrafficRow {
    let first = second / Bucket::SECONDS % 5 * 7;
    let mut row = row(zone, Some(id), second, source, sequence);
    row.snapshot.sessions = sample(first..first + sequence * 10);
    row
}

pub(crate) async fn write(store: &Store, now: u64, rows: Vec<TrafficRow>) {
    store.traffic_write(rows, at_second(now)).await.unwrap();
}

pub(crate) async fn windows(store: &Store, zone: &ZoneId, ids: &[OperationId], end: u64) -> Windows {
    store.session_windows(zone, ids.to_vec(), Hour::starting_at(end).unwrap()).await.unwrap()
}

pub(crate) async fn maintain(store: &Store, now: u64) -> SummariesMaintained {
    store.traffic_maintain(at_second(now), TrafficLimits::default()).await.unwrap().sessions
}

/// How many rows there are of each length.
pub(crate) fn rows(fixture: &Fixture) -> (i64, i64) {
    let count = |seconds| {
        let sql = format!("SELECT count(*) FROM traffic_sessions WHERE seconds = {seconds}");
        if fixture.is_sqlite() {
            let path = fixture.path().with_file_name("demilune-traffic.db");
            rusqlite::Connection::open(path).unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
        } else {
            fixture.number(&sql)
        }
    };
    (count(300), count(3_600))
}

/// What a day's rows tell, summed up in memory: of each operation, source and five minutes the highest sequence.
pub(crate) fn expected(rows: &[TrafficRow], end: u64) -> Windows {
    let mut latest: BTreeMap<_, BTreeMap<_, &TrafficRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| (end - 86_400..end).contains(&row.bucket.start())) {
        let kept = latest.entry(row.key.operation.unwrap()).or_default();
        let kept = kept.entry((row.source.clone(), row.bucket)).or_insert(row);
        if row.snapshot.sequence > kept.snapshot.sequence {
            *kept = row;
        }
    }
    let window = |(operation, rows): (OperationId, BTreeMap<(Source, Bucket), &TrafficRow>)| {
        let mut window = SessionWindow::ending_at(Hour::of(end));
        for row in rows.values() {
            window.add(row.bucket, &row.snapshot.sessions);
        }
        let mut sources: Vec<_> = rows.into_keys().map(|(source, _)| source).collect();
        sources.dedup();
        (operation, window.finish(), sources)
    };
    latest.into_iter().map(window).collect()
}

/// Numbers that follow from the first (`SplitMix64`).
fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 27)) >> 33).unwrap() % below
    }
}

async fn the_sessions_of_a_day_are_read_over_all_sources(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let mut ids = [add(&store, &zone, "/a").await, add(&store, &zone, "/b").await];
    ids.sort_unstable();
    let [one, two] = ids;
    let elsewhere = add(&store, &other, "/a").await;
    let mut counted = Vec::new();
    for (second, source) in [(NOW, "a"), (NOW, "b"), (NOW + 300, "b"), (END - 300, "a"), (NOW - 300, "c"), (END, "c")] {
        counted.push(sessions_row(&zone, one, second, source, 3));
    }
    counted.push(sessions_row(&zone, two, NOW + 3_300, "b", 2));
    counted.push(sessions_row(&zone, two, NOW + 3_600, "b", 2));
    write(&store, NOW, counted.clone()).await;
    write(&store, NOW, vec![sessions_row(&other, elsewhere, NOW, "a", 9)]).await;
    let found = windows(&store, &zone, &[two, one, elsewhere, two], END).await;
    assert_eq!(found, expected(&counted, END));
    let sources: Vec<Vec<_>> =
        found.iter().map(|(_, _, sources)| sources.iter().map(Source::as_str).collect()).collect();
    assert_eq!(sources, [vec!["a", "b"], vec!["b"]]);
    let (_, totals, _) = &found[1];
    // Twenty sessions each, of which 13 are in both; one request more of each without a session.
    assert_eq!((totals.anonymous, totals.maxima.sessions()), (2, 27));
    assert_eq!(windows(&store, &zone, &[two], END + 3_600).await.len(), 1);
    assert_eq!(windows(&store, &zone, &[two], END + 7_200).await, []);
    assert_eq!(windows(&store, &zone, &[], END).await, []);
}

async fn deliveries_in_any_order_and_number_packed_or_not_read_alike(fixture: &Fixture) {
    let store = fixture.store().await;
    for seed in 0..8 {
        let zone = create_zone(&store, &format!("zone{seed}")).await;
        let ids = [add(&store, &zone, "/a").await, add(&store, &zone, "/b").await];
        let mut all = Vec::new();
        for id in ids {
            for source in ["a", "b", "c"] {
                for (offset, sequence) in [
                    (0, 1),
                    (0, 4),
                    (0, 9),
                    (300, 2),
                    (300, 3),
                    (3_300, 2),
                    (3_600, 5),
                    (3_600, 6),
                    (50_000, 3),
                    (86_100, 7),
                ] {
                    all.push(sessions_row(&zone, id, NOW + offset, source, sequence));
                }
            }
        }
        let expected = expected(&all, END);
        let mut number = numbers(seed);
        // Each at least once, some again.
        let mut deliveries = all.clone();
        deliveries.extend((0..20).map(|_| all[number(all.len())].clone()));
        for last in (1..deliveries.len()).rev() {
            deliveries.swap(last, number(last + 1));
        }
        while !deliveries.is_empty() {
            let some = deliveries.split_off(deliveries.len() - 1 - number(deliveries.len().min(12)));
            write(&store, NOW, some).await;
            if number(2) == 0 {
                // Some hours are packed by then, some not.
                maintain(&store, NOW + 3_600 * number(30) as u64).await;
            }
        }
        assert_eq!(windows(&store, &zone, &ids, END).await, expected, "{seed}");
        maintain(&store, END + 7_200).await;
        assert_eq!(windows(&store, &zone, &ids, END).await, expected, "{seed}, packed");
        assert_eq!(maintain(&store, END + 7_200).await, SummariesMaintained::default(), "{seed}");
        // Late, and again, though packed.
        write(&store, NOW, all).await;
        assert_eq!(windows(&store, &zone, &ids, END).await, expected, "{seed}, again");
    }
    maintain(&store, END + 7_200).await;
    assert_eq!(rows(fixture), (0, 8 * 2 * 3 * 4));
}

async fn full_samples_read_alike_packed_or_not(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let mut all = Vec::new();
    for (number, offset) in (0..).zip([0, 300, 600, 3_300, 3_600]) {
        for source in ["a", "b"] {
            for sequence in [1, 2] {
                let mut row = row(&zone, Some(id), NOW + offset, source, sequence);
                row.snapshot.sessions = sample(number * 700..number * 700 + 1_500 * sequence);
                all.push(row);
            }
        }
    }
    let expected = expected(&all, END);
    assert_eq!(expected[0].1.maxima.sessions(), SessionSample::SESSIONS_MAX as u64);
    // The hour is packed from the first snapshots, then again with the second ones.
    let (first, second): (Vec<_>, Vec<_>) = all.into_iter().partition(|row| row.snapshot.sequence == 1);
    write(&store, NOW, first.clone()).await;
    maintain(&store, END).await;
    write(&store, NOW, second).await;
    assert_eq!(windows(&store, &zone, &[id], END).await, expected);
    assert_eq!(maintain(&store, END).await.packed, 4);
    write(&store, NOW, first).await;
    assert_eq!(windows(&store, &zone, &[id], END).await, expected);
    maintain(&store, END).await;
    assert_eq!(windows(&store, &zone, &[id], END).await, expected);
    assert_eq!(rows(fixture), (0, 4));
}

async fn a_snapshot_without_sessions_leaves_no_row(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    write(&store, NOW, vec![row(&zone, Some(id), NOW, "a", 3)]).await;
    assert_eq!(rows(fixture), (0, 0));
    assert_eq!(windows(&store, &zone, &[id], END).await, []);
}

async fn sessions_of_requests_that_no_operation_fits_are_not_kept(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let mut unmatched = sessions_row(&zone, id, NOW, "a", 3);
    unmatched.key.operation = None;
    write(&store, NOW, vec![unmatched]).await;
    assert_eq!(rows(fixture), (0, 0));
}

async fn samples_of_an_hour_that_ended_a_week_ago_are_refused(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let check = async |now: u64, stored: usize| {
        let row = sessions_row(&zone, id, NOW, &format!("at-{now}"), 1);
        let written = store.traffic_write(vec![row], at_second(now)).await.unwrap();
        assert_eq!((written.sessions_stored, written.sessions_refused_late), (stored, 1 - stored), "{now}");
    };
    let week_later = NOW + 3_600 + 168 * 3_600;
    check(week_later - 1, 1).await;
    check(week_later, 0).await;
    check(week_later + 86_400, 0).await;
    let stats = store.stats().traffic;
    assert_eq!((stats.session_written, stats.session_refused_late), (1, 2));
    assert_eq!(rows(fixture), (1, 0));
}

async fn operations_with_samples_in_some_hours_are_named(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let mut ids = [add(&store, &zone, "/a").await, add(&store, &zone, "/b").await, add(&store, &zone, "/c").await];
    ids.sort_unstable();
    let [one, two, _] = ids;
    write(
        &store,
        NOW,
        vec![sessions_row(&zone, one, NOW + 3_300, "a", 1), sessions_row(&zone, two, NOW + 7_200, "a", 1)],
    )
    .await;
    let check = async |since: u64, until: u64, expected: &[OperationId]| {
        let (since, until) = (Hour::of(NOW + since), Hour::of(NOW + until));
        assert_eq!(store.session_operations(&zone, since, until).await.unwrap(), expected);
    };
    for _ in 0..2 {
        check(0, 86_400, &[one, two]).await;
        check(0, 3_600, &[one]).await;
        check(3_600, 7_200, &[]).await;
        check(7_200, 10_800, &[two]).await;
        check(7_200, 7_200, &[]).await;
        // The same once they are packed.
        maintain(&store, END).await;
    }
    assert_eq!(store.session_operations(&"other".parse().unwrap(), Hour::of(0), Hour::of(END)).await.unwrap(), []);
}

async fn operations_without_number_are_all_read_and_packed(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let added = add_all(&store, &zone, keys(0..70)).await;
    let ids: Vec<_> = added.iter().map(|added| added.operation.operation.id).collect();
    let all: Vec<_> = ids
        .iter()
        .flat_map(|id| [0, 300, 3_600].map(|offset| sessions_row(&zone, *id, NOW + offset, "a", 2)))
        .collect();
    write(&store, NOW, all.clone()).await;
    assert_eq!(windows(&store, &zone, &ids, END).await, expected(&all, END));
    assert_eq!(maintain(&store, END).await.packed, 140);
    assert_eq!(windows(&store, &zone, &ids, END).await, expected(&all, END));
    assert_eq!(rows(fixture), (0, 140));
    assert_eq!(store.session_operations(&zone, Hour::of(NOW), Hour::of(END)).await.unwrap().len(), 70);
}
