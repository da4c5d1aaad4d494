//! Settings, session identifiers, and the rules that all of it makes together.

use demilune_policy::rule::{ForwardPath, OperationRule, Unmatched, ValidationLimits, ZoneRules, ZoneSettings};
use demilune_store::Zone;

use crate::fixture::{
    Fixture, add, add_all, assert_names, at, conformance, create_zone, identifiers, keys, origin, revision, rules,
    stored, target,
};

conformance![
    settings_are_stored_as_given,
    a_new_zone_has_the_usual_settings,
    session_identifiers_keep_order_and_names,
    settings_and_session_identifiers_leave_each_other_alone,
    a_missing_zone_has_no_rules,
    the_revision_moves_with_settings,
    the_rules_hold_everything_of_their_zone,
    rules_are_of_one_moment,
    every_zone_has_a_revision,
    a_zone_made_again_has_another_revision,
    a_removed_zone_takes_its_settings_along,
    damaged_settings_are_named,
    concurrent_settings_lose_nothing,
    changes_of_settings_at_once_are_all_made,
];

const OTHER_SETTINGS: ZoneSettings = ZoneSettings {
    unmatched: Unmatched::Block,
    forward_path: ForwardPath::Raw,
    head_as_get: false,
    limits: OTHER_LIMITS,
};
const OTHER_LIMITS: ValidationLimits =
    ValidationLimits { validated_bytes_max: Some(7), schemas_max: 8, schemas_bytes_max: 9 };

async fn settings_are_stored_as_given(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    for unmatched in [Unmatched::Pass, Unmatched::Log, Unmatched::Block] {
        for forward_path in [ForwardPath::Normalized, ForwardPath::Raw] {
            for head_as_get in [false, true] {
                let given = ZoneSettings { unmatched, forward_path, head_as_get, ..OTHER_SETTINGS };
                assert!(store.zone_settings_set(&zone, given).await.unwrap());
                assert_eq!(store.zone_settings_get(&zone).await.unwrap(), Some(given));
                assert_eq!(rules(&store, &zone).await.settings, given);
            }
        }
    }
}

async fn a_new_zone_has_the_usual_settings(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    assert_eq!(store.zone_settings_get(&zone).await.unwrap(), Some(ZoneSettings::default()));
    assert_eq!(store.session_identifiers_get(&zone).await.unwrap(), Some(vec![]));
}

async fn session_identifiers_keep_order_and_names(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    for given in
        [&["header X-Api-Key", "cookie SID", "header a", "header X-Api-Key"][..], &["cookie !#$%&'*+-.^_`|~"], &[]]
    {
        assert!(store.session_identifiers_set(&zone, identifiers(given)).await.unwrap());
        assert_eq!(store.session_identifiers_get(&zone).await.unwrap(), Some(identifiers(given)));
        assert_eq!(rules(&store, &zone).await.session_identifiers, identifiers(given));
    }
}

async fn settings_and_session_identifiers_leave_each_other_alone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    store.session_identifiers_set(&zone, identifiers(&["cookie a"])).await.unwrap();
    assert_eq!(store.zone_settings_get(&zone).await.unwrap(), Some(ZoneSettings::default()));
    store.zone_settings_set(&zone, OTHER_SETTINGS).await.unwrap();
    assert_eq!(store.session_identifiers_get(&zone).await.unwrap(), Some(identifiers(&["cookie a"])));
    store.session_identifiers_set(&zone, vec![]).await.unwrap();
    assert_eq!(store.zone_settings_get(&zone).await.unwrap(), Some(OTHER_SETTINGS));
}

async fn a_missing_zone_has_no_rules(fixture: &Fixture) {
    let store = fixture.store().await;
    let missing = "missing".parse().unwrap();
    assert_eq!(store.zone_rules(&missing).await.unwrap(), None);
    assert_eq!(store.zone_settings_get(&missing).await.unwrap(), None);
    assert_eq!(store.session_identifiers_get(&missing).await.unwrap(), None);
    assert!(!store.zone_settings_set(&missing, OTHER_SETTINGS).await.unwrap());
    assert!(!store.session_identifiers_set(&missing, vec![]).await.unwrap());
}

async fn the_revision_moves_with_settings(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let start = revision(&store, &zone).await;
    let check = async |expected: u64, what: &str| assert_eq!(revision(&store, &zone).await, start + expected, "{what}");
    store.zone_settings_set(&zone, ZoneSettings::default()).await.unwrap();
    store.session_identifiers_set(&zone, vec![]).await.unwrap();
    check(0, "as they were").await;
    store.zone_settings_set(&zone, OTHER_SETTINGS).await.unwrap();
    check(1, "settings").await;
    store.session_identifiers_set(&zone, identifiers(&["cookie a", "cookie b"])).await.unwrap();
    check(2, "session identifiers").await;
    store.zone_settings_set(&zone, OTHER_SETTINGS).await.unwrap();
    store.session_identifiers_set(&zone, identifiers(&["cookie a", "cookie b"])).await.unwrap();
    check(2, "the same again").await;
    store.session_identifiers_set(&zone, identifiers(&["cookie b", "cookie a"])).await.unwrap();
    check(3, "another order").await;
}

async fn the_rules_hold_everything_of_their_zone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    add_all(&store, &other, keys(0..3)).await;
    store.origin_set(&other, origin("b.test", "http://o"), at(0)).await.unwrap();
    store.zone_settings_set(&other, ZoneSettings::default()).await.unwrap();

    let mut operations = Vec::new();
    for text in ["GET /b", "POST /a z.example", "GET /a"] {
        let added = add(&store, &zone, text, at(0)).await.operation.operation;
        operations.push(OperationRule { id: added.id, key: added.key, route: None });
    }
    let route = target("http://o", "/b");
    store.route_set(&zone, operations[0].id, route.clone(), at(0)).await.unwrap();
    operations[0].route = Some(route);
    operations.sort_by_key(|rule| rule.key.clone());
    let origins = vec![origin("a.example", "http://o"), origin("{hostVar1}.example", "https://p")];
    for origin in origins.iter().rev() {
        store.origin_set(&zone, origin.clone(), at(0)).await.unwrap();
    }
    let session_identifiers = identifiers(&["cookie a"]);
    store.session_identifiers_set(&zone, session_identifiers.clone()).await.unwrap();
    store.zone_settings_set(&zone, OTHER_SETTINGS).await.unwrap();

    let revision = revision(&store, &zone).await;
    let expected =
        ZoneRules { zone: zone.clone(), revision, operations, origins, session_identifiers, settings: OTHER_SETTINGS };
    assert_eq!(rules(&store, &zone).await, expected);
}

async fn rules_are_of_one_moment(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let reading = fixture.store().await;
    let start = revision(&store, &zone).await;
    let (writer, written) = (store.clone(), zone.clone());
    // Each step advances the revision by one and adds one thing that can be counted.
    let writing = tokio::spawn(async move {
        for step in 0..60_u32 {
            match step % 3 {
                0 => drop(add_all(&writer, &written, keys(step * 10..step * 10 + 5)).await),
                1 => {
                    let origin = origin(&format!("h{step}.example"), "http://o");
                    writer.origin_set(&written, origin, at(0)).await.unwrap();
                }
                _ => {
                    let names = vec!["cookie a"; (step / 3 + 1) as usize];
                    writer.session_identifiers_set(&written, identifiers(&names)).await.unwrap();
                }
            }
        }
    });
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let finished = writing.is_finished();
        let found = rules(&reading, &zone).await;
        let steps = found.operations.len() / 5 + found.origins.len() + found.session_identifiers.len();
        assert_eq!(found.operations.len() % 5, 0);
        assert_eq!(found.revision, start + steps as u64);
        seen.insert(steps);
        if finished {
            break;
        }
    }
    writing.await.unwrap();
    assert!(seen.contains(&60) && seen.len() > 5, "{seen:?}");
    assert_eq!(stored(&reading, &zone).await.len(), 100);
}

async fn every_zone_has_a_revision(fixture: &Fixture) {
    let store = fixture.store().await;
    assert_eq!(store.zone_revisions().await.unwrap(), []);
    for id in ["b", "B", "a"] {
        create_zone(&store, id).await;
    }
    add(&store, &"b".parse().unwrap(), "GET /", at(0)).await;
    let revisions = store.zone_revisions().await.unwrap();
    let ids: Vec<_> = revisions.iter().map(|(zone, _)| zone.as_str()).collect();
    assert_eq!(ids, ["B", "a", "b"]);
    for (zone, found) in &revisions {
        assert_eq!(revision(&store, zone).await, *found);
        assert_eq!(rules(&store, zone).await.revision, *found);
    }
    store.zone_delete(&"a".parse().unwrap()).await.unwrap();
    assert_eq!(store.zone_revisions().await.unwrap().len(), 2);
}

async fn a_zone_made_again_has_another_revision(fixture: &Fixture) {
    let store = fixture.store().await;
    let mut last = 0;
    for step in 1..4 {
        let zone = Zone { id: "z".parse().unwrap(), name: "z".to_owned(), created_at: at(step * 1_000) };
        store.zone_create(zone.clone()).await.unwrap();
        assert!(revision(&store, &zone.id).await > last);
        for number in 0..5 {
            add_all(&store, &zone.id, keys(number..number + 1)).await;
        }
        last = revision(&store, &zone.id).await;
        store.zone_delete(&zone.id).await.unwrap();
    }
}

async fn a_removed_zone_takes_its_settings_along(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    store.zone_settings_set(&zone, OTHER_SETTINGS).await.unwrap();
    store.session_identifiers_set(&zone, identifiers(&["cookie a"])).await.unwrap();
    store.zone_delete(&zone).await.unwrap();
    create_zone(&store, "z").await;
    let found = rules(&store, &zone).await;
    let empty = ZoneRules {
        zone: zone.clone(),
        revision: revision(&store, &zone).await,
        operations: vec![],
        origins: vec![],
        session_identifiers: vec![],
        settings: ZoneSettings::default(),
    };
    assert_eq!(found, empty);
}

async fn damaged_settings_are_named(fixture: &Fixture) {
    let (store, _) = fixture.store_with_zone().await;
    let bad = [
        ("unmatched", "'drop'"),
        ("forward_path", "'folded'"),
        ("head_as_get", "2"),
        ("session_identifiers", "'cookie'"),
        ("session_identifiers", "'header a b'"),
        ("session_identifiers", "'jwt a'"),
    ];
    for (number, (column, value)) in bad.into_iter().enumerate() {
        let zone = create_zone(&store, &format!("z{number}")).await;
        store.zone_settings_set(&zone, OTHER_SETTINGS).await.unwrap();
        fixture.sql(&format!("UPDATE zone_settings SET {column} = {value} WHERE zone_id = '{zone}'"));
        let parts = ["zone_settings", column, zone.as_str()];
        assert_names(&store.zone_settings_get(&zone).await.unwrap_err(), parts);
        assert_names(&store.zone_rules(&zone).await.unwrap_err(), parts);
    }
}

async fn concurrent_settings_lose_nothing(fixture: &Fixture) {
    let stores = [fixture.store().await, fixture.store().await];
    for round in 0..10 {
        let zone = create_zone(&stores[0], &format!("z{round}")).await;
        let set = tokio::join!(
            stores[0].zone_settings_set(&zone, OTHER_SETTINGS),
            stores[1].session_identifiers_set(&zone, identifiers(&["cookie a"])),
        );
        assert!(set.0.unwrap() && set.1.unwrap());
        let found = rules(&stores[0], &zone).await;
        assert_eq!((found.settings, found.session_identifiers), (OTHER_SETTINGS, identifiers(&["cookie a"])));
    }
}

async fn changes_of_settings_at_once_are_all_made(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let unmatched = store.zone_settings_change(&zone, |before| ZoneSettings { unmatched: Unmatched::Block, ..before });
    let head = store.zone_settings_change(&zone, |before| ZoneSettings { head_as_get: false, ..before });
    let (unmatched, head) = tokio::join!(unmatched, head);
    assert!(unmatched.unwrap().is_some() && head.unwrap().is_some());
    let both = ZoneSettings { unmatched: Unmatched::Block, head_as_get: false, ..ZoneSettings::default() };
    assert_eq!(store.zone_settings_get(&zone).await.unwrap(), Some(both));
}
