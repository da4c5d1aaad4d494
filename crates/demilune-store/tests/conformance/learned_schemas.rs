//! What was learned about operations: shown when it is asked for, told to gateways, and gone with its operation.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{OperationId, ZoneId};
use demilune_store::{GatewayRules, Store, StoredOperation, StoredSchema, ZoneValidation};
use demilune_traffic::Hour;
use futures_util::future::join_all;

use crate::{
    fixture::{
        Fixture, add, add_all, all, assert_names, at, conformance, create_zone, key, keys, revision, rules, stored,
        unknown_id,
    },
    thresholds,
};

conformance![
    a_schema_is_shown_where_it_is_asked_for,
    schemas_stand_beside_thresholds,
    texts_and_bytes_are_kept_as_they_are,
    a_schema_is_replaced_and_taken_away,
    an_operation_that_is_gone_is_left_out,
    the_revision_moves_when_what_gateways_are_told_changes,
    gateways_are_told_of_one_moment,
    an_equal_schema_is_not_written_again,
    schemas_outlast_the_process,
    schemas_go_with_their_operations,
    more_operations_than_one_statement_names_are_written_and_shown,
    schemas_are_written_while_operations_come_and_go,
    those_who_wait_hear_of_what_gateways_are_told,
    a_damaged_schema_is_named_and_replaced,
];

/// A schema that all differs with its number.
pub(crate) fn schema(number: u8) -> StoredSchema {
    StoredSchema {
        last_updated: at(i64::from(number) * 3_600_000_000),
        window_end: Hour::of(1_800_000_000 + u64::from(number) * 3_600),
        fragment: format!(r#"{{"parameters":[{{"in":"query","name":"q{number}"}}],"responses":null}}"#),
        request_body: number.is_multiple_of(2).then(|| format!(r#"{{"content":{{"n":{number}}}}}"#)),
        explanation: format!(r#"{{"requests":{number}}}"#),
        published: vec![1, number],
    }
}

async fn replace(store: &Store, zone: &ZoneId, results: &[(OperationId, Option<StoredSchema>)]) {
    store.learned_schema_replace(zone, results.to_vec()).await.unwrap();
}

async fn add_one(store: &Store, zone: &ZoneId, text: &str) -> OperationId {
    add(store, zone, text, at(0)).await.operation.operation.id
}

async fn listed(store: &Store, zone: &ZoneId) -> Vec<StoredOperation> {
    store.operation_list_with_schemas(zone, all()).await.unwrap().unwrap().operations
}

async fn told(store: &Store, zone: &ZoneId) -> GatewayRules {
    store.gateway_rules(zone, BTreeSet::new()).await.unwrap().unwrap()
}

async fn a_schema_is_shown_where_it_is_asked_for(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let (with, without) = (add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await);
    let elsewhere = add_one(&store, &other, "GET /a").await;
    replace(&store, &zone, &[(with, Some(schema(1)))]).await;
    replace(&store, &other, &[(elsewhere, Some(schema(2)))]).await;
    let shown = [Some(schema(1)), None];
    for (id, shown) in [with, without].iter().zip(&shown) {
        assert_eq!(&store.operation_get(&zone, *id).await.unwrap().unwrap().features.parameter_schemas, shown);
        assert_eq!(&store.learned_schema_get(&zone, *id).await.unwrap(), shown);
    }
    let schemas = |found: Vec<StoredOperation>| -> Vec<_> {
        found.into_iter().map(|stored| stored.features.parameter_schemas).collect()
    };
    assert_eq!(schemas(listed(&store, &zone).await), shown);
    let unasked = store.operation_list(&zone, all()).await.unwrap().unwrap().operations;
    assert_eq!(schemas(unasked), [None, None]);
    assert_eq!(add(&store, &zone, "GET /a", at(1)).await.operation.features.parameter_schemas, Some(schema(1)));
    assert_eq!(add(&store, &zone, "GET /b", at(1)).await.operation.features.parameter_schemas, None);
    let many = store.operation_upsert(&zone, vec![key("GET /a"), key("GET /b")], at(2)).await.unwrap();
    assert_eq!(schemas(many.into_iter().map(|again| again.operation).collect()), [None, None], "nobody reads these");
    assert_eq!(store.learned_schema_all(&zone).await.unwrap(), [(with, schema(1).last_updated)]);
    assert_eq!(store.learned_schema_get(&other, with).await.unwrap(), None, "it is in another zone");
}

async fn schemas_stand_beside_thresholds(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let ids = [add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await];
    let [both, schema_alone] = ids;
    replace(&store, &zone, &ids.map(|id| (id, Some(schema(2))))).await;
    thresholds::replace(&store, &zone, &[(both, Some(thresholds::result(1)))]).await;
    let found: Vec<_> = listed(&store, &zone).await.into_iter().map(|stored| stored.features).collect();
    assert_eq!(found[0].thresholds, Some(thresholds::result(1)));
    assert_eq!((&found[1].thresholds, &found[0].parameter_schemas), (&None, &Some(schema(2))));
    for (id, features) in ids.iter().zip(&found) {
        assert_eq!(&store.operation_get(&zone, *id).await.unwrap().unwrap().features, features);
    }
    assert_eq!(add(&store, &zone, "GET /a", at(1)).await.operation.features, found[0]);
    replace(&store, &zone, &[(both, None)]).await;
    thresholds::replace(&store, &zone, &[(schema_alone, None)]).await;
    let left: Vec<_> = listed(&store, &zone).await.into_iter().map(|stored| stored.features).collect();
    assert_eq!((&left[0].thresholds, &left[0].parameter_schemas), (&found[0].thresholds, &None));
    assert_eq!(left[1], found[1]);
}

async fn texts_and_bytes_are_kept_as_they_are(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    let texts = [String::new(), r#"{"a":"ü\u0000\\"}"#.to_owned(), "€".repeat(200_000)];
    for (number, text) in texts.iter().enumerate() {
        let given = StoredSchema {
            fragment: text.clone(),
            request_body: Some(texts[2 - number].clone()),
            explanation: text.clone(),
            published: (0..=255).cycle().take(number * 40_000).collect(),
            ..schema(3)
        };
        replace(&store, &zone, &[(id, Some(given.clone()))]).await;
        assert_eq!(store.learned_schema_get(&zone, id).await.unwrap(), Some(given));
    }
}

async fn a_schema_is_replaced_and_taken_away(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    for (results, left) in [
        (vec![Some(schema(1))], Some(schema(1))),
        (vec![Some(schema(2))], Some(schema(2))),
        (vec![None], None),
        (vec![None], None),
        (vec![None, Some(schema(3))], Some(schema(3))),
        (vec![Some(schema(4)), None], None),
        (vec![], None),
    ] {
        let results: Vec<_> = results.into_iter().map(|result| (id, result)).collect();
        replace(&store, &zone, &results).await;
        assert_eq!(store.learned_schema_get(&zone, id).await.unwrap(), left);
        assert_eq!(add(&store, &zone, "GET /a", at(1)).await.operation.features.parameter_schemas, left);
        assert_eq!(store.learned_schema_all(&zone).await.unwrap().len(), usize::from(left.is_some()));
    }
}

async fn an_operation_that_is_gone_is_left_out(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let (gone, stays) = (add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await);
    store.operation_delete(&zone, vec![gone]).await.unwrap();
    let before = revision(&store, &other).await;
    let results = [gone, unknown_id(), stays].map(|id| (id, Some(schema(1))));
    replace(&store, &zone, &results).await;
    replace(&store, &other, &results).await;
    replace(&store, &"missing".parse().unwrap(), &results).await;
    assert_eq!(fixture.number("SELECT count(*) FROM operation_schemas"), 1);
    assert_eq!(store.learned_schema_all(&zone).await.unwrap().len(), 1);
    assert_eq!(revision(&store, &other).await, before, "nothing was written there");
}

async fn the_revision_moves_when_what_gateways_are_told_changes(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let (one, two) = (add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await);
    let operations = stored(&store, &zone).await;
    let published = |published: &[u8], number| StoredSchema { published: published.to_vec(), ..schema(number) };
    let mut expected = revision(&store, &zone).await;
    for (results, moves, what) in [
        (vec![(one, None)], false, "nothing to nothing"),
        (vec![(one, Some(published(&[], 1)))], false, "a schema that shows no name"),
        (vec![(one, Some(published(&[7], 1)))], true, "its first name"),
        (vec![(one, Some(published(&[7], 1)))], false, "the same again"),
        (vec![(one, Some(published(&[7], 2)))], false, "the same names in another schema"),
        (vec![(one, Some(published(&[7], 2))), (two, Some(published(&[8], 2)))], true, "another operation"),
        (vec![(one, Some(published(&[9], 2))), (two, Some(published(&[9], 2)))], true, "both at once"),
        (vec![(one, Some(published(&[1], 2))), (one, Some(published(&[9], 2)))], false, "only the last one counts"),
        (vec![(one, Some(published(&[], 2)))], true, "no name any more"),
        (vec![(one, None)], false, "no schema any more"),
        (vec![(two, None)], true, "no schema, and so no name"),
        (vec![(unknown_id(), Some(schema(1)))], false, "no operation"),
        (vec![], false, "nothing"),
    ] {
        replace(&store, &zone, &results).await;
        expected += u64::from(moves);
        assert_eq!(revision(&store, &zone).await, expected, "{what}");
        assert_eq!(stored(&store, &zone).await, operations, "{what}");
    }
}

async fn gateways_are_told_of_one_moment(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    assert_eq!(store.gateway_rules(&"missing".parse().unwrap(), BTreeSet::new()).await.unwrap(), None);
    let [one, two] = [add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await];
    let elsewhere = add_one(&store, &other, "GET /a").await;
    replace(&store, &other, &[(elsewhere, Some(schema(9)))]).await;
    let empty = StoredSchema { published: vec![], ..schema(1) };
    replace(&store, &zone, &[(one, Some(schema(1))), (two, Some(empty))]).await;
    let found = told(&store, &zone).await;
    let validation = ZoneValidation::default();
    let published = [(one, vec![1, 1])].into();
    assert_eq!(found, GatewayRules { rules: rules(&store, &zone).await, published, validation });

    // Each step advances the revision by one, and shows it.
    let start = revision(&store, &zone).await;
    let (writer, written) = (store.clone(), zone.clone());
    let writing = tokio::spawn(async move {
        for step in 2..60 {
            replace(&writer, &written, &[(one, Some(schema(step))), (two, Some(schema(step)))]).await;
        }
    });
    loop {
        let finished = writing.is_finished();
        let found = told(&store, &zone).await;
        let step = u8::try_from(found.rules.revision - start).unwrap() + 1;
        let both = BTreeMap::from([(one, vec![1, step]), (two, vec![1, step])]);
        assert!(step == 1 || found.published == both, "{step}: {found:?}");
        if finished {
            assert_eq!(step, 59);
            break;
        }
    }
    writing.await.unwrap();
}

async fn an_equal_schema_is_not_written_again(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    replace(&store, &zone, &[(id, Some(schema(2)))]).await;
    // Whoever writes to the table from here on fails.
    if fixture.is_sqlite() {
        fixture
            .sql("CREATE TRIGGER refuse BEFORE INSERT ON operation_schemas BEGIN SELECT RAISE(ABORT, 'written'); END;");
    } else {
        fixture.sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'written'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON operation_schemas FOR EACH ROW EXECUTE FUNCTION refuse();",
        );
    }
    replace(&store, &zone, &[(id, Some(schema(2)))]).await;
    for changed in [
        StoredSchema { last_updated: at(1), ..schema(2) },
        StoredSchema { window_end: Hour::of(0), ..schema(2) },
        StoredSchema { fragment: "{}".to_owned(), ..schema(2) },
        StoredSchema { request_body: None, ..schema(2) },
        StoredSchema { explanation: "{}".to_owned(), ..schema(2) },
        StoredSchema { published: vec![], ..schema(2) },
    ] {
        assert!(store.learned_schema_replace(&zone, vec![(id, Some(changed))]).await.is_err());
    }
    assert_eq!(store.learned_schema_get(&zone, id).await.unwrap(), Some(schema(2)));
}

async fn schemas_outlast_the_process(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    replace(&store, &zone, &[(id, Some(schema(2)))]).await;
    let before = told(&store, &zone).await;
    store.close().await;
    let store = fixture.store().await;
    assert_eq!(store.learned_schema_get(&zone, id).await.unwrap(), Some(schema(2)));
    assert_eq!(told(&store, &zone).await, before);
}

async fn schemas_go_with_their_operations(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    replace(&store, &zone, &[(id, Some(schema(1)))]).await;
    store.operation_delete(&zone, vec![id]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM operation_schemas"), 0);
    assert_eq!(told(&store, &zone).await.published, BTreeMap::new());
    let again = add(&store, &zone, "GET /a", at(1)).await;
    assert_eq!(again.operation.features.parameter_schemas, None);
    assert_eq!(store.learned_schema_get(&zone, id).await.unwrap(), None);
    replace(&store, &zone, &[(again.operation.operation.id, Some(schema(1)))]).await;
    store.zone_delete(&zone).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM operation_schemas"), 0);
    assert_eq!(store.learned_schema_all(&zone).await.unwrap(), []);
}

async fn more_operations_than_one_statement_names_are_written_and_shown(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let ids: Vec<_> =
        add_all(&store, &zone, keys(0..1_100)).await.iter().map(|added| added.operation.operation.id).collect();
    let before = revision(&store, &zone).await;
    let results: Vec<_> = (0_u32..)
        .zip(&ids)
        .map(|(number, id)| (*id, (number % 3 < 2).then(|| schema(u8::try_from(number % 251).unwrap()))))
        .collect();
    replace(&store, &zone, &results).await;
    let by_id: BTreeMap<_, _> = results.into_iter().collect();
    for found in listed(&store, &zone).await {
        assert_eq!(found.features.parameter_schemas, by_id[&found.operation.id]);
    }
    assert_eq!(store.learned_schema_all(&zone).await.unwrap().len(), 734);
    let found = told(&store, &zone).await;
    assert_eq!((found.published.len(), found.rules.revision), (734, before + 1));
}

async fn schemas_are_written_while_operations_come_and_go(fixture: &Fixture) {
    let (one, zone) = fixture.store_with_zone().await;
    let stores = [one, fixture.store().await];
    let ids: Vec<_> =
        add_all(&stores[0], &zone, keys(0..60)).await.iter().map(|added| added.operation.operation.id).collect();
    let writing = (0..12_usize).map(|turn| {
        let mut results: Vec<_> =
            (0_u8..).zip(&ids).map(|(number, id)| (*id, (number % 3 > 0).then(|| schema(number)))).collect();
        results.rotate_left(turn * 5);
        stores[turn % 2].learned_schema_replace(&zone, results)
    });
    let adding = (0..12_usize).map(|turn| {
        let mut keys = keys(0..60);
        keys.rotate_left(turn * 3);
        stores[turn % 2].operation_upsert(&zone, keys, at(1))
    });
    let removing =
        (0..6_usize).map(|turn| stores[turn % 2].operation_delete(&zone, ids[turn * 10..turn * 10 + 5].to_vec()));
    let (written, added, removed) = tokio::join!(join_all(writing), join_all(adding), join_all(removing));
    assert!(written.into_iter().all(|outcome| outcome.is_ok()));
    assert!(added.into_iter().all(|outcome| outcome.is_ok()));
    assert!(removed.into_iter().all(|outcome| outcome.is_ok()));
    // Whoever came last, each operation is there with its schema or without: the invariants say so.
    let found = listed(&stores[1], &zone).await;
    let with = found.iter().filter(|stored| stored.features.parameter_schemas.is_some()).count();
    assert_eq!(stores[0].learned_schema_all(&zone).await.unwrap().len(), with);
    assert_eq!(told(&stores[0], &zone).await.published.len(), with);
}

async fn those_who_wait_hear_of_what_gateways_are_told(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    let mut changes = store.changes();
    replace(&store, &zone, &[(id, Some(schema(1)))]).await;
    changes.changed().await;
}

async fn a_damaged_schema_is_named_and_replaced(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let id = add_one(&store, &zone, "GET /a").await;
    for (column, value) in [("updated_at", "-400000000000000000"), ("evidence_end", "-1")] {
        replace(&store, &zone, &[(id, Some(schema(1)))]).await;
        fixture.sql(&format!("UPDATE operation_schemas SET {column} = {value}"));
        let names = ["operation_schemas", column, &id.to_string()];
        assert_names(&store.learned_schema_get(&zone, id).await.unwrap_err(), names);
        assert_names(&store.operation_get(&zone, id).await.unwrap_err(), names);
        assert!(store.operation_upsert(&zone, vec![key("GET /a")], at(1)).await.is_err());
        // It is in nobody else's way, and the next schema replaces it.
        add_one(&store, &other, "GET /a").await;
        store.operation_list(&zone, all()).await.unwrap();
        let before = revision(&store, &zone).await;
        replace(&store, &zone, &[(id, Some(schema(2)))]).await;
        assert_eq!(store.learned_schema_get(&zone, id).await.unwrap(), Some(schema(2)));
        assert_eq!(revision(&store, &zone).await, before + 1);
    }
}
