//! Requests that no operation matches, and the operations that they speak for.

use std::collections::BTreeMap;

use demilune_inventory::{OperationKey, ZoneId};
use demilune_store::{
    DiscoveredId, DiscoveredOperation, Discovery, FoundOperation, SightingsRow, Store, TrafficLimits,
};

use crate::{
    fixture::{Fixture, assert_names, at, conformance, create_zone},
    traffic::at_second,
};

conformance![
    the_later_snapshot_of_a_source_and_day_holds,
    sightings_are_kept_for_eleven_days,
    sightings_go_with_their_zone,
    what_is_found_again_keeps_its_id_and_what_was_said_about_it,
    an_unknown_id_changes_nothing,
    what_was_discovered_goes_with_its_zone,
    damaged_discoveries_are_named,
];

pub(crate) const DAY: u64 = 86_400;
pub(crate) const TODAY: u64 = 20_000 * DAY;

pub(crate) fn row(zone: &ZoneId, source: &str, day: u64, sequence: u64) -> SightingsRow {
    let sightings = format!("{source} {sequence}").into_bytes();
    SightingsRow { zone: zone.clone(), source: source.parse().unwrap(), day, sequence, sightings }
}

pub(crate) async fn write(store: &Store, row: SightingsRow) -> bool {
    store.sightings_write(row, at_second(TODAY + 7)).await.unwrap()
}

pub(crate) async fn stored(store: &Store, zone: &ZoneId) -> Vec<(u64, String)> {
    let mut stored = Vec::new();
    for (day, source) in store.sightings_list(zone, 0, u64::MAX).await.unwrap() {
        let sightings = store.sightings_get(zone, day, &source).await.unwrap().unwrap();
        stored.push((day, String::from_utf8(sightings).unwrap()));
    }
    stored
}

async fn the_later_snapshot_of_a_source_and_day_holds(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    for (source, day, sequence) in
        [("a", TODAY, 3), ("a", TODAY, 5), ("a", TODAY, 4), ("b", TODAY, 1), ("a", TODAY - DAY, 2)]
    {
        assert!(write(&store, row(&zone, source, day, sequence)).await);
    }
    let expected = [(TODAY - DAY, "a 2"), (TODAY, "a 5"), (TODAY, "b 1")];
    assert_eq!(stored(&store, &zone).await, expected.map(|(day, text)| (day, text.to_owned())));
    let listed = store.sightings_list(&zone, TODAY - DAY, TODAY).await.unwrap();
    assert_eq!(listed, [(TODAY - DAY, "a".parse().unwrap())]);
    let none = store.sightings_get(&zone, TODAY, &"c".parse().unwrap()).await.unwrap();
    assert_eq!(none, None);
}

async fn sightings_are_kept_for_eleven_days(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    assert!(write(&store, row(&zone, "a", TODAY, 1)).await);
    assert!(write(&store, row(&zone, "a", TODAY - 11 * DAY, 1)).await);
    assert!(!write(&store, row(&zone, "a", TODAY - 12 * DAY, 1)).await);
    let maintain = async |now: u64| store.traffic_maintain(at_second(now), TrafficLimits::default()).await.unwrap();
    maintain(TODAY + DAY - 1).await;
    assert_eq!(stored(&store, &zone).await.len(), 2);
    maintain(TODAY + DAY).await;
    assert_eq!(stored(&store, &zone).await, [(TODAY, "a 1".to_owned())]);
}

async fn sightings_go_with_their_zone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    write(&store, row(&zone, "a", TODAY, 1)).await;
    write(&store, row(&other, "a", TODAY, 1)).await;
    store.zone_delete(&zone).await.unwrap();
    assert_eq!((stored(&store, &zone).await.len(), stored(&store, &other).await.len()), (0, 1));
    // A gateway that has not heard of it yet.
    write(&store, row(&zone, "a", TODAY, 2)).await;
    store.traffic_maintain(at_second(TODAY), TrafficLimits::default()).await.unwrap();
    assert_eq!((stored(&store, &zone).await.len(), stored(&store, &other).await.len()), (0, 1));
}

fn key(endpoint: &str) -> OperationKey {
    OperationKey {
        method: "GET".parse().unwrap(),
        host: "a.example".parse().unwrap(),
        endpoint: endpoint.parse().unwrap(),
    }
}

fn discovery(second: i64, endpoints: &[(&str, u64)]) -> Discovery {
    let found = |(endpoint, requests): &(&str, u64)| FoundOperation {
        key: key(endpoint),
        example: ("a.example".to_owned(), endpoint.replace("{var1}", "1")),
        origins: vec!["ML".to_owned(), "SessionIdentifier".to_owned()],
        requests: *requests,
        explanation: format!("{{\"of\":\"{endpoint}\"}}"),
    };
    Discovery { found: endpoints.iter().map(found).collect(), period_seconds: 864_000, computed_at: at(second) }
}

async fn known(store: &Store, zone: &ZoneId) -> BTreeMap<String, DiscoveredOperation> {
    let listed = store.discovered_list(zone).await.unwrap();
    listed.into_iter().map(|found| (found.key.endpoint.to_string(), found)).collect()
}

async fn what_is_found_again_keeps_its_id_and_what_was_said_about_it(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    store.discovery_replace(&zone, discovery(1, &[("/a/{var1}", 700), ("/b", 800), ("/c", 900)])).await.unwrap();
    let before = known(&store, &zone).await;
    let a = &before["/a/{var1}"];
    let expected = DiscoveredOperation {
        id: DiscoveredId::of(&zone, &key("/a/{var1}")),
        key: key("/a/{var1}"),
        example: ("a.example".to_owned(), "/a/1".to_owned()),
        origins: vec!["ML".to_owned(), "SessionIdentifier".to_owned()],
        is_ignored: false,
        requests: 700,
        period_seconds: 864_000,
        computed_at: at(1),
    };
    assert_eq!(*a, expected);
    assert_eq!(a.id.to_string().parse(), Ok(a.id.clone()));
    let ignore = BTreeMap::from([(a.id.clone(), true), (before["/b"].id.clone(), true)]);
    assert_eq!(store.discovered_set_ignored(&zone, ignore).await.unwrap(), []);

    store.discovery_replace(&zone, discovery(2, &[("/a/{var1}", 750), ("/d", 600)])).await.unwrap();
    let after = known(&store, &zone).await;
    assert_eq!(after.keys().collect::<Vec<_>>(), ["/a/{var1}", "/b", "/d"], "what is ignored stays");
    let expected = DiscoveredOperation { is_ignored: true, requests: 750, computed_at: at(2), ..expected };
    assert_eq!(after["/a/{var1}"], expected);
    assert_eq!((after["/b"].requests, after["/b"].computed_at), (800, at(1)));
    let (found, explanation) = store.discovered_get(&zone, &expected.id).await.unwrap().unwrap();
    assert_eq!((found, explanation.as_str()), (expected.clone(), r#"{"of":"/a/{var1}"}"#));
    store.discovered_set_ignored(&zone, BTreeMap::from([(expected.id.clone(), false)])).await.unwrap();
    assert!(!known(&store, &zone).await["/a/{var1}"].is_ignored);
}

async fn an_unknown_id_changes_nothing(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    store.discovery_replace(&zone, discovery(1, &[("/a", 700)])).await.unwrap();
    let (known_id, unknown) = (DiscoveredId::of(&zone, &key("/a")), DiscoveredId::of(&zone, &key("/b")));
    let changes = BTreeMap::from([(known_id, true), (unknown.clone(), true)]);
    assert_eq!(store.discovered_set_ignored(&zone, changes).await.unwrap(), std::slice::from_ref(&unknown));
    assert!(!known(&store, &zone).await["/a"].is_ignored);
    assert_eq!(store.discovered_get(&zone, &unknown).await.unwrap(), None);
}

async fn what_was_discovered_goes_with_its_zone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    for zone in [&zone, &other] {
        store.discovery_replace(zone, discovery(1, &[("/a", 700)])).await.unwrap();
    }
    assert_ne!(known(&store, &zone).await["/a"].id, known(&store, &other).await["/a"].id);
    store.zone_delete(&zone).await.unwrap();
    store.discovery_replace(&zone, discovery(2, &[("/a", 700)])).await.unwrap();
    assert_eq!((known(&store, &zone).await.len(), known(&store, &other).await.len()), (0, 1));
}

async fn damaged_discoveries_are_named(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    store.discovery_replace(&zone, discovery(1, &[("/a", 700)])).await.unwrap();
    fixture.sql("UPDATE discovered_operations SET method = 'FETCH'");
    let failure = store.discovered_list(&zone).await.unwrap_err();
    let id = DiscoveredId::of(&zone, &key("/a")).to_string();
    assert_names(&failure, ["discovered_operations", "method", &id]);
}
