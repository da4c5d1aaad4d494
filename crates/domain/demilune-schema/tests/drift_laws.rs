//! Laws of comparing documents with traffic: what was learned from traffic does not differ from it, a wider bound refuses
//! no more, enforcement refuses what is told and nothing else, and whatever stands where schemas should be, a comparison comes to an end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use demilune_schema::{
    document::{Descriptions, Document, OperationText, Options},
    drift::{Comparison, Counted, Kind, compare},
    learn::{Evidence, LearnKey, Learned, Profile, Supporter},
    validate::{Content, RequestParts},
};
use demilune_traffic::Hour;
use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const KEY: LearnKey = LearnKey::new(*b"0123456789abcdef");

/// One kind of values, each of which comes often and from many.
#[derive(Clone, Copy, Debug)]
enum Values {
    Integers(u64),
    Far(u64),
    Decimals(u64),
    Booleans,
    Words(u64),
    Texts(u64),
    Dates,
    Digits,
    Mixed,
}

fn values() -> impl Strategy<Value = Values> {
    prop_oneof![
        (1_u64..60).prop_map(Values::Integers),
        (1_u64..40).prop_map(Values::Far),
        (1_u64..40).prop_map(Values::Decimals),
        Just(Values::Booleans),
        (1_u64..30).prop_map(Values::Words),
        (1_u64..20).prop_map(Values::Texts),
        Just(Values::Dates),
        Just(Values::Digits),
        Just(Values::Mixed),
    ]
}

fn value(values: Values, number: u64) -> Value {
    const WORDS: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijkl";
    let prefix = |length: u64| WORDS[..usize::try_from(length).unwrap()].to_owned();
    match values {
        Values::Integers(many) => json!(number % many),
        Values::Far(many) => json!(i64::try_from((number % many) * 1_234_567).unwrap() - 9_000_000),
        Values::Decimals(many) => json!(f64::from(u32::try_from(number % many).unwrap()) + 0.5),
        Values::Booleans => json!(number.is_multiple_of(2)),
        Values::Words(many) => json!(prefix(number % many + 1)),
        Values::Texts(many) => json!(format!("a text {}", prefix(number % many))),
        Values::Dates => json!(format!("2024-01-{:02}", number % 28 + 1)),
        Values::Digits => json!(format!("{:03}", number % 40)),
        Values::Mixed if number.is_multiple_of(3) => json!("some text"),
        Values::Mixed => json!(number % 9),
    }
}

/// What requests look like.
#[derive(Clone, Copy, Debug)]
struct Traffic {
    path: Values,
    query: Values,
    repeated: Values,
    member: Values,
    items: Values,
    /// One in so many has it.
    presence: u64,
    /// One in so many is null.
    nulls: u64,
    requests: u64,
}

prop_compose! {
    fn traffic()(
        path in values(), query in values(), repeated in values(), member in values(), items in values(),
        presence in 1_u64..5, nulls in 1_u64..5, requests in prop_oneof![Just(1_200_u64), Just(11_000)],
    ) -> Traffic {
        Traffic { path, query, repeated, member, items, presence, nulls, requests }
    }
}

/// One request, as it was sent.
struct Request {
    id: String,
    query: String,
    body: String,
}

fn request(traffic: Traffic, number: u64) -> Request {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    let text = |values| value(values, mixed).to_string().trim_matches('"').replace(' ', "+");
    let mut query = format!("r={}&r={}", text(traffic.repeated), text(traffic.repeated));
    let mut body = json!({
        "list": [value(traffic.items, mixed), value(traffic.items, mixed + 1)],
        "either": if mixed.is_multiple_of(traffic.nulls) { Value::Null } else { value(traffic.member, mixed) },
        "map": {(format!("{:032x}", u128::from(number) << 64)): 1},
    });
    if mixed.is_multiple_of(traffic.presence) {
        query = format!("{query}&q={}", text(traffic.query));
        body["deep"] = json!({"member": value(traffic.member, mixed)});
    }
    let id = value(traffic.path, mixed).to_string().trim_matches('"').replace(' ', "%20");
    Request { id, query, body: body.to_string() }
}

/// Evidence of requests of a hundred callers.
fn evidence(traffic: Traffic) -> Evidence {
    let mut evidence = Evidence::new(Arc::default());
    for number in 0..traffic.requests {
        let Request { id, query, body } = request(traffic, number);
        let hour = Hour::of(number * 30 / traffic.requests * Hour::SECONDS);
        let supporter = Supporter(u32::try_from(number * 37 % 101).unwrap() * 40_000_000);
        evidence.observe(&KEY, hour, supporter, &[&id], Some(&query));
        evidence.observe_body(&KEY, hour, supporter, body.as_bytes());
    }
    evidence
}

/// What was learned, as a document says it.
fn learned(evidence: &Evidence) -> OperationText {
    let learned = Learned::of(evidence, &["var1"], Profile::Document).unwrap();
    OperationText {
        variables: vec!["var1".to_owned()],
        parameters: learned.fragment()["parameters"].as_array().unwrap().clone(),
        request_body: learned.request_body().cloned(),
    }
}

/// What would be refused: how many, by place and keyword.
fn tighter(comparison: &Comparison) -> BTreeMap<(String, &'static str), u64> {
    let tighter = comparison.differences.iter().filter(|difference| difference.kind == Kind::Tighter);
    tighter.map(|difference| ((difference.place.clone(), difference.keyword), difference.count)).collect()
}

/// Moves each bound of a schema by so much, outwards if it is above zero.
fn moved(schema: &Value, by: i64) -> Value {
    match schema {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let sign = match name.as_str() {
                    "maximum" | "maxLength" | "maxItems" => 1,
                    "minimum" | "minLength" | "minItems" => -1,
                    _ => return (name.clone(), moved(value, by)),
                };
                (name.clone(), value.as_i64().map_or_else(|| value.clone(), |bound| json!(bound + sign * by)))
            });
            members.collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(|item| moved(item, by)).collect(),
        scalar => scalar.clone(),
    }
}

fn with_bounds_moved(text: &OperationText, by: i64) -> OperationText {
    let parameters = text.parameters.iter().map(|parameter| moved(parameter, by)).collect();
    let request_body = text.request_body.as_ref().map(|body| moved(body, by));
    OperationText { variables: text.variables.clone(), parameters, request_body }
}

/// A schema of values that are no objects, of keywords that are compared.
fn schema() -> impl Strategy<Value = Value> {
    let number = || {
        prop_oneof![(-3_i64..60).prop_map(Value::from), (-3_i32..60).prop_map(|number| json!(f64::from(number) + 0.5))]
    };
    let length = || (0_u64..30).prop_map(Value::from);
    let keywords = (
        prop::option::of(prop::sample::select(vec!["string", "integer", "number", "boolean"]).prop_map(Value::from)),
        prop::option::weighted(0.3, any::<bool>().prop_map(Value::from)),
        prop::option::weighted(0.3, number()),
        prop::option::weighted(0.3, number()),
        prop::option::weighted(0.3, any::<bool>().prop_map(Value::from)),
        prop::option::weighted(0.3, length()),
        prop::option::weighted(0.3, length()),
        prop::option::weighted(0.2, prop::sample::select(vec!["uuid", "date", "int32", "email"]).prop_map(Value::from)),
        prop::option::weighted(
            0.2,
            prop::sample::select(vec![json!(["a", "ab"]), json!(["a", null]), json!([0, 1, 2]), json!([true])]),
        ),
    );
    keywords.prop_map(|(kind, nullable, minimum, maximum, exclusive, shortest, longest, format, list)| {
        let members = [
            ("type", kind),
            ("nullable", nullable),
            ("minimum", minimum),
            ("maximum", maximum),
            ("exclusiveMinimum", exclusive.clone()),
            ("exclusiveMaximum", exclusive),
            ("minLength", shortest),
            ("maxLength", longest),
            ("format", format),
            ("enum", list),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
    })
}

/// An operation whose schemas are of keywords that are compared.
fn operation() -> impl Strategy<Value = Value> {
    let object = (
        prop::collection::vec(schema(), 6),
        prop::option::of(any::<bool>()),
        prop::sample::subsequence(vec!["list", "either", "map", "deep"], 0..4),
        0_u64..4,
        any::<[bool; 3]>(),
    );
    object.prop_map(|(schemas, others, required, items, [is_list, is_required, is_split])| {
        let [path, query, repeated, member, item, deep] = schemas.as_slice() else { unreachable!("there are six") };
        let repeated = if is_list { json!({"type": "array", "items": repeated}) } else { repeated.clone() };
        let properties = json!({
            "list": {"type": "array", "minItems": items, "maxItems": items + 1, "items": item},
            "either": if is_split { json!({"allOf": [member, {"maxLength": 7}]}) } else { member.clone() },
            "deep": {"type": "object", "properties": {"member": deep}},
        });
        let mut body = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            body["required"] = json!(required);
        }
        if let Some(others) = others {
            body["additionalProperties"] = json!(others);
        }
        json!({
            "parameters": [
                {"name": "var1", "in": "path", "required": true, "schema": path},
                {"name": "q", "in": "query", "required": is_required, "schema": query},
                {"name": "r", "in": "query", "schema": repeated},
            ],
            "requestBody": {"content": {"application/json": {"schema": body}}},
            "responses": {"default": {"description": "any"}},
        })
    })
}

/// An operation that restricts one place, of which a request has one value at most.
fn operation_of_one_place() -> impl Strategy<Value = Value> {
    (schema(), 0..4).prop_map(|(schema, place)| {
        let at = |own| if own == place { schema.clone() } else { json!({}) };
        let deep = json!({"properties": {"member": at(3)}});
        json!({
            "parameters": [
                {"name": "var1", "in": "path", "required": true, "schema": at(0)},
                {"name": "q", "in": "query", "schema": at(1)},
                {"name": "r", "in": "query", "schema": {"type": "array"}},
            ],
            "requestBody": {
                "content": {"application/json": {"schema": {"properties": {"either": at(2), "deep": deep}}}},
            },
            "responses": {"default": {"description": "any"}},
        })
    })
}

/// How many of the requests a document with the operation refuses, and how it compares with them.
fn enforced(operation: &Value, traffic: Traffic) -> (u64, Comparison) {
    let document = json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/things/{var1}": {"post": operation}},
    });
    let bytes = document.to_string().into_bytes();
    let read = Document::read(&bytes, &Options::default());
    let enforced = read.document.unwrap_or_else(|| panic!("{:?}", read.problems));
    let text = Descriptions::read(&bytes, &Options::default()).0.unwrap().of(&enforced.operations[0].key).unwrap();
    (refused(&enforced, traffic), compare(&text, &evidence(traffic), &["var1"]))
}

fn refused(document: &Document, traffic: Traffic) -> u64 {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let is_refused = |number: &u64| {
        let Request { id, query, body } = request(traffic, *number);
        let content = Content::Whole(body.as_bytes());
        let parts = RequestParts { variables: &[&id], query: Some(&query), headers: &headers, content };
        !document.operations[0].validator.validate(&parts).violations.is_empty()
    };
    (0..traffic.requests).filter(is_refused).count() as u64
}

/// Any JSON, with names that mean something more often than not.
fn anything() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 40] = [
        "type",
        "nullable",
        "enum",
        "const",
        "format",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "required",
        "properties",
        "additionalProperties",
        "items",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "$ref",
        "readOnly",
        "pattern",
        "patternProperties",
        "content",
        "application/json",
        "schema",
        "name",
        "in",
        "style",
        "explode",
        "allowEmptyValue",
        "list",
        "either",
        "deep",
        "member",
        "map",
        "q",
        "r",
    ];
    const TEXTS: [&str; 12] =
        ["string", "integer", "number", "array", "object", "null", "query", "path", "var1", "q", "uuid", "int32"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        prop::sample::select(&NAMES[..]).prop_map(Value::from),
        ".{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(&NAMES[..]), inner, 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

static EVIDENCE: LazyLock<Evidence> = LazyLock::new(|| {
    evidence(Traffic {
        path: Values::Far(30),
        query: Values::Mixed,
        repeated: Values::Decimals(9),
        member: Values::Words(9),
        items: Values::Integers(40),
        presence: 2,
        nulls: 3,
        requests: 1_200,
    })
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_was_learned_from_traffic_does_not_differ_from_it(traffic in traffic()) {
        let evidence = evidence(traffic);
        let comparison = compare(&learned(&evidence), &evidence, &["var1"]);
        prop_assert_eq!(comparison.differences, vec![], "{:?}", learned(&evidence));
    }

    #[test]
    fn a_wider_bound_refuses_no_more(traffic in traffic(), narrowed in 0_i64..50, widened in 0_i64..50) {
        let evidence = evidence(Traffic { requests: 11_000, ..traffic });
        let narrow = with_bounds_moved(&learned(&evidence), -narrowed);
        let wide = with_bounds_moved(&narrow, widened);
        let narrow = tighter(&compare(&narrow, &evidence, &["var1"]));
        for (place, count) in tighter(&compare(&wide, &evidence, &["var1"])) {
            prop_assert!(narrow.get(&place).is_some_and(|before| *before >= count), "{:?}", place);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is told to be refused is, and what is not told is not, but for what is said not to be compared.
    #[test]
    fn a_comparison_agrees_with_what_enforcement_refuses(traffic in traffic(), operation in operation()) {
        let (refused, comparison) = enforced(&operation, Traffic { requests: 1_000, ..traffic });
        let tighter = || comparison.differences.iter().filter(|difference| difference.kind == Kind::Tighter);
        let is_sure = tighter().any(|difference| difference.counted != Counted::AtMost);
        let is_silent = tighter().next().is_none() && comparison.not_compared.is_empty();
        if is_sure || is_silent {
            prop_assert_eq!(refused > 0, is_sure, "{} {:#?}", operation, comparison);
        }
    }

    #[test]
    fn counts_of_what_enforcement_refuses_are_as_sure_as_they_say(traffic in traffic(), operation in operation_of_one_place()) {
        let (refused, comparison) = enforced(&operation, Traffic { requests: 1_000, ..traffic });
        let tighter = || comparison.differences.iter().filter(|difference| difference.kind == Kind::Tighter);
        let least = tighter().filter(|difference| difference.counted != Counted::AtMost).map(|difference| difference.count);
        prop_assert!(refused >= least.max().unwrap_or(0), "{} of {} {:#?}", refused, operation, comparison);
        if comparison.not_compared.is_empty() && tighter().all(|difference| difference.counted != Counted::AtLeast) {
            let most: u64 = tighter().map(|difference| difference.count).sum();
            prop_assert!(refused <= most, "{} of {} {:#?}", refused, operation, comparison);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_comparison_comes_to_an_end_whatever_the_document(
        variables in prop::collection::vec("var1|id|.{0,2}", 0..3),
        parameters in prop::collection::vec(anything(), 0..4),
        schemas in prop::collection::vec(anything(), 3),
        request_body in prop::option::of(anything()),
    ) {
        let [path, query, body] = schemas.as_slice() else { unreachable!("there are three") };
        let mut well_formed = vec![
            json!({"name": "var1", "in": "path", "schema": path}),
            json!({"name": "q", "in": "query", "schema": query}),
        ];
        well_formed.extend(parameters);
        let body = request_body.unwrap_or_else(|| json!({"content": {"application/json": {"schema": body}}}));
        let text = OperationText { variables, parameters: well_formed, request_body: Some(body) };
        let comparison = compare(&text, &EVIDENCE, &["var1"]);
        prop_assert_eq!(&comparison, &compare(&text, &EVIDENCE, &["var1"]));
        let keys = comparison.differences.iter().map(|difference| (&difference.place, difference.kind, difference.keyword));
        let keys: Vec<_> = keys.collect();
        let ordered: BTreeSet<_> = keys.iter().copied().collect();
        prop_assert_eq!(keys, ordered.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_document_of_very_many_names_is_compared_within_bounds() {
    let names = || (0..20_000).map(|number| format!("name{number}"));
    let properties: Map<_, _> = names().map(|name| (name, json!({"type": "string"}))).collect();
    let parts: Vec<_> = (0..100).map(|_| json!({"additionalProperties": {"type": "string"}})).collect();
    let schema = json!({"properties": properties, "required": names().collect::<Vec<_>>(), "allOf": parts});
    let request_body = Some(json!({"content": {"application/json": {"schema": schema}}}));
    let comparison = compare(&OperationText { request_body, ..OperationText::default() }, &EVIDENCE, &["var1"]);
    assert_eq!(comparison.differences.len(), Comparison::DIFFERENCES_MAX);
    // Each name is unseen and missing; those with digits enough to look like data are not compared.
    assert!(comparison.differences_left_out > 30_000, "{}", comparison.differences_left_out);
}
