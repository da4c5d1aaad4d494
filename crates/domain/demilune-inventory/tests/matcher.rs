//! The matcher against a scan of all templates, which follows the rules word for word.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{cmp::Ordering, ops::Range};

use demilune_inventory::{
    Endpoint, Host, HostTable, Match, Matcher, MatcherOptions, Method, NormalizedPath, OperationKey, Variables,
    endpoint_fits, host_fits, hosts_overlap,
};
use proptest::{
    collection::{btree_set, vec},
    prelude::*,
    sample::{Index, select},
};

/// A piece of a template's segment.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Variable,
}

/// The parts of a canonical segment, or of a label.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for piece in text.split_inclusive('}') {
        let (literal, variable) = piece.split_once('{').map_or((piece, false), |(literal, _)| (literal, true));
        if !literal.is_empty() {
            parts.push(Part::Text(literal.to_owned()));
        }
        if variable {
            parts.push(Part::Variable);
        }
    }
    parts
}

/// Tries every way to spread a segment over parts, shortest text first: what the variables take.
fn spread(parts: &[Part], text: &str) -> Option<Vec<usize>> {
    match parts {
        [] => text.is_empty().then(Vec::new),
        [Part::Text(literal), rest @ ..] => spread(rest, text.strip_prefix(literal.as_str())?),
        [Part::Variable, rest @ ..] => (1..=text.len()).find_map(|length| {
            let mut lengths = spread(rest, &text[length..])?;
            lengths.insert(0, length);
            Some(lengths)
        }),
    }
}

/// What the variables of an endpoint take of a path, as far as it fits.
fn taken(endpoint: &Endpoint, path: &str) -> Option<Vec<Range<usize>>> {
    let (wanted, given): (Vec<_>, Vec<_>) = (endpoint.as_str().split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut ranges = Vec::new();
    let mut start = 0;
    for (wanted, given) in wanted.into_iter().zip(given) {
        let parts = parts(wanted);
        let mut lengths = spread(&parts, given)?.into_iter();
        let mut place = start;
        for part in &parts {
            let length = match part {
                Part::Text(text) => text.len(),
                Part::Variable => lengths.next().unwrap(),
            };
            if *part == Part::Variable {
                ranges.push(place..place + length);
            }
            place += length;
        }
        start += given.len() + 1;
    }
    Some(ranges)
}

fn naive_host_fits(host: &Host, live: &str) -> bool {
    let (wanted, given): (Vec<_>, Vec<_>) = (host.as_str().split('.').collect(), live.split('.').collect());
    let fits =
        |(wanted, given): (&&str, &&str)| if wanted.starts_with('{') { !given.is_empty() } else { wanted == given };
    wanted.len() == given.len() && wanted.iter().zip(&given).all(fits)
}

/// The preferred one of two hosts that fit the same live host.
fn compare_hosts(a: &Host, b: &Host) -> Ordering {
    let variables = |host: &Host| host.as_str().split('.').map(|label| label.starts_with('{')).collect::<Vec<_>>();
    let literal = |host: &Host| variables(host).iter().filter(|variable| !**variable).count();
    literal(b).cmp(&literal(a)).then_with(|| variables(a).cmp(&variables(b)))
}

/// The preferred one of two endpoints that fit the same path.
fn compare_endpoints(a: &Endpoint, b: &Endpoint) -> Ordering {
    let segments = a.as_str().split('/').zip(b.as_str().split('/'));
    segments.map(|(a, b)| compare_segments(a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn compare_segments(a: &str, b: &str) -> Ordering {
    let class = |text: &str| match parts(text).as_slice() {
        [] | [Part::Text(_)] => 0,
        [Part::Variable] => 2,
        _ => 1,
    };
    let texts = |text: &str| -> usize {
        parts(text).iter().map(|part| if let Part::Text(text) = part { text.len() } else { 0 }).sum()
    };
    let leading = |text: &str| if let Some(Part::Text(text)) = parts(text).first() { text.len() } else { 0 };
    let leftmost = || leading(b).cmp(&leading(a));
    class(a).cmp(&class(b)).then_with(|| texts(b).cmp(&texts(a))).then_with(leftmost).then_with(|| a.cmp(b))
}

/// The operation with this method that is preferred of all that fit.
fn scan_own(operations: &[OperationKey], method: Method, host: &str, path: &str) -> Option<usize> {
    let fits = |operation: &OperationKey| {
        operation.method == method
            && naive_host_fits(&operation.host, host)
            && taken(&operation.endpoint, path).is_some()
    };
    let fitting = (0..operations.len()).filter(|index| fits(&operations[*index]));
    fitting.min_by(|a, b| {
        let (a, b) = (&operations[*a], &operations[*b]);
        compare_hosts(&a.host, &b.host).then_with(|| compare_endpoints(&a.endpoint, &b.endpoint))
    })
}

fn scan(
    operations: &[OperationKey],
    options: MatcherOptions,
    method: Option<Method>,
    host: &str,
    path: &str,
) -> Option<(Match, Vec<Range<usize>>)> {
    let own = scan_own(operations, method?, host, path).map(|index| (index, false));
    let get = || scan_own(operations, Method::Get, host, path).map(|index| (index, true));
    let head_as_get = method == Some(Method::Head) && options.head_as_get;
    let (index, head_as_get) = own.or_else(|| if head_as_get { get() } else { None })?;
    let ranges = taken(&operations[index].endpoint, path).unwrap();
    Some((Match { operation: index.try_into().unwrap(), head_as_get }, ranges))
}

fn template_segment() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => select(vec!["a", "b", "ab", "a-long-text-that-is-not-kept-inline"]),
        4 => Just("{x}"),
        2 => select(vec!["a{x}", "{x}a", "ab{x}", "{x}b", "a{x}b", "b{x}a", "{x}a{y}", "a{x}b{y}", "{x}-{y}", "{x}ab{y}a"]),
    ]
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    (vec(template_segment(), 0..5), any::<bool>()).prop_map(|(segments, slash)| {
        let slash = if slash && !segments.is_empty() { "/" } else { "" };
        format!("/{}{slash}", segments.join("/")).parse().unwrap()
    })
}

fn host() -> impl Strategy<Value = Host> {
    vec(select(vec!["a", "b", "{x}"]), 1..4).prop_map(|labels| labels.join(".").parse().unwrap())
}

fn live_host() -> impl Strategy<Value = String> {
    vec(select(vec!["a", "b", "c"]), 1..4).prop_map(|labels| labels.join("."))
}

fn method() -> impl Strategy<Value = Method> {
    select(vec![Method::Get, Method::Head, Method::Put])
}

fn live_segment() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(vec!["a", "b", "ab", "a-long-text-that-is-not-kept-inline", "a-long-text-that-is-no-template"]).prop_map(str::to_owned),
        2 => "[ab-]{1,5}",
    ]
}

fn live_path() -> impl Strategy<Value = String> {
    (vec(live_segment(), 0..5), any::<bool>()).prop_map(|(segments, slash)| {
        let slash = if slash && !segments.is_empty() { "/" } else { "" };
        format!("/{}{slash}", segments.join("/"))
    })
}

prop_compose! {
    fn operation()(method in method(), host in host(), endpoint in endpoint()) -> OperationKey {
        OperationKey { host, endpoint, method }
    }
}

fn operations() -> impl Strategy<Value = Vec<OperationKey>> {
    btree_set(operation(), 0..40).prop_map(|set| set.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

/// Requests that have a chance: an operation's own host and endpoint, with variables filled, or anything.
fn request(operations: &[OperationKey], index: Index, fill: &str, live: (String, String)) -> (String, String) {
    if operations.is_empty() || fill.is_empty() {
        return live;
    }
    let operation = index.get(operations);
    let filled = |text: &str| {
        let parts = parts(text);
        parts.iter().map(|part| if let Part::Text(text) = part { text.as_str() } else { fill }).collect::<String>()
    };
    let host: Vec<_> = operation.host.as_str().split('.').map(filled).collect();
    let path: Vec<_> = operation.endpoint.as_str().split('/').map(filled).collect();
    (host.join(".").replace('-', "c"), path.join("/"))
}

fn find(
    matcher: &Matcher,
    method: Option<Method>,
    host: &str,
    path: &str,
    variables: &mut Variables,
) -> Option<(Match, Vec<Range<usize>>)> {
    let path = NormalizedPath::from_live(path.as_bytes()).unwrap();
    let found = matcher.find(method, host, &path, variables);
    assert!(variables.visits() <= matcher.visits_max(), "{} of {}", variables.visits(), matcher.visits_max());
    if found.is_none() {
        assert!(variables.is_empty());
    }
    found.map(|found| (found, variables.iter().collect()))
}

/// The endpoint with its variables replaced by what they took.
fn rebuilt(endpoint: &Endpoint, path: &str, ranges: &[Range<usize>]) -> String {
    let mut text = endpoint.as_str().to_owned();
    for (number, range) in (1..).zip(ranges) {
        text = text.replacen(&format!("{{var{number}}}"), &path[range.clone()], 1);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_matcher_agrees_with_a_scan(
        operations in operations(), head_as_get in any::<bool>(),
        requests in vec((method(), any::<Index>(), "[ab-]{0,4}", (live_host(), live_path())), 1..12),
    ) {
        let options = MatcherOptions { head_as_get };
        let matcher = Matcher::build(&operations, options);
        let mut variables = Variables::default();
        for (method, index, fill, live) in requests {
            let (host, path) = request(&operations, index, &fill, live);
            let expected = scan(&operations, options, Some(method), &host, &path);
            let found = find(&matcher, Some(method), &host, &path, &mut variables);
            prop_assert_eq!(&found, &expected, "{} {} {}", method, host, path);
            if let Some((found, ranges)) = found {
                let endpoint = &operations[found.operation as usize].endpoint;
                prop_assert_eq!(rebuilt(endpoint, &path, &ranges), path);
            }
        }
    }

    #[test]
    fn many_templates_of_few_words_agree_with_a_scan(
        endpoints in btree_set((vec(select(vec!["a", "b", "{x}", "a{x}"]), 6), select(vec!["h.i", "{x}.i", "h.{x}"])), 40..120),
        requests in vec((vec(select(vec!["a", "b", "c", "ab"]), 6), method()), 20),
        heads in vec(any::<bool>(), 120),
    ) {
        let key = |((segments, host), head): (&(Vec<&str>, &str), &bool)| OperationKey {
            host: host.parse().unwrap(),
            endpoint: format!("/{}", segments.join("/")).parse().unwrap(),
            method: if *head { Method::Head } else { Method::Get },
        };
        let operations: Vec<_> = endpoints.iter().zip(&heads).map(key).collect();
        let matcher = Matcher::build(&operations, MatcherOptions::default());
        let mut variables = Variables::default();
        for (path, method) in requests {
            let path = format!("/{}", path.join("/"));
            let expected = scan(&operations, MatcherOptions::default(), Some(method), "h.i", &path);
            prop_assert_eq!(find(&matcher, Some(method), "h.i", &path, &mut variables), expected, "{}", path);
        }
    }

    #[test]
    fn the_order_of_insertion_does_not_matter(
        (operations, shuffled) in operations().prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle())),
        requests in vec((method(), any::<Index>(), "[ab-]{0,4}", (live_host(), live_path())), 1..12),
    ) {
        let [one, other] = [&operations, &shuffled].map(|list| Matcher::build(list, MatcherOptions::default()));
        let mut variables = Variables::default();
        for (method, index, fill, live) in requests {
            let (host, path) = request(&operations, index, &fill, live);
            let [one, other] = [(&one, &operations), (&other, &shuffled)].map(|(matcher, list)| {
                let found = find(matcher, Some(method), &host, &path, &mut variables);
                found.map(|(found, ranges)| (&list[found.operation as usize], found.head_as_get, ranges))
            });
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn an_unknown_method_fits_nothing(operations in operations(), host in live_host(), path in live_path()) {
        let matcher = Matcher::build(&operations, MatcherOptions::default());
        prop_assert_eq!(find(&matcher, None, &host, &path, &mut Variables::default()), None);
    }

    #[test]
    fn one_template_fits_what_its_parts_can_be_spread_over(endpoint in endpoint(), path in live_path()) {
        let live = NormalizedPath::from_live(path.as_bytes()).unwrap();
        prop_assert_eq!(endpoint_fits(&endpoint, &live), taken(&endpoint, &path).is_some(), "{} {}", endpoint, path);
    }

    #[test]
    fn a_host_table_agrees_with_a_scan(hosts in btree_set(host(), 0..20), live in live_host()) {
        let mut expected: Vec<_> = hosts.iter().filter(|host| naive_host_fits(host, &live)).collect();
        expected.sort_by(|a, b| compare_hosts(a, b));
        let table = HostTable::build(hosts.iter().map(|host| (host.clone(), host)));
        prop_assert_eq!(table.find(&live), expected.first());
        prop_assert_eq!(table.matches(&live).copied().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn patterns_overlap_when_a_host_fits_both(a in host(), b in host()) {
        let letters = ["a", "b", "c"];
        let mut all: Vec<String> = Vec::new();
        for length in 1..4 {
            let mut hosts = vec![String::new()];
            for _ in 0..length {
                hosts = hosts.iter().flat_map(|host| letters.map(|label| format!("{host}.{label}"))).collect();
            }
            all.extend(hosts.iter().map(|host| host[1..].to_owned()));
        }
        let both = all.iter().any(|live| naive_host_fits(&a, live) && naive_host_fits(&b, live));
        prop_assert_eq!(hosts_overlap(&a, &b), both);
        prop_assert!(all.iter().all(|live| host_fits(&a, live) == naive_host_fits(&a, live)));
    }
}

/// The lists of `bench/data`.
const LISTS: [(&str, &str); 4] = [
    ("adversarial", include_str!("../../../../bench/data/routes-adversarial.txt")),
    ("cloudflare", include_str!("../../../../bench/data/routes-cloudflare.txt")),
    ("github", include_str!("../../../../bench/data/routes-github.txt")),
    ("stripe", include_str!("../../../../bench/data/routes-stripe.txt")),
];

/// The routes of a list, on one host unless a line names another.
fn routes(text: &str) -> Vec<OperationKey> {
    let key = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        let (host, path) = if let [_, host, path] = words[..] { (host, path) } else { ("h", words[1]) };
        OperationKey { host: host.parse().unwrap(), endpoint: path.parse().unwrap(), method: words[0].parse().unwrap() }
    };
    text.lines().map(key).collect()
}

#[test]
fn real_routes_are_all_found_by_their_own_paths() {
    for (name, text) in LISTS {
        let operations = routes(text);
        let matcher = Matcher::build(&operations, MatcherOptions::default());
        let mut variables = Variables::default();
        for (index, operation) in operations.iter().enumerate() {
            // Braces are encoded in live paths, so they are taken away.
            let path = operation.endpoint.as_str().replace(['{', '}'], "_");
            let found = find(&matcher, Some(operation.method), "h", &path, &mut variables);
            let (found, ranges) = found.unwrap_or_else(|| panic!("{name}: {path}"));
            assert_eq!(found.operation as usize, index, "{name}: {path}");
            assert_eq!(rebuilt(&operation.endpoint, &path, &ranges), path);
        }
    }
}

#[test]
fn no_miss_among_mixes_of_text_and_variables_goes_the_same_way_twice() {
    let matcher = Matcher::build(&routes(LISTS[0].1), MatcherOptions::default());
    assert_eq!(matcher.visits_max(), 14);
    let mut variables = Variables::default();
    for bits in 0..1 << 12 {
        let segment = |place: u32| if bits >> place & 1 == 1 { "/a" } else { "/b" };
        let path: String = (0..12).map(segment).collect();
        for (end, method) in [("/no", Method::Get), ("/end", Method::Put), ("/end/", Method::Get), ("", Method::Get)] {
            let path = format!("{path}{end}");
            assert_eq!(find(&matcher, Some(method), "h", &path, &mut variables), None, "{path}");
        }
    }
}

#[test]
fn a_head_request_goes_each_way_once_for_head_and_once_for_get() {
    let get = routes(LISTS[0].1);
    let head = get.iter().map(|key| OperationKey { method: Method::Head, ..key.clone() });
    let both: Vec<_> = get.iter().cloned().chain(head).collect();
    let matcher = Matcher::build(&both, MatcherOptions::default());
    assert_eq!(matcher.visits_max(), 28);
    let mut variables = Variables::default();
    let path = format!("{}/no", "/a".repeat(12));
    assert_eq!(find(&matcher, Some(Method::Head), "h", &path, &mut variables), None);
    assert_eq!(variables.visits(), 26);
}

#[test]
fn a_path_of_thousands_of_segments_is_found_and_missed() {
    let many = "/{x}".repeat(400);
    let key = OperationKey { host: "h".parse().unwrap(), endpoint: many.parse().unwrap(), method: Method::Get };
    let matcher = Matcher::build([&key], MatcherOptions::default());
    let mut variables = Variables::default();
    assert!(find(&matcher, Some(Method::Get), "h", &"/x".repeat(400), &mut variables).is_some());
    assert_eq!(variables.len(), 400);
    assert_eq!(variables.get(1), Some(3..4));
    assert_eq!(find(&matcher, Some(Method::Get), "h", &"/x".repeat(100_000), &mut variables), None);
}
