//! What is learned from requests: examples, what must never be said, and that it accepts what it was learned from.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::cast_possible_truncation, reason = "numbers of test data are small")]

use std::sync::Arc;

use demilune_schema::{
    document::{Document, Options},
    learn::{Evidence, LearnKey, Learned, Profile, Supporter},
    validate::{Content, RequestParts},
};
use demilune_traffic::Hour;
use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;
use serde_json::{Value, json};

const KEY: LearnKey = LearnKey::new(*b"0123456789abcdef");
const FIRST_HOUR: u64 = 490_000;

/// A request to `/things/{id}`.
#[derive(Clone, Debug, Default)]
struct Request {
    id: String,
    query: String,
    body: Option<String>,
}

/// Evidence of so many requests, in equal parts of 100 callers and of the hours.
fn evidence(requests: u64, hours: u64, request: impl Fn(u64) -> Request) -> Evidence {
    let mut evidence = Evidence::new(Arc::default());
    for number in 0..requests {
        let Request { id, query, body } = request(number);
        let hour = Hour::of((FIRST_HOUR + number * hours / requests) * Hour::SECONDS);
        // A step without a common divisor, so that callers do not go along with what the number decides.
        let supporter = Supporter(u32::try_from(number * 37 % 101).unwrap() * 40_000_000);
        evidence.observe(
            &KEY,
            hour,
            supporter,
            &[&id],
            Some(&query).filter(|query| !query.is_empty()).map(String::as_str),
        );
        if let Some(body) = body {
            evidence.observe_body(&KEY, hour, supporter, body.as_bytes());
        }
    }
    evidence
}

fn learned(evidence: &Evidence, profile: Profile) -> Learned {
    Learned::of(evidence, &["var1"], profile).expect("enough requests")
}

/// What is learned of a query parameter `p` with these values.
fn parameter(requests: u64, profile: Profile, value: impl Fn(u64) -> String) -> Value {
    let request = |number| Request { id: "1".to_owned(), query: format!("p={}", value(number)), body: None };
    let learned = learned(&evidence(requests, 170, request), profile);
    learned.fragment()["parameters"][1]["schema"].clone()
}

/// What is learned of a body.
fn body(bodies: u64, body: impl Fn(u64) -> Value) -> Value {
    let request = |number| Request { id: "1".to_owned(), query: String::new(), body: Some(body(number).to_string()) };
    let learned = learned(&evidence(bodies, 48, request), Profile::Document);
    learned.request_body().expect("bodies were learned")["content"]["application/json"]["schema"].clone()
}

/// A random number that follows from the number.
fn random(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[test]
fn parameters_have_the_type_of_their_values() {
    let check = |value: &dyn Fn(u64) -> String, expected: Value| {
        assert_eq!(parameter(2_000, Profile::Document, value), expected);
    };
    check(&|number| number.to_string(), json!({"type": "integer"}));
    check(&|number| (number * 4_000_000).to_string(), json!({"type": "integer", "format": "int64"}));
    check(&|number| format!("{}.5", number % 9), json!({"type": "number"}));
    check(
        &|number| if number % 3 == 0 { "7".to_owned() } else { format!("{}.25", number % 9) },
        json!({"type": "number"}),
    );
    check(&|number| (number % 2 == 0).to_string(), json!({"type": "boolean"}));
    check(&|number| format!("{number:06}"), json!({"type": "string"}));
    check(
        &|number| format!("2024-{:02}-{:02}", number % 12 + 1, number % 28 + 1),
        json!({"type": "string", "format": "date"}),
    );
    check(
        &|number| format!("{:08x}-1234-4321-abcd-0123456789ab", random(number) >> 32),
        json!({"type": "string", "format": "uuid"}),
    );
    check(&|number| format!("user{number}%40example.com"), json!({"type": "string", "format": "email"}));
    check(&|number| format!("word {number}"), json!({"type": "string"}));
}

#[test]
fn bounds_and_lists_of_values_need_ten_thousand_requests() {
    let limit = |number: u64| (random(number) % 100 + 1).to_string();
    assert_eq!(parameter(9_999, Profile::Document, limit), json!({"type": "integer"}));
    assert_eq!(parameter(10_000, Profile::Document, limit), json!({"type": "integer", "minimum": 1, "maximum": 103}));
    let state = |number: u64| ["open", "closed", "all"][(random(number) % 3) as usize].to_owned();
    assert_eq!(parameter(9_999, Profile::Document, state), json!({"type": "string"}));
    assert_eq!(
        parameter(10_000, Profile::Document, state),
        json!({"type": "string", "enum": ["all", "closed", "open"]})
    );
}

#[test]
fn what_may_grow_has_no_maximum() {
    let id = |number: u64| (5_000 + number).to_string();
    assert_eq!(parameter(10_000, Profile::Document, id), json!({"type": "integer", "minimum": 1}));
    let amount = |number: u64| format!("{}.{:02}", random(number) % 500, number % 90 + 10);
    assert_eq!(parameter(10_000, Profile::Document, amount), json!({"type": "number", "minimum": 0}));
}

#[test]
fn enforced_bounds_are_wider_and_enforced_values_need_a_week() {
    let limit = |number: u64| (random(number) % 100 + 1).to_string();
    assert_eq!(parameter(10_000, Profile::Enforce, limit), json!({"type": "integer", "minimum": 1, "maximum": 412}));
    let state = |number: u64| ["open", "closed", "all"][(random(number) % 3) as usize].to_owned();
    let lengths = json!({"type": "string", "minLength": 0, "maxLength": 24});
    let early = parameter(99_999, Profile::Enforce, state);
    assert_eq!((&early["enum"], &early["maxLength"]), (&Value::Null, &lengths["maxLength"]));
    assert_eq!(parameter(100_000, Profile::Enforce, state)["enum"], json!(["all", "closed", "open"]));
    let with_new =
        |number: u64| if number > 80_000 && number.is_multiple_of(40) { "draft".to_owned() } else { state(number) };
    assert_eq!(parameter(100_000, Profile::Enforce, with_new)["enum"], Value::Null);
}

#[test]
fn a_parameter_that_stands_twice_is_a_list() {
    let request = |number: u64| Request { id: "1".to_owned(), query: format!("tag={number}&tag=7"), body: None };
    let learned = learned(&evidence(2_000, 1, request), Profile::Document);
    assert_eq!(learned.fragment()["parameters"][1]["schema"], json!({"type": "array", "items": {"type": "integer"}}));
}

#[test]
fn required_is_what_every_request_has() {
    let request = |number: u64| {
        let query = if number.is_multiple_of(2) { "a=1&b=2" } else { "a=1" };
        Request { id: "x".to_owned(), query: query.to_owned(), body: None }
    };
    let fragment = learned(&evidence(2_000, 1, request), Profile::Document).fragment();
    let required: Vec<_> =
        fragment["parameters"].as_array().unwrap().iter().map(|parameter| &parameter["required"]).collect();
    assert_eq!(required, [true, true, false]);
    assert_eq!(fragment["responses"], Value::Null);
}

#[test]
fn bodies_are_learned_to_their_leaves() {
    let schema = body(2_000, |number| {
        let mut order = json!({
            "id": number,
            "note": if number % 3 == 0 { Value::Null } else { json!("for you") },
            "lines": [{"sku": format!("A {number}"), "count": number % 5}],
            "mixed": if number % 2 == 0 { json!(1) } else { json!("one") },
        });
        if number % 4 == 0 {
            order["gift"] = json!(true);
        }
        order
    });
    let expected = json!({
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "note": {"type": "string", "nullable": true},
            "lines": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"sku": {"type": "string"}, "count": {"type": "integer"}},
                    "required": ["count", "sku"],
                },
            },
            "mixed": {},
            "gift": {"type": "boolean"},
        },
        "required": ["id", "lines", "mixed", "note"],
    });
    assert_eq!(schema, expected);
}

#[test]
fn a_list_of_values_lets_null_through_where_it_was_sent() {
    let state = |number: u64| match random(number) % 3 {
        0 => Value::Null,
        1 => json!("open"),
        _ => json!("closed"),
    };
    let request = |number: u64| Request {
        id: "1".to_owned(),
        query: String::new(),
        body: Some(json!({"state": state(number)}).to_string()),
    };
    let learned = learned(&evidence(10_000, 48, request), Profile::Document);
    let schema = &learned.request_body().unwrap()["content"]["application/json"]["schema"]["properties"]["state"];
    assert_eq!(schema, &json!({"type": "string", "nullable": true, "enum": ["closed", "open", null]}));
    let requests: Vec<_> = (0..100).map(request).collect();
    assert_eq!(refused(&learned, &requests), 0);
}

#[test]
fn objects_whose_names_are_data_are_maps() {
    let words = |number: u64| {
        let letters = (0..5).map(|place| char::from(b'a' + u8::try_from((number >> (place * 3)) % 8).unwrap()));
        letters.collect::<String>()
    };
    let by_word = body(5_000, |number| json!({"by": {(words(random(number) % 300)): 1}, "kind": "x"}));
    assert_eq!(by_word["properties"]["by"], json!({"type": "object", "additionalProperties": true}));
    let by_id = body(5_000, |number| json!({"by": {(format!("{:032x}", random(number))): 1}}));
    assert_eq!(by_id["properties"]["by"], json!({"type": "object", "additionalProperties": true}));
}

#[test]
fn nothing_is_learned_from_less_than_a_thousand_requests() {
    let few = evidence(999, 1, |_| Request { id: "1".to_owned(), ..Request::default() });
    assert_eq!(Learned::of(&few, &["var1"], Profile::Document), None);
}

/// Secrets that four callers sent, as often as they could, in every place.
#[test]
fn what_fewer_than_five_callers_sent_is_nowhere_in_an_answer() {
    const PLANTED: [&str; 7] = [
        "ada@example.com",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "4111111111111111",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "plantedword",
        "31337",
        "987654321",
    ];
    let mut evidence = evidence(20_000, 170, |number| Request {
        id: (number % 50).to_string(),
        query: format!("state={}&limit={}", ["on", "off"][(random(number) % 2) as usize], random(number) % 100),
        body: Some(
            json!({"kind": (["a", "b"][(random(number) % 2) as usize]), "size": random(number) % 90}).to_string(),
        ),
    });
    for caller in 0..4 {
        for secret in PLANTED.iter().cycle().take(3_000) {
            let encoded = secret.replace('@', "%40");
            let query = format!("state={encoded}&limit={encoded}&{encoded}=1&note={encoded}");
            let supporter = Supporter(caller);
            let hour = Hour::of(FIRST_HOUR * Hour::SECONDS);
            evidence.observe(&KEY, hour, supporter, &[&encoded], Some(&query));
            let number: Value = secret.parse::<u64>().map_or(Value::Null, Value::from);
            let body = json!({"kind": secret, "size": number, (*secret): secret, "list": [secret], "deep": {(*secret): secret}});
            evidence.observe_body(&KEY, hour, supporter, body.to_string().as_bytes());
        }
    }
    for profile in [Profile::Document, Profile::Enforce] {
        let learned = learned(&evidence, profile);
        let said = format!("{} {:?} {}", learned.fragment(), learned.request_body(), learned.explanation());
        for secret in PLANTED {
            assert!(!said.contains(secret), "{secret} is in {said}");
        }
        assert!(!said.contains("note") && !said.contains("\"list\"") && !said.contains("deep"), "{said}");
    }
    // Secrets that look like secrets are not even kept.
    let stored = evidence.encode();
    for secret in &PLANTED[..4] {
        assert!(!stored.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is stored");
    }
}

#[test]
fn every_keyword_is_explained() {
    let limit =
        |number: u64| Request { id: "1".to_owned(), query: format!("p={}", random(number) % 100 + 1), body: None };
    let learned = learned(&evidence(10_000, 170, limit), Profile::Document);
    let explained = &learned.explanation()["parameters"][1];
    let keywords: Vec<_> =
        explained["keywords"].as_array().unwrap().iter().map(|keyword| keyword["keyword"].clone()).collect();
    assert_eq!(keywords, ["minimum", "maximum", "type", "required"]);
    assert_eq!((&explained["place"], &explained["requests"]), (&json!("/query/p"), &json!(10_000)));
    assert_eq!(explained["first_seen"], json!("2025-11-24T16:00:00.000000Z"));
}

/// One kind of values of a parameter or member.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Integers(u32),
    Decimals(u32),
    Words(u32),
    Dates,
    Mixed(u32),
    /// Mostly one thing, and one in so many another.
    Rarely(u32),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (1_u32..40).prop_map(Kind::Integers),
        (1_u32..30).prop_map(Kind::Decimals),
        (1_u32..40).prop_map(Kind::Words),
        Just(Kind::Dates),
        (2_u32..9).prop_map(Kind::Mixed),
        (2_u32..20_000).prop_map(Kind::Rarely),
    ]
}

fn value(kind: Kind, number: u64) -> String {
    let random = random(number);
    match kind {
        Kind::Integers(bits) => (random % (1 << bits)).to_string(),
        Kind::Decimals(bits) => format!("{}.{}", random % (1 << bits), random % 10),
        Kind::Words(words) => format!(
            "w{}",
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop".get(..(random % u64::from(words)) as usize + 1).unwrap()
        ),
        Kind::Dates => format!("20{:02}-0{}-1{}", random % 90 + 10, random % 9 + 1, random % 9),
        Kind::Mixed(kinds) => match random % u64::from(kinds) {
            0 => String::new(),
            1 => number.to_string(),
            2 => "true".to_owned(),
            3 => format!("00{number}"),
            _ => format!("{number} things"),
        },
        Kind::Rarely(rarely) if random.is_multiple_of(u64::from(rarely)) => "else".to_owned(),
        Kind::Rarely(_) => (random % 50).to_string(),
    }
}

/// The share of requests, in millionths, that a schema refuses, of those it was learned from.
fn refused(learned: &Learned, requests: &[Request]) -> u64 {
    let mut operation =
        json!({"parameters": learned.fragment()["parameters"], "responses": {"default": {"description": "any"}}});
    if let Some(body) = learned.request_body() {
        operation["requestBody"] = body.clone();
    }
    let document = json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/things/{var1}": {"post": operation}},
    });
    let read = Document::read(document.to_string().as_bytes(), &Options::default());
    assert_eq!(read.problems, [], "{document}");
    let document = read.document.unwrap();
    let validator = &document.operations[0].validator;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let is_refused = |request: &&Request| {
        let content = request.body.as_ref().map_or(Content::None, |body| Content::Whole(body.as_bytes()));
        let parts = RequestParts {
            variables: &[&request.id],
            query: Some(&request.query).filter(|query| !query.is_empty()).map(String::as_str),
            headers: &headers,
            content,
        };
        !validator.validate(&parts).violations.is_empty()
    };
    requests.iter().filter(is_refused).count() as u64 * 1_000_000 / requests.len() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_schema_accepts_what_it_was_learned_from(path in kind(), query in kind(), member in kind(), seed in 0_u64..1 << 40) {
        let request = |number: u64| {
            let number = number + seed;
            let id = Some(value(path, number)).filter(|id| !id.is_empty()).unwrap_or_else(|| "x".to_owned());
            let text = value(member, number);
            let member = if number.is_multiple_of(2) { text.parse::<f64>().map_or(json!(text), |number| json!(number)) } else { json!(text) };
            let encoded = |text: String| text.replace(' ', "%20");
            Request {
                id: encoded(id),
                query: encoded(format!("q={}", value(query, number))),
                body: Some(json!({"text": text, "member": member, "whole": number}).to_string()),
            }
        };
        let requests: Vec<_> = (0..12_000).map(request).collect();
        let evidence = evidence(12_000, 170, |number| requests[usize::try_from(number).unwrap()].clone());
        // There are three parameters and members with an end on each side.
        prop_assert!(refused(&learned(&evidence, Profile::Document), &requests) <= 4_000);
        prop_assert!(refused(&learned(&evidence, Profile::Enforce), &requests) <= 400);
    }
}
