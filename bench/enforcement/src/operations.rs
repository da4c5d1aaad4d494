//! Operations of different nature, and what their clients send: as they have done, and as they will.

use std::fmt::Display;

use crate::random::Random;

/// A request, as far as a schema looks at it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What the path variables take.
    pub variables: Vec<String>,
    /// The query.
    pub query: Option<String>,
    /// The JSON body.
    pub body: Option<String>,
}

/// When a request is sent, and by which version of the client.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// From 1 on.
    pub day: u64,
    /// The client has a parameter and a member that it did not have, and writes members in another order.
    pub new_client: bool,
    /// A value that no client had sent is used by now.
    pub new_value: bool,
}

/// An operation and what is sent to it.
pub struct Operation {
    /// Its method and endpoint.
    pub name: &'static str,
    /// A request that its owner would want to be answered.
    pub good: fn(&mut Random, Moment) -> Request,
    /// One that is malformed; none where nothing that fits in a path is.
    pub bad: Option<fn(&mut Random, Moment) -> Request>,
}

/// All of them.
pub const OPERATIONS: [Operation; 13] = [
    Operation {
        name: "GET /users/{id}",
        good: |random, moment| path(growing(random, moment, 100_000)),
        bad: Some(|_, _| path("admin'--")),
    },
    Operation {
        name: "GET /orders/{id}",
        good: |random, _| path(uuid(random)),
        bad: Some(|random, _| path(random.below(1_000))),
    },
    Operation { name: "GET /articles/{slug}", good: |random, moment| path(slug(random, moment)), bad: None },
    Operation {
        name: "GET /search",
        good: search,
        bad: Some(|random, _| query(format!("q=x&page={}", random.of(&["-1'", "1e9x", "..%2f"])))),
    },
    Operation { name: "GET /events", good: events, bad: Some(|_, _| query("created_after=yesterday&limit=10")) },
    Operation { name: "GET /feed", good: feed, bad: Some(|_, _| query("limit=ten")) },
    Operation {
        name: "POST /orders",
        good: order,
        bad: Some(|random, _| {
            body(random.of(&[
                r#"{"items":"none"}"#,
                "[]",
                r#"{"items":[{"sku":7,"quantity":"two"}],"currency":"EUR"}"#,
            ]))
        }),
    },
    Operation {
        name: "PUT /profiles/{id}",
        good: profile,
        bad: Some(|random, _| both(random.below(9_000) + 1, r#"{"name":{"$gt":""},"age":"old"}"#)),
    },
    Operation {
        name: "PATCH /settings",
        good: settings,
        bad: Some(|_, _| body(r#"{"theme":["dark"],"volume":"loud"}"#)),
    },
    Operation { name: "POST /metrics", good: metrics, bad: Some(|_, _| body(r#"{"values":[1,2]}"#)) },
    Operation { name: "POST /comments", good: comment, bad: Some(|_, _| body(r#"{"text":7}"#)) },
    Operation {
        name: "POST /payments",
        good: payment,
        bad: Some(|random, _| body(&format!(r#"{{"amount":-{},"method":"card"}}"#, 1 + random.below(1_000)))),
    },
    Operation {
        name: "DELETE /carts/{id}/items/{sku}",
        good: cart,
        bad: Some(|_, _| Request { variables: vec!["x".to_owned(), "AB-1".to_owned()], ..Request::default() }),
    },
];

fn path(value: impl Display) -> Request {
    Request { variables: vec![value.to_string()], ..Request::default() }
}

fn query(query: impl Into<String>) -> Request {
    Request { query: Some(query.into()), ..Request::default() }
}

fn body(body: &str) -> Request {
    Request { body: Some(body.to_owned()), ..Request::default() }
}

fn both(variable: impl Display, body: &str) -> Request {
    Request { variables: vec![variable.to_string()], body: Some(body.to_owned()), ..Request::default() }
}

/// An id of those that there are by now: the newest are asked for most.
fn growing(random: &mut Random, moment: Moment, start: u64) -> u64 {
    let newest = start + moment.day * start / 20;
    newest - random.skewed(newest / 2) + 1
}

fn uuid(random: &mut Random) -> String {
    let (high, low) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

const WORDS: [&str; 12] =
    ["blue", "river", "night", "glass", "stone", "paper", "winter", "garden", "letter", "silver", "summer", "house"];

fn slug(random: &mut Random, moment: Moment) -> String {
    let number = random.skewed(200 + moment.day * 20);
    let mut own = Random::new(number);
    let words: Vec<_> = (0..2 + own.below(3)).map(|_| own.of(&WORDS)).collect();
    format!("{}-{number}", words.join("-"))
}

/// An additional parameter of the new client, in front of the others.
fn versioned(moment: Moment, rest: &str) -> Request {
    query(if moment.new_client { format!("client=2.1.0&{rest}") } else { rest.to_owned() })
}

fn search(random: &mut Random, moment: Moment) -> Request {
    let language = if moment.new_value && random.one_in(25) { "it" } else { random.of(&["en", "de", "fr", "en"]) };
    let mut rest = format!("q={}+{}&lang={language}", random.of(&WORDS), random.of(&WORDS));
    if random.one_in(3) {
        rest = format!("{rest}&page={}", random.skewed(60));
    }
    versioned(moment, &rest)
}

fn events(random: &mut Random, moment: Moment) -> Request {
    let day = 1 + (moment.day + 5 + random.below(3)) % 28;
    versioned(moment, &format!("created_after=2026-11-{day:02}&limit={}", random.of(&["10", "20", "50", "100"])))
}

fn feed(random: &mut Random, moment: Moment) -> Request {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let length = 12 + random.below(moment.day + 20);
    let cursor: String =
        (0..length).filter_map(|_| letters.chars().nth(usize::try_from(random.below(64)).ok()?)).collect();
    versioned(
        moment,
        &if random.one_in(4) {
            format!("limit={}", 1 + random.below(100))
        } else {
            format!("cursor={cursor}&limit=50")
        },
    )
}

/// Members in one order, or in the other with one more.
fn object(moment: Moment, members: &[String], new: &str) -> String {
    if moment.new_client {
        let members: Vec<_> = members.iter().rev().cloned().chain([new.to_owned()]).collect();
        return format!("{{{}}}", members.join(","));
    }
    format!("{{{}}}", members.join(","))
}

fn order(random: &mut Random, moment: Moment) -> Request {
    let item = |random: &mut Random| {
        let (letters, number) = (random.of(&["AB", "CD", "XY"]), random.below(9_000));
        format!(
            r#"{{"sku":"{letters}-{number}","quantity":{},"price":{}.{:02}}}"#,
            random.skewed(30),
            random.skewed(400 + moment.day * 10),
            random.below(100)
        )
    };
    let items: Vec<_> = (0..random.skewed(8)).map(|_| item(random)).collect();
    let currency = if moment.new_value && random.one_in(25) { "CHF" } else { random.of(&["EUR", "USD", "GBP"]) };
    let mut members = vec![format!(r#""items":[{}]"#, items.join(",")), format!(r#""currency":"{currency}""#)];
    if random.one_in(5) {
        members.push(format!(r#""note":"{}""#, sentence(random, 30 + moment.day)));
    }
    body(&object(moment, &members, r#""source":"app""#))
}

fn sentence(random: &mut Random, most: u64) -> String {
    let words: Vec<_> = (0..random.skewed(most)).map(|_| random.of(&WORDS)).collect();
    words.join(" ")
}

fn profile(random: &mut Random, moment: Moment) -> Request {
    let address = format!(
        r#"{{"city":"{}","zip":"{:05}"}}"#,
        random.of(&["Berlin", "Paris", "Rome", "Oslo", "Bern", "Wien"]),
        random.below(99_999)
    );
    let members = [
        format!(r#""name":"{} {}""#, random.of(&WORDS), random.of(&WORDS)),
        format!(r#""age":{}"#, 16 + random.skewed(80)),
        format!(r#""email":"{}{}@example.com""#, random.of(&WORDS), random.below(10_000)),
        format!(r#""address":{}"#, if random.one_in(9) { "null".to_owned() } else { address }),
    ];
    both(growing(random, moment, 9_000), &object(moment, &members, r#""pronouns":"they""#))
}

fn settings(random: &mut Random, moment: Moment) -> Request {
    let theme = if moment.new_value && random.one_in(25) { "contrast" } else { random.of(&["dark", "light"]) };
    let flags: Vec<_> = (0..random.below(4))
        .map(|place| format!(r#""f{}":{}"#, random.below(900) * 4 + place, random.one_in(2)))
        .collect();
    let members = [
        format!(r#""theme":"{theme}""#),
        format!(r#""volume":{}"#, random.below(101)),
        format!(r#""flags":{{{}}}"#, flags.join(",")),
    ];
    body(&object(moment, &members, r#""locale":"de""#))
}

fn metrics(random: &mut Random, moment: Moment) -> Request {
    let values: Vec<_> = (0..=random.below(5))
        .map(|place| {
            format!(
                r#""host-{}.example":{}.{}"#,
                random.below(100 + moment.day * 10) * 5 + place,
                random.skewed(10_000 * moment.day),
                random.below(10)
            )
        })
        .collect();
    body(&object(moment, &[format!(r#""values":{{{}}}"#, values.join(","))], r#""agent":"2""#))
}

fn comment(random: &mut Random, moment: Moment) -> Request {
    let parent = if random.one_in(2) { "null".to_owned() } else { growing(random, moment, 40_000).to_string() };
    let members = [format!(r#""text":"{}""#, sentence(random, 200 + moment.day * 10)), format!(r#""parent":{parent}"#)];
    body(&object(moment, &members, r#""mentions":[]"#))
}

fn payment(random: &mut Random, moment: Moment) -> Request {
    let method =
        if moment.new_value && random.one_in(25) { "wallet" } else { random.of(&["card", "transfer", "card", "cash"]) };
    let members =
        [format!(r#""amount":{}"#, random.skewed(50_000 + moment.day * 2_000)), format!(r#""method":"{method}""#)];
    body(&object(moment, &members, r#""split":false"#))
}

fn cart(random: &mut Random, moment: Moment) -> Request {
    let sku = format!("{}-{}", random.of(&["AB", "CD", "XY"]), random.below(9_000));
    Request { variables: vec![growing(random, moment, 30_000).to_string(), sku], ..Request::default() }
}
