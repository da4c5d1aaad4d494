//! Zones, and what goes with them.

use demilune_inventory::ZoneId;
use demilune_store::{Zone, ZoneCreateError};
use futures_util::future::join_all;

use crate::fixture::{Fixture, add_all, all, at, conformance, create_zone, keys, stored};

conformance![
    a_zone_is_stored_as_given,
    an_id_and_a_name_are_taken_once,
    one_of_many_concurrent_zones_gets_the_name,
    zones_are_listed_by_the_bytes_of_their_names,
    a_removed_zone_takes_its_operations_along,
    a_zone_made_again_begins_empty,
];

fn zone(id: &str, name: &str) -> Zone {
    Zone { id: id.parse().unwrap(), name: name.to_owned(), created_at: at(3) }
}

async fn a_zone_is_stored_as_given(fixture: &Fixture) {
    let store = fixture.store().await;
    let given = zone("Zone_1-b", "Ünïcode '\" name");
    store.zone_create(given.clone()).await.unwrap();
    assert_eq!(store.zone_get(&given.id).await.unwrap(), Some(given));
    assert_eq!(store.zone_get(&"zone_1-b".parse().unwrap()).await.unwrap(), None, "ids are case-sensitive");
}

async fn an_id_and_a_name_are_taken_once(fixture: &Fixture) {
    let store = fixture.store().await;
    store.zone_create(zone("a", "x")).await.unwrap();
    assert!(matches!(store.zone_create(zone("a", "y")).await, Err(ZoneCreateError::IdTaken)));
    assert!(matches!(store.zone_create(zone("b", "x")).await, Err(ZoneCreateError::NameTaken)));
    assert!(matches!(store.zone_create(zone("a", "x")).await, Err(ZoneCreateError::IdTaken)));
    store.zone_create(zone("b", "X")).await.unwrap();
    assert_eq!(store.zone_list().await.unwrap().len(), 2);
}

async fn one_of_many_concurrent_zones_gets_the_name(fixture: &Fixture) {
    let stores = [fixture.store().await, fixture.store().await];
    let create = |number: usize| stores[number % 2].zone_create(zone(&format!("z{number}"), "one"));
    let answers = join_all((0..16).map(create)).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(()) | Err(ZoneCreateError::NameTaken))), "{answers:?}");
    // The same id as well: which of the two is said depends on who looks first, but nobody fails otherwise.
    let answers = join_all((0..16).map(|number| stores[number % 2].zone_create(zone("same", "two")))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let taken = |answer: &Result<(), _>| matches!(answer, Err(ZoneCreateError::IdTaken | ZoneCreateError::NameTaken));
    assert_eq!(answers.iter().filter(|answer| taken(answer)).count(), 15, "{answers:?}");
}

async fn zones_are_listed_by_the_bytes_of_their_names(fixture: &Fixture) {
    let store = fixture.store().await;
    let names = ["B", "Z", "_", "a", "a-b", "a.b", "aB", "ab", "b", "é"];
    for (number, name) in names.iter().rev().enumerate() {
        store.zone_create(zone(&format!("z{number}"), name)).await.unwrap();
    }
    let listed: Vec<String> = store.zone_list().await.unwrap().into_iter().map(|zone| zone.name).collect();
    assert_eq!(listed, names);
}

async fn a_removed_zone_takes_its_operations_along(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let added = add_all(&store, &zone, keys(0..10)).await;
    add_all(&store, &other, keys(0..10)).await;
    assert!(store.zone_delete(&zone).await.unwrap());
    assert!(!store.zone_delete(&zone).await.unwrap());
    assert_eq!(store.zone_get(&zone).await.unwrap(), None);
    assert_eq!(store.zone_revision(&zone).await.unwrap(), None);
    assert_eq!(store.operation_list(&zone, all()).await.unwrap(), None);
    assert_eq!(store.operation_get(&zone, added[0].operation.operation.id).await.unwrap(), None);
    assert_eq!(stored(&store, &other).await.len(), 10);
    assert_eq!(fixture.number("SELECT count(*) FROM operations"), 10);
}

async fn a_zone_made_again_begins_empty(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    add_all(&store, &zone, keys(0..3)).await;
    store.zone_delete(&zone).await.unwrap();
    let again: ZoneId = create_zone(&store, "z").await;
    assert!(stored(&store, &again).await.is_empty());
    assert!(add_all(&store, &again, keys(0..3)).await.iter().all(|answer| answer.added));
}
