//! Many callers at once, also from two processes: two stores share nothing but the database.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use demilune_inventory::OperationId;
use demilune_store::{OperationUpsertError, StoreFailure};
use futures_util::future::join_all;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, add_all, at, conformance, create_zone, is_limit, key, keys, revision, stored};

conformance![
    concurrent_first_inserts_make_one_row,
    two_processes_agree_on_every_id,
    concurrent_inserts_share_commits,
    the_limit_holds_against_two_processes,
    a_failing_request_fails_alone,
    a_full_zone_does_not_hold_up_the_others,
    zones_in_opposite_orders_do_not_deadlock,
    bulks_in_opposite_orders_do_not_deadlock,
    nothing_is_left_of_a_zone_removed_meanwhile,
    additions_and_removals_keep_count,
    a_full_queue_is_refused_and_counted,
    closing_keeps_what_was_accepted,
    a_closed_store_is_unavailable,
];

async fn concurrent_first_inserts_make_one_row(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let before = revision(&store, &zone).await;
    let answers = join_all((0..64).map(|number| store.operation_upsert(&zone, keys(0..1), at(number)))).await;
    let ids: BTreeSet<OperationId> =
        answers.iter().map(|answer| answer.as_ref().unwrap()[0].operation.operation.id).collect();
    assert_eq!(ids.len(), 1);
    assert!(answers.iter().any(|answer| answer.as_ref().unwrap()[0].added));
    for (number, answer) in (0..).zip(&answers) {
        assert!(answer.as_ref().unwrap()[0].operation.operation.last_updated >= at(number), "not before its own call");
    }
    assert_eq!(stored(&store, &zone).await.len(), 1);
    assert_eq!(revision(&store, &zone).await, before + 1);
}

async fn two_processes_agree_on_every_id(fixture: &Fixture) {
    let (first, zone) = fixture.store_with_zone().await;
    let second = fixture.store().await;
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let (store, zone) = (if number % 2 == 0 { first.clone() } else { second.clone() }, zone.clone());
        tasks.spawn(async move {
            let mut ids = Vec::new();
            for key in keys(0..50) {
                let answer = store.operation_upsert(&zone, vec![key], at(number)).await.unwrap();
                ids.push(answer[0].operation.operation.id);
            }
            ids
        });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|ids| *ids == answers[0]));
    assert_eq!(stored(&second, &zone).await.len(), 50);
}

async fn concurrent_inserts_share_commits(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let before = revision(&store, &zone).await;
    let answers = join_all(keys(0..640).into_iter().map(|key| store.operation_upsert(&zone, vec![key], at(0)))).await;
    assert!(answers.iter().all(Result::is_ok));
    let commits = revision(&store, &zone).await - before;
    assert!((5..=64).contains(&commits), "640 rows took {commits} commits, with one revision each");
    let batches = store.stats().batch_requests;
    assert_eq!(batches.counts.iter().sum::<u64>(), commits);
    assert!((batches.sum - 640.0).abs() < 1e-6, "{batches:?}");
}

async fn the_limit_holds_against_two_processes(fixture: &Fixture) {
    let stores = [fixture.store_with_max(20).await, fixture.store_with_max(20).await];
    let zone = create_zone(&stores[0], "z").await;
    let calls = keys(0..60).into_iter().enumerate();
    let answers =
        join_all(calls.map(|(number, key)| stores[number % 2].operation_upsert(&zone, vec![key], at(0)))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 20);
    assert!(answers.iter().all(|answer| answer.is_ok() || is_limit(answer, 20)), "{answers:?}");
    assert_eq!(stored(&stores[0], &zone).await.len(), 20);
}

async fn a_failing_request_fails_alone(fixture: &Fixture) {
    let store = fixture.store_with_max(10).await;
    let (roomy, full) = (create_zone(&store, "roomy").await, create_zone(&store, "full").await);
    let missing = "missing".parse().unwrap();
    let filled = add_all(&store, &full, keys(0..10)).await;
    let before = revision(&store, &full).await;
    let calls = (0..60_u32).map(|number| {
        let zone = match number % 6 {
            0 => &missing,
            1 | 2 => &full,
            _ => &roomy,
        };
        // Of those for the full zone every other one is there already; the roomy zone sees ten operations again.
        let wanted = if number % 6 == 1 { 10 + number } else { number % 10 };
        store.operation_upsert(zone, keys(wanted..wanted + 1), at(5))
    });
    for (number, answer) in (0..60_u32).zip(join_all(calls).await) {
        match number % 6 {
            0 => assert!(matches!(answer, Err(OperationUpsertError::ZoneNotFound(_))), "{answer:?}"),
            1 => assert!(is_limit(&answer, 10), "{answer:?}"),
            2 => assert!(!answer.unwrap()[0].added),
            _ => drop(answer.unwrap()),
        }
    }
    let ids = |operations: Vec<demilune_inventory::Operation>| operations.iter().map(|o| o.id).collect::<Vec<_>>();
    let filled = filled.into_iter().map(|answer| answer.operation.operation).collect();
    assert_eq!(ids(stored(&store, &full).await), ids(filled));
    assert_eq!(revision(&store, &full).await, before);
}

async fn a_full_zone_does_not_hold_up_the_others(fixture: &Fixture) {
    let store = fixture.store_with_max(1_000).await;
    let (roomy, full) = (create_zone(&store, "roomy").await, create_zone(&store, "full").await);
    add_all(&store, &full, keys(0..1_000)).await;
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let (store, full) = (store.clone(), full.clone());
        tasks.spawn(async move {
            for step in 0..20 {
                let wanted = 1_000 + number * 20 + step;
                let answer = store.operation_upsert(&full, keys(wanted..wanted + 1), at(0)).await;
                assert!(is_limit(&answer, 1_000), "{answer:?}");
            }
        });
    }
    for step in 0..20 {
        let answers = join_all(keys(step * 16..step * 16 + 16).into_iter().map(|key| {
            let answer = store.operation_upsert(&roomy, vec![key], at(0));
            tokio::time::timeout(Duration::from_secs(10), answer)
        }))
        .await;
        assert!(answers.iter().all(|answer| matches!(answer, Ok(Ok(_)))), "{answers:?}");
    }
    tasks.join_all().await;
}

async fn zones_in_opposite_orders_do_not_deadlock(fixture: &Fixture) {
    let stores = [fixture.store().await, fixture.store().await];
    let mut zones = Vec::new();
    for number in 0..8 {
        zones.push(create_zone(&stores[0], &format!("z{number}")).await);
    }
    let mut tasks = JoinSet::new();
    for (turn, store) in stores.iter().enumerate() {
        for number in 0..8_u32 {
            let (store, mut zones) = (store.clone(), zones.clone());
            if turn == 1 {
                zones.reverse();
            }
            tasks.spawn(async move {
                for step in 0..10 {
                    let wanted = number * 10 + step;
                    for zone in &zones {
                        store.operation_upsert(zone, keys(wanted..wanted + 2), at(0)).await.unwrap();
                    }
                }
            });
        }
    }
    tasks.join_all().await;
    assert_eq!(stored(&stores[1], &zones[0]).await.len(), 81);
}

async fn bulks_in_opposite_orders_do_not_deadlock(fixture: &Fixture) {
    let (first, zone) = fixture.store_with_zone().await;
    let second = fixture.store().await;
    let mut ids: BTreeMap<_, BTreeSet<OperationId>> = BTreeMap::new();
    for round in 0..20 {
        let forward = keys(round * 5..round * 5 + 20);
        let backward = forward.iter().rev().cloned().collect();
        let calls = (
            first.operation_upsert(&zone, forward.clone(), at(0)),
            second.operation_upsert(&zone, backward, at(1)),
            second.operation_upsert(&zone, forward, at(2)),
        );
        let answers = tokio::join!(calls.0, calls.1, calls.2);
        for answer in [answers.0, answers.1, answers.2] {
            for upserted in answer.unwrap() {
                ids.entry(upserted.operation.operation.key).or_default().insert(upserted.operation.operation.id);
            }
        }
    }
    assert!(ids.values().all(|ids| ids.len() == 1));
}

async fn nothing_is_left_of_a_zone_removed_meanwhile(fixture: &Fixture) {
    let stores = [fixture.store().await, fixture.store().await];
    for round in 0..10 {
        let zone = create_zone(&stores[0], &format!("z{round}")).await;
        add_all(&stores[0], &zone, keys(0..5)).await;
        let mut tasks = JoinSet::new();
        for number in 0..8_u32 {
            let (store, zone) = (stores[number as usize % 2].clone(), zone.clone());
            tasks.spawn(async move {
                for step in 0..20 {
                    // Half of them are there already.
                    let wanted = if step % 2 == 0 { step % 5 } else { 10 + number * 20 + step };
                    match store.operation_upsert(&zone, keys(wanted..wanted + 1), at(0)).await {
                        Ok(_) | Err(OperationUpsertError::ZoneNotFound(_)) => {}
                        Err(error) => panic!("{}", crate::fixture::chain(&error)),
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(stores[1].zone_delete(&zone).await.unwrap());
        tasks.join_all().await;
        assert_eq!(fixture.number("SELECT count(*) FROM operations"), 0);
    }
}

async fn additions_and_removals_keep_count(fixture: &Fixture) {
    let stores = [fixture.store_with_max(30).await, fixture.store_with_max(30).await];
    let zone = create_zone(&stores[0], "z").await;
    let mut tasks = JoinSet::new();
    for number in 0..6_u32 {
        let (store, zone) = (stores[number as usize % 2].clone(), zone.clone());
        tasks.spawn(async move {
            for step in 0..30 {
                let wanted = (number * 7 + step * 3) % 40;
                match store.operation_upsert(&zone, keys(wanted..wanted + 3), at(0)).await {
                    Ok(answers) if step % 2 == 0 => {
                        let ids = answers.iter().map(|answer| answer.operation.operation.id).collect();
                        store.operation_delete(&zone, ids).await.unwrap();
                    }
                    Ok(_) | Err(OperationUpsertError::LimitReached { .. }) => {}
                    Err(error) => panic!("{}", crate::fixture::chain(&error)),
                }
            }
        });
    }
    tasks.join_all().await;
    assert!(stored(&stores[0], &zone).await.len() <= 30);
}

async fn a_full_queue_is_refused_and_counted(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let answers = join_all((0..20_000).map(|_| store.operation_upsert(&zone, vec![key("GET /")], at(0)))).await;
    let refused = answers.iter().filter(|answer| answer.is_err()).count();
    let overloaded =
        |answer: &Result<_, _>| matches!(answer, Ok(_) | Err(OperationUpsertError::Store(StoreFailure::Overloaded)));
    assert!(answers.iter().all(overloaded), "no other failure");
    assert!(refused > 0 && refused < 20_000, "{refused}");
    assert_eq!(store.stats().overloaded, refused as u64);
    store.operation_upsert(&zone, vec![key("GET /")], at(0)).await.unwrap();
}

async fn closing_keeps_what_was_accepted(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let mut tasks = JoinSet::new();
    for key in keys(0..300) {
        let (store, zone) = (store.clone(), zone.clone());
        tasks.spawn(async move { (key.clone(), store.operation_upsert(&zone, vec![key], at(0)).await) });
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    store.close().await;
    let mut acknowledged = BTreeSet::new();
    for (key, answer) in tasks.join_all().await {
        match answer {
            Ok(_) => drop(acknowledged.insert(key)),
            Err(OperationUpsertError::Store(StoreFailure::Unavailable(_))) => {}
            Err(error) => panic!("{}", crate::fixture::chain(&error)),
        }
    }
    assert!(!acknowledged.is_empty());
    let reopened = fixture.store().await;
    let found: BTreeSet<_> = stored(&reopened, &zone).await.into_iter().map(|operation| operation.key).collect();
    assert_eq!(found, acknowledged);
}

async fn a_closed_store_is_unavailable(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    store.ping().await.unwrap();
    store.close().await;
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreFailure::Unavailable(_))));
    assert!(matches!(store.zone_get(&zone).await, Err(StoreFailure::Unavailable(_))));
    assert!(matches!(store.zone_delete(&zone).await, Err(StoreFailure::Unavailable(_))));
    let answer = store.operation_upsert(&zone, keys(0..1), at(0)).await;
    assert!(matches!(answer, Err(OperationUpsertError::Store(StoreFailure::Unavailable(_)))));
}
