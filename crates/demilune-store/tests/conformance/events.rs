//! Events: what did not fit is found again, the newest first, and there is never more of it than is said.

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_store::{
    EventFilter, EventViolation, MitigationAction, Store, StoreFailure, TrafficLimits, ValidationEvent,
};
use demilune_traffic::SessionHash;
use futures_util::future::join_all;

use crate::{
    fixture::{Fixture, conformance, create_zone},
    traffic::{NOW, at_second},
};

conformance![
    an_event_is_read_as_it_was_written,
    the_newest_come_first_page_by_page,
    of_one_time_the_one_written_last_comes_first,
    all_of_a_filter_must_hold,
    a_keyword_is_found_whole_and_once,
    what_no_text_holds_is_not_found,
    a_zone_has_its_own_events,
    one_event_out_of_bounds_keeps_all_out,
    events_go_after_a_month,
    the_oldest_of_a_zone_go_when_there_are_too_many,
    the_largest_zone_gives_way_when_there_are_too_many_in_all,
    a_write_makes_room_for_itself,
    a_write_makes_room_among_all_zones,
    a_wrong_count_is_set_right,
    keywords_go_with_their_events,
    events_outlast_their_operation_and_go_with_their_zone,
    many_write_at_once,
    a_damaged_event_hides_no_other,
    what_happened_to_events_is_counted,
];

const MONTH: u64 = 30 * 86_400;
const A: &str = "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8a";
const B: &str = "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8b";

fn violation(keyword: &str, request_place: &str) -> EventViolation {
    let document_place = format!("/paths/~1a/post/{keyword}");
    EventViolation { keyword: keyword.to_owned(), request_place: request_place.to_owned(), document_place }
}

/// An event some seconds after the start, its keyword `type`, and its request named after the seconds.
fn event(seconds: u64) -> ValidationEvent {
    ValidationEvent {
        time: at_second(NOW + seconds),
        operation: A.parse().unwrap(),
        action: MitigationAction::Log,
        schema: B.parse().unwrap(),
        session: None,
        request_id: seconds.to_string(),
        violations: vec![violation("type", "/body/age")],
        has_more: false,
    }
}

fn keyword(keyword: &str) -> EventFilter {
    EventFilter { keyword: Some(keyword.to_owned()), ..EventFilter::default() }
}

async fn write(store: &Store, zone: &ZoneId, events: impl IntoIterator<Item = ValidationEvent>) {
    store.events_write(events.into_iter().map(|event| (zone.clone(), event)).collect()).await.unwrap();
}

/// The names of the requests that pass a filter, and how many there are in all.
async fn found(store: &Store, zone: &ZoneId, filter: &EventFilter) -> (Vec<String>, u64) {
    let page = store.events_list(zone, filter, 0, 50).await.unwrap();
    assert_eq!(page.damaged, 0);
    (page.events.into_iter().map(|event| event.request_id).collect(), page.total_count)
}

async fn names(store: &Store, zone: &ZoneId) -> Vec<String> {
    let (names, total) = found(store, zone, &EventFilter::default()).await;
    assert_eq!(total, names.len() as u64);
    names
}

async fn maintain(store: &Store, now: Timestamp, limits: TrafficLimits) {
    store.traffic_maintain(now, limits).await.unwrap();
}

/// Runs a statement where the events are, behind the store's back.
fn sql(fixture: &Fixture, statement: &str) {
    if fixture.is_sqlite() {
        let path = fixture.path().with_file_name("demilune-traffic.db");
        rusqlite::Connection::open(path).unwrap().execute_batch(statement).unwrap();
    } else {
        fixture.sql(statement);
    }
}

/// One number from where the events are.
fn number(fixture: &Fixture, query: &str) -> i64 {
    if fixture.is_sqlite() {
        let path = fixture.path().with_file_name("demilune-traffic.db");
        rusqlite::Connection::open(path).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
    } else {
        fixture.number(query)
    }
}

async fn an_event_is_read_as_it_was_written(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let whole = ValidationEvent {
        action: MitigationAction::Block,
        session: Some(SessionHash::of(u64::MAX)),
        request_id: "é".repeat(64),
        violations: (0..16).map(|index| violation("required", &format!("/body/\u{0}{index}"))).collect(),
        has_more: true,
        ..event(1)
    };
    let written = [ValidationEvent { session: Some(SessionHash::of(0)), ..event(2) }, whole, event(0)];
    write(&store, &zone, written.clone()).await;
    let page = store.events_list(&zone, &EventFilter::default(), 0, 50).await.unwrap();
    assert_eq!((page.events, page.total_count, page.damaged), (written.to_vec(), 3, 0));
}

async fn the_newest_come_first_page_by_page(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, &zone, [3, 0, 4].map(event)).await;
    write(&store, &zone, [1, 2].map(event)).await;
    let page = async |offset: u64| {
        let page = store.events_list(&zone, &EventFilter::default(), offset, 2).await.unwrap();
        let names: Vec<_> = page.events.into_iter().map(|event| event.request_id).collect();
        (names.concat(), page.total_count)
    };
    assert_eq!(page(0).await, ("43".to_owned(), 5));
    assert_eq!(page(2).await, ("21".to_owned(), 5));
    assert_eq!(page(4).await, ("0".to_owned(), 5));
    assert_eq!(page(6).await, (String::new(), 5));
    assert_eq!(page(u64::MAX).await, (String::new(), 5));
}

async fn of_one_time_the_one_written_last_comes_first(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let named = |name: &str| ValidationEvent { request_id: name.to_owned(), ..event(0) };
    write(&store, &zone, ["a", "b"].map(named)).await;
    write(&store, &zone, ["c", "d"].map(named)).await;
    assert_eq!(names(&store, &zone).await, ["d", "c", "b", "a"]);
}

async fn all_of_a_filter_must_hold(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let (a, b): (OperationId, OperationId) = (A.parse().unwrap(), B.parse().unwrap());
    let session = SessionHash::of(5 << 20);
    let of_b = ValidationEvent { operation: b, violations: vec![violation("enum", "/query/q")], ..event(1) };
    let blocked = ValidationEvent { action: MitigationAction::Block, session: Some(session), ..event(2) };
    write(&store, &zone, [event(0), of_b, blocked, event(3)]).await;
    let check = async |filter: EventFilter, expected: &[&str]| {
        let (names, total) = found(&store, &zone, &filter).await;
        assert_eq!(
            (names.iter().map(String::as_str).collect::<Vec<_>>(), total),
            (expected.to_vec(), names.len() as u64)
        );
    };
    let all = EventFilter::default;
    check(all(), &["3", "2", "1", "0"]).await;
    check(EventFilter { operation: Some(b), ..all() }, &["1"]).await;
    check(EventFilter { action: Some(MitigationAction::Log), ..all() }, &["3", "1", "0"]).await;
    check(EventFilter { session: Some(session), ..all() }, &["2"]).await;
    check(EventFilter { session: Some(SessionHash::of(6 << 20)), ..all() }, &[]).await;
    check(EventFilter { request_id: Some("3".to_owned()), ..all() }, &["3"]).await;
    check(EventFilter { since: Some(at_second(NOW + 2)), ..all() }, &["3", "2"]).await;
    check(EventFilter { until: Some(at_second(NOW + 2)), ..all() }, &["1", "0"]).await;
    let both = EventFilter { operation: Some(a), action: Some(MitigationAction::Log), ..keyword("type") };
    check(EventFilter { since: Some(at_second(NOW + 1)), until: Some(at_second(NOW + 4)), ..both.clone() }, &["3"])
        .await;
    check(EventFilter { operation: Some(b), ..both }, &[]).await;
}

async fn a_keyword_is_found_whole_and_once(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let two = vec![violation("type", "/body/a"), violation("minimum", "/body/b"), violation("type", "/body/c")];
    write(&store, &zone, [ValidationEvent { violations: two, ..event(0) }, event(1)]).await;
    for (word, expected) in [("type", &["1", "0"][..]), ("minimum", &["0"]), ("min", &[]), ("TYPE", &[]), ("%", &[])] {
        assert_eq!(found(&store, &zone, &keyword(word)).await.0, expected, "{word}");
    }
}

async fn what_no_text_holds_is_not_found(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, &zone, [event(0)]).await;
    let filters = [keyword("ty\0pe"), EventFilter { request_id: Some("\0".to_owned()), ..EventFilter::default() }];
    for filter in filters {
        assert_eq!(found(&store, &zone, &filter).await, (vec![], 0));
    }
}

async fn a_zone_has_its_own_events(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let both = vec![(zone.clone(), event(0)), (other.clone(), event(1)), (zone.clone(), event(2))];
    store.events_write(both).await.unwrap();
    assert_eq!(names(&store, &zone).await, ["2", "0"]);
    assert_eq!(names(&store, &other).await, ["1"]);
    assert_eq!(found(&store, &other, &keyword("type")).await.0, ["1"]);
    assert_eq!(names(&store, &"nowhere".parse().unwrap()).await, [""; 0]);
}

async fn one_event_out_of_bounds_keeps_all_out(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let refused = [
        ValidationEvent { violations: Vec::new(), ..event(1) },
        ValidationEvent { violations: vec![violation("type", "/body"); 17], ..event(1) },
        ValidationEvent { violations: vec![violation(&"k".repeat(65), "/body")], ..event(1) },
        ValidationEvent { request_id: "r".repeat(129), ..event(1) },
        ValidationEvent { request_id: "\0".to_owned(), ..event(1) },
        ValidationEvent { action: MitigationAction::None, ..event(1) },
    ];
    let too_many = (0..1_001).map(event).collect();
    for events in refused.into_iter().map(|refused| vec![event(0), refused]).chain([too_many]) {
        let events = events.into_iter().map(|event| (zone.clone(), event)).collect();
        assert!(matches!(store.events_write(events).await, Err(StoreFailure::Internal(_))));
    }
    assert_eq!(names(&store, &zone).await, [""; 0]);
    write(&store, &zone, (0..1_000).map(event)).await;
    assert_eq!(store.events_list(&zone, &EventFilter::default(), 0, 1).await.unwrap().total_count, 1_000);
}

async fn events_go_after_a_month(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, &zone, [0, 1, 2].map(event)).await;
    maintain(&store, at_second(NOW + MONTH), TrafficLimits::default()).await;
    assert_eq!(names(&store, &zone).await, ["2", "1", "0"]);
    maintain(&store, at_second(NOW + MONTH + 2), TrafficLimits::default()).await;
    assert_eq!(names(&store, &zone).await, ["2"]);
}

async fn the_oldest_of_a_zone_go_when_there_are_too_many(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    write(&store, &zone, [2, 0, 3, 1].map(event)).await;
    write(&store, &other, [0].map(event)).await;
    let limits = TrafficLimits { events_per_zone_max: 2, ..TrafficLimits::default() };
    maintain(&store, at_second(NOW), limits).await;
    assert_eq!(names(&store, &zone).await, ["3", "2"]);
    assert_eq!(names(&store, &other).await, ["0"]);
    maintain(&store, at_second(NOW), TrafficLimits { events_per_zone_max: 0, ..limits }).await;
    assert_eq!(names(&store, &zone).await, [""; 0]);
}

async fn the_largest_zone_gives_way_when_there_are_too_many_in_all(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    write(&store, &zone, [0, 1].map(event)).await;
    write(&store, &other, (10..15).map(event)).await;
    maintain(&store, at_second(NOW), TrafficLimits { events_max: 4, ..TrafficLimits::default() }).await;
    assert_eq!((names(&store, &zone).await.len(), names(&store, &other).await), (2, vec!["14".into(), "13".into()]));
    maintain(&store, at_second(NOW), TrafficLimits { events_max: 0, ..TrafficLimits::default() }).await;
    assert_eq!(number(fixture, "SELECT count(*) FROM traffic_events"), 0);
}

async fn a_write_makes_room_for_itself(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, &zone, [1, 2, 3].map(event)).await;
    sql(fixture, "UPDATE traffic_event_counts SET events = 99999");
    write(&store, &zone, [event(5), event(4), event(0)]).await;
    assert_eq!(names(&store, &zone).await, ["5", "4", "3", "2"], "what is written may be the oldest");
    assert_eq!(number(fixture, "SELECT events FROM traffic_event_counts"), 100_000);
}

async fn a_write_makes_room_among_all_zones(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    write(&store, &zone, [1, 2, 3].map(event)).await;
    write(&store, &other, [0].map(event)).await;
    sql(fixture, "UPDATE traffic_event_counts SET events = 999999 WHERE zone_id = 'z'");
    write(&store, &other, [event(1)]).await;
    assert_eq!(names(&store, &zone).await, ["3", "2"]);
    assert_eq!(names(&store, &other).await, ["1", "0"]);
}

async fn a_wrong_count_is_set_right(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, &zone, [0, 1].map(event)).await;
    for wrong in [-5, 0, 1_000_000] {
        sql(fixture, &format!("UPDATE traffic_event_counts SET events = {wrong}"));
        maintain(&store, at_second(NOW), TrafficLimits::default()).await;
        assert_eq!(number(fixture, "SELECT events FROM traffic_event_counts"), 2);
    }
    assert_eq!(names(&store, &zone).await, ["1", "0"]);
}

async fn keywords_go_with_their_events(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, &zone, [0, 1].map(event)).await;
    assert_eq!(number(fixture, "SELECT count(*) FROM traffic_event_keywords"), 2);
    maintain(&store, at_second(NOW + MONTH + 1), TrafficLimits::default()).await;
    assert_eq!(number(fixture, "SELECT count(*) FROM traffic_event_keywords"), 1);
    assert_eq!(found(&store, &zone, &keyword("type")).await.0, ["1"]);
}

async fn events_outlast_their_operation_and_go_with_their_zone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = crate::traffic::add(&store, &zone, "/a").await;
    write(&store, &zone, [ValidationEvent { operation: id, ..event(0) }]).await;
    store.operation_delete(&zone, vec![id]).await.unwrap();
    maintain(&store, at_second(NOW), TrafficLimits::default()).await;
    assert_eq!(names(&store, &zone).await, ["0"]);
    store.zone_delete(&zone).await.unwrap();
    assert_eq!(names(&store, &zone).await, [""; 0]);
    // A gateway that had checked the request already may still write it.
    write(&store, &zone, [event(1)]).await;
    maintain(&store, at_second(NOW), TrafficLimits::default()).await;
    assert_eq!(names(&store, &zone).await, [""; 0]);
    assert_eq!(number(fixture, "SELECT count(*) FROM traffic_event_counts"), 0);
}

async fn many_write_at_once(fixture: &Fixture) {
    let (one, zone) = fixture.store_with_zone().await;
    let other = create_zone(&one, "other").await;
    let stores = [one, fixture.store().await];
    let writing = (0..10_u64).map(|number| {
        let mut events = vec![(zone.clone(), event(number)), (other.clone(), event(number))];
        events.rotate_left(usize::try_from(number % 2).unwrap());
        stores[usize::try_from(number % 2).unwrap()].events_write(events)
    });
    let maintaining =
        (0..4).map(|number| stores[number % 2].traffic_maintain(at_second(NOW), TrafficLimits::default()));
    let (written, maintained) = tokio::join!(join_all(writing), join_all(maintaining));
    assert!(written.into_iter().all(|outcome| outcome.is_ok()));
    assert!(maintained.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!((names(&stores[0], &zone).await.len(), names(&stores[1], &other).await.len()), (10, 10));
    assert_eq!(number(fixture, "SELECT min(events) FROM traffic_event_counts"), 10);
}

async fn a_damaged_event_hides_no_other(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, &zone, [0, 1, 2].map(event)).await;
    sql(fixture, "UPDATE traffic_events SET schema_id = 'x' WHERE request_id = '1'");
    let page = store.events_list(&zone, &EventFilter::default(), 0, 50).await.unwrap();
    let names: Vec<_> = page.events.iter().map(|event| event.request_id.as_str()).collect();
    assert_eq!((names, page.total_count, page.damaged), (vec!["2", "0"], 3, 1));
}

async fn what_happened_to_events_is_counted(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    write(&store, &zone, [0, 1, 2].map(event)).await;
    maintain(&store, at_second(NOW + MONTH + 1), TrafficLimits::default()).await;
    sql(fixture, "UPDATE traffic_events SET action = 'x' WHERE request_id = '1'");
    store.events_list(&zone, &EventFilter::default(), 0, 50).await.unwrap();
    let stats = store.stats().traffic;
    assert_eq!((stats.events, stats.events_written, stats.events_pruned, stats.events_damaged), (2, 3, 1, 1));
}
