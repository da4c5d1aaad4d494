//! What is recommended for operations: it stands beside them wherever they are shown, sorts them, and goes with them.

use std::cmp::Ordering;

use demilune_inventory::{Endpoint, OperationId, ZoneId};
use demilune_store::{OperationOrder, OperationQuery, Store, StoredOperation, StoredThresholds, ThresholdKey};
use demilune_traffic::{Distribution, Hour, Interval, Intervals, Thresholds};
use futures_util::future::join_all;

use crate::fixture::{
    Fixture, add, add_all, all, assert_names, at, conformance, create_zone, key, keys, revision, rules, stored,
    unknown_id,
};

conformance![
    a_result_is_shown_wherever_its_operation_is,
    every_number_is_kept_to_the_last_bit,
    a_result_is_replaced_and_taken_away,
    an_operation_that_is_gone_is_left_out,
    a_result_moves_neither_the_revision_nor_the_operation,
    results_go_with_their_operations,
    more_operations_than_one_statement_names_are_written_and_shown,
    every_key_sorts_both_ways_with_nothing_last,
    pages_by_a_result_join_to_the_whole,
    results_are_written_while_operations_come_and_go,
    a_damaged_result_is_named,
];

/// A result that all differs with its number.
pub(crate) fn result(number: u64) -> StoredThresholds {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let real = |add: f64| number as f64 / 7.0 + add;
    let interval = |add| Interval { lower: real(add), upper: real(add + 0.5) };
    let maxima = Distribution::of((0..100).map(|session| session * u32::try_from(number % 13).unwrap()));
    StoredThresholds {
        thresholds: Thresholds {
            window_end: Hour::of(1_800_000_000 + number * 3_600),
            sessions_estimated: real(50.0),
            requests: number * 1_000 + 1,
            anonymous: number,
            maxima,
            suggested_threshold: number + 2,
            intervals: Intervals { mean: real(1.0), p90: interval(2.0), p95: interval(3.0), p99: interval(4.0) },
        },
        session_by: number.is_multiple_of(2).then(|| format!("header x-{number}")),
    }
}

pub(crate) async fn replace(store: &Store, zone: &ZoneId, results: &[(OperationId, Option<StoredThresholds>)]) {
    store.thresholds_replace(zone, results.to_vec()).await.unwrap();
}

async fn add_one(store: &Store, zone: &ZoneId, text: &str) -> OperationId {
    add(store, zone, text, at(0)).await.operation.operation.id
}

async fn listed(store: &Store, zone: &ZoneId) -> Vec<StoredOperation> {
    store.operation_list(zone, all()).await.unwrap().unwrap().operations
}

async fn a_result_is_shown_wherever_its_operation_is(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let (with, without) = (add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await);
    let elsewhere = add_one(&store, &other, "GET /a").await;
    replace(&store, &zone, &[(with, Some(result(1)))]).await;
    replace(&store, &other, &[(elsewhere, Some(result(2)))]).await;
    let shown = [Some(result(1)), None];
    for (id, shown) in [with, without].iter().zip(&shown) {
        assert_eq!(&store.operation_get(&zone, *id).await.unwrap().unwrap().features.thresholds, shown);
        assert_eq!(&store.thresholds_get(&zone, *id).await.unwrap(), shown);
    }
    assert_eq!(
        listed(&store, &zone).await.iter().map(|found| found.features.thresholds.clone()).collect::<Vec<_>>(),
        shown
    );
    let again = store.operation_upsert(&zone, vec![key("GET /a"), key("GET /b"), key("GET /c"), key("GET /a")], at(1));
    let found: Vec<_> = again.await.unwrap().into_iter().map(|again| again.operation.features.thresholds).collect();
    assert_eq!(found, [Some(result(1)), None, None, Some(result(1))]);
    assert_eq!(store.thresholds_all(&zone).await.unwrap(), [(with, result(1).thresholds.window_end.start())]);
    assert_eq!(store.thresholds_get(&other, with).await.unwrap(), None, "it is in another zone");
    assert_eq!(rules(&store, &zone).await.operations.len(), 3);
}

async fn every_number_is_kept_to_the_last_bit(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    let reals = [0.1 + 0.2, 1.0, 0.0, 1e300, f64::MIN_POSITIVE, 123_456_789.123_456_79, f64::MAX, f64::EPSILON];
    for turn in 0..reals.len() {
        let real = |place: usize| reals[(turn + place) % reals.len()];
        let interval = |place| Interval { lower: real(place), upper: real(place + 1) };
        let mut given = result(3);
        given.thresholds.sessions_estimated = real(0);
        let [p90, p95, p99] = [2, 4, 6].map(interval);
        given.thresholds.intervals = Intervals { mean: real(1), p90, p95, p99 };
        given.thresholds.requests = i64::MAX.unsigned_abs();
        replace(&store, &zone, &[(id, Some(given.clone()))]).await;
        assert_eq!(store.thresholds_get(&zone, id).await.unwrap(), Some(given));
    }
}

async fn a_result_is_replaced_and_taken_away(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    for (results, left) in [
        (vec![Some(result(1))], Some(result(1))),
        (vec![Some(result(2))], Some(result(2))),
        (vec![None], None),
        (vec![None], None),
        (vec![None, Some(result(3))], Some(result(3))),
        (vec![Some(result(4)), None], None),
        (vec![], None),
    ] {
        let results: Vec<_> = results.into_iter().map(|result| (id, result)).collect();
        replace(&store, &zone, &results).await;
        assert_eq!(store.thresholds_get(&zone, id).await.unwrap(), left);
        assert_eq!(add(&store, &zone, "GET /a", at(1)).await.operation.features.thresholds, left);
        assert_eq!(store.thresholds_all(&zone).await.unwrap().len(), usize::from(left.is_some()));
    }
}

async fn an_operation_that_is_gone_is_left_out(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let (gone, stays) = (add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await);
    store.operation_delete(&zone, vec![gone]).await.unwrap();
    let results = [gone, unknown_id(), stays].map(|id| (id, Some(result(1))));
    replace(&store, &zone, &results).await;
    replace(&store, &other, &results).await;
    replace(&store, &"missing".parse().unwrap(), &results).await;
    assert_eq!(fixture.number("SELECT count(*) FROM operation_thresholds"), 1);
    assert_eq!(store.thresholds_all(&zone).await.unwrap().len(), 1);
}

async fn a_result_moves_neither_the_revision_nor_the_operation(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    let before = (revision(&store, &zone).await, rules(&store, &zone).await, stored(&store, &zone).await);
    for result in [Some(result(1)), Some(result(2)), None] {
        replace(&store, &zone, &[(id, result)]).await;
        let after = (revision(&store, &zone).await, rules(&store, &zone).await, stored(&store, &zone).await);
        assert_eq!(after, before);
    }
}

async fn results_go_with_their_operations(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    replace(&store, &zone, &[(id, Some(result(1)))]).await;
    store.operation_delete(&zone, vec![id]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM operation_thresholds"), 0);
    let again = add(&store, &zone, "GET /a", at(1)).await;
    assert_eq!(again.operation.features.thresholds, None);
    assert_eq!(store.thresholds_get(&zone, id).await.unwrap(), None);
    replace(&store, &zone, &[(again.operation.operation.id, Some(result(1)))]).await;
    store.zone_delete(&zone).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM operation_thresholds"), 0);
    assert_eq!(store.thresholds_all(&zone).await.unwrap(), []);
}

async fn more_operations_than_one_statement_names_are_written_and_shown(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let ids: Vec<_> =
        add_all(&store, &zone, keys(0..1_100)).await.iter().map(|added| added.operation.operation.id).collect();
    let results: Vec<_> = (0..).zip(&ids).map(|(number, id)| (*id, (number % 3 < 2).then(|| result(number)))).collect();
    replace(&store, &zone, &results).await;
    let again = add_all(&store, &zone, keys(0..1_100)).await;
    for ((_, result), again) in results.iter().zip(again) {
        assert_eq!(&again.operation.features.thresholds, result);
    }
    assert_eq!(store.thresholds_all(&zone).await.unwrap().len(), 734);
}

const KEYS: [ThresholdKey; 9] = [
    ThresholdKey::AuthIdTokens,
    ThresholdKey::DataPoints,
    ThresholdKey::LastUpdated,
    ThresholdKey::P50,
    ThresholdKey::P90,
    ThresholdKey::P99,
    ThresholdKey::PeriodSeconds,
    ThresholdKey::Requests,
    ThresholdKey::SuggestedThreshold,
];

fn number(key: ThresholdKey, stored: &StoredThresholds) -> u64 {
    let Thresholds { window_end, requests, maxima, suggested_threshold, .. } = &stored.thresholds;
    match key {
        ThresholdKey::AuthIdTokens => stored.thresholds.auth_id_tokens(),
        ThresholdKey::DataPoints => stored.thresholds.data_points(),
        ThresholdKey::LastUpdated => window_end.start(),
        ThresholdKey::P50 => maxima.percentile(50).into(),
        ThresholdKey::P90 => maxima.percentile(90).into(),
        ThresholdKey::P99 => maxima.percentile(99).into(),
        ThresholdKey::PeriodSeconds => Thresholds::PERIOD_SECONDS,
        ThresholdKey::Requests => *requests,
        ThresholdKey::SuggestedThreshold => *suggested_threshold,
    }
}

/// Forty operations, two in three with a result, some of whose numbers are equal.
async fn inventory(store: &Store, zone: &ZoneId) {
    let hosts = ["b.example", "a.example"];
    let keys = (0..40).map(|number: usize| {
        let method = ["GET", "POST", "DELETE", "PUT"][number % 4];
        key(&format!("{method} /{} {}", number / 8, hosts[number / 4 % 2]))
    });
    let added = add_all(store, zone, keys.collect()).await;
    let results = (0..).zip(added).map(|(number, added)| {
        let mut result = result(number * 7 % 11);
        // As large as others, in a text smaller.
        result.thresholds.requests = number % 5 * 30;
        (added.operation.operation.id, (number % 3 > 0).then_some(result))
    });
    replace(store, zone, &results.collect::<Vec<_>>()).await;
}

/// The order in memory: by number, what has none last, then by host, endpoint and method.
fn compare(key: ThresholdKey, descending: bool, one: &StoredOperation, other: &StoredOperation) -> Ordering {
    let turn = |ordering: Ordering| if descending { ordering.reverse() } else { ordering };
    let number = |stored: &StoredOperation| stored.features.thresholds.as_ref().map(|stored| number(key, stored));
    let names = |stored: &StoredOperation| {
        let key = &stored.operation.key;
        [key.host.to_string(), key.endpoint.to_string(), key.method.to_string()]
    };
    number(one)
        .is_none()
        .cmp(&number(other).is_none())
        .then(turn(number(one).cmp(&number(other))))
        .then(turn(names(one).cmp(&names(other))))
}

async fn every_key_sorts_both_ways_with_nothing_last(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    inventory(&store, &zone).await;
    let unordered = listed(&store, &zone).await;
    for key in KEYS {
        for descending in [false, true] {
            for endpoint_contains in [None, Some("/2".to_owned())] {
                let mut expected = unordered.clone();
                expected.retain(|stored| endpoint_contains.is_none() || stored.operation.key.endpoint.as_str() == "/2");
                expected.sort_by(|one, other| compare(key, descending, one, other));
                let order = OperationOrder::Thresholds(key);
                let query = OperationQuery { order, descending, endpoint_contains, ..all() };
                let page = store.operation_list(&zone, query.clone()).await.unwrap().unwrap();
                assert_eq!(
                    (page.operations.len() as u64, &page.operations),
                    (page.total_count, &expected),
                    "{query:?}"
                );
            }
        }
    }
}

async fn pages_by_a_result_join_to_the_whole(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    inventory(&store, &zone).await;
    for key in KEYS {
        for descending in [false, true] {
            let whole = OperationQuery { order: OperationOrder::Thresholds(key), descending, ..all() };
            let mut joined = Vec::new();
            loop {
                let query = OperationQuery { offset: joined.len() as u64, limit: 7, ..whole.clone() };
                let page = store.operation_list(&zone, query).await.unwrap().unwrap();
                assert_eq!(page.total_count, 40);
                if page.operations.is_empty() {
                    break;
                }
                joined.extend(page.operations);
            }
            assert_eq!(joined, store.operation_list(&zone, whole).await.unwrap().unwrap().operations);
        }
    }
}

async fn results_are_written_while_operations_come_and_go(fixture: &Fixture) {
    let (one, zone) = fixture.store_with_zone().await;
    let stores = [one, fixture.store().await];
    let ids: Vec<_> =
        add_all(&stores[0], &zone, keys(0..60)).await.iter().map(|added| added.operation.operation.id).collect();
    let writing = (0..12_usize).map(|turn| {
        let mut results: Vec<_> =
            (0..).zip(&ids).map(|(number, id)| (*id, (number % 3 > 0).then(|| result(number)))).collect();
        results.rotate_left(turn * 5);
        stores[turn % 2].thresholds_replace(&zone, results)
    });
    let adding = (0..12_usize).map(|turn| {
        let mut keys = keys(0..60);
        keys.rotate_left(turn * 3);
        stores[turn % 2].operation_upsert(&zone, keys, at(1))
    });
    let removing =
        (0..6_usize).map(|turn| stores[turn % 2].operation_delete(&zone, ids[turn * 10..turn * 10 + 5].to_vec()));
    let (written, added, removed) = tokio::join!(join_all(writing), join_all(adding), join_all(removing));
    assert!(written.into_iter().all(|outcome| outcome.is_ok()));
    assert!(added.into_iter().all(|outcome| outcome.is_ok()));
    assert!(removed.into_iter().all(|outcome| outcome.is_ok()));
    // Whoever came last, each operation is there with its result or without: the invariants say so.
    let again = stores[0].operation_upsert(&zone, keys(0..60), at(2)).await.unwrap();
    let shown = again.into_iter().map(|again| again.operation);
    let mut shown: Vec<_> = shown.map(|stored| (stored.operation.key.endpoint, stored.features.thresholds)).collect();
    let mut found: Vec<_> = listed(&stores[1], &zone)
        .await
        .into_iter()
        .map(|stored| (stored.operation.key.endpoint, stored.features.thresholds))
        .collect();
    let by_endpoint = |one: &(Endpoint, _), other: &(Endpoint, _)| one.0.as_str().cmp(other.0.as_str());
    shown.sort_by(by_endpoint);
    found.sort_by(by_endpoint);
    assert_eq!(shown, found);
}

async fn a_damaged_result_is_named(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let id = add_one(&store, &zone, "GET /a").await;
    replace(&store, &zone, &[(id, Some(result(1)))]).await;
    fixture.sql(&format!(
        "UPDATE operation_thresholds SET maxima = {}",
        if fixture.is_sqlite() { "x'ff'" } else { "'\\xff'" }
    ));
    let names = ["operation_thresholds", "maxima", &id.to_string()];
    assert_names(&store.thresholds_get(&zone, id).await.unwrap_err(), names);
    assert_names(&store.operation_get(&zone, id).await.unwrap_err(), names);
    assert!(
        store.operation_upsert(&zone, keys(0..1).into_iter().chain([key("GET /a")]).collect(), at(1)).await.is_err()
    );
    // It is in nobody else's way, and the next result replaces it.
    add_one(&store, &other, "GET /a").await;
    replace(&store, &zone, &[(id, Some(result(2)))]).await;
    assert_eq!(store.thresholds_get(&zone, id).await.unwrap(), Some(result(2)));
}
