//! Evidence is the same for the same requests, in every order and every split, and stays within its bounds.

use std::sync::Arc;

use demilune_schema::learn::{Evidence, LearnKey, Supporter};
use demilune_traffic::Hour;
use proptest::{collection::vec, prelude::*, sample::Index};

const KEY: LearnKey = LearnKey::new(*b"0123456789abcdef");

#[derive(Clone, Debug)]
struct Request {
    hour: u64,
    supporter: u32,
    variable: String,
    query: Option<String>,
    body: Option<String>,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,3}",
        "[0-9]{1,6}",
        "-?[0-9]{1,3}\\.[0-9]{1,2}",
        Just("2024-02-29".to_owned()),
        Just("f81d4fae-7dec-11d0-a765-00a0c91e6bf6".to_owned()),
        ".{0,20}",
    ]
}

fn json(depth: u32) -> BoxedStrategy<String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        any::<i32>().prop_map(|number| number.to_string()),
        (0_i32..20).prop_map(|number| number.to_string()),
        any::<f32>()
            .prop_filter("JSON has no others", |number| number.is_finite())
            .prop_map(|number| number.to_string()),
        text().prop_map(|text| serde_json::Value::String(text).to_string()),
    ];
    if depth == 0 {
        return scalar.boxed();
    }
    let member = ("[a-f]{1,2}|[0-9]{12}", json(depth - 1));
    prop_oneof![
        2 => scalar,
        1 => vec(json(depth - 1), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
        3 => prop::collection::btree_map(member.0, member.1, 0..5).prop_map(|members| {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
            format!("{{{}}}", members.join(","))
        }),
    ]
    .boxed()
}

fn request() -> impl Strategy<Value = Request> {
    let pair = ("[a-e]|[0-9]{9}", text());
    let query = vec(pair, 0..4).prop_map(|pairs| {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    });
    let hour = (480_000_u64..480_003).prop_map(|hour| hour * Hour::SECONDS);
    let body = prop::option::of(prop_oneof![9 => json(3), 1 => ".{0,9}"]);
    (hour, 0_u32..9, text(), prop::option::of(query), body)
        .prop_map(|(hour, supporter, variable, query, body)| Request { hour, supporter, variable, query, body })
}

fn observe(evidence: &mut Evidence, request: &Request) {
    let (hour, supporter) = (Hour::of(request.hour), Supporter(request.supporter));
    evidence.observe(&KEY, hour, supporter, &[&request.variable], request.query.as_deref());
    if let Some(body) = &request.body {
        evidence.observe_body(&KEY, hour, supporter, body.as_bytes());
    }
}

fn of(requests: &[Request]) -> Evidence {
    let mut evidence = Evidence::new(Arc::default());
    for request in requests {
        observe(&mut evidence, request);
    }
    evidence
}

/// The same requests, spread over so many parts.
fn merged(requests: &[Request], parts: usize) -> Evidence {
    let mut split = vec![Evidence::new(Arc::default()); parts];
    for (number, request) in requests.iter().enumerate() {
        observe(&mut split[(number * 7 + request.supporter as usize) % parts], request);
    }
    let mut whole = Evidence::new(Arc::default());
    split.iter().rev().for_each(|part| whole.merge(part));
    whole
}

proptest! {
    #[test]
    fn evidence_is_the_same_in_every_split(requests in vec(request(), 0..60), parts in 1_usize..5) {
        let (whole, merged) = (of(&requests), merged(&requests, parts));
        prop_assert_eq!(whole.encode(), merged.encode());
        prop_assert_eq!(whole, merged);
    }

    #[test]
    fn evidence_is_the_same_in_every_order(requests in vec(request(), 1..60), at in any::<Index>()) {
        let mut turned = requests.clone();
        turned.rotate_left(at.index(requests.len()));
        turned.reverse();
        prop_assert_eq!(of(&requests).encode(), of(&turned).encode());
    }

    #[test]
    fn bytes_are_read_back(requests in vec(request(), 0..60)) {
        let evidence = of(&requests);
        let decoded = Evidence::decode(&evidence.encode());
        prop_assert_eq!(decoded.as_ref(), Ok(&evidence));
        prop_assert_eq!(decoded.unwrap().bytes(), evidence.bytes());
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_without_a_panic(requests in vec(request(), 0..9), at in any::<Index>(), byte: u8) {
        let mut bytes = of(&requests).encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(evidence) = Evidence::decode(&bytes) {
            prop_assert!(evidence.bytes() <= Evidence::BYTES_MAX);
        }
        prop_assert!(Evidence::decode(&bytes[..at]).is_err());
    }
}

/// Requests with names and values that are all different, as wide and as deep as bodies may be.
fn flood(number: u64) -> Request {
    let word = |number: u64| {
        let letters = (0..6)
            .map(|place| char::from(b'a' + ((number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (place * 9)) % 26) as u8));
        letters.collect::<String>()
    };
    let members: Vec<_> =
        (0..40).map(|member| format!("{:?}:{{\"{}\":[{number}]}}", word(number * 40 + member), word(member))).collect();
    Request {
        hour: 480_000 * Hour::SECONDS,
        supporter: u32::try_from(number).unwrap_or(u32::MAX),
        variable: word(number),
        query: Some(format!("{}={number}&{}=1", word(number + 1_000_000), word(number + 2_000_000))),
        body: Some(format!("{{{}}}", members.join(","))),
    }
}

#[test]
fn a_flood_of_names_stays_within_the_bounds_and_merges_exactly() {
    let requests: Vec<_> = (0..600).map(flood).collect();
    let whole = of(&requests);
    assert!(whole.is_cut());
    assert!(whole.bytes() <= Evidence::BYTES_MAX, "{}", whole.bytes());
    assert!(whole.encode().len() <= Evidence::BYTES_MAX, "{}", whole.encode().len());
    assert_eq!(whole.encode(), merged(&requests, 7).encode());
}
