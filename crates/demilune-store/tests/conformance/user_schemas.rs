//! Schemas that were uploaded, what they describe, and the limits of a zone.

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_policy::rule::{ValidationLimits, ZoneSettings};
use demilune_store::{
    NewUserSchema, SchemaId, SchemaOperationQuery, Store, USER_SCHEMA_BYTES_MAX, UserSchema, UserSchemaAddError,
    UserSchemaQuery,
};
use demilune_traffic::{SessionHash, SessionSample};
use futures_util::future::join_all;

use crate::fixture::{
    Fixture, add, add_all, assert_names, at, conformance, create_zone, key, keys, revision, unknown_id,
};

conformance![
    a_schema_is_kept_byte_for_byte,
    a_later_schema_has_the_later_time,
    schemas_are_listed_the_newest_first,
    a_page_past_the_end_is_empty,
    a_schema_belongs_to_its_zone,
    a_schema_is_enabled_and_disabled,
    a_removed_schema_is_gone_with_what_it_describes,
    the_revision_moves_with_what_is_enabled,
    operations_are_listed_whether_the_zone_has_them_or_not,
    operations_of_a_schema_are_filtered,
    more_operations_than_one_statement_writes_are_listed,
    hosts_are_listed_by_schema,
    a_zone_has_so_many_schemas_and_no_more,
    a_zone_has_so_many_bytes_of_schemas_and_no_more,
    a_zone_may_have_other_limits,
    the_newest_enabled_schema_of_an_operation_that_was_uploaded_is_found,
    a_learned_schema_knows_the_sessions_of_before_until_it_never_blocks,
    a_learned_schema_goes_with_its_operation_and_is_not_counted,
    a_learned_schema_takes_the_place_of_the_one_before,
    the_revision_moves_when_a_learned_schema_takes_an_enabled_one_out,
    a_missing_zone_has_no_schemas,
    a_removed_zone_takes_its_schemas_along,
    schemas_outlast_the_process,
    schemas_are_added_at_once,
    those_who_wait_hear_of_an_enabled_schema,
    a_damaged_schema_is_named,
];

/// A schema that describes `GET /{number}` at `example.com`.
pub(crate) fn new(number: u32) -> NewUserSchema {
    NewUserSchema {
        name: format!("{number}.yaml"),
        validation_enabled: true,
        learned_from: None,
        log_for: None,
        known_sessions: None,
        default_host: None,
        source: format!("# {number}\r\nopenapi: 3.0.0 é\u{0}\n"),
        operations: vec![key(&format!("GET /{number}"))],
    }
}

pub(crate) async fn add_schema(store: &Store, zone: &ZoneId, new: NewUserSchema) -> UserSchema {
    store.user_schema_add(zone, new, at(0)).await.unwrap()
}

/// Everything, with the sources.
const ALL: UserSchemaQuery = UserSchemaQuery { validation_enabled: None, with_source: true, offset: 0, limit: 1_000 };

fn described() -> SchemaOperationQuery {
    SchemaOperationQuery {
        hosts: vec![],
        methods: vec![],
        endpoint_contains: None,
        is_saved: None,
        offset: 0,
        limit: 1_000,
    }
}

async fn listed(store: &Store, zone: &ZoneId, query: UserSchemaQuery) -> Vec<UserSchema> {
    store.user_schema_list(zone, query).await.unwrap().unwrap().schemas
}

/// `GET example.com /` for each, and `=` before those that the zone has.
async fn operations(store: &Store, zone: &ZoneId, id: SchemaId, query: SchemaOperationQuery) -> Vec<String> {
    let page = store.user_schema_operations(zone, id, query).await.unwrap().unwrap();
    let text = |found: &demilune_store::SchemaOperation| {
        if let Some(saved) = &found.saved {
            assert_eq!(saved.operation.key, found.key);
        }
        let known = if found.saved.is_some() { "=" } else { "" };
        format!("{known}{} {} {}", found.key.method.as_str(), found.key.host, found.key.endpoint)
    };
    page.operations.iter().map(text).collect()
}

fn unknown_schema() -> SchemaId {
    "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e".parse().unwrap()
}

async fn a_schema_is_kept_byte_for_byte(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let new = NewUserSchema { default_host: Some("api.example.com".parse().unwrap()), ..new(1) };
    let added = add_schema(&store, &zone, new.clone()).await;
    let expected = UserSchema {
        id: added.id,
        name: new.name,
        created_at: at(0),
        validation_enabled: true,
        learned_from: None,
        log_until: None,
        default_host: new.default_host,
        source_bytes: new.source.len() as u64,
        source: Some(new.source),
    };
    assert_eq!(added, expected);
    assert_eq!(store.user_schema_get(&zone, added.id, true).await.unwrap(), Some(expected.clone()));
    assert_eq!(listed(&store, &zone, ALL).await, std::slice::from_ref(&expected));
    let without = Some(UserSchema { source: None, ..expected });
    assert_eq!(store.user_schema_get(&zone, added.id, false).await.unwrap(), without);
    assert_eq!(listed(&store, &zone, UserSchemaQuery { with_source: false, ..ALL }).await.pop(), without);
}

async fn a_later_schema_has_the_later_time(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    for (now, expected) in [(100, 100), (50, 101), (101, 102), (200, 200)] {
        let added = store.user_schema_add(&zone, new(1), at(now)).await.unwrap();
        assert_eq!(added.created_at, at(expected), "{now}");
    }
}

async fn schemas_are_listed_the_newest_first(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    for number in 0..5 {
        let enabled = number % 2 == 0;
        add_schema(&store, &zone, NewUserSchema { validation_enabled: enabled, ..new(number) }).await;
    }
    let check = async |validation_enabled, offset, limit, names: &[&str], total_count| {
        let query = UserSchemaQuery { validation_enabled, with_source: false, offset, limit };
        let page = store.user_schema_list(&zone, query).await.unwrap().unwrap();
        assert_eq!(page.schemas.iter().map(|schema| schema.name.as_str()).collect::<Vec<_>>(), names);
        assert_eq!(page.total_count, total_count);
    };
    check(None, 0, 10, &["4.yaml", "3.yaml", "2.yaml", "1.yaml", "0.yaml"], 5).await;
    check(None, 1, 2, &["3.yaml", "2.yaml"], 5).await;
    check(Some(true), 0, 2, &["4.yaml", "2.yaml"], 3).await;
    check(Some(false), 0, 10, &["3.yaml", "1.yaml"], 2).await;
}

async fn a_page_past_the_end_is_empty(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_schema(&store, &zone, new(1)).await.id;
    for offset in [1, u64::MAX] {
        let page = store.user_schema_list(&zone, UserSchemaQuery { offset, ..ALL }).await.unwrap().unwrap();
        assert_eq!((page.schemas, page.total_count), (vec![], 1));
        let query = SchemaOperationQuery { offset, ..described() };
        let page = store.user_schema_operations(&zone, id, query).await.unwrap().unwrap();
        assert_eq!((page.operations, page.total_count), (vec![], 1));
        let page = store.user_schema_hosts(&zone, offset, 10).await.unwrap().unwrap();
        assert_eq!((page.schemas, page.total_count), (vec![], 1));
    }
}

async fn a_schema_belongs_to_its_zone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let id = add_schema(&store, &zone, new(1)).await.id;
    assert_eq!(store.user_schema_get(&other, id, true).await.unwrap(), None);
    assert_eq!(store.user_schema_set_enabled(&other, id, false).await.unwrap(), None);
    assert_eq!(store.user_schema_operations(&other, id, described()).await.unwrap(), None);
    assert!(!store.user_schema_delete(&other, id).await.unwrap());
    assert_eq!(listed(&store, &other, ALL).await, []);
    assert_eq!(listed(&store, &zone, ALL).await.len(), 1);
}

async fn a_schema_is_enabled_and_disabled(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let added = add_schema(&store, &zone, new(1)).await;
    for enabled in [false, false, true] {
        let expected = Some(UserSchema { validation_enabled: enabled, ..added.clone() });
        assert_eq!(store.user_schema_set_enabled(&zone, added.id, enabled).await.unwrap(), expected);
        assert_eq!(store.user_schema_get(&zone, added.id, true).await.unwrap(), expected);
    }
    assert_eq!(store.user_schema_set_enabled(&zone, unknown_schema(), true).await.unwrap(), None);
}

async fn a_removed_schema_is_gone_with_what_it_describes(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_schema(&store, &zone, new(1)).await.id;
    assert!(store.user_schema_delete(&zone, id).await.unwrap());
    assert!(!store.user_schema_delete(&zone, id).await.unwrap());
    assert_eq!(store.user_schema_get(&zone, id, false).await.unwrap(), None);
    assert_eq!(store.user_schema_operations(&zone, id, described()).await.unwrap(), None);
    assert_eq!(fixture.number("SELECT count(*) FROM user_schema_operations"), 0);
}

async fn the_revision_moves_with_what_is_enabled(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let start = revision(&store, &zone).await;
    let check = async |expected: u64, what: &str| assert_eq!(revision(&store, &zone).await, start + expected, "{what}");
    let off = add_schema(&store, &zone, NewUserSchema { validation_enabled: false, ..new(1) }).await.id;
    check(0, "added, not enabled").await;
    let on = add_schema(&store, &zone, new(2)).await.id;
    check(1, "added").await;
    store.user_schema_set_enabled(&zone, on, true).await.unwrap();
    check(1, "enabled already").await;
    store.user_schema_set_enabled(&zone, off, true).await.unwrap();
    check(2, "enabled").await;
    store.user_schema_set_enabled(&zone, on, false).await.unwrap();
    check(3, "disabled").await;
    store.user_schema_delete(&zone, on).await.unwrap();
    check(3, "removed while disabled").await;
    store.user_schema_delete(&zone, off).await.unwrap();
    check(4, "removed").await;
    store.user_schema_delete(&zone, off).await.unwrap();
    check(4, "was not there").await;
}

async fn operations_are_listed_whether_the_zone_has_them_or_not(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let describes = ["PUT /b", "GET /b", "GET /a/{x}", "GET /a a.example"].map(key).to_vec();
    let id = add_schema(&store, &zone, NewUserSchema { operations: describes, ..new(1) }).await.id;
    add_all(&store, &zone, vec![key("GET /a/{y}"), key("GET /c")]).await;
    add_all(&store, &other, vec![key("GET /b")]).await;
    let expected = ["GET a.example /a", "=GET example.com /a/{var1}", "GET example.com /b", "PUT example.com /b"];
    assert_eq!(operations(&store, &zone, id, described()).await, expected);
}

async fn operations_of_a_schema_are_filtered(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let describes = ["PUT /b", "GET /b", "GET /a", "GET /a a.example"].map(key).to_vec();
    let id = add_schema(&store, &zone, NewUserSchema { operations: describes, ..new(1) }).await.id;
    add_all(&store, &zone, vec![key("GET /b")]).await;
    let check = async |query: SchemaOperationQuery, expected: &[&str]| {
        let total = store.user_schema_operations(&zone, id, query.clone()).await.unwrap().unwrap().total_count;
        assert_eq!(total, expected.len() as u64, "{query:?}");
        assert_eq!(operations(&store, &zone, id, query).await, expected);
    };
    check(SchemaOperationQuery { is_saved: Some(true), ..described() }, &["=GET example.com /b"]).await;
    let unsaved = ["GET a.example /a", "GET example.com /a", "PUT example.com /b"];
    check(SchemaOperationQuery { is_saved: Some(false), ..described() }, &unsaved).await;
    let hosts = vec!["a.example".parse().unwrap(), "b.example".parse().unwrap()];
    check(SchemaOperationQuery { hosts, ..described() }, &["GET a.example /a"]).await;
    let methods = vec!["PUT".parse().unwrap()];
    check(SchemaOperationQuery { methods, ..described() }, &["PUT example.com /b"]).await;
    let part = SchemaOperationQuery { endpoint_contains: Some("b".to_owned()), ..described() };
    check(part.clone(), &["=GET example.com /b", "PUT example.com /b"]).await;
    check(SchemaOperationQuery { is_saved: Some(false), ..part }, &["PUT example.com /b"]).await;
    check(SchemaOperationQuery { endpoint_contains: Some("\0".to_owned()), ..described() }, &[]).await;
}

async fn more_operations_than_one_statement_writes_are_listed(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_schema(&store, &zone, NewUserSchema { operations: keys(0..1_300), ..new(1) }).await.id;
    add_all(&store, &zone, keys(0..20)).await;
    let query = SchemaOperationQuery { limit: 2_000, ..described() };
    let page = store.user_schema_operations(&zone, id, query).await.unwrap().unwrap();
    assert_eq!((page.operations.len(), page.total_count), (1_300, 1_300));
    assert_eq!(page.operations.iter().filter(|found| found.saved.is_some()).count(), 20);
    let empty = add_schema(&store, &zone, NewUserSchema { operations: vec![], ..new(2) }).await.id;
    assert_eq!(operations(&store, &zone, empty, described()).await, [""; 0]);
}

async fn hosts_are_listed_by_schema(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let describes = ["GET /b b.example", "GET /a b.example", "GET / a.example"].map(key).to_vec();
    let first = add_schema(&store, &zone, NewUserSchema { operations: describes, ..new(1) }).await;
    let second = add_schema(&store, &zone, NewUserSchema { operations: vec![], ..new(2) }).await;
    let page = store.user_schema_hosts(&zone, 0, 10).await.unwrap().unwrap();
    assert_eq!(page.total_count, 2);
    let found: Vec<_> = page.schemas.into_iter().map(|found| (found.schema, found.hosts)).collect();
    let without = |schema: UserSchema| UserSchema { source: None, ..schema };
    let hosts = ["a.example", "b.example"].map(|host| host.parse().unwrap()).to_vec();
    assert_eq!(found, [(without(second), vec![]), (without(first), hosts)]);
}

async fn a_zone_has_so_many_schemas_and_no_more(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let mut last = None;
    for number in 0..usual().schemas_max {
        last = Some(add_schema(&store, &zone, new(number)).await.id);
    }
    let refused = store.user_schema_add(&zone, new(0), at(0)).await;
    assert!(matches!(refused, Err(UserSchemaAddError::TooMany(100))), "{refused:?}");
    add_schema(&store, &other, new(0)).await;
    store.user_schema_delete(&zone, last.unwrap()).await.unwrap();
    add_schema(&store, &zone, new(0)).await;
}

async fn a_zone_has_so_many_bytes_of_schemas_and_no_more(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let large = NewUserSchema { source: "a".repeat(USER_SCHEMA_BYTES_MAX), ..new(1) };
    add_schema(&store, &zone, large.clone()).await;
    let second = add_schema(&store, &zone, large).await.id;
    let refused = store.user_schema_add(&zone, new(0), at(0)).await;
    assert!(matches!(refused, Err(UserSchemaAddError::TooLarge(_))), "{refused:?}");
    store.user_schema_delete(&zone, second).await.unwrap();
    add_schema(&store, &zone, new(0)).await;
}

async fn the_newest_enabled_schema_of_an_operation_that_was_uploaded_is_found(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let [one, other] = [add(&store, &zone, "GET /1", at(0)).await, add(&store, &zone, "GET /2", at(0)).await]
        .map(|added| added.operation.operation.id);
    add_schema(&store, &zone, new(1)).await;
    let newest = add_schema(&store, &zone, new(1)).await;
    add_schema(&store, &zone, NewUserSchema { validation_enabled: false, ..new(1) }).await;
    add_schema(&store, &zone, NewUserSchema { learned_from: Some(one), ..new(1) }).await;
    assert_eq!(store.user_schema_of_operation(&zone, one).await.unwrap(), Some(newest));
    assert_eq!(store.user_schema_of_operation(&zone, other).await.unwrap(), None);
}

fn usual() -> ValidationLimits {
    ValidationLimits::default()
}

async fn a_zone_may_have_other_limits(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let limit = async |schemas_max, schemas_bytes_max| {
        let limits = ValidationLimits { schemas_max, schemas_bytes_max, ..usual() };
        store.zone_settings_change(&zone, move |before| ZoneSettings { limits, ..before }).await.unwrap();
        store.user_schema_add(&zone, new(1), at(0)).await
    };
    assert!(limit(1, 1_000).await.is_ok());
    let (many, large) = (limit(1, 1_000).await, limit(2, 40).await);
    assert!(matches!(many, Err(UserSchemaAddError::TooMany(1))), "{many:?}");
    assert!(matches!(large, Err(UserSchemaAddError::TooLarge(40))), "{large:?}");
    assert!(limit(2, 1_000).await.is_ok());
}

async fn a_learned_schema_knows_the_sessions_of_before_until_it_never_blocks(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let learned_from = Some(add(&store, &zone, "GET /1", at(0)).await.operation.operation.id);
    let mut known = SessionSample::default();
    known.observe(Some(SessionHash::of(7 << 20)));
    let learned = NewUserSchema { learned_from, known_sessions: Some(known.clone()), ..new(1) };
    let learned = add_schema(&store, &zone, learned).await.id;
    let uploaded = add_schema(&store, &zone, new(2)).await.id;
    assert_eq!(store.user_schema_known_sessions(&zone, learned).await.unwrap(), Some(known));
    assert_eq!(store.user_schema_known_sessions(&zone, uploaded).await.unwrap(), None);
    let before = revision(&store, &zone).await;
    assert!(store.user_schema_never_block(&zone, learned).await.unwrap());
    assert_eq!(store.user_schema_get(&zone, learned, false).await.unwrap().unwrap().log_until, Some(Timestamp::MAX));
    assert!(!store.user_schema_never_block(&zone, learned).await.unwrap(), "it does already");
    assert!(!store.user_schema_never_block(&zone, uploaded).await.unwrap(), "uploaded schemas never fall back");
    assert_eq!(revision(&store, &zone).await, before + 1);
}

async fn a_learned_schema_goes_with_its_operation_and_is_not_counted(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let learned_from = Some(add(&store, &zone, "GET /1", at(0)).await.operation.operation.id);
    let learned = add_schema(&store, &zone, NewUserSchema { learned_from, ..new(1) }).await;
    assert_eq!(learned.learned_from, learned_from);
    for number in 0..usual().schemas_max {
        add_schema(&store, &zone, NewUserSchema { operations: vec![], ..new(number) }).await;
    }
    add_schema(&store, &zone, NewUserSchema { learned_from, ..new(1) }).await;
    let nothing =
        store.user_schema_add(&zone, NewUserSchema { learned_from: Some(unknown_id()), ..new(1) }, at(0)).await;
    assert!(matches!(nothing, Err(UserSchemaAddError::OperationUnknown)), "{nothing:?}");
    store.operation_delete(&zone, learned_from.into_iter().collect::<Vec<OperationId>>()).await.unwrap();
    assert_eq!(store.user_schema_get(&zone, learned.id, false).await.unwrap(), None);
    assert_eq!(listed(&store, &zone, ALL).await.len(), usual().schemas_max as usize);
    assert_eq!(fixture.number("SELECT count(*) FROM user_schema_operations"), 0);
}

async fn a_learned_schema_takes_the_place_of_the_one_before(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let ids = [add(&store, &zone, "GET /1", at(0)).await, add(&store, &zone, "GET /2", at(0)).await];
    let [one, two] = ids.map(|added| Some(added.operation.operation.id));
    add_schema(&store, &zone, new(1)).await;
    let other = add_schema(&store, &zone, NewUserSchema { learned_from: two, ..new(2) }).await;
    let before = add_schema(&store, &zone, NewUserSchema { learned_from: one, ..new(3) }).await;
    let after = add_schema(&store, &zone, NewUserSchema { learned_from: one, ..new(4) }).await;
    assert!(after.created_at > before.created_at);
    let left: Vec<_> = listed(&store, &zone, ALL).await.into_iter().map(|schema| schema.name).collect();
    assert_eq!(left, ["4.yaml", "2.yaml", "1.yaml"]);
    assert_eq!(store.user_schema_get(&zone, other.id, true).await.unwrap(), Some(other));
    assert_eq!(operations(&store, &zone, after.id, described()).await, ["GET example.com /4"]);
    assert_eq!(fixture.number("SELECT count(*) FROM user_schema_operations"), 3);
}

async fn the_revision_moves_when_a_learned_schema_takes_an_enabled_one_out(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let learned_from = Some(add(&store, &zone, "GET /1", at(0)).await.operation.operation.id);
    let check = async |validation_enabled: bool, moves: u64| {
        let before = revision(&store, &zone).await;
        add_schema(&store, &zone, NewUserSchema { learned_from, validation_enabled, ..new(1) }).await;
        assert_eq!(revision(&store, &zone).await, before + moves, "{validation_enabled}");
    };
    check(true, 1).await;
    check(false, 1).await;
    check(false, 0).await;
}

async fn a_missing_zone_has_no_schemas(fixture: &Fixture) {
    let store = fixture.store().await;
    let zone = "nowhere".parse().unwrap();
    let refused = store.user_schema_add(&zone, new(0), at(0)).await;
    assert!(matches!(refused, Err(UserSchemaAddError::ZoneUnknown)), "{refused:?}");
    assert_eq!(store.user_schema_list(&zone, ALL).await.unwrap(), None);
    assert_eq!(store.user_schema_hosts(&zone, 0, 10).await.unwrap(), None);
    assert_eq!(store.user_schema_get(&zone, unknown_schema(), true).await.unwrap(), None);
}

async fn a_removed_zone_takes_its_schemas_along(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let learned_from = Some(add(&store, &zone, "GET /1", at(0)).await.operation.operation.id);
    add_schema(&store, &zone, NewUserSchema { learned_from, ..new(1) }).await;
    add_schema(&store, &zone, new(2)).await;
    assert!(store.zone_delete(&zone).await.unwrap());
    let left = "SELECT (SELECT count(*) FROM user_schemas) + (SELECT count(*) FROM user_schema_operations)";
    assert_eq!(fixture.number(left), 0);
}

async fn schemas_outlast_the_process(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let added = add_schema(&store, &zone, new(1)).await;
    store.close().await;
    let store = fixture.store().await;
    assert_eq!(store.user_schema_get(&zone, added.id, true).await.unwrap(), Some(added));
}

async fn schemas_are_added_at_once(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let many = store.clone();
    let calls = (0..16).map(|number| many.user_schema_add(&zone, new(number), at(0)));
    let mut times: Vec<_> =
        join_all(calls).await.into_iter().map(|added| added.unwrap().created_at.as_micros()).collect();
    times.sort_unstable();
    assert!(times.iter().copied().eq(at(0).as_micros()..at(16).as_micros()), "{times:?}");
    assert_eq!(revision(&store, &zone).await, at(1).as_micros().unsigned_abs() + 16);
}

async fn those_who_wait_hear_of_an_enabled_schema(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let mut changes = store.changes();
    let id = add_schema(&store, &zone, new(1)).await.id;
    changes.changed().await;
    store.user_schema_delete(&zone, id).await.unwrap();
    changes.changed().await;
}

async fn a_damaged_schema_is_named(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_schema(&store, &zone, new(1)).await.id;
    fixture.sql("UPDATE user_schemas SET kind = 'raml'");
    let parts = ["user_schemas", "kind", &id.to_string()];
    assert_names(&store.user_schema_get(&zone, id, false).await.unwrap_err(), parts);
    assert_names(&store.user_schema_list(&zone, ALL).await.unwrap_err(), parts);
    fixture.sql("UPDATE user_schemas SET kind = 'openapi_v3'; UPDATE user_schema_operations SET method = 'FETCH'");
    let parts = ["user_schema_operations", "method", &id.to_string()];
    assert_names(&store.user_schema_operations(&zone, id, described()).await.unwrap_err(), parts);
}
