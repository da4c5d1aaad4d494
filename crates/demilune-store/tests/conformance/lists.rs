//! Pages of operations, compared with what sorting and filtering in memory gives.

use demilune_inventory::{Host, Method, OperationKey};
use demilune_store::{OperationOrder, OperationQuery};

use crate::fixture::{Fixture, add_all, all, conformance, create_zone, key, keys, stored};

conformance![
    every_order_and_filter_agrees_with_memory,
    pages_join_to_the_whole,
    a_page_past_the_end_is_empty_and_counts,
    a_missing_zone_has_no_list,
    an_empty_zone_has_an_empty_list,
    the_total_is_that_of_the_zone_alone,
    every_character_of_a_searched_text_is_literal,
    many_hosts_are_one_filter,
    a_searched_nul_is_nowhere,
];

/// Neighbours in byte order that a dictionary, or a collation that ignores case or punctuation, would put otherwise.
fn inventory() -> Vec<OperationKey> {
    let hosts =
        ["a-b.example", "a.example", "a0.example", "a_b.example", "ab.example", "{hostVar1}.example", "b.example"];
    let long = format!("/{}", "x".repeat(300));
    let endpoints = [
        "/",
        "/A",
        "/B",
        "/Z",
        "/_",
        "/a",
        "/a%20b",
        "/a%2Fb",
        "/a-b",
        "/a.b",
        "/a/",
        "/aB",
        "/aa",
        "/a_b",
        "/ab",
        "/b",
        "/{var1}",
        "/~",
        &long,
        &format!("{long}a"),
        &format!("{long}B"),
    ];
    let mut keys = Vec::new();
    for (place, host) in hosts.iter().enumerate() {
        for (number, endpoint) in endpoints.iter().enumerate() {
            let methods = Method::ALL.into_iter().skip((place + number) % 9).step_by(4);
            keys.extend(methods.map(|method| key(&format!("{method} {endpoint} {host}"))));
        }
    }
    keys
}

/// What the store should answer: the keys of the page, and the total.
fn expected(mut keys: Vec<OperationKey>, query: &OperationQuery) -> (Vec<OperationKey>, u64) {
    keys.retain(|key| query.hosts.is_empty() || query.hosts.contains(&key.host));
    keys.retain(|key| query.methods.is_empty() || query.methods.contains(&key.method));
    keys.retain(|key| {
        query.endpoint_contains.as_ref().is_none_or(|part| key.endpoint.as_str().contains(part.as_str()))
    });
    keys.sort_by_key(|key| {
        let (host, endpoint, method) = (key.host.to_string(), key.endpoint.to_string(), key.method.to_string());
        match query.order {
            OperationOrder::Host => [host, endpoint, method],
            OperationOrder::Endpoint => [endpoint, host, method],
            OperationOrder::Method => [method, host, endpoint],
            OperationOrder::Thresholds(_) => unreachable!("not in this list"),
        }
    });
    if query.descending {
        keys.reverse();
    }
    let total = keys.len() as u64;
    let offset = usize::try_from(query.offset).unwrap();
    (keys.into_iter().skip(offset).take(query.limit as usize).collect(), total)
}

const ORDERS: [OperationOrder; 3] = [OperationOrder::Host, OperationOrder::Endpoint, OperationOrder::Method];

async fn every_order_and_filter_agrees_with_memory(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    add_all(&store, &zone, inventory()).await;
    add_all(&store, &other, keys(0..50)).await;
    let hosts: [Vec<Host>; 3] = [
        vec![],
        vec!["a_b.example".parse().unwrap(), "{x}.example".parse().unwrap(), "missing.example".parse().unwrap()],
        vec!["missing.example".parse().unwrap()],
    ];
    let methods = [vec![], vec![Method::Get, Method::Trace]];
    let parts = [None, Some(String::new()), Some("a".to_owned()), Some("/A".to_owned()), Some("{var1}".to_owned())];
    for order in ORDERS {
        for descending in [false, true] {
            for hosts in &hosts {
                for methods in &methods {
                    for part in &parts {
                        let (hosts, methods, endpoint_contains) = (hosts.clone(), methods.clone(), part.clone());
                        let query = OperationQuery {
                            hosts,
                            methods,
                            endpoint_contains,
                            order,
                            descending,
                            offset: 3,
                            limit: 40,
                        };
                        let page = store.operation_list(&zone, query.clone()).await.unwrap().unwrap();
                        let found: Vec<_> = page.operations.into_iter().map(|stored| stored.operation.key).collect();
                        assert_eq!((found, page.total_count), expected(inventory(), &query), "{query:?}");
                    }
                }
            }
        }
    }
}

async fn pages_join_to_the_whole(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    add_all(&store, &zone, inventory()).await;
    for order in ORDERS {
        let mut joined = Vec::new();
        let whole = OperationQuery { order, ..all() };
        loop {
            let query = OperationQuery { offset: joined.len() as u64, limit: 7, ..whole.clone() };
            let page = store.operation_list(&zone, query).await.unwrap().unwrap();
            assert_eq!(page.total_count, inventory().len() as u64);
            if page.operations.is_empty() {
                break;
            }
            joined.extend(page.operations);
        }
        assert_eq!(joined, store.operation_list(&zone, whole).await.unwrap().unwrap().operations);
    }
}

async fn a_page_past_the_end_is_empty_and_counts(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    add_all(&store, &zone, keys(0..30)).await;
    for (offset, limit) in [(30, 20), (31, 20), (1 << 40, u32::MAX), (u64::MAX, u32::MAX), (u64::MAX, 1), (0, 0)] {
        for (endpoint_contains, total) in [(None, 30), (Some("/2".to_owned()), 11), (Some("nowhere".to_owned()), 0)] {
            let query = OperationQuery { offset, limit, endpoint_contains, ..all() };
            let page = store.operation_list(&zone, query).await.unwrap().unwrap();
            assert_eq!((page.operations.len(), page.total_count), (0, total), "{offset} {limit}");
        }
    }
}

async fn a_missing_zone_has_no_list(fixture: &Fixture) {
    let (store, _) = fixture.store_with_zone().await;
    let missing = "missing".parse().unwrap();
    assert_eq!(store.operation_list(&missing, all()).await.unwrap(), None);
    let filtered = OperationQuery { endpoint_contains: Some("a".to_owned()), ..all() };
    assert_eq!(store.operation_list(&missing, filtered).await.unwrap(), None);
}

async fn an_empty_zone_has_an_empty_list(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let page = store.operation_list(&zone, all()).await.unwrap().unwrap();
    assert_eq!((page.operations.len(), page.total_count), (0, 0));
}

async fn the_total_is_that_of_the_zone_alone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let added = add_all(&store, &zone, keys(0..5)).await;
    add_all(&store, &other, keys(0..7)).await;
    store.operation_delete(&zone, vec![added[1].operation.operation.id]).await.unwrap();
    assert_eq!(stored(&store, &zone).await.len(), 4);
    assert_eq!(stored(&store, &other).await.len(), 7);
}

async fn every_character_of_a_searched_text_is_literal(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    add_all(
        &store,
        &zone,
        ["/a%25b", "/a_b", "/axb", "/a*b", "/A_B"].iter().map(|path| key(&format!("GET {path}"))).collect(),
    )
    .await;
    let find = async |part: &str| {
        let query = OperationQuery { endpoint_contains: Some(part.to_owned()), ..all() };
        let page = store.operation_list(&zone, query).await.unwrap().unwrap();
        assert_eq!(page.operations.len() as u64, page.total_count);
        page.operations.into_iter().map(|stored| stored.operation.key.endpoint.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(find("%").await, ["/a%25b"]);
    assert_eq!(find("a_b").await, ["/a_b"]);
    assert_eq!(find("A_").await, ["/A_B"]);
    assert_eq!(find("*").await, ["/a*b"]);
    for part in ["?", "'", "\"", "\\", "a%b", "$1", "é", "\u{10ffff}"] {
        assert!(find(part).await.is_empty(), "{part:?}");
    }
}

async fn many_hosts_are_one_filter(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let on_host = |number: u32| key(&format!("GET / h{number}.example"));
    add_all(&store, &zone, (0..300).map(on_host).collect()).await;
    let hosts = (100..1_100).map(|number| on_host(number).host).collect();
    let page = store.operation_list(&zone, OperationQuery { hosts, ..all() }).await.unwrap().unwrap();
    assert_eq!((page.operations.len(), page.total_count), (200, 200));
}

/// A client may ask for `?endpoint=%00`.
async fn a_searched_nul_is_nowhere(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    add_all(&store, &zone, keys(0..3)).await;
    for part in ["\0", "/\0", "0\0"] {
        let query = OperationQuery { endpoint_contains: Some(part.to_owned()), ..all() };
        let page = store.operation_list(&zone, query).await.unwrap().unwrap();
        assert_eq!((page.operations.len(), page.total_count), (0, 0), "{part:?}");
    }
}
