//! Laws of sightings: any order and any split give the same ones, floods stay within bounds and hide nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use demilune_discovery::{Candidate, DiscoveryOptions, Origin, Reason, Sighting, Sightings, candidates};
use demilune_inventory::Method;
use proptest::{collection::vec, prelude::*};

fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn see(sightings: &mut Sightings, serial: u64, caller: u64, method: Method, host: &str, path: &str) {
    let caller = u32::try_from(mix(caller) >> 32).unwrap();
    let nonce = mix(serial);
    sightings.observe(&Sighting {
        method,
        host,
        path,
        caller,
        has_session: true,
        nonce,
        seconds: 1_000 + serial % 900,
    });
}

fn names(found: &[Candidate]) -> Vec<String> {
    let mut names: Vec<_> = found.iter().map(|found| format!("{} {}", found.key.method, found.key.endpoint)).collect();
    names.sort();
    names
}

fn of_paths(paths: impl Fn(u64) -> String, count: u64) -> Vec<Candidate> {
    let mut sightings = Sightings::default();
    for serial in 0..count {
        see(&mut sightings, serial, serial % 200, Method::Get, "api.example.com", &paths(serial));
    }
    candidates(&sightings, &DiscoveryOptions::default())
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("users".to_owned()),
        Just("orders".to_owned()),
        (0..3_u32).prop_map(|number| number.to_string()),
        "[a-z]{1,3}",
        Just("f81d4fae-7dec-11d0-a765-00a0c91e6bf6".to_owned()),
        Just("list.json".to_owned()),
    ];
    vec(segment, 0..4).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn host(caller: u64) -> &'static str {
    match caller % 4 {
        0 => "api.example.com",
        1 => "b.shop.example.com",
        2 => "c.shop.example.com",
        _ => "d.shop.example.com",
    }
}

proptest! {
    #[test]
    fn any_order_and_any_split_give_the_same_sightings_and_candidates(
        requests in vec((path(), 0..20_u64, 0..4_usize), 0..300),
        salt in any::<u64>(),
    ) {
        let mut whole = Sightings::default();
        let mut parts = vec![Sightings::default(); 4];
        for (serial, (path, caller, _)) in requests.iter().enumerate() {
            see(&mut whole, serial as u64, *caller, Method::Get, host(*caller), path);
        }
        let mut shuffled: Vec<_> = requests.iter().enumerate().collect();
        shuffled.sort_by_key(|(serial, _)| mix(*serial as u64 ^ salt));
        for (serial, (path, caller, part)) in shuffled {
            see(&mut parts[*part], serial as u64, *caller, Method::Get, host(*caller), path);
        }
        let mut sum = Sightings::default();
        parts.iter().rev().for_each(|part| sum.merge(&Sightings::decode(&part.encode()).unwrap()));
        prop_assert_eq!(sum.encode(), whole.encode());
        let options = DiscoveryOptions { requests_min: 5, ..DiscoveryOptions::default() };
        prop_assert_eq!(candidates(&sum, &options), candidates(&whole, &options));
    }

    #[test]
    fn bytes_are_read_back_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(sightings) = Sightings::decode(&bytes) {
            prop_assert_eq!(sightings.encode(), bytes);
        }
    }
}

#[test]
fn a_flood_that_overflows_every_lane_splits_the_same() {
    let mut whole = Sightings::default();
    let mut parts = [Sightings::default(), Sightings::default()];
    for serial in 0..100_000 {
        let path = format!("/{}/{}", letters(serial % 97), letters(serial));
        see(&mut whole, serial, serial, Method::Get, "h.example.com", &path);
        see(&mut parts[usize::from(serial % 3 == 0)], serial, serial, Method::Get, "h.example.com", &path);
    }
    assert!(whole.is_sampled());
    let [mut sum, other] = parts;
    sum.merge(&other);
    assert_eq!(sum.encode(), whole.encode());
}

/// A word without digits that is different for each number.
fn letters(number: u64) -> String {
    let digits = format!("{:x}", mix(number));
    digits.bytes().map(|byte| char::from(b'g' + byte % 16)).collect()
}

#[test]
fn a_million_paths_of_one_caller_stay_within_the_bound_and_hide_nothing() {
    let mut sightings = Sightings::default();
    for serial in 0..1_000_000 {
        let path = format!("/{}/{}", letters(serial), letters(serial + 7));
        see(&mut sightings, serial, 77, Method::Get, "api.example.com", &path);
        assert!(sightings.bytes() <= Sightings::BYTES_MAX);
    }
    for serial in 0..1_200 {
        let path = format!("/users/{serial}");
        see(&mut sightings, 1_000_000 + 2 * serial, serial, Method::Get, "api.example.com", &path);
        see(&mut sightings, 1_000_001 + 2 * serial, serial, Method::Get, "api.example.com", "/health");
    }
    let found = candidates(&sightings, &DiscoveryOptions::default());
    let names = names(&found);
    for name in ["GET /health", "GET /users/{var1}"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
}

#[test]
fn ids_become_variables_whatever_their_shape() {
    let found = of_paths(|serial| format!("/users/{serial}/files/{:08x}a1.json", mix(serial) >> 32), 1_000);
    assert_eq!(names(&found), ["GET /users/{var1}/files/{var2}.json"]);
    assert_eq!(found[0].parts[1].reason, Reason::Ids);
    assert_eq!(found[0].origins, [Origin::Ml, Origin::SessionIdentifier]);
    assert!(!found[0].is_estimate && found[0].requests == 1_000);
}

#[test]
fn a_version_stays_what_it_is() {
    let found = of_paths(|serial| format!("/2010-04-01/1.1/v2/{serial}"), 1_000);
    assert_eq!(names(&found), ["GET /2010-04-01/1.1/v2/{var1}"]);
    assert_eq!(found[0].parts[0].reason, Reason::OnlyValue);
}

#[test]
fn names_without_end_become_a_variable_and_names_of_the_interface_do_not() {
    let found = of_paths(
        |serial| match serial % 4 {
            0 => "/shops/search/recent".to_owned(),
            1 => "/status".to_owned(),
            _ => format!("/shops/{}/orders", letters(mix(serial) % 400)),
        },
        4_000,
    );
    assert_eq!(names(&found), ["GET /shops/search/recent", "GET /shops/{var1}/orders", "GET /status"]);
}

#[test]
fn twenty_collections_of_an_interface_stay_apart() {
    let found = of_paths(|serial| format!("/v1/{}/{}", letters(serial % 20), mix(serial) % 5_000), 20_000);
    assert_eq!(found.len(), 20);
}

#[test]
fn hosts_that_share_their_endpoints_become_one() {
    let mut sightings = Sightings::default();
    for serial in 0..3_000 {
        let host = format!("{}.shop.example.com", letters(serial % 5));
        see(&mut sightings, 2 * serial, serial % 50, Method::Get, &host, &format!("/items/{serial}"));
        see(&mut sightings, 2 * serial + 1, serial % 50, Method::Post, &host, "/carts");
    }
    let found = candidates(&sightings, &DiscoveryOptions::default());
    let hosts: Vec<_> = found.iter().map(|found| found.key.host.as_str()).collect();
    assert_eq!(hosts, ["{hostVar1}.shop.example.com"; 2]);
    assert_eq!(found[0].hosts.len(), 5);
}

#[test]
fn few_requests_or_few_callers_are_no_operation() {
    assert!(of_paths(|_| "/rare".to_owned(), 499).is_empty());
    let mut sightings = Sightings::default();
    (0..900).for_each(|serial| {
        let nonce = mix(serial);
        let (host, path, method) = ("api.example.com", "/one", Method::Get);
        sightings.observe(&Sighting { method, host, path, caller: 7, has_session: false, nonce, seconds: serial });
    });
    assert!(candidates(&sightings, &DiscoveryOptions::default()).is_empty());
}

#[test]
fn a_head_is_a_get_and_files_and_preflights_are_passed_over() {
    let mut sightings = Sightings::default();
    for serial in 0..600 {
        see(&mut sightings, serial, serial, Method::Head, "api.example.com", "/status");
        see(&mut sightings, serial, serial, Method::Options, "api.example.com", "/status");
        see(&mut sightings, serial, serial, Method::Get, "api.example.com", "/app.js");
    }
    assert_eq!(names(&candidates(&sightings, &DiscoveryOptions::default())), ["GET /status"]);
    assert_eq!((sightings.requests(), sightings.passed_over()), (1_800, 1_200));
}

/// A word of letters and hyphens only, as interfaces have; different for each number.
fn name(number: u64) -> String {
    let letters = letters(number);
    format!("{}-{}", &letters[..4], &letters[4..8])
}

#[test]
fn ten_thousand_words_of_a_scanner_make_no_variable_of_names() {
    let mut sightings = Sightings::default();
    for serial in 0..30_000 {
        let (host, method) = ("api.example.com", Method::Get);
        see(&mut sightings, 2 * serial, serial % 300, method, host, &format!("/v1/{}", name(serial % 15)));
        // Two scanners; this API answers anything.
        see(
            &mut sightings,
            2 * serial + 1,
            900 + serial % 2,
            method,
            host,
            &format!("/v1/{}", letters(serial % 10_000)),
        );
    }
    let found = names(&candidates(&sightings, &DiscoveryOptions::default()));
    assert_eq!(found.len(), 15, "{found:?}");
    assert!(found.iter().all(|found| !found.contains('{')), "{found:?}");
}

#[test]
fn names_that_are_frequent_stay_beside_a_variable() {
    let found = of_paths(
        |serial| match serial % 5 {
            0 => "/users/me".to_owned(),
            1 => "/users/search".to_owned(),
            _ => format!("/users/{}", letters(mix(serial) % 2_000)),
        },
        10_000,
    );
    assert_eq!(names(&found), ["GET /users/me", "GET /users/search", "GET /users/{var1}"]);
    assert_eq!(found[0].parts[1].reason, Reason::Tail);
}

#[test]
fn remote_procedures_stay_what_they_are_however_seldom_most_are_called() {
    // The popularity of 400 procedures, from one call to thousands, by Zipf's law.
    let mut serial = 0;
    let mut sightings = Sightings::default();
    for procedure in 0..400_u64 {
        for _ in 0..20_000 / (procedure + 1) {
            let path = format!("/api/{}.{}", letters(procedure % 30), name(procedure));
            see(&mut sightings, serial, mix(serial) % 300, Method::Post, "api.example.com", &path);
            serial += 1;
        }
    }
    let found = names(&candidates(&sightings, &DiscoveryOptions::default()));
    assert_eq!(found.len(), 40, "{found:?}");
    assert!(found.iter().all(|found| !found.contains('{')), "{found:?}");
}

#[test]
fn forty_collections_that_are_all_alike_stay_apart() {
    let found = of_paths(
        |serial| match mix(serial) % 3 {
            0 => format!("/v1/{}", name(serial % 40)),
            1 => format!("/v1/{}/{}", name(serial % 40), mix(serial) % 5_000),
            _ => format!("/v1/{}/{}/history", name(serial % 40), mix(serial) % 5_000),
        },
        120_000,
    );
    assert_eq!(found.len(), 120);
}

#[test]
fn thirty_accounts_that_are_all_frequent_are_values_since_names_lie_below() {
    let found = of_paths(
        |serial| match mix(serial) % 4 {
            0 => format!("/accounts/{}", letters(serial % 30)),
            1 => format!("/accounts/{}/invoices", letters(serial % 30)),
            _ => format!("/accounts/{}/users/{}", letters(serial % 30), mix(serial) % 500),
        },
        60_000,
    );
    let expected = ["GET /accounts/{var1}", "GET /accounts/{var1}/invoices", "GET /accounts/{var1}/users/{var2}"];
    assert_eq!(names(&found), expected);
    assert_eq!(found[0].parts[1].reason, Reason::Alike);
}

#[test]
fn versions_side_by_side_stay_apart_and_booleans_do_not() {
    let found = of_paths(|serial| format!("/{}.0/jobs/{}", serial % 2 + 1, serial % 3 == 0), 4_000);
    assert_eq!(names(&found), ["GET /1.0/jobs/{var1}", "GET /2.0/jobs/{var1}"]);
}

#[test]
fn a_host_with_few_requests_belongs_to_its_siblings() {
    let mut sightings = Sightings::default();
    let mut serial = 0;
    for (tenant, requests) in [("one", 3_000), ("two", 2_000), ("three", 40), ("four", 15)] {
        for _ in 0..requests {
            let host = format!("{tenant}.shop.example.com");
            let path = format!("/shops/{}/orders/{serial}", letters(mix(serial) % 700));
            let path = if serial % 2 == 0 { path } else { format!("/shops/{}", letters(mix(serial) % 700)) };
            see(&mut sightings, serial, mix(serial) % 90, Method::Get, &host, &path);
            serial += 1;
        }
    }
    let found = candidates(&sightings, &DiscoveryOptions::default());
    assert_eq!(names(&found), ["GET /shops/{var1}", "GET /shops/{var1}/orders/{var2}"]);
    assert_eq!(found[0].hosts.len(), 4);
}

#[test]
fn bytes_with_a_bit_changed_are_refused_or_stand_for_something_else() {
    let mut sightings = Sightings::default();
    for serial in 0..400 {
        let path = format!("/v1/{}/{}", letters(serial % 9), serial % 7);
        see(&mut sightings, serial, serial, Method::Get, "api.example.com", &path);
    }
    let bytes = sightings.encode();
    for place in 0..bytes.len().min(4_000) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        if let Ok(read) = Sightings::decode(&changed) {
            assert_eq!(read.encode(), changed);
        }
        assert!(Sightings::decode(&bytes[..place]).is_err());
    }
}
