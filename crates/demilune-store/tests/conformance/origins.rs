//! Origins: where a host's requests go, and which zone owns the host.

use demilune_policy::rule::{HostHeader, Origin};
use demilune_store::{ORIGINS_PER_ZONE_MAX, OriginRecord, OriginSetError, Store, Zone};
use futures_util::future::join_all;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, assert_names, at, conformance, create_zone, origin, revision};

conformance![
    an_origin_is_stored_as_given,
    an_origin_set_again_replaces_the_first,
    the_time_of_an_origin_moves_forward,
    origins_are_listed_by_the_bytes_of_their_hosts,
    a_missing_zone_has_no_origins,
    a_host_belongs_to_one_zone,
    patterns_of_one_zone_may_overlap,
    a_removed_origin_frees_its_host,
    a_removed_zone_frees_its_hosts,
    one_of_two_processes_gets_a_host,
    a_zone_holds_so_many_origins,
    the_revision_moves_with_origins,
    no_origin_is_left_of_a_zone_removed_meanwhile,
    a_damaged_origin_is_named,
];

async fn set(store: &Store, zone: &str, host: &str) -> Result<OriginRecord, OriginSetError> {
    store.origin_set(&zone.parse().unwrap(), origin(host, "http://o"), at(0)).await
}

async fn hosts(store: &Store, zone: &str) -> Vec<String> {
    let listed = store.origin_list(&zone.parse().unwrap()).await.unwrap().unwrap();
    listed.into_iter().map(|record| record.origin.host.to_string()).collect()
}

async fn an_origin_is_stored_as_given(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let client = origin("{tenant}.example.com", "https://[::1]:8443");
    let fixed = Origin { host_header: "Api.internal:8080".parse().unwrap(), ..origin("a.example", "http://o") };
    for given in [client, fixed] {
        let record = OriginRecord { origin: given.clone(), last_updated: at(7) };
        assert_eq!(store.origin_set(&zone, given, at(7)).await.unwrap(), record);
        assert!(store.origin_list(&zone).await.unwrap().unwrap().contains(&record));
    }
}

async fn an_origin_set_again_replaces_the_first(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let first = Origin { host_header: "a".parse().unwrap(), ..origin("a.example", "http://first") };
    store.origin_set(&zone, first, at(0)).await.unwrap();
    let second = origin("A.Example.", "http://second");
    let record = store.origin_set(&zone, second.clone(), at(5)).await.unwrap();
    assert_eq!(record, OriginRecord { origin: second, last_updated: at(5) });
    assert_eq!(record.origin.host_header, HostHeader::Client);
    assert_eq!(store.origin_list(&zone).await.unwrap(), Some(vec![record]));
}

async fn the_time_of_an_origin_moves_forward(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    for (now, expected) in [(100, 100), (50, 101), (101, 102), (200, 200)] {
        let record = store.origin_set(&zone, origin("a.example", "http://o"), at(now)).await.unwrap();
        assert_eq!(record.last_updated, at(expected), "{now}");
    }
}

async fn origins_are_listed_by_the_bytes_of_their_hosts(fixture: &Fixture) {
    let (store, _) = fixture.store_with_zone().await;
    let sorted = ["a-b.example", "a.example", "a0.example", "a_b.example", "ab.example", "{hostVar1}.b.example"];
    for host in sorted.iter().rev() {
        set(&store, "z", host).await.unwrap();
    }
    assert_eq!(hosts(&store, "z").await, sorted);
}

async fn a_missing_zone_has_no_origins(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    assert_eq!(store.origin_list(&zone).await.unwrap(), Some(vec![]), "there, and without origins");
    let missing = "missing".parse().unwrap();
    assert_eq!(store.origin_list(&missing).await.unwrap(), None);
    assert!(matches!(set(&store, "missing", "a.example").await, Err(OriginSetError::ZoneUnknown)));
    assert!(!store.origin_delete(&missing, &"a.example".parse().unwrap()).await.unwrap());
}

async fn a_host_belongs_to_one_zone(fixture: &Fixture) {
    let (store, _) = fixture.store_with_zone().await;
    create_zone(&store, "other").await;
    set(&store, "z", "{x}.b.example").await.unwrap();
    set(&store, "z", "api.example").await.unwrap();
    let check = async |host: &str, taken: Option<&str>| match (set(&store, "other", host).await, taken) {
        (Ok(_), None) => {}
        (Err(OriginSetError::Overlap { zone, host: found }), Some(taken)) => {
            assert_eq!((zone.as_str(), found.as_str()), ("z", taken));
        }
        (answer, _) => panic!("{host}: {answer:?}"),
    };
    check("api.example", Some("api.example")).await;
    check("{any}.example", Some("api.example")).await;
    check("a.b.example", Some("{hostVar1}.b.example")).await;
    check("{y}.b.example", Some("{hostVar1}.b.example")).await;
    check("a.{y}.example", Some("{hostVar1}.b.example")).await;
    check("a.{y}.test", None).await;
    check("b.example", None).await;
    check("api.b.a.example", None).await;
}

async fn patterns_of_one_zone_may_overlap(fixture: &Fixture) {
    let (store, _) = fixture.store_with_zone().await;
    for host in ["{x}.example", "a.example", "{x}.{y}", "a.{y}"] {
        set(&store, "z", host).await.unwrap();
    }
    assert_eq!(hosts(&store, "z").await.len(), 4);
}

async fn a_removed_origin_frees_its_host(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    create_zone(&store, "other").await;
    set(&store, "z", "{x}.example").await.unwrap();
    assert!(!store.origin_delete(&zone, &"a.example".parse().unwrap()).await.unwrap(), "only the pattern itself");
    assert!(store.origin_delete(&zone, &"{y}.example".parse().unwrap()).await.unwrap());
    assert!(!store.origin_delete(&zone, &"{y}.example".parse().unwrap()).await.unwrap());
    set(&store, "other", "a.example").await.unwrap();
}

async fn a_removed_zone_frees_its_hosts(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    create_zone(&store, "other").await;
    set(&store, "z", "a.example").await.unwrap();
    store.zone_delete(&zone).await.unwrap();
    set(&store, "other", "a.example").await.unwrap();
    create_zone(&store, "z").await;
    assert!(hosts(&store, "z").await.is_empty(), "nothing comes back");
}

async fn one_of_two_processes_gets_a_host(fixture: &Fixture) {
    let stores = [fixture.store().await, fixture.store().await];
    for number in 0..4 {
        create_zone(&stores[0], &format!("z{number}")).await;
    }
    for round in 0..20 {
        let wanted = [format!("a.r{round}.example"), format!("{{x}}.r{round}.example")];
        let calls = (0..4).map(|number| (number, &stores[number % 2], &wanted[number / 2]));
        let answers = join_all(calls.map(async |(number, store, host)| {
            let zone = format!("z{number}");
            set(store, &zone, host).await
        }))
        .await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        let refused = answers.iter().filter(|answer| matches!(answer, Err(OriginSetError::Overlap { .. })));
        assert_eq!(refused.count(), 3, "{answers:?}");
    }
}

async fn a_zone_holds_so_many_origins(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    create_zone(&store, "other").await;
    set(&store, "z", "first.example").await.unwrap();
    fixture.sql(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
         INSERT INTO origins (zone_id, host, url, last_updated) SELECT 'z', 'h' || i || '.example', 'http://o', 0 FROM n",
        ORIGINS_PER_ZONE_MAX - 2
    ));
    set(&store, "z", "last.example").await.unwrap();
    assert_eq!(hosts(&store, "z").await.len(), ORIGINS_PER_ZONE_MAX);
    assert!(matches!(set(&store, "z", "more.example").await, Err(OriginSetError::TooMany)));
    set(&store, "z", "last.example").await.unwrap();
    set(&store, "other", "more.example").await.unwrap();
    assert!(store.origin_delete(&zone, &"first.example".parse().unwrap()).await.unwrap());
    set(&store, "z", "again.example").await.unwrap();
}

async fn the_revision_moves_with_origins(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    set(&store, "other", "taken.example").await.unwrap();
    let (start, start_other) = (revision(&store, &zone).await, revision(&store, &other).await);
    let check = async |expected: u64, what: &str| assert_eq!(revision(&store, &zone).await, start + expected, "{what}");
    let given = origin("a.example", "http://o");
    store.origin_set(&zone, given.clone(), at(0)).await.unwrap();
    check(1, "added").await;
    store.origin_set(&zone, given.clone(), at(1)).await.unwrap();
    check(1, "the same again").await;
    store.origin_set(&zone, Origin { url: "http://p".parse().unwrap(), ..given.clone() }, at(2)).await.unwrap();
    check(2, "another URL").await;
    store.origin_set(&zone, Origin { host_header: "h".parse().unwrap(), ..given.clone() }, at(3)).await.unwrap();
    check(3, "another Host field").await;
    set(&store, "z", "taken.example").await.unwrap_err();
    check(3, "refused").await;
    store.origin_delete(&zone, &given.host).await.unwrap();
    check(4, "removed").await;
    store.origin_delete(&zone, &given.host).await.unwrap();
    check(4, "was not there").await;
    assert_eq!(revision(&store, &other).await, start_other, "another zone");
}

async fn no_origin_is_left_of_a_zone_removed_meanwhile(fixture: &Fixture) {
    let stores = [fixture.store().await, fixture.store().await];
    for round in 0..10 {
        let zone = create_zone(&stores[0], "z").await;
        let mut tasks = JoinSet::new();
        for number in 0..4_usize {
            let (store, zone) = (stores[number % 2].clone(), zone.clone());
            tasks.spawn(async move {
                for step in 0..10 {
                    let host = format!("h{number}-{step}.example");
                    match store.origin_set(&zone, origin(&host, "http://o"), at(0)).await {
                        Ok(_) | Err(OriginSetError::ZoneUnknown) => {}
                        Err(error) => panic!("{}", crate::fixture::chain(&error)),
                    }
                }
            });
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        assert!(stores[1].zone_delete(&zone).await.unwrap(), "{round}");
        tasks.join_all().await;
        assert_eq!(fixture.number("SELECT count(*) FROM origins"), 0);
    }
}

async fn a_damaged_origin_is_named(fixture: &Fixture) {
    let store = fixture.store().await;
    for (number, column) in ["url", "host_header"].into_iter().enumerate() {
        let id = format!("z{number}");
        let zone = Zone { id: id.parse().unwrap(), name: id.clone(), created_at: at(0) };
        store.zone_create(zone.clone()).await.unwrap();
        let host = format!("a{number}.example");
        set(&store, &id, &host).await.unwrap();
        fixture.sql(&format!("UPDATE origins SET {column} = 'no good' WHERE zone_id = '{id}'"));
        assert_names(&store.origin_list(&zone.id).await.unwrap_err(), ["origins", column, &host]);
        assert_names(&store.zone_rules(&zone.id).await.unwrap_err(), ["origins", column, &host]);
        assert!(store.origin_delete(&zone.id, &host.parse().unwrap()).await.unwrap(), "it can be removed");
    }
}
