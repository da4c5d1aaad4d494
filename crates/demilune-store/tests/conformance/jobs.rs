//! Jobs that one process does for all: one holder at a time, and a note of what is done.

use demilune_inventory::Timestamp;
use futures_util::future::join_all;

use crate::fixture::{Fixture, at, conformance, create_zone, revision};

conformance![
    of_many_who_take_a_lease_at_once_one_wins,
    a_lease_is_taken_when_it_is_free_or_has_run_out,
    its_holder_renews_a_lease,
    only_its_holder_gives_a_lease_back,
    a_note_is_kept_by_zone_and_job,
    a_note_goes_with_its_zone,
];

const JOB: &str = "thresholds";

async fn of_many_who_take_a_lease_at_once_one_wins(fixture: &Fixture) {
    let stores = [fixture.store().await, fixture.store().await];
    for round in 0..8 {
        let (now, until) = (at(round * 100), at(round * 100 + 100));
        let holders: Vec<_> = (0..8).map(|number| format!("{round}-{number}")).collect();
        let taking = holders.iter().enumerate();
        let taken = join_all(taking.map(|(number, holder)| stores[number % 2].lease_take(JOB, holder, now, until)));
        let winners = taken.await.into_iter().filter(|taken| *taken.as_ref().unwrap()).count();
        assert_eq!(winners, 1, "{round}");
    }
}

async fn a_lease_is_taken_when_it_is_free_or_has_run_out(fixture: &Fixture) {
    let store = fixture.store().await;
    let take = async |name: &str, holder: &str, now: i64, until: i64| {
        store.lease_take(name, holder, at(now), at(until)).await.unwrap()
    };
    assert!(take(JOB, "a", 0, 10).await);
    assert!(!take(JOB, "b", 9, 20).await);
    assert!(take("another job", "b", 9, 20).await);
    assert!(take(JOB, "b", 10, 20).await, "it ended at 10");
    assert!(!take(JOB, "a", 19, 30).await, "who had it is now one of many");
}

async fn its_holder_renews_a_lease(fixture: &Fixture) {
    let store = fixture.store().await;
    let take =
        async |holder: &str, now: Timestamp, until: Timestamp| store.lease_take(JOB, holder, now, until).await.unwrap();
    assert!(take("a", at(0), at(10)).await);
    assert!(take("a", at(5), at(15)).await);
    assert!(!take("b", at(12), at(20)).await);
    assert!(take("a", at(99), at(110)).await, "also after it ran out, while nobody has taken it");
}

async fn only_its_holder_gives_a_lease_back(fixture: &Fixture) {
    let store = fixture.store().await;
    assert!(store.lease_take(JOB, "a", at(0), at(10)).await.unwrap());
    assert!(!store.lease_release(JOB, "b").await.unwrap());
    assert!(!store.lease_take(JOB, "b", at(1), at(10)).await.unwrap());
    assert!(store.lease_release(JOB, "a").await.unwrap());
    assert!(!store.lease_release(JOB, "a").await.unwrap());
    assert!(store.lease_take(JOB, "b", at(1), at(10)).await.unwrap());
}

async fn a_note_is_kept_by_zone_and_job(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    let other = create_zone(&store, "other").await;
    let before = revision(&store, &zone).await;
    assert_eq!(store.job_done(&zone, JOB).await.unwrap(), None);
    for value in [7, 9, 8] {
        assert!(store.job_note(&zone, JOB, value).await.unwrap());
        assert_eq!(store.job_done(&zone, JOB).await.unwrap(), Some(value));
    }
    assert_eq!(store.job_done(&other, JOB).await.unwrap(), None);
    assert_eq!(store.job_done(&zone, "another job").await.unwrap(), None);
    assert_eq!(revision(&store, &zone).await, before, "no ruleset is made from it");
}

async fn a_note_goes_with_its_zone(fixture: &Fixture) {
    let (store, zone) = fixture.store_with_zone().await;
    assert!(store.job_note(&zone, JOB, 7).await.unwrap());
    store.zone_delete(&zone).await.unwrap();
    assert_eq!(store.job_done(&zone, JOB).await.unwrap(), None);
    assert!(!store.job_note(&zone, JOB, 8).await.unwrap());
    create_zone(&store, "z").await;
    assert_eq!(store.job_done(&zone, JOB).await.unwrap(), None);
}
