//! Samples of sessions within their time and room: packed, pruned and cleared away, and no damaged one hides another.

use demilune_store::{SummariesMaintained, TrafficLimits};
use demilune_traffic::Source;
use futures_util::future::join_all;

use crate::{
    fixture::{Fixture, conformance, create_zone},
    sessions::{END, expected, maintain, rows, sessions_row, windows, write},
    traffic::{NOW, add, at_second},
};

conformance![
    an_hour_is_packed_an_hour_after_it_ended,
    a_later_snapshot_of_a_packed_hour_replaces_its_own,
    samples_go_a_week_after_their_hour_ended,
    samples_of_what_is_removed_go,
    the_oldest_hours_of_samples_go_when_there_is_too_much,
    a_damaged_sample_hides_no_other,
    a_damaged_sample_keeps_no_hour_from_being_packed,
    windows_are_exact_while_all_maintain_and_write,
];

async fn an_hour_is_packed_an_hour_after_it_ended(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let places = [(0, "a"), (3_300, "a"), (300, "b"), (3_600, "a")];
    let all = places.map(|(offset, source)| sessions_row(&zone, id, NOW + offset, source, 2));
    write(&store, NOW, all.to_vec()).await;
    for (now, packed, left) in [
        (NOW, 0, (4, 0)),
        (NOW + 7_199, 0, (4, 0)),
        (NOW + 7_200, 2, (1, 2)),
        (NOW + 7_200, 0, (1, 2)),
        (NOW + 10_800, 1, (0, 3)),
    ] {
        assert_eq!(maintain(&store, now).await.packed, packed, "{now}");
        assert_eq!(rows(fixture), left, "{now}");
        assert_eq!(windows(&store, &zone, &[id], END).await, expected(&all, END));
    }
    let stats = store.stats().traffic;
    assert_eq!((stats.session_rows, stats.session_pruned, stats.session_damaged), (3, 0, 0));
}

async fn a_later_snapshot_of_a_packed_hour_replaces_its_own(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let mut all = vec![sessions_row(&zone, id, NOW, "a", 3), sessions_row(&zone, id, NOW + 300, "a", 3)];
    write(&store, NOW, all.clone()).await;
    maintain(&store, END).await;
    for (offset, sequence, left) in [(0, 5, 1), (0, 4, 1), (0, 2, 1), (600, 1, 2)] {
        let late = sessions_row(&zone, id, NOW + offset, "a", sequence);
        write(&store, NOW, vec![late.clone()]).await;
        all.push(late);
        assert_eq!(rows(fixture), (left, 1), "{offset} {sequence}");
        assert_eq!(windows(&store, &zone, &[id], END).await, expected(&all, END), "{offset} {sequence}");
    }
    maintain(&store, END).await;
    assert_eq!(rows(fixture), (0, 1));
    assert_eq!(windows(&store, &zone, &[id], END).await, expected(&all, END));
    // What was there before is not taken for what is later.
    write(&store, NOW, all[..2].to_vec()).await;
    maintain(&store, END).await;
    assert_eq!(windows(&store, &zone, &[id], END).await, expected(&all, END));
}

async fn samples_go_a_week_after_their_hour_ended(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let offsets = [0, 3_300, 3_600];
    write(&store, NOW, offsets.map(|offset| sessions_row(&zone, id, NOW + offset, "a", 1)).to_vec()).await;
    let week_later = NOW + 3_600 + 168 * 3_600;
    assert_eq!(maintain(&store, week_later - 1).await.aged_out, 0);
    assert_eq!(rows(fixture), (0, 2));
    assert_eq!(maintain(&store, week_later).await.aged_out, 1);
    // One that came late, and is loose.
    write(&store, NOW, vec![sessions_row(&zone, id, NOW + 3_900, "a", 1)]).await;
    assert_eq!(maintain(&store, week_later + 3_600).await.aged_out, 2);
    assert_eq!((rows(fixture), store.stats().traffic.session_pruned), ((0, 0), 3));
}

async fn samples_of_what_is_removed_go(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let (gone, stays) = (add(&store, &zone, "/a").await, add(&store, &zone, "/b").await);
    let elsewhere = add(&store, &other, "/a").await;
    let both = |source: &str| [gone, stays].map(|id| sessions_row(&zone, id, NOW, source, 1)).to_vec();
    write(&store, NOW, both("a")).await;
    write(&store, NOW, vec![sessions_row(&other, elsewhere, NOW, "a", 1)]).await;
    store.operation_delete(&zone, vec![gone]).await.unwrap();
    assert_eq!(rows(fixture), (2, 0));
    // A gateway that had counted them already may still write them.
    write(&store, NOW, both("b")).await;
    assert_eq!(maintain(&store, NOW).await, SummariesMaintained { orphans: 1, ..SummariesMaintained::default() });
    assert_eq!(rows(fixture), (3, 0));
    store.zone_delete(&zone).await.unwrap();
    assert_eq!(rows(fixture), (1, 0));
    write(&store, NOW, both("c")).await;
    assert_eq!(maintain(&store, NOW).await.orphans, 2);
    assert_eq!((rows(fixture), store.stats().traffic.session_pruned), ((1, 0), 6));
}

async fn the_oldest_hours_of_samples_go_when_there_is_too_much(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let (id, elsewhere) = (add(&store, &zone, "/a").await, add(&store, &other, "/a").await);
    // Three hours that are packed and one that is not; each row is taken for some 200 bytes and its sample.
    for offset in [0, 3_600, 7_200, 21_600] {
        let (one, other) =
            (sessions_row(&zone, id, NOW + offset, "a", 1), sessions_row(&other, elsewhere, NOW + offset, "a", 1));
        write(&store, NOW, vec![one, other]).await;
    }
    let limited = async |session_bytes_max| {
        let limits = TrafficLimits { session_bytes_max, ..TrafficLimits::default() };
        let done = store.traffic_maintain(at_second(NOW + 21_600), limits).await.unwrap().sessions;
        let stats = store.stats().traffic;
        assert!(stats.session_bytes <= session_bytes_max);
        assert_eq!(
            rows(fixture),
            (i64::from(stats.session_rows > 0) * 2, i64::try_from(stats.session_rows.saturating_sub(2)).unwrap())
        );
        (done.over_limit, stats.session_rows)
    };
    assert_eq!(limited(10_000).await, (0, 8));
    let bytes = store.stats().traffic.session_bytes;
    assert_eq!(limited(bytes - 1).await, (2, 6));
    assert_eq!(limited(bytes / 2).await, (2, 4));
    assert_eq!(limited(0).await, (4, 0));
    assert_eq!(store.stats().traffic.session_pruned, 8);
}

/// Puts bytes that are no sample into the rows of a source.
fn damage(fixture: &Fixture, source: &str) {
    let sql = |bytes: &str| format!("UPDATE traffic_sessions SET sessions = {bytes} WHERE source = '{source}'");
    if fixture.is_sqlite() {
        let path = fixture.path().with_file_name("demilune-traffic.db");
        rusqlite::Connection::open(path).unwrap().execute(&sql("x'ff00ff'"), []).unwrap();
    } else {
        fixture.sql(&sql("'\\xff00ff'"));
    }
}

async fn a_damaged_sample_hides_no_other(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let (one, two) = (add(&store, &zone, "/a").await, add(&store, &zone, "/b").await);
    let good = sessions_row(&zone, one, NOW, "a", 2);
    let mut all = vec![good.clone(), sessions_row(&zone, one, NOW, "b", 2), sessions_row(&zone, two, NOW, "b", 2)];
    write(&store, NOW, all.clone()).await;
    damage(fixture, "b");
    assert_eq!(windows(&store, &zone, &[one, two], END).await, expected(&[good], END));
    assert_eq!(store.stats().traffic.session_damaged, 2);
    assert_eq!(store.stats().traffic.damaged, 0);
    // What the source counted comes again with its next snapshot.
    let next = [one, two].map(|id| sessions_row(&zone, id, NOW, "b", 3));
    write(&store, NOW, next.to_vec()).await;
    all.extend(next);
    assert_eq!(windows(&store, &zone, &[one, two], END).await, expected(&all, END));
}

async fn a_damaged_sample_keeps_no_hour_from_being_packed(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let good = sessions_row(&zone, id, NOW, "a", 2);
    write(&store, NOW, vec![good.clone(), sessions_row(&zone, id, NOW, "b", 2)]).await;
    damage(fixture, "b");
    assert_eq!(maintain(&store, END).await.packed, 2);
    assert_eq!((rows(fixture), store.stats().traffic.session_damaged), ((0, 1), 1));
    assert_eq!(windows(&store, &zone, &[id], END).await, expected(&[good], END));
    // A damaged hour gives way to what comes late.
    damage(fixture, "a");
    assert_eq!(windows(&store, &zone, &[id], END).await, []);
    let late = sessions_row(&zone, id, NOW, "a", 3);
    write(&store, NOW, vec![late.clone()]).await;
    for _ in 0..2 {
        assert_eq!(windows(&store, &zone, &[id], END).await, expected(std::slice::from_ref(&late), END));
        maintain(&store, END).await;
    }
    assert_eq!(rows(fixture), (0, 1));
}

async fn windows_are_exact_while_all_maintain_and_write(fixture: &Fixture) {
    let (one, zone) = fixture.store_with_zone().await;
    let stores = [one, fixture.store().await];
    let id = add(&stores[0], &zone, "/a").await;
    let mut all: Vec<_> = (0..24).map(|number| sessions_row(&zone, id, NOW + number * 300, "old", 3)).collect();
    write(&stores[0], NOW, all.clone()).await;
    let limits = TrafficLimits::default();
    let maintaining = (0..6).map(|number| stores[number % 2].traffic_maintain(at_second(END), limits));
    let late: Vec<_> =
        (1..=20).map(|sequence| sessions_row(&zone, id, NOW + sequence % 3 * 300, "new", sequence)).collect();
    let writing = (0..).zip(&late).map(|(number, row)| {
        let rows = vec![row.clone(), sessions_row(&zone, id, NOW, "old", 3)];
        stores[number % 2].traffic_write(rows, at_second(NOW))
    });
    let ends = demilune_traffic::Hour::of(END);
    let reading = (0..10).map(|number| stores[number % 2].session_windows(&zone, vec![id], ends));
    let (maintained, written, read) = tokio::join!(join_all(maintaining), join_all(writing), join_all(reading));
    assert!(maintained.into_iter().all(|outcome| outcome.is_ok()));
    assert!(written.into_iter().all(|outcome| outcome.is_ok()));
    let old: Source = "old".parse().unwrap();
    assert!(read.into_iter().all(|windows| windows.unwrap()[0].2.contains(&old)));
    all.extend(late);
    assert_eq!(windows(&stores[1], &zone, &[id], END).await, expected(&all, END));
    maintain(&stores[0], END).await;
    assert_eq!(windows(&stores[1], &zone, &[id], END).await, expected(&all, END));
    assert_eq!(rows(fixture), (0, 3));
}
