//! Routes: where one operation's requests go.

use demilune_inventory::OperationId;
use demilune_store::{Features, OperationUpsertError, Route, Store};
use futures_util::future::join_all;

use crate::fixture::{
    Fixture, add, all, assert_names, at, conformance, create_zone, key, keys, revision, rules, target, unknown_id,
};

conformance![
    a_route_is_shown_with_its_operation,
    a_new_operation_has_no_features,
    a_route_set_again_replaces_the_first,
    the_time_of_a_route_moves_forward_and_that_of_its_operation_stays,
    a_removed_route_is_gone,
    a_missing_operation_takes_no_route,
    a_removed_operation_takes_its_route_along,
    an_operation_added_again_keeps_its_route,
    the_revision_moves_with_routes,
    a_damaged_route_is_named,
    a_damaged_route_fails_its_caller_alone,
];

/// The features of an operation, which `get` and the list must agree on.
async fn features(store: &Store, id: OperationId) -> Features {
    let zone = "z".parse().unwrap();
    let got = store.operation_get(&zone, id).await.unwrap().unwrap();
    let listed = store.operation_list(&zone, all()).await.unwrap().unwrap().operations;
    assert!(listed.contains(&got));
    got.features
}

async fn a_route_is_shown_with_its_operation(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "GET /users/{id}/{item}", at(0)).await.operation.operation.id;
    for text in ["https://o.example/{var2}/v2/{var1}", "http://[::1]:8080/%7Ba%7D/{var1}.{var2}", "10.0.0.1"] {
        let target = target(text, "/users/{id}/{item}");
        let route = Route { target: target.clone(), last_updated: at(7) };
        store.route_delete(&zone, id).await.unwrap();
        assert_eq!(store.route_set(&zone, id, target.clone(), at(7)).await.unwrap(), Some(route.clone()));
        assert_eq!(features(&store, id).await, Features { route: Some(route), ..Features::default() });
        assert_eq!(rules(&store, &zone).await.operations[0].route, Some(target), "{text}");
    }
}

async fn a_new_operation_has_no_features(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let added = add(&store, &zone, "GET /", at(0)).await.operation;
    assert_eq!(added.features, Features::default());
    assert_eq!(features(&store, added.operation.id).await, Features::default());
}

async fn a_route_set_again_replaces_the_first(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
    store.route_set(&zone, id, target("http://first", "/"), at(1)).await.unwrap();
    let second = store.route_set(&zone, id, target("http://second", "/"), at(2)).await.unwrap();
    assert_eq!(features(&store, id).await.route, second);
    assert_eq!(second.unwrap().target, target("http://second", "/"));
}

async fn the_time_of_a_route_moves_forward_and_that_of_its_operation_stays(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
    for (now, expected) in [(100, 100), (50, 101), (101, 102), (200, 200)] {
        let route = store.route_set(&zone, id, target("http://o", "/"), at(now)).await.unwrap().unwrap();
        assert_eq!(route.last_updated, at(expected), "{now}");
    }
    assert_eq!(store.operation_get(&zone, id).await.unwrap().unwrap().operation.last_updated, at(0));
}

async fn a_removed_route_is_gone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
    assert!(!store.route_delete(&zone, id).await.unwrap());
    store.route_set(&zone, id, target("http://o", "/"), at(100)).await.unwrap();
    assert!(store.route_delete(&zone, id).await.unwrap());
    assert!(!store.route_delete(&zone, id).await.unwrap());
    assert_eq!(features(&store, id).await, Features::default());
    let again = store.route_set(&zone, id, target("http://o", "/"), at(1)).await.unwrap().unwrap();
    assert_eq!(again.last_updated, at(1), "nothing is left of the first");
}

async fn a_missing_operation_takes_no_route(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let id = add(&store, &other, "GET /", at(0)).await.operation.operation.id;
    for id in [id, unknown_id()] {
        assert_eq!(store.route_set(&zone, id, target("http://o", "/"), at(0)).await.unwrap(), None);
        assert!(!store.route_delete(&zone, id).await.unwrap());
    }
    assert_eq!(rules(&store, &other).await.operations[0].route, None);
}

async fn a_removed_operation_takes_its_route_along(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
    store.route_set(&zone, id, target("http://o", "/"), at(0)).await.unwrap();
    store.operation_delete(&zone, vec![id]).await.unwrap();
    assert_eq!(add(&store, &zone, "GET /", at(1)).await.operation.features, Features::default());
}

async fn an_operation_added_again_keeps_its_route(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "GET /{id}", at(0)).await.operation.operation.id;
    let route = store.route_set(&zone, id, target("http://o/{var1}", "/{id}"), at(3)).await.unwrap();
    let bulk = vec![key("GET /other"), key("GET /{id}"), key("GET /{same}")];
    let answers = store.operation_upsert(&zone, bulk, at(5)).await.unwrap();
    let shown: Vec<_> = answers.into_iter().map(|answer| answer.operation.features.route).collect();
    assert_eq!(shown, [None, route.clone(), route.clone()]);
    assert_eq!(features(&store, id).await.route, route);
}

async fn the_revision_moves_with_routes(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add(&store, &zone, "GET /", at(0)).await.operation.operation.id;
    let start = revision(&store, &zone).await;
    let check = async |expected: u64, what: &str| assert_eq!(revision(&store, &zone).await, start + expected, "{what}");
    store.route_set(&zone, id, target("http://o", "/"), at(0)).await.unwrap();
    check(1, "set").await;
    store.route_set(&zone, id, target("HTTP://O:80/", "/"), at(1)).await.unwrap();
    check(1, "the same again").await;
    store.route_set(&zone, id, target("http://p", "/"), at(1)).await.unwrap();
    check(2, "changed").await;
    store.route_set(&zone, unknown_id(), target("http://p", "/"), at(1)).await.unwrap();
    check(2, "of no operation").await;
    store.route_delete(&zone, id).await.unwrap();
    check(3, "removed").await;
    store.route_delete(&zone, id).await.unwrap();
    check(3, "was not there").await;
}

/// A route that the operation's endpoint cannot make sense of.
async fn damage_a_route(fixture: &Fixture, store: &Store, endpoint: &str) -> OperationId {
    let id = add(store, &"z".parse().unwrap(), &format!("GET {endpoint}"), at(0)).await.operation.operation.id;
    fixture.sql(&format!(
        "UPDATE operations SET route = 'http://o/{{var9}}', route_updated_at = 0 WHERE operation_id = '{id}'"
    ));
    id
}

async fn a_damaged_route_is_named(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = damage_a_route(fixture, &store, "/").await;
    let parts = ["operations", "route", &id.to_string()];
    assert_names(&store.operation_get(&zone, id).await.unwrap_err(), parts);
    assert_names(&store.operation_list(&zone, all()).await.unwrap_err(), parts);
    assert_names(&store.zone_rules(&zone).await.unwrap_err(), parts);
    store.route_set(&zone, id, target("http://o", "/"), at(0)).await.unwrap();
    assert_eq!(features(&store, id).await.route.unwrap().target, target("http://o", "/"), "setting it heals it");
}

async fn a_damaged_route_fails_its_caller_alone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = damage_a_route(fixture, &store, "/0").await;
    let calls = keys(0..20).into_iter().map(|key| store.operation_upsert(&zone, vec![key], at(1)));
    for (number, answer) in join_all(calls).await.into_iter().enumerate() {
        match answer {
            Err(OperationUpsertError::Store(failure)) if number == 0 => {
                assert_names(&failure, ["operations", "route", &id.to_string()]);
            }
            answer => assert!(answer.is_ok() && number > 0, "{number}: {answer:?}"),
        }
    }
}
