//! Documents that are tried on requests: one a zone, with what gateways counted.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{OperationId, ZoneId};
use demilune_schema::{
    Tally,
    validate::{Verdict, Violation},
};
use demilune_store::{NewTrial, SchemaId, Store, Trial, TrialRow};

use crate::fixture::{Fixture, assert_names, at, conformance, create_zone, revision, unknown_id};

conformance![
    a_trial_is_kept_byte_for_byte,
    a_new_trial_takes_the_place_of_the_one_before,
    gateways_are_told_of_a_trial_with_its_source_unless_they_know_it,
    counts_of_gateways_add_up_and_the_latest_of_each_holds,
    counts_of_a_trial_that_has_ended_are_left_out,
    a_trial_goes_with_its_zone,
    damaged_trials_are_named,
];

fn new(name: &str) -> NewTrial {
    NewTrial {
        name: name.to_owned(),
        default_host: Some("api.example.com".parse().unwrap()),
        operations: "[]".to_owned(),
        details: "{}".to_owned(),
        source: format!("# {name} é\r\n\u{0}"),
    }
}

async fn begin(store: &Store, zone: &ZoneId, name: &str) -> Trial {
    store.trial_begin(zone, new(name), at(1)).await.unwrap().unwrap()
}

async fn told(store: &Store, zone: &ZoneId, known: BTreeSet<SchemaId>) -> Option<Trial> {
    store.gateway_rules(zone, known).await.unwrap().unwrap().validation.trial
}

fn tally(requests: u64, misfits: u64) -> Tally {
    let mut tally = Tally::default();
    for number in 0..requests {
        let violation = Violation {
            keyword: "type".to_owned(),
            request_place: "/query/q".to_owned(),
            document_place: "/paths".to_owned(),
        };
        let violations = if number < misfits { vec![violation] } else { Vec::new() };
        tally.add(&Verdict { violations, has_more: false });
    }
    tally
}

fn row(zone: &ZoneId, trial: &Trial, operation: OperationId, source: &str, tally: Tally) -> TrialRow {
    TrialRow { zone: zone.clone(), trial: trial.id, operation, source: source.parse().unwrap(), tally }
}

async fn a_trial_is_kept_byte_for_byte(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    assert_eq!(store.trial_get(&zone).await.unwrap(), None);
    let begun = begin(&store, &zone, "one").await;
    let NewTrial { name, default_host, operations, details, source } = new("one");
    let expected = Trial { id: begun.id, started_at: at(1), name, default_host, operations, details, source: None };
    assert_eq!(begun, expected);
    assert_eq!(store.trial_get(&zone).await.unwrap(), Some(expected.clone()));
    let whole = told(&store, &zone, BTreeSet::new()).await.unwrap();
    assert_eq!(whole, Trial { source: Some(source), ..expected });
}

async fn a_new_trial_takes_the_place_of_the_one_before(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let before = revision(&store, &zone).await;
    let first = begin(&store, &zone, "one").await;
    store.trial_count(vec![row(&zone, &first, unknown_id(), "gateway:1", tally(3, 1))]).await.unwrap();
    let second = begin(&store, &zone, "two").await;
    assert_ne!(first.id, second.id);
    assert_eq!(store.trial_counts(&zone, first.id).await.unwrap(), BTreeMap::new());
    assert_eq!(store.trial_get(&zone).await.unwrap().unwrap().name, "two");
    assert!(store.trial_end(&zone).await.unwrap());
    assert!(!store.trial_end(&zone).await.unwrap());
    assert_eq!(revision(&store, &zone).await, before + 3);
}

async fn gateways_are_told_of_a_trial_with_its_source_unless_they_know_it(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let trial = begin(&store, &zone, "one").await;
    assert_eq!(told(&store, &zone, BTreeSet::from([trial.id])).await.unwrap().source, None);
    let second = begin(&store, &zone, "two").await;
    assert_eq!(told(&store, &zone, BTreeSet::from([trial.id])).await.unwrap().source, Some(new("two").source));
    store.trial_end(&zone).await.unwrap();
    assert_eq!(told(&store, &zone, BTreeSet::from([second.id])).await, None);
}

async fn counts_of_gateways_add_up_and_the_latest_of_each_holds(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let trial = begin(&store, &zone, "one").await;
    let (one, other) = (unknown_id(), "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8f".parse().unwrap());
    let count = async |rows: Vec<TrialRow>| store.trial_count(rows).await.unwrap();
    count(vec![row(&zone, &trial, one, "gateway:1", tally(3, 1)), row(&zone, &trial, one, "gateway:2", tally(5, 0))])
        .await;
    count(vec![row(&zone, &trial, one, "gateway:1", tally(9, 4)), row(&zone, &trial, other, "gateway:1", tally(1, 1))])
        .await;
    // One that comes late.
    count(vec![row(&zone, &trial, one, "gateway:1", tally(4, 1))]).await;
    let counts = store.trial_counts(&zone, trial.id).await.unwrap();
    assert_eq!(counts, BTreeMap::from([(one, tally(14, 4)), (other, tally(1, 1))]));
}

async fn counts_of_a_trial_that_has_ended_are_left_out(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let ended = begin(&store, &zone, "one").await;
    store.trial_end(&zone).await.unwrap();
    store.trial_count(vec![row(&zone, &ended, unknown_id(), "gateway:1", tally(3, 1))]).await.unwrap();
    begin(&store, &zone, "two").await;
    store.trial_count(vec![row(&zone, &ended, unknown_id(), "gateway:1", tally(3, 1))]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM schema_trial_counts"), 0);
}

async fn a_trial_goes_with_its_zone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let trial = begin(&store, &zone, "one").await;
    begin(&store, &other, "two").await;
    store.trial_count(vec![row(&zone, &trial, unknown_id(), "gateway:1", tally(3, 1))]).await.unwrap();
    store.zone_delete(&zone).await.unwrap();
    assert_eq!(store.trial_get(&zone).await.unwrap(), None);
    assert_eq!(store.trial_begin(&zone, new("three"), at(2)).await.unwrap(), None);
    assert!(!store.trial_end(&zone).await.unwrap());
    assert_eq!(fixture.number("SELECT count(*) FROM schema_trial_counts"), 0);
    assert!(store.trial_get(&other).await.unwrap().is_some());
}

async fn damaged_trials_are_named(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let trial = begin(&store, &zone, "one").await;
    store.trial_count(vec![row(&zone, &trial, unknown_id(), "gateway:1", tally(3, 1))]).await.unwrap();
    fixture.sql("UPDATE schema_trial_counts SET tally = '[7]'");
    let failure = store.trial_counts(&zone, trial.id).await.unwrap_err();
    assert_names(&failure, ["schema_trial_counts", "tally", &unknown_id().to_string()]);
    fixture.sql("UPDATE schema_trials SET trial_id = 'x'");
    assert_names(&store.trial_get(&zone).await.unwrap_err(), ["schema_trials", "trial_id", "x"]);
}
