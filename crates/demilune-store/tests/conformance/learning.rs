//! Evidence of what callers send: the latest snapshot counts, and days are packed exactly.

use std::sync::Arc;

use demilune_inventory::{OperationId, ZoneId};
use demilune_schema::learn::{Evidence, LearnKey, Supporter};
use demilune_store::{LearningRow, LearningWritten, Store, SummariesMaintained, TrafficLimits};
use demilune_traffic::Hour;

use crate::{
    fixture::{Fixture, conformance, create_zone},
    traffic::{add, at_second},
};

conformance![
    the_snapshot_with_the_highest_sequence_counts,
    sources_hours_and_published_sets_stand_beside_each_other,
    evidence_that_comes_too_late_is_refused_and_counted,
    a_day_is_packed_a_day_after_it_ended_and_says_the_same,
    a_packed_hour_takes_no_later_snapshot_and_a_missing_one_is_packed_as_well,
    evidence_goes_after_eight_days,
    evidence_of_what_is_removed_goes,
    the_oldest_evidence_goes_when_there_is_too_much,
    damaged_evidence_hides_no_other,
];

/// A Tuesday's start, UTC.
const DAY: u64 = 1_767_657_600;
const DAY_SECONDS: u64 = 86_400;

/// What somebody saw in so many requests of an hour.
fn evidence(hour: u64, requests: u32) -> Evidence {
    let mut evidence = Evidence::new(Arc::default());
    let key = LearnKey::new([1; 16]);
    for number in 0..requests {
        let query = format!("limit={number}");
        evidence.observe(&key, Hour::of(hour), Supporter(number), &["7"], Some(&query));
    }
    evidence
}

fn row(zone: &ZoneId, operation: OperationId, hour: u64, source: &str, requests: u32) -> LearningRow {
    let evidence = evidence(hour, requests);
    LearningRow {
        zone: zone.clone(),
        operation,
        source: source.parse().unwrap(),
        hour: Hour::of(hour),
        published: 0,
        sequence: evidence.sequence(),
        evidence: evidence.encode(),
    }
}

async fn write(store: &Store, now: u64, rows: Vec<LearningRow>) -> LearningWritten {
    store.learning_write(rows, at_second(now)).await.unwrap()
}

async fn maintain(store: &Store, now: u64) -> SummariesMaintained {
    store.traffic_maintain(at_second(now), TrafficLimits::default()).await.unwrap().learning
}

/// The sum of all evidence of three days, and how many hours each row covers.
async fn sum(store: &Store, zone: &ZoneId, id: OperationId) -> (Vec<u8>, Vec<u64>) {
    let (from, until) = (Hour::of(DAY), Hour::of(DAY + 3 * DAY_SECONDS));
    let stored = store.learning_evidence(zone, id, from, until).await.unwrap();
    let mut sum = Evidence::new(Arc::default());
    for row in &stored {
        sum.merge(&Evidence::decode(&row.evidence).unwrap());
    }
    (sum.encode(), stored.iter().map(|row| row.hours).collect())
}

fn expected(rows: &[LearningRow]) -> Vec<u8> {
    let mut sum = Evidence::new(Arc::default());
    for row in rows {
        sum.merge(&Evidence::decode(&row.evidence).unwrap());
    }
    sum.encode()
}

async fn the_snapshot_with_the_highest_sequence_counts(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    for (requests, left) in [(3, 3), (5, 5), (4, 5), (5, 5)] {
        let written = write(&store, DAY, vec![row(&zone, id, DAY, "a", requests)]).await;
        assert_eq!(written, LearningWritten { stored: 1, refused_late: 0 });
        assert_eq!(sum(&store, &zone, id).await, (expected(&[row(&zone, id, DAY, "a", left)]), vec![1]));
    }
}

async fn sources_hours_and_published_sets_stand_beside_each_other(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let mut rows = vec![
        row(&zone, id, DAY, "a", 3),
        row(&zone, id, DAY, "b", 4),
        row(&zone, id, DAY + 3_600, "a", 5),
        row(&zone, id, DAY, "a", 6),
    ];
    rows[3].published = u32::MAX;
    write(&store, DAY, rows.clone()).await;
    assert_eq!(sum(&store, &zone, id).await, (expected(&rows), vec![1; 4]));
    let hour = |hours: u64| Hour::of(DAY + hours * 3_600);
    assert_eq!(store.learning_operations(&zone, hour(1), hour(2)).await.unwrap(), [id]);
    assert_eq!(store.learning_operations(&zone, hour(2), hour(9)).await.unwrap(), []);
    assert_eq!(store.learning_evidence(&zone, id, hour(1), hour(2)).await.unwrap().len(), 1);
}

async fn evidence_that_comes_too_late_is_refused_and_counted(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let week_later = DAY + 3_600 + 7 * DAY_SECONDS;
    let late = row(&zone, id, DAY, "a", 3);
    assert_eq!(write(&store, week_later, vec![late.clone()]).await, LearningWritten { stored: 0, refused_late: 1 });
    assert_eq!(write(&store, week_later - 1, vec![late]).await, LearningWritten { stored: 1, refused_late: 0 });
    let stats = store.stats().traffic;
    assert_eq!((stats.learning_written, stats.learning_refused_late), (1, 1));
}

async fn a_day_is_packed_a_day_after_it_ended_and_says_the_same(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let hours = [0, 1, 23, 24, 47].map(|hour| row(&zone, id, DAY + hour * 3_600, "a", 3));
    let rows = [hours.as_slice(), &[row(&zone, id, DAY + 7_200, "b", 4)]].concat();
    write(&store, DAY, rows.clone()).await;
    for (now, packed, hours) in [
        (DAY + 2 * DAY_SECONDS - 1, 0, vec![1; 6]),
        (DAY + 2 * DAY_SECONDS, 2, vec![24, 24, 1, 1]),
        (DAY + 2 * DAY_SECONDS, 0, vec![24, 24, 1, 1]),
        (DAY + 3 * DAY_SECONDS, 1, vec![24, 24, 24]),
    ] {
        assert_eq!(maintain(&store, now).await.packed, packed, "{now}");
        assert_eq!(sum(&store, &zone, id).await, (expected(&rows), hours), "{now}");
    }
}

async fn a_packed_hour_takes_no_later_snapshot_and_a_missing_one_is_packed_as_well(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let mut rows = vec![row(&zone, id, DAY, "a", 3), row(&zone, id, DAY + 23 * 3_600, "a", 3)];
    write(&store, DAY, rows.clone()).await;
    let later = DAY + 2 * DAY_SECONDS;
    maintain(&store, later).await;
    for hour in [0, 23] {
        let again = row(&zone, id, DAY + hour * 3_600, "a", 9);
        assert_eq!(write(&store, later, vec![again]).await, LearningWritten { stored: 0, refused_late: 1 }, "{hour}");
    }
    rows.push(row(&zone, id, DAY + 5 * 3_600, "a", 2));
    write(&store, later, rows[2..].to_vec()).await;
    assert_eq!(sum(&store, &zone, id).await, (expected(&rows), vec![24, 1]));
    assert_eq!(maintain(&store, later).await.packed, 1);
    assert_eq!(sum(&store, &zone, id).await, (expected(&rows), vec![24]));
    assert_eq!(write(&store, later, rows[2..].to_vec()).await, LearningWritten { stored: 0, refused_late: 1 });
}

async fn evidence_goes_after_eight_days(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    write(&store, DAY, vec![row(&zone, id, DAY, "a", 3), row(&zone, id, DAY + DAY_SECONDS, "a", 3)]).await;
    assert_eq!(maintain(&store, DAY + 9 * DAY_SECONDS - 1).await.aged_out, 0);
    assert_eq!(maintain(&store, DAY + 9 * DAY_SECONDS).await.aged_out, 1);
    assert_eq!((sum(&store, &zone, id).await.1, store.stats().traffic.learning_pruned), (vec![24], 1));
}

async fn evidence_of_what_is_removed_goes(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let (gone, stays) = (add(&store, &zone, "/a").await, add(&store, &zone, "/b").await);
    let elsewhere = add(&store, &other, "/a").await;
    let all = [(&zone, gone), (&zone, stays), (&other, elsewhere)];
    write(&store, DAY, all.map(|(zone, id)| row(zone, id, DAY, "a", 1)).to_vec()).await;
    store.operation_delete(&zone, vec![gone]).await.unwrap();
    store.zone_delete(&other).await.unwrap();
    assert_eq!((sum(&store, &zone, gone).await.1, sum(&store, &zone, stays).await.1), (vec![], vec![1]));
    assert_eq!(sum(&store, &other, elsewhere).await.1, Vec::<u64>::new());
    // What a gateway still sends of it is cleared away by maintenance.
    write(&store, DAY, vec![row(&zone, gone, DAY, "a", 1)]).await;
    assert_eq!(maintain(&store, DAY).await.orphans, 1);
}

async fn the_oldest_evidence_goes_when_there_is_too_much(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    write(&store, DAY, (0..3).map(|hour| row(&zone, id, DAY + hour * 3_600, "a", 3)).collect()).await;
    maintain(&store, DAY).await;
    let each = store.stats().traffic.learning_bytes / 3;
    let limits = TrafficLimits { learning_bytes_max: 2 * each, ..TrafficLimits::default() };
    let done = store.traffic_maintain(at_second(DAY), limits).await.unwrap().learning;
    assert_eq!((done.over_limit, store.stats().traffic.learning_rows), (1, 2));
    let left = [1, 2].map(|hour| row(&zone, id, DAY + hour * 3_600, "a", 3));
    assert_eq!(sum(&store, &zone, id).await, (expected(&left), vec![1, 1]));
}

async fn damaged_evidence_hides_no_other(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "/a").await;
    let mut damaged = row(&zone, id, DAY + 3_600, "a", 3);
    damaged.evidence.truncate(9);
    write(&store, DAY, vec![row(&zone, id, DAY, "a", 3), damaged]).await;
    assert_eq!(maintain(&store, DAY + 2 * DAY_SECONDS).await.packed, 1);
    assert_eq!(store.stats().traffic.learning_damaged, 1);
    assert_eq!(sum(&store, &zone, id).await, (expected(&[row(&zone, id, DAY, "a", 3)]), vec![24]));
}
