//! Adding, getting and removing operations.

use std::collections::BTreeSet;

use demilune_inventory::{OperationId, OperationKey};
use demilune_store::{OperationUpsertError, StoreFailure};

use crate::fixture::{
    Fixture, add, add_all, at, conformance, create_zone, is_limit, key, keys, revision, stored, unknown_id,
};

conformance![
    a_new_operation_is_stored_as_given,
    an_operation_added_again_keeps_its_id_and_moves_forward,
    a_clock_that_went_back_still_moves_it_forward,
    a_bulk_answers_in_the_order_given,
    a_bulk_without_operations_answers_nothing,
    repeated_operations_of_a_bulk_answer_alike,
    a_bulk_beyond_the_limit_stores_nothing,
    a_full_zone_takes_what_it_has,
    removing_makes_room,
    the_limit_is_that_of_the_store_that_adds,
    a_missing_zone_takes_nothing,
    one_operation_in_two_zones_is_two,
    an_operation_is_found_in_its_own_zone_alone,
    removed_ids_are_answered_in_the_order_given_and_once,
    an_operation_added_after_its_removal_is_another,
    many_operations_are_removed_at_once,
    the_revision_moves_with_what_is_there,
    the_longest_endpoints_are_told_apart,
    a_damaged_row_is_named,
];

async fn a_new_operation_is_stored_as_given(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let added = add(&store, &zone, "GET /users/{id} {tenant}.example.com", at(7)).await;
    assert!(added.added);
    assert_eq!(added.operation.operation.key, key("GET /users/{var1} {hostVar1}.example.com"));
    assert_eq!(added.operation.operation.last_updated, at(7));
    assert_eq!(store.operation_get(&zone, added.operation.operation.id).await.unwrap(), Some(added.operation.clone()));
}

async fn an_operation_added_again_keeps_its_id_and_moves_forward(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let first = add(&store, &zone, "GET /", at(0)).await;
    let again = add(&store, &zone, "GET /", at(5)).await;
    assert!(!again.added);
    assert_eq!(again.operation.operation.id, first.operation.operation.id);
    assert_eq!(again.operation.operation.last_updated, at(5));
    assert_eq!(stored(&store, &zone).await, [again.operation.operation]);
}

async fn a_clock_that_went_back_still_moves_it_forward(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    add(&store, &zone, "GET /", at(100)).await;
    assert_eq!(add(&store, &zone, "GET /", at(50)).await.operation.operation.last_updated, at(101));
    assert_eq!(add(&store, &zone, "GET /", at(101)).await.operation.operation.last_updated, at(102));
    assert_eq!(add(&store, &zone, "GET /", at(103)).await.operation.operation.last_updated, at(103));
}

async fn a_bulk_answers_in_the_order_given(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let there = add(&store, &zone, "GET /5", at(0)).await;
    let mut given = keys(0..20);
    given.reverse();
    let answers = store.operation_upsert(&zone, given.clone(), at(1)).await.unwrap();
    let answered: Vec<OperationKey> = answers.iter().map(|answer| answer.operation.operation.key.clone()).collect();
    assert_eq!(answered, given);
    for answer in answers {
        assert_eq!(answer.added, answer.operation.operation.key != there.operation.operation.key);
        assert_eq!(store.operation_get(&zone, answer.operation.operation.id).await.unwrap(), Some(answer.operation));
    }
}

async fn a_bulk_without_operations_answers_nothing(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    assert_eq!(store.operation_upsert(&zone, vec![], at(0)).await.unwrap(), []);
    assert_eq!(store.operation_delete(&zone, vec![]).await.unwrap(), []);
}

async fn repeated_operations_of_a_bulk_answer_alike(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let answers = add_all(&store, &zone, vec![key("GET /a"), key("GET /b"), key("get //a"), key("GET /a")]).await;
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0], answers[2]);
    assert_eq!(answers[0], answers[3]);
    assert_ne!(answers[0], answers[1]);
    assert_eq!(stored(&store, &zone).await.len(), 2);
}

async fn a_bulk_beyond_the_limit_stores_nothing(fixture: &Fixture) {
    let store = fixture.store_with_max(3).await;
    let zone = create_zone(&store, "z").await;
    let before = add_all(&store, &zone, keys(0..2)).await;
    let answer = store.operation_upsert(&zone, keys(1..4), at(9)).await;
    assert!(is_limit(&answer, 3), "{answer:?}");
    let kept: Vec<_> = before.into_iter().map(|answer| answer.operation.operation).collect();
    assert_eq!(stored(&store, &zone).await, kept, "neither added nor moved");
    // One of them is there already, and the repeated one counts once.
    let fits = vec![key("GET /1"), key("GET /2"), key("GET /2")];
    assert_eq!(add_all(&store, &zone, fits).await.len(), 3);
    assert_eq!(stored(&store, &zone).await.len(), 3);
}

async fn a_full_zone_takes_what_it_has(fixture: &Fixture) {
    let store = fixture.store_with_max(2).await;
    let zone = create_zone(&store, "z").await;
    let first = add_all(&store, &zone, keys(0..2)).await;
    assert!(is_limit(&store.operation_upsert(&zone, keys(2..3), at(1)).await, 2));
    let again = store.operation_upsert(&zone, keys(0..2), at(2)).await.unwrap();
    assert!(again.iter().all(|answer| !answer.added && answer.operation.operation.last_updated == at(2)));
    assert_eq!(again[0].operation.operation.id, first[0].operation.operation.id);
}

async fn removing_makes_room(fixture: &Fixture) {
    let store = fixture.store_with_max(2).await;
    let zone = create_zone(&store, "z").await;
    let first = add_all(&store, &zone, keys(0..2)).await;
    assert!(is_limit(&store.operation_upsert(&zone, keys(2..3), at(1)).await, 2));
    store.operation_delete(&zone, vec![first[0].operation.operation.id]).await.unwrap();
    assert!(add(&store, &zone, "GET /2", at(2)).await.added);
    assert!(is_limit(&store.operation_upsert(&zone, keys(3..4), at(3)).await, 2));
}

async fn the_limit_is_that_of_the_store_that_adds(fixture: &Fixture) {
    let large = fixture.store_with_max(10).await;
    let zone = create_zone(&large, "z").await;
    add_all(&large, &zone, keys(0..5)).await;
    let small = fixture.store_with_max(3).await;
    assert!(is_limit(&small.operation_upsert(&zone, keys(5..6), at(1)).await, 3));
    assert!(!add(&small, &zone, "GET /4", at(1)).await.added);
    assert!(add(&large, &zone, "GET /5", at(1)).await.added);
}

async fn a_missing_zone_takes_nothing(fixture: &Fixture) {
    let (store, _) = fixture.store_with_zone().await;
    let missing = "missing".parse().unwrap();
    let answer = store.operation_upsert(&missing, keys(0..2), at(0)).await;
    assert!(matches!(answer, Err(OperationUpsertError::ZoneNotFound(zone)) if zone == missing));
    assert_eq!(fixture.number("SELECT count(*) FROM operations"), 0);
    assert_eq!(store.operation_get(&missing, unknown_id()).await.unwrap(), None);
    assert_eq!(store.operation_delete(&missing, vec![unknown_id()]).await.unwrap(), []);
}

async fn one_operation_in_two_zones_is_two(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let here = add(&store, &zone, "GET /", at(0)).await;
    let there = add(&store, &other, "GET /", at(0)).await;
    assert!(here.added && there.added);
    assert_ne!(here.operation.operation.id, there.operation.operation.id);
    assert_eq!(stored(&store, &zone).await, [here.operation.operation]);
    assert_eq!(stored(&store, &other).await, [there.operation.operation]);
}

async fn an_operation_is_found_in_its_own_zone_alone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
    assert_eq!(store.operation_get(&other, id).await.unwrap(), None);
    assert_eq!(store.operation_get(&zone, unknown_id()).await.unwrap(), None);
    assert_eq!(store.operation_delete(&other, vec![id]).await.unwrap(), []);
    assert!(store.operation_get(&zone, id).await.unwrap().is_some());
}

async fn removed_ids_are_answered_in_the_order_given_and_once(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let ids: Vec<OperationId> =
        add_all(&store, &zone, keys(0..4)).await.iter().map(|answer| answer.operation.operation.id).collect();
    let wanted = vec![ids[2], unknown_id(), ids[0], ids[2], ids[3]];
    assert_eq!(store.operation_delete(&zone, wanted.clone()).await.unwrap(), [ids[2], ids[0], ids[3]]);
    assert_eq!(store.operation_delete(&zone, wanted).await.unwrap(), []);
    let left: Vec<OperationId> = stored(&store, &zone).await.iter().map(|operation| operation.id).collect();
    assert_eq!(left, [ids[1]]);
}

async fn an_operation_added_after_its_removal_is_another(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let first = add(&store, &zone, "GET /", at(9)).await;
    store.operation_delete(&zone, vec![first.operation.operation.id]).await.unwrap();
    let second = add(&store, &zone, "GET /", at(1)).await;
    assert!(second.added);
    assert_ne!(second.operation.operation.id, first.operation.operation.id);
    assert_eq!(second.operation.operation.last_updated, at(1), "nothing is left of the first");
}

async fn many_operations_are_removed_at_once(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let ids: Vec<OperationId> =
        add_all(&store, &zone, keys(0..6_000)).await.iter().map(|answer| answer.operation.operation.id).collect();
    let before = revision(&store, &zone).await;
    assert_eq!(store.operation_delete(&zone, ids[1..].to_vec()).await.unwrap(), ids[1..]);
    assert_eq!(stored(&store, &zone).await.len(), 1);
    assert_eq!(revision(&store, &zone).await, before + 1);
}

async fn the_revision_moves_with_what_is_there(fixture: &Fixture) {
    let store = fixture.store_with_max(4).await;
    let zone = create_zone(&store, "z").await;
    let other = create_zone(&store, "other").await;
    let start = revision(&store, &zone).await;
    let id = add(&store, &zone, "GET /0", at(0)).await.operation.operation.id;
    assert_eq!(revision(&store, &zone).await, start + 1, "added");
    add(&store, &zone, "GET /0", at(1)).await;
    assert_eq!(revision(&store, &zone).await, start + 1, "only moved");
    add_all(&store, &zone, keys(0..4)).await;
    assert_eq!(revision(&store, &zone).await, start + 2, "once for a bulk");
    assert!(is_limit(&store.operation_upsert(&zone, keys(4..5), at(1)).await, 4));
    store.operation_delete(&zone, vec![unknown_id()]).await.unwrap();
    assert_eq!(revision(&store, &zone).await, start + 2, "nothing happened");
    store.operation_delete(&zone, vec![id]).await.unwrap();
    assert_eq!(revision(&store, &zone).await, start + 3, "removed");
    assert_eq!(revision(&store, &other).await, start, "another zone");
    assert_eq!(store.zone_revision(&"missing".parse().unwrap()).await.unwrap(), None);
}

/// An endpoint of the greatest length that no compression makes small, ending in `end`.
fn longest(end: char) -> OperationKey {
    const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    let mut endpoint = String::from("/");
    let mut state = 42_u64;
    while endpoint.len() < 4095 {
        // Knuth's MMIX generator; its upper bits are good enough to defeat a compressor.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        endpoint.push(char::from(LETTERS[usize::try_from(state >> 58).unwrap()]));
    }
    endpoint.push(end);
    assert_eq!(endpoint.len(), 4096);
    key(&format!("GET {endpoint}"))
}

async fn the_longest_endpoints_are_told_apart(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let given = vec![longest('c'), longest('a'), longest('b')];
    let answers = add_all(&store, &zone, given.clone()).await;
    let ids: BTreeSet<OperationId> = answers.iter().map(|answer| answer.operation.operation.id).collect();
    assert_eq!(ids.len(), 3);
    let listed: Vec<OperationKey> = stored(&store, &zone).await.into_iter().map(|operation| operation.key).collect();
    assert_eq!(listed, [longest('a'), longest('b'), longest('c')], "sorted by what is behind the index's prefix");
    let again = add_all(&store, &zone, given).await;
    assert!(again.iter().all(|answer| !answer.added));
}

async fn a_damaged_row_is_named(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
    fixture.sql("UPDATE operations SET method = 'FETCH'");
    let failure = store.operation_get(&zone, id).await.unwrap_err();
    assert!(!matches!(failure, StoreFailure::Unavailable(_) | StoreFailure::Overloaded), "trying again does not help");
    let text = crate::fixture::chain(&failure);
    for part in ["operations", "method", &id.to_string()] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}
