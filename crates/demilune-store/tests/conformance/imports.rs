//! Imports: a content counts once, whatever it is imported as.

use demilune_inventory::ZoneId;
use demilune_store::{ImportBegun, Store, TrafficLimits, TrafficScope};
use demilune_traffic::Source;
use futures_util::future::join_all;

use crate::{
    discovery::{self, DAY, TODAY},
    fixture::{Fixture, conformance, create_zone},
    sessions::{END, maintain, rows, sessions_row, windows, write},
    traffic::{NOW, add, at_second, requests, row},
};

conformance![
    a_content_is_known_by_its_hash_and_source,
    what_another_source_had_brought_goes_packed_or_not,
    what_another_source_had_seen_goes_day_by_day,
    what_tells_sessions_apart_is_kept_by_source,
    of_many_who_begin_one_content_all_but_one_find_it,
    imports_go_with_their_zone,
];

fn source(text: &str) -> Source {
    text.parse().unwrap()
}

async fn begin(store: &Store, zone: &ZoneId, hash: &str, name: &str, session_by: Option<&str>) -> (bool, bool) {
    let begun = store.import_begin(zone, hash, &source(name), session_by, at_second(NOW)).await.unwrap();
    (begun.replaced, begun.known)
}

async fn a_content_is_known_by_its_hash_and_source(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    assert_eq!(begin(&store, &zone, "h1", "import:1", None).await, (false, false));
    assert_eq!(begin(&store, &zone, "h1", "import:1", None).await, (false, true));
    assert_eq!(begin(&store, &zone, "h2", "import:2", None).await, (false, false));
    assert_eq!(begin(&store, &other, "h1", "import:1", None).await, (false, false));
    assert_eq!(begin(&store, &zone, "h1", "import:3", None).await, (true, false));
    assert_eq!(begin(&store, &zone, "h1", "import:3", None).await, (false, true));
    assert_eq!(begin(&store, &zone, "h1", "import:1", None).await, (true, false), "and back");
}

async fn what_another_source_had_brought_goes_packed_or_not(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let (id, elsewhere) = (add(&store, &zone, "/a").await, add(&store, &other, "/a").await);
    begin(&store, &zone, "h1", "import:1", None).await;
    let all: Vec<_> = ["import:1", "node", "import:12"]
        .iter()
        .flat_map(|source| [sessions_row(&zone, id, NOW, source, 2), row(&zone, None, NOW, source, 3)])
        .collect();
    write(&store, NOW, all).await;
    write(&store, NOW, vec![sessions_row(&other, elsewhere, NOW, "import:1", 2)]).await;
    // Sessions are packed, records are not, until a week later.
    maintain(&store, END).await;
    write(&store, NOW, vec![sessions_row(&zone, id, NOW + 300, "import:1", 2)]).await;
    assert_eq!(begin(&store, &zone, "h1", "import:1b", None).await, (true, false));
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, 300, 10)]);
    assert_eq!(windows(&store, &zone, &[id], END).await[0].2, [source("import:12"), source("node")]);
    assert_eq!(requests(&store, &other, TrafficScope::Zone).await, [(NOW, 300, 2)]);
    assert_eq!(rows(fixture), (0, 3));
    // Records that are packed go as well.
    write(&store, NOW, vec![row(&zone, None, NOW, "import:1b", 5)]).await;
    let later = at_second(NOW + 8 * 86_400);
    store.traffic_maintain(later, TrafficLimits::default()).await.unwrap();
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, 3_600, 15)]);
    assert_eq!(begin(&store, &zone, "h1", "import:1c", None).await, (true, false));
    assert_eq!(requests(&store, &zone, TrafficScope::Zone).await, [(NOW, 3_600, 10)]);
}

async fn what_another_source_had_seen_goes_day_by_day(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let stored = async |zone: &ZoneId| -> Vec<(u64, String)> { discovery::stored(&store, zone).await };
    begin(&store, &zone, "h1", "import:1", None).await;
    for (zone, source, day) in [
        (&zone, "import:1", TODAY - DAY),
        (&zone, "import:1", TODAY),
        (&zone, "import:12", TODAY),
        (&zone, "node", TODAY),
        (&other, "import:1", TODAY),
    ] {
        assert!(discovery::write(&store, discovery::row(zone, source, day, 2)).await);
    }
    // The same source again leaves all as it is.
    assert_eq!(begin(&store, &zone, "h1", "import:1", None).await, (false, true));
    assert_eq!(stored(&zone).await.len(), 4);
    assert_eq!(begin(&store, &zone, "h1", "import:1b", None).await, (true, false));
    let expected = [(TODAY, "import:12 2"), (TODAY, "node 2")].map(|(day, text)| (day, text.to_owned()));
    assert_eq!(stored(&zone).await, expected);
    assert_eq!(stored(&other).await.len(), 1);
    // Fewer requests are left over, and still they are what counts from now on.
    assert!(discovery::write(&store, discovery::row(&zone, "import:1b", TODAY, 1)).await);
    let expected = [(TODAY, "import:12 2"), (TODAY, "import:1b 1"), (TODAY, "node 2")];
    assert_eq!(stored(&zone).await, expected.map(|(day, text)| (day, text.to_owned())));
}

async fn what_tells_sessions_apart_is_kept_by_source(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    begin(&store, &zone, "h1", "import:1", None).await;
    begin(&store, &zone, "h2", "import:2", Some("header x-key")).await;
    begin(&store, &zone, "h3", "import:3", Some("field client_ip")).await;
    let asked = ["import:3", "node", "import:1", "import:2", "import:3"].map(source);
    let found = store.import_session_by(&zone, &asked).await.unwrap();
    let expected = [("import:3", Some("field client_ip")), ("import:1", None), ("import:2", Some("header x-key"))];
    assert_eq!(found, expected.map(|(name, by)| (source(name), by.map(str::to_owned))));
    assert_eq!(store.import_session_by(&other, &asked).await.unwrap(), []);
    assert_eq!(store.import_session_by(&zone, &[]).await.unwrap(), []);
    begin(&store, &zone, "h3", "import:3b", None).await;
    let found = store.import_session_by(&zone, &["import:3", "import:3b"].map(source)).await.unwrap();
    assert_eq!(found, [(source("import:3b"), None)]);
}

async fn of_many_who_begin_one_content_all_but_one_find_it(fixture: &Fixture) {
    let (one, zone) = fixture.store_with_zone().await;
    let stores = [one, fixture.store().await];
    let same = source("import:1");
    let beginning = (0..8).map(|number| stores[number % 2].import_begin(&zone, "h1", &same, None, at_second(NOW)));
    let begun: Vec<ImportBegun> = join_all(beginning).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(begun.iter().filter(|begun| !begun.known).count(), 1);
    assert!(begun.iter().all(|begun| !begun.replaced));
}

async fn imports_go_with_their_zone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    begin(&store, &zone, "h1", "import:1", None).await;
    store.zone_delete(&zone).await.unwrap();
    assert_eq!(store.import_session_by(&zone, &[source("import:1")]).await.unwrap(), []);
    // One that had begun before.
    begin(&store, &zone, "h1", "import:1", None).await;
    maintain(&store, NOW).await;
    assert_eq!(store.import_session_by(&zone, &[source("import:1")]).await.unwrap(), []);
    create_zone(&store, "z").await;
    assert_eq!(begin(&store, &zone, "h1", "import:1", None).await, (false, false));
    maintain(&store, NOW).await;
    assert_eq!(store.import_session_by(&zone, &[source("import:1")]).await.unwrap().len(), 1, "its zone is there");
}
