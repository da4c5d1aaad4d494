//! What happens to requests that do not fit their schema: settings of zones, actions of operations, and what holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_store::{
    ActionChange, ActionsChangeError, ActiveSchema, MitigationAction, NewUserSchema, OperationAction, SchemaId,
    SchemaInfo, Store, UserSchema, ValidationSettings, ZoneValidation,
};
use futures_util::future::join_all;

use crate::{
    fixture::{Fixture, add, add_all, assert_names, at, conformance, create_zone, key, keys, revision, unknown_id},
    learned_schemas,
    user_schemas::{add_schema, new},
};

conformance![
    settings_are_the_defaults_until_they_are_changed,
    settings_are_changed_one_after_the_other,
    actions_are_set_and_taken_away,
    a_change_with_an_unknown_operation_changes_nothing,
    more_actions_than_one_statement_names_are_changed,
    actions_are_listed_by_id,
    an_action_goes_with_its_operation,
    the_revision_moves_with_settings_and_actions,
    the_newest_enabled_schema_that_names_an_operation_is_in_force,
    a_schema_is_in_force_for_an_operation_that_is_added_later,
    what_holds_for_an_operation_is_what_zone_and_operation_say,
    what_was_learned_is_available,
    a_learned_schema_in_force_says_so,
    a_schema_logs_what_it_would_block_until_its_time,
    nothing_but_blocking_is_put_off,
    a_gateway_reads_all_of_a_zone,
    a_gateway_reads_the_sources_that_it_does_not_know,
    a_missing_zone_has_no_validation,
    a_removed_zone_takes_its_settings_along,
    actions_are_changed_while_operations_come_and_go,
    damaged_values_are_named,
];

const BLOCK: ActionChange = ActionChange::Set(MitigationAction::Block);
const LOG: ActionChange = ActionChange::Set(MitigationAction::Log);

async fn add_one(store: &Store, zone: &ZoneId, text: &str) -> OperationId {
    add(store, zone, text, at(0)).await.operation.operation.id
}

async fn change(store: &Store, zone: &ZoneId, changes: &[(OperationId, ActionChange)]) -> Vec<OperationAction> {
    store.operation_actions_change(zone, changes.to_vec()).await.unwrap()
}

async fn action(store: &Store, zone: &ZoneId, id: OperationId) -> Option<MitigationAction> {
    let found = store.operation_action_get(zone, id).await.unwrap().unwrap();
    assert_eq!(found.operation, id);
    found.action
}

async fn set(store: &Store, zone: &ZoneId, settings: ValidationSettings) {
    assert_eq!(store.validation_settings_change(zone, move |_| settings).await.unwrap(), Some(settings));
}

async fn info(store: &Store, zone: &ZoneId, id: OperationId) -> SchemaInfo {
    info_at(store, zone, id, at(0)).await
}

async fn info_at(store: &Store, zone: &ZoneId, id: OperationId, now: Timestamp) -> SchemaInfo {
    store.schema_info(zone, vec![id, unknown_id()], now).await.unwrap().remove(&id).unwrap()
}

fn active(schema: &UserSchema) -> ActiveSchema {
    let UserSchema { id, created_at, name, learned_from, log_until, .. } = schema.clone();
    ActiveSchema { id, created_at, is_learned: learned_from.is_some(), log_until, name }
}

async fn settings_are_the_defaults_until_they_are_changed(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let defaults = ValidationSettings { default_action: MitigationAction::None, is_off: false };
    assert_eq!(store.validation_settings_get(&zone).await.unwrap(), Some(defaults));
    let settings = ValidationSettings { default_action: MitigationAction::Block, is_off: true };
    set(&store, &zone, settings).await;
    store.close().await;
    let store = fixture.store().await;
    assert_eq!(store.validation_settings_get(&zone).await.unwrap(), Some(settings));
    assert_eq!(store.validation_settings_get(&other).await.unwrap(), Some(defaults));
}

async fn settings_are_changed_one_after_the_other(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let turn = |settings: ValidationSettings| ValidationSettings { is_off: !settings.is_off, ..settings };
    let calls = (0..9).map(|_| store.validation_settings_change(&zone, turn));
    join_all(calls).await.into_iter().for_each(|changed| assert!(changed.unwrap().is_some()));
    assert!(store.validation_settings_get(&zone).await.unwrap().unwrap().is_off);
}

async fn actions_are_set_and_taken_away(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let (a, b) = (add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await);
    assert_eq!(action(&store, &zone, a).await, None);
    let changed = change(&store, &zone, &[(b, LOG), (a, BLOCK)]).await;
    let of = |operation, action| OperationAction { operation, action };
    assert_eq!(changed, [of(b, Some(MitigationAction::Log)), of(a, Some(MitigationAction::Block))]);
    let nothing = ActionChange::Set(MitigationAction::None);
    let changed = change(&store, &zone, &[(a, ActionChange::Keep), (b, nothing)]).await;
    assert_eq!(changed, [of(a, Some(MitigationAction::Block)), of(b, Some(MitigationAction::None))]);
    assert_eq!(change(&store, &zone, &[(a, ActionChange::Inherit)]).await, [of(a, None)]);
    assert_eq!(action(&store, &zone, a).await, None);
    assert_eq!(action(&store, &zone, b).await, Some(MitigationAction::None));
}

async fn a_change_with_an_unknown_operation_changes_nothing(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let (here, elsewhere) = (add_one(&store, &zone, "GET /a").await, add_one(&store, &other, "GET /b").await);
    let changes = vec![(here, BLOCK), (unknown_id(), BLOCK), (elsewhere, ActionChange::Keep)];
    let refused = store.operation_actions_change(&zone, changes).await;
    let Err(ActionsChangeError::OperationsUnknown(unknown)) = refused else { panic!("{refused:?}") };
    assert_eq!(unknown, [unknown_id(), elsewhere]);
    assert_eq!(action(&store, &zone, here).await, None);
    assert_eq!(store.operation_action_get(&zone, elsewhere).await.unwrap(), None);
}

async fn more_actions_than_one_statement_names_are_changed(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let ids: Vec<_> =
        add_all(&store, &zone, keys(0..1_100)).await.into_iter().map(|added| added.operation.operation.id).collect();
    let all = |to| ids.iter().map(|id| (*id, to)).collect::<Vec<_>>();
    change(&store, &zone, &all(BLOCK)).await;
    assert_eq!(store.operation_action_list(&zone, 0, 2_000).await.unwrap().unwrap().actions.len(), 1_100);
    change(&store, &zone, &all(ActionChange::Inherit)).await;
    assert_eq!(store.operation_action_list(&zone, 0, 2_000).await.unwrap().unwrap().total_count, 0);
    assert_eq!(change(&store, &zone, &[]).await, []);
}

async fn actions_are_listed_by_id(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(add_one(&store, &zone, &format!("GET /{number}")).await);
    }
    ids.sort_unstable();
    change(&store, &zone, &[(ids[4], LOG), (ids[0], BLOCK), (ids[6], LOG)]).await;
    let check = async |offset, limit, expected: &[(OperationId, MitigationAction)]| {
        let page = store.operation_action_list(&zone, offset, limit).await.unwrap().unwrap();
        assert_eq!((page.actions.as_slice(), page.total_count), (expected, 3));
    };
    let (first, second) = ((ids[0], MitigationAction::Block), (ids[4], MitigationAction::Log));
    check(0, 2, &[first, second]).await;
    check(2, 2, &[(ids[6], MitigationAction::Log)]).await;
    check(4, 2, &[]).await;
}

async fn an_action_goes_with_its_operation(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    change(&store, &zone, &[(id, BLOCK)]).await;
    store.operation_delete(&zone, vec![id]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM operation_actions"), 0);
    let again = add_one(&store, &zone, "GET /a").await;
    assert_eq!(action(&store, &zone, again).await, None);
}

async fn the_revision_moves_with_settings_and_actions(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    let start = revision(&store, &zone).await;
    let check = async |expected: u64, what: &str| assert_eq!(revision(&store, &zone).await, start + expected, "{what}");
    set(&store, &zone, ValidationSettings::default()).await;
    check(0, "settings as they were").await;
    set(&store, &zone, ValidationSettings { is_off: true, ..ValidationSettings::default() }).await;
    check(1, "settings changed").await;
    change(&store, &zone, &[(id, BLOCK)]).await;
    check(2, "an action set").await;
    change(&store, &zone, &[(id, BLOCK)]).await;
    change(&store, &zone, &[(id, ActionChange::Keep)]).await;
    check(2, "an action as it was").await;
    change(&store, &zone, &[(id, ActionChange::Inherit)]).await;
    check(3, "an action taken away").await;
    change(&store, &zone, &[(id, ActionChange::Inherit)]).await;
    check(3, "there was none").await;
}

async fn the_newest_enabled_schema_that_names_an_operation_is_in_force(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /1").await;
    assert_eq!(info(&store, &zone, id).await.active, None);
    let first = add_schema(&store, &zone, new(1)).await;
    let second = add_schema(&store, &zone, NewUserSchema { validation_enabled: false, ..new(1) }).await;
    add_schema(&store, &zone, new(2)).await;
    assert_eq!(info(&store, &zone, id).await.active, Some(active(&first)));
    store.user_schema_set_enabled(&zone, second.id, true).await.unwrap();
    assert_eq!(info(&store, &zone, id).await.active, Some(active(&second)));
    store.user_schema_set_enabled(&zone, first.id, false).await.unwrap();
    store.user_schema_set_enabled(&zone, first.id, true).await.unwrap();
    assert_eq!(info(&store, &zone, id).await.active, Some(active(&second)), "by the time of the upload");
    store.user_schema_delete(&zone, second.id).await.unwrap();
    assert_eq!(info(&store, &zone, id).await.active, Some(active(&first)));
}

async fn a_schema_is_in_force_for_an_operation_that_is_added_later(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let operations = vec![key("GET /users/{id}"), key("POST /users")];
    let schema = add_schema(&store, &zone, NewUserSchema { operations, ..new(1) }).await;
    let (named, unnamed) = (add_one(&store, &zone, "GET /users/{u}").await, add_one(&store, &zone, "PUT /users").await);
    let elsewhere = add_one(&store, &other, "GET /users/{u}").await;
    let found = store.schema_info(&zone, vec![named, unnamed, elsewhere], at(0)).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[&named].active.clone(), found[&unnamed].active.clone()), (Some(active(&schema)), None));
    assert_eq!(info(&store, &other, elsewhere).await.active, None);
    assert_eq!(store.schema_info(&zone, vec![], at(0)).await.unwrap(), BTreeMap::new());
}

async fn what_holds_for_an_operation_is_what_zone_and_operation_say(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let (own, default) = (add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await);
    change(&store, &zone, &[(own, BLOCK)]).await;
    let check = async |settings: ValidationSettings, of_own, of_default| {
        set(&store, &zone, settings).await;
        assert_eq!(
            (info(&store, &zone, own).await.action, info(&store, &zone, default).await.action),
            (of_own, of_default)
        );
    };
    let settings = |default_action, is_off| ValidationSettings { default_action, is_off };
    check(settings(MitigationAction::None, false), MitigationAction::Block, MitigationAction::None).await;
    check(settings(MitigationAction::Log, false), MitigationAction::Block, MitigationAction::Log).await;
    check(settings(MitigationAction::Log, true), MitigationAction::None, MitigationAction::None).await;
}

async fn what_was_learned_is_available(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let (with, without) = (add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await);
    store.learned_schema_replace(&zone, vec![(with, Some(learned_schemas::schema(1)))]).await.unwrap();
    assert!(info(&store, &zone, with).await.learned_available);
    assert!(!info(&store, &zone, without).await.learned_available);
}

async fn a_learned_schema_in_force_says_so(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /1").await;
    let learned = add_schema(&store, &zone, NewUserSchema { learned_from: Some(id), ..new(1) }).await;
    assert_eq!(info(&store, &zone, id).await.active, Some(active(&learned)));
    assert!(active(&learned).is_learned);
}

/// A schema of `GET /1` that only logs for five microseconds.
fn logs_first() -> NewUserSchema {
    NewUserSchema { log_for: Some(Duration::from_micros(5)), ..new(1) }
}

async fn a_schema_logs_what_it_would_block_until_its_time(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /1").await;
    change(&store, &zone, &[(id, BLOCK)]).await;
    let check = async |now, until, expected| {
        let found = info_at(&store, &zone, id, now).await;
        assert_eq!((found.active.and_then(|active| active.log_until), found.action), (until, expected), "{now}");
    };
    let schema = add_schema(&store, &zone, logs_first()).await;
    assert_eq!(schema.log_until, Some(at(5)));
    check(at(0), Some(at(5)), MitigationAction::Log).await;
    check(at(4), Some(at(5)), MitigationAction::Log).await;
    check(at(5), Some(at(5)), MitigationAction::Block).await;
    add_schema(&store, &zone, new(1)).await;
    check(at(0), None, MitigationAction::Block).await;
    store.user_schema_set_enabled(&zone, schema.id, false).await.unwrap();
    check(at(0), None, MitigationAction::Block).await;
}

async fn nothing_but_blocking_is_put_off(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /1").await;
    add_schema(&store, &zone, logs_first()).await;
    let check = async |default_action, is_off, expected| {
        set(&store, &zone, ValidationSettings { default_action, is_off }).await;
        assert_eq!(info(&store, &zone, id).await.action, expected);
    };
    check(MitigationAction::None, false, MitigationAction::None).await;
    check(MitigationAction::Log, false, MitigationAction::Log).await;
    check(MitigationAction::Block, true, MitigationAction::None).await;
}

async fn gateway_validation(store: &Store, zone: &ZoneId, known: BTreeSet<SchemaId>) -> ZoneValidation {
    store.gateway_rules(zone, known).await.unwrap().unwrap().validation
}

async fn a_gateway_reads_all_of_a_zone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let ids = [add_one(&store, &zone, "GET /a").await, add_one(&store, &zone, "GET /b").await];
    let first = add_schema(&store, &zone, new(1)).await;
    add_schema(&store, &zone, NewUserSchema { validation_enabled: false, ..new(2) }).await;
    let host = Some("api.example.com".parse().unwrap());
    let second = add_schema(&store, &zone, NewUserSchema { default_host: host, ..new(3) }).await;
    add_schema(&store, &other, new(4)).await;
    change(&store, &zone, &[(ids[1], LOG)]).await;
    let settings = ValidationSettings { default_action: MitigationAction::Block, is_off: false };
    set(&store, &zone, settings).await;
    let read = gateway_validation(&store, &zone, BTreeSet::new()).await;
    assert_eq!(read.settings, settings);
    assert_eq!(read.actions, BTreeMap::from([(ids[1], MitigationAction::Log)]));
    assert_eq!(read.schemas, [second, first]);
}

async fn a_gateway_reads_the_sources_that_it_does_not_know(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let known = add_schema(&store, &zone, new(1)).await;
    let unknown = add_schema(&store, &zone, new(2)).await;
    let read = gateway_validation(&store, &zone, BTreeSet::from([known.id])).await;
    assert_eq!(read.schemas, [unknown, UserSchema { source: None, ..known }]);
}

async fn a_missing_zone_has_no_validation(fixture: &Fixture) {
    let store = fixture.store().await;
    let zone = "nowhere".parse().unwrap();
    assert_eq!(store.validation_settings_get(&zone).await.unwrap(), None);
    assert_eq!(store.validation_settings_change(&zone, |settings| settings).await.unwrap(), None);
    assert_eq!(store.operation_action_list(&zone, 0, 10).await.unwrap(), None);
    let refused = store.operation_actions_change(&zone, vec![(unknown_id(), BLOCK)]).await;
    assert!(matches!(refused, Err(ActionsChangeError::OperationsUnknown(_))), "{refused:?}");
}

async fn a_removed_zone_takes_its_settings_along(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    change(&store, &zone, &[(id, BLOCK)]).await;
    set(&store, &zone, ValidationSettings { is_off: true, ..ValidationSettings::default() }).await;
    assert!(store.zone_delete(&zone).await.unwrap());
    let left = "SELECT (SELECT count(*) FROM validation_settings) + (SELECT count(*) FROM operation_actions)";
    assert_eq!(fixture.number(left), 0);
}

async fn actions_are_changed_while_operations_come_and_go(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let ids: Vec<_> =
        add_all(&store, &zone, keys(0..40)).await.into_iter().map(|added| added.operation.operation.id).collect();
    let (kept, gone) = ids.split_at(20);
    let changes = (0..10).map(|round| {
        let to = if round % 2 == 0 { BLOCK } else { LOG };
        store.operation_actions_change(&zone, kept.iter().map(|id| (*id, to)).collect())
    });
    let deletions = gone.iter().map(|id| store.operation_delete(&zone, vec![*id]));
    let additions = (40..60).map(|number| store.operation_upsert(&zone, keys(number..number + 5), at(1)));
    let (outcomes, deleted, added) = tokio::join!(join_all(changes), join_all(deletions), join_all(additions));
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert!(deleted.iter().all(Result::is_ok) && added.iter().all(Result::is_ok));
    assert_eq!(store.operation_action_list(&zone, 0, 100).await.unwrap().unwrap().total_count, 20);
}

async fn damaged_values_are_named(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let id = add_one(&store, &zone, "GET /a").await;
    change(&store, &zone, &[(id, BLOCK)]).await;
    set(&store, &zone, ValidationSettings { is_off: true, ..ValidationSettings::default() }).await;
    fixture.sql("UPDATE operation_actions SET mitigation_action = 'drop'");
    let parts = ["operation_actions", "mitigation_action", &id.to_string()];
    assert_names(&store.operation_action_get(&zone, id).await.unwrap_err(), parts);
    assert_names(&store.operation_action_list(&zone, 0, 10).await.unwrap_err(), parts);
    assert_names(&store.gateway_rules(&zone, BTreeSet::new()).await.unwrap_err(), parts);
    change(&store, &zone, &[]).await;
    fixture.sql("DELETE FROM operation_actions; UPDATE validation_settings SET default_action = 'drop'");
    let parts = ["validation_settings", "default_action", "z"];
    assert_names(&store.validation_settings_get(&zone).await.unwrap_err(), parts);
}
