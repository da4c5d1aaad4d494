//! Tokens, users, and the first credential of a store.

use demilune_store::{Grant, PermissionGroup, SecretHash, Store, Token, TokenCreateError, User, UserCreateError, Zone};
use futures_util::future::join_all;

use crate::fixture::{Fixture, at, conformance, create_zone};

conformance![
    a_token_is_found_by_its_secret,
    a_token_without_grants_is_kept,
    an_id_and_a_secret_are_taken_once,
    a_grant_on_a_missing_zone_leaves_nothing_behind,
    tokens_are_listed_by_the_bytes_of_their_names,
    a_removed_token_takes_its_grants_along,
    a_removed_zone_takes_the_grants_on_it_along,
    a_user_is_found_by_their_address,
    an_address_is_taken_once,
    users_are_listed_by_the_bytes_of_their_addresses,
    the_first_credential_is_made_once,
    a_store_with_a_credential_needs_no_first_one,
    one_of_many_makes_the_first_credential,
    the_first_credential_may_find_its_zone_there,
    a_nul_finds_nobody,
];

fn grant(group: PermissionGroup, zone: Option<&str>) -> Grant {
    Grant { group, zone: zone.map(|zone| zone.parse().unwrap()) }
}

fn token(id: &str, name: &str, grants: Vec<Grant>) -> Token {
    Token { id: id.to_owned(), name: name.to_owned(), grants, created_at: at(1), expires_at: None }
}

fn user(id: &str, email: &str) -> User {
    User { id: id.to_owned(), email: email.to_owned(), created_at: at(2) }
}

fn secret(byte: u8) -> SecretHash {
    SecretHash([byte; 32])
}

const ACCOUNT: PermissionGroup = PermissionGroup::AccountApiGateway;
const DOMAIN: PermissionGroup = PermissionGroup::DomainApiGateway;

async fn a_token_is_found_by_its_secret(fixture: &Fixture) {
    let store = fixture.store().await;
    create_zone(&store, "a").await;
    create_zone(&store, "b").await;
    let sorted = vec![grant(ACCOUNT, None), grant(DOMAIN, Some("a")), grant(DOMAIN, Some("b"))];
    let mut given = Token { expires_at: Some(at(9)), ..token("t1", "Ü 'name'", sorted.clone()) };
    given.grants.reverse();
    given.grants.push(grant(ACCOUNT, None));
    store.token_create(given.clone(), secret(1)).await.unwrap();
    store.token_create(token("t2", "other", vec![]), secret(2)).await.unwrap();
    let found = store.token_by_secret(&secret(1)).await.unwrap();
    assert_eq!(found, Some(Token { grants: sorted, ..given }), "sorted, each once");
    assert_eq!(store.token_by_secret(&secret(3)).await.unwrap(), None);
}

async fn a_token_without_grants_is_kept(fixture: &Fixture) {
    let store = fixture.store().await;
    store.token_create(token("t", "n", vec![]), secret(1)).await.unwrap();
    assert_eq!(store.token_by_secret(&secret(1)).await.unwrap(), Some(token("t", "n", vec![])));
    assert_eq!(store.token_list().await.unwrap(), [token("t", "n", vec![])]);
}

async fn an_id_and_a_secret_are_taken_once(fixture: &Fixture) {
    let store = fixture.store().await;
    store.token_create(token("t", "n", vec![]), secret(1)).await.unwrap();
    for (id, byte) in [("t", 2), ("u", 1), ("t", 1)] {
        let answer = store.token_create(token(id, "other", vec![grant(ACCOUNT, None)]), secret(byte)).await;
        assert!(matches!(answer, Err(TokenCreateError::Taken)), "{answer:?}");
    }
    store.token_create(token("u", "n", vec![]), secret(2)).await.unwrap();
    assert_eq!(store.token_list().await.unwrap().len(), 2, "a name may be there twice");
}

async fn a_grant_on_a_missing_zone_leaves_nothing_behind(fixture: &Fixture) {
    let store = fixture.store().await;
    create_zone(&store, "a").await;
    let grants = vec![grant(DOMAIN, Some("a")), grant(DOMAIN, Some("missing"))];
    let answer = store.token_create(token("t", "n", grants), secret(1)).await;
    assert!(matches!(&answer, Err(TokenCreateError::ZoneNotFound(zone)) if zone.as_str() == "missing"), "{answer:?}");
    assert_eq!(store.token_list().await.unwrap(), []);
    assert_eq!(fixture.number("SELECT count(*) FROM grants"), 0);
}

async fn tokens_are_listed_by_the_bytes_of_their_names(fixture: &Fixture) {
    let store = fixture.store().await;
    let names = ["B", "_", "a", "aB", "ab", "é"];
    for (number, name) in (0_u8..).zip(names.iter().rev()) {
        let grants = vec![grant(ACCOUNT, None), grant(PermissionGroup::AccountApiGatewayRead, None)];
        store.token_create(token(&format!("t{number}"), name, grants), secret(number)).await.unwrap();
    }
    let listed = store.token_list().await.unwrap();
    assert!(listed.iter().all(|token| token.grants.len() == 2));
    let listed: Vec<String> = listed.into_iter().map(|token| token.name).collect();
    assert_eq!(listed, names);
}

async fn a_removed_token_takes_its_grants_along(fixture: &Fixture) {
    let store = fixture.store().await;
    store.token_create(token("t", "n", vec![grant(ACCOUNT, None)]), secret(1)).await.unwrap();
    assert!(store.token_delete("t").await.unwrap());
    assert!(!store.token_delete("t").await.unwrap());
    assert_eq!(store.token_by_secret(&secret(1)).await.unwrap(), None);
    assert_eq!(fixture.number("SELECT count(*) FROM grants"), 0);
}

async fn a_removed_zone_takes_the_grants_on_it_along(fixture: &Fixture) {
    let store = fixture.store().await;
    let zone = create_zone(&store, "a").await;
    create_zone(&store, "b").await;
    let grants = vec![grant(DOMAIN, Some("a")), grant(DOMAIN, Some("b"))];
    store.token_create(token("both", "both", grants), secret(1)).await.unwrap();
    store.token_create(token("one", "one", vec![grant(DOMAIN, Some("a"))]), secret(2)).await.unwrap();
    store.zone_delete(&zone).await.unwrap();
    let left = |found: Option<Token>| found.unwrap().grants;
    assert_eq!(left(store.token_by_secret(&secret(1)).await.unwrap()), [grant(DOMAIN, Some("b"))]);
    assert_eq!(left(store.token_by_secret(&secret(2)).await.unwrap()), [], "kept, without power");
    create_zone(&store, "a").await;
    assert_eq!(left(store.token_by_secret(&secret(2)).await.unwrap()), [], "also on a new zone of that id");
}

async fn a_user_is_found_by_their_address(fixture: &Fixture) {
    let store = fixture.store().await;
    store.user_create(user("u", "a@example.com"), secret(7)).await.unwrap();
    assert_eq!(store.user_by_email("a@example.com").await.unwrap(), Some((user("u", "a@example.com"), secret(7))));
    assert_eq!(store.user_by_email("b@example.com").await.unwrap(), None);
    assert!(store.user_delete("a@example.com").await.unwrap());
    assert!(!store.user_delete("a@example.com").await.unwrap());
    assert_eq!(store.user_by_email("a@example.com").await.unwrap(), None);
}

async fn an_address_is_taken_once(fixture: &Fixture) {
    let store = fixture.store().await;
    store.user_create(user("u", "a@example.com"), secret(1)).await.unwrap();
    let answer = store.user_create(user("v", "a@example.com"), secret(2)).await;
    assert!(matches!(answer, Err(UserCreateError::EmailTaken)), "{answer:?}");
    assert_eq!(store.user_list().await.unwrap(), [user("u", "a@example.com")]);
}

async fn users_are_listed_by_the_bytes_of_their_addresses(fixture: &Fixture) {
    let store = fixture.store().await;
    let addresses = ["B@x", "_@x", "a-b@x", "a.b@x", "a@x", "ab@x"];
    for (number, address) in (0_u8..).zip(addresses.iter().rev()) {
        store.user_create(user(&format!("u{number}"), address), secret(number)).await.unwrap();
    }
    let listed: Vec<String> = store.user_list().await.unwrap().into_iter().map(|user| user.email).collect();
    assert_eq!(listed, addresses);
}

/// What a client may send as its address reaches the store as it is.
async fn a_nul_finds_nobody(fixture: &Fixture) {
    let store = fixture.store().await;
    store.user_create(user("u", "a@x"), secret(1)).await.unwrap();
    assert_eq!(store.user_by_email("a@x\0").await.unwrap(), None);
    assert!(!store.user_delete("a@x\0").await.unwrap());
    assert!(!store.token_delete("\0").await.unwrap());
}

async fn bootstrap(store: &Store, id: &str, byte: u8) -> bool {
    let zone = Zone { id: "first".parse().unwrap(), name: "first.example".to_owned(), created_at: at(0) };
    store.bootstrap(zone, token(id, "first", vec![grant(DOMAIN, Some("first"))]), secret(byte)).await.unwrap()
}

async fn the_first_credential_is_made_once(fixture: &Fixture) {
    let store = fixture.store().await;
    assert!(bootstrap(&store, "t", 1).await);
    assert!(!bootstrap(&store, "u", 2).await);
    assert_eq!(store.zone_list().await.unwrap().len(), 1);
    assert_eq!(store.token_list().await.unwrap(), [token("t", "first", vec![grant(DOMAIN, Some("first"))])]);
}

async fn a_store_with_a_credential_needs_no_first_one(fixture: &Fixture) {
    let store = fixture.store().await;
    store.user_create(user("u", "a@x"), secret(1)).await.unwrap();
    assert!(!bootstrap(&store, "t", 2).await);
    store.user_delete("a@x").await.unwrap();
    store.token_create(token("t", "n", vec![]), secret(1)).await.unwrap();
    assert!(!bootstrap(&store, "u", 2).await);
    assert_eq!(store.zone_list().await.unwrap(), [], "not even the zone was made");
}

async fn one_of_many_makes_the_first_credential(fixture: &Fixture) {
    let stores = [fixture.store().await, fixture.store().await];
    let ids: Vec<String> = (0..12).map(|number| format!("t{number}")).collect();
    let made = join_all((0_u8..).zip(&ids).map(|(byte, id)| bootstrap(&stores[usize::from(byte) % 2], id, byte))).await;
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    assert_eq!(stores[0].token_list().await.unwrap().len(), 1);
}

async fn the_first_credential_may_find_its_zone_there(fixture: &Fixture) {
    let store = fixture.store().await;
    create_zone(&store, "first").await;
    assert!(bootstrap(&store, "t", 1).await);
    assert_eq!(store.zone_list().await.unwrap().len(), 1);
}
