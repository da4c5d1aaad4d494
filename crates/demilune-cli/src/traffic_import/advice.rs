//! Sentences about a log that nothing, or not all, can be learned from: what is missing, and the line to add.

use std::{collections::BTreeSet, fmt::Write as _};

use demilune_control::manage::{SessionIdentifierView, TrafficRulesView};
use demilune_discovery::DiscoveryOptions;
use demilune_inventory::Host;

use super::{Broken, Counts, SessionBy};
use crate::traffic_log::Format;

/// What to do about a file whose format cannot be told.
pub(crate) const UNKNOWN_FORMAT: &str = "its format cannot be told: name it with --format har, clf or jsonl, or give \
    what nginx wrote it with by --log-format";
/// Most hosts that a sentence names.
const HOSTS_MAX: usize = 5;

/// What was seen in all files.
pub(crate) struct Hints<'h> {
    pub(crate) rules: &'h TrafficRulesView,
    pub(crate) session_by: Option<&'h SessionBy>,
    /// The host that was given.
    pub(crate) host: Option<&'h Host>,
    pub(crate) format: &'h Format,
    pub(crate) counts: &'h Counts,
    pub(crate) broken: Option<&'h Broken>,
    pub(crate) other_hosts: &'h BTreeSet<String>,
    pub(crate) unmatched: Option<&'h str>,
}

/// Why nothing of the files can be used, and what to do; none if something can.
pub(crate) fn nothing_usable(hints: &Hints<'_>) -> Option<String> {
    let Counts { lines, broken, with_host, to_the_zone, too_old, matched, for_discovery, .. } = *hints.counts;
    let ours = hosts(hints);
    let sentence = if lines == broken {
        let first = hints.broken.map_or_else(String::new, |first| format!(" ({}: {})", first.place, first.reason));
        format!(
            "no record can be read as {}{first}: name what it is with --format har, clf or jsonl, or what nginx wrote \
             it with by --log-format",
            hints.format.name()
        )
    } else if with_host == 0 {
        format!("no record names a host: name it with --host, or log it{}", logging(hints, true))
    } else if ours.is_empty() {
        format!(
            "the zone has neither operations nor origins, by which it would own the log's hosts ({}): name its host with \
             --host, or add an origin with `demilune origin set --host HOST URL`",
            join(hints.other_hosts.iter().map(String::as_str))
        )
    } else if to_the_zone == 0 {
        format!(
            "the log is about other hosts ({}) than the zone's ({}): name another zone with --zone, or with --host a \
             host that is the zone's too",
            join(hints.other_hosts.iter().map(String::as_str)),
            join(ours.into_iter())
        )
    } else if hints.counts.usable() == 0 {
        let age = if too_old > 0 { "over a week ago" } else { "in the future" };
        format!("the log's requests are {age}, and thresholds are made of the last week: import newer ones")
    } else if matched == 0 && for_discovery == 0 {
        format!(
            "no request matches an operation of the zone (the first: {}), and operations are discovered only by those \
             that are answered with 2xx and no page or file: add operations with `demilune import FILE`, which reads an \
             OpenAPI document",
            hints.unmatched.unwrap_or_default()
        )
    } else if let Some(field) = hints.session_by.filter(|_| hints.counts.without_session()) {
        format!(
            "no request has a session by {:?}: leave --session out, or log it{}",
            field.as_str(),
            logging(hints, false)
        )
    } else {
        return None;
    };
    Some(sentence)
}

/// What the files that can be used cannot be used for, and what to do.
pub(crate) fn remark(hints: &Hints<'_>) -> Option<String> {
    no_session(hints).or_else(|| no_caller(hints))
}

/// That thresholds need sessions, where what can be used has none.
fn no_session(hints: &Hints<'_>) -> Option<String> {
    if hints.counts.with_session > 0 || hints.counts.matched == 0 {
        return None;
    }
    if hints.rules.session_identifiers.is_empty() && hints.session_by.is_none() {
        return Some(
            "no request has a session, and thresholds need them: set the zone's session identifiers, or tell \
             sessions apart with --session, as in --session remote_addr"
                .to_owned(),
        );
    }
    Some(format!(
        "no request has a session, and thresholds need them: tell sessions apart with --session, as in --session \
         remote_addr, or log what the zone tells them apart by{}",
        logging(hints, false)
    ))
}

/// That discovery needs to tell callers apart, where nothing says who sent what could be discovered.
fn no_caller(hints: &Hints<'_>) -> Option<String> {
    if hints.counts.for_discovery == 0 || hints.counts.discovery_with_caller > 0 {
        return None;
    }
    Some(format!(
        "no request without an operation tells who sent it, and operations are discovered by what {} callers do or what \
         has a session: log the client's address or a session{}",
        DiscoveryOptions::default().callers_min,
        logging(hints, false)
    ))
}

/// The zone's hosts.
fn hosts<'h>(hints: &Hints<'h>) -> BTreeSet<&'h str> {
    let of_operations = hints.rules.operations.iter().map(|operation| operation.host.as_str());
    let of_origins = hints.rules.origin_hosts.iter().map(String::as_str);
    of_operations.chain(of_origins).chain(hints.host.map(Host::as_str)).collect()
}

/// How to log what is missing, by what the log is written in.
fn logging(hints: &Hints<'_>, host: bool) -> String {
    match hints.format {
        Format::Har => ", which browsers leave out of HAR files unless they are told to keep sensitive data".to_owned(),
        Format::Clf | Format::Lines(_) => {
            format!(", in nginx with\n  log_format demilune '{}';\nand give --log-format the same", nginx(hints))
        }
        Format::JsonLines if host => ", as \"host\"".to_owned(),
        Format::JsonLines => json(hints),
    }
}

/// A format string with all that is wanted.
fn nginx(hints: &Hints<'_>) -> String {
    let mut format = r#"$msec $remote_addr $http_host "$request" $status $body_bytes_sent $request_time"#.to_owned();
    for SessionIdentifierView { kind, name } in identifiers(hints) {
        // Writing to a string does not fail.
        let _ = match kind.as_str() {
            "cookie" => write!(format, " \"$cookie_{name}\""),
            _ => write!(format, " \"$http_{}\"", name.to_ascii_lowercase().replace('-', "_")),
        };
    }
    format
}

fn json(hints: &Hints<'_>) -> String {
    let identifiers = identifiers(hints);
    let header = identifiers.iter().find(|identifier| identifier.kind == "header");
    let name = header.map_or("Cookie", |header| header.name.as_str());
    let label = name.to_ascii_lowercase().replace('-', "_");
    format!(
        ": Caddy logs Cookie and Authorization with log_credentials in its servers options, Traefik a field with \
         --accesslog.fields.headers.names.{name}=keep, Envoy with {label}: \"%REQ({})%\" in json_format, and our own \
         form has request_headers",
        name.to_ascii_uppercase()
    )
}

fn identifiers(hints: &Hints<'_>) -> Vec<SessionIdentifierView> {
    if let Some(identifier) = hints.session_by.and_then(SessionBy::identifier) {
        return vec![SessionIdentifierView::from(identifier)];
    }
    let usual = || SessionIdentifierView { kind: "header".to_owned(), name: "Authorization".to_owned() };
    let configured = &hints.rules.session_identifiers;
    if configured.is_empty() { vec![usual()] } else { configured.clone() }
}

fn join<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.take(HOSTS_MAX).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic_import::recognizer::tests::rules;

    /// Checks what is said about nothing usable and about sessions; an empty text stands for nothing.
    #[track_caller]
    fn check(format: &Format, session_by: Option<&str>, counts: Counts, nothing: &str, remarked: &str) {
        check_of(&rules(), format, session_by, counts, nothing, remarked);
    }

    #[track_caller]
    fn check_of(
        rules: &TrafficRulesView,
        format: &Format,
        session_by: Option<&str>,
        counts: Counts,
        nothing: &str,
        remarked: &str,
    ) {
        let session_by: Option<SessionBy> = session_by.map(|text| text.parse().unwrap());
        let broken = Broken { place: "line 1".to_owned(), reason: "it is no JSON object".to_owned() };
        let hints = Hints {
            rules,
            session_by: session_by.as_ref(),
            host: None,
            format,
            counts: &counts,
            broken: Some(&broken),
            other_hosts: &BTreeSet::from(["www.example.com".to_owned()]),
            unmatched: Some("GET /elsewhere"),
        };
        for (said, expected) in [(nothing_usable(&hints), nothing), (remark(&hints), remarked)] {
            let said = said.unwrap_or_default();
            assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{said}");
        }
    }

    const ALL: Counts = Counts {
        lines: 9,
        broken: 1,
        with_host: 8,
        to_the_zone: 7,
        too_old: 0,
        in_the_future: 0,
        matched: 5,
        with_session: 4,
        counted: 3,
        for_discovery: 0,
        discovery_with_session: 0,
        discovery_with_caller: 0,
    };
    /// No operation fits anything.
    const STRAYS: Counts = Counts {
        matched: 0,
        with_session: 0,
        counted: 0,
        for_discovery: 6,
        discovery_with_session: 2,
        discovery_with_caller: 5,
        ..ALL
    };
    const NO_SESSION: Counts = Counts { with_session: 0, ..ALL };

    #[test]
    fn what_is_missing_first_is_said() {
        let clf = &Format::Clf;
        check(clf, None, ALL, "", "");
        check(clf, None, Counts { lines: 9, broken: 9, ..Counts::default() }, "(line 1: it is no JSON object)", "");
        check(clf, None, Counts { lines: 9, broken: 1, ..Counts::default() }, "--host", "");
        check(clf, None, Counts { lines: 9, with_host: 9, ..Counts::default() }, "(www.example.com) than", "");
        check(clf, None, Counts { matched: 0, with_session: 0, ..ALL }, "GET /elsewhere", "");
        let untimely = Counts { matched: 0, with_session: 0, ..ALL };
        check(clf, None, Counts { too_old: 7, ..untimely }, "over a week ago", "");
        check(clf, None, Counts { in_the_future: 7, ..untimely }, "in the future", "");
    }

    #[test]
    fn a_zone_without_operations_needs_a_host_and_requests_that_succeed() {
        let clf = &Format::Clf;
        let empty = TrafficRulesView { operations: Vec::new(), ..rules() };
        let elsewhere = Counts { lines: 9, with_host: 9, ..Counts::default() };
        check_of(&empty, clf, None, elsewhere, "(www.example.com): name its host with --host", "");
        let with_origin = TrafficRulesView { origin_hosts: vec!["api.example.com".to_owned()], ..empty };
        check_of(&with_origin, clf, None, elsewhere, "than the zone's (api.example.com)", "");
        check_of(&with_origin, clf, None, STRAYS, "", "");
        let failed = Counts { for_discovery: 0, discovery_with_session: 0, discovery_with_caller: 0, ..STRAYS };
        check_of(&with_origin, clf, None, failed, "answered with 2xx", "");
    }

    #[test]
    fn what_is_for_discovery_needs_callers() {
        let clf = &Format::Clf;
        let nobody = Counts { discovery_with_session: 0, discovery_with_caller: 0, ..STRAYS };
        check(clf, None, nobody, "", "by what 5 callers do");
        let addresses = Counts { discovery_with_session: 0, ..STRAYS };
        check(clf, None, addresses, "", "");
        check(clf, Some("account"), addresses, "no request has a session by \"account\"", "");
        check(clf, Some("account"), STRAYS, "", "");
    }

    #[test]
    fn a_missing_session_comes_with_the_line_to_log_it() {
        check(&Format::Clf, None, NO_SESSION, "", "$request_time \"$http_x_api_key\"';");
        check(&Format::JsonLines, None, NO_SESSION, "", "x_api_key: \"%REQ(X-API-KEY)%\"");
        check(&Format::Har, None, NO_SESSION, "", "HAR files");
        check(&Format::Clf, Some("cookie:sid"), NO_SESSION, "by \"cookie:sid\"", "\"$cookie_sid\"';");
    }

    #[test]
    fn the_line_to_add_is_a_format_that_can_be_read() {
        let rules = rules();
        let hints = Hints {
            rules: &rules,
            session_by: None,
            host: None,
            format: &Format::Clf,
            counts: &ALL,
            broken: None,
            other_hosts: &BTreeSet::new(),
            unmatched: None,
        };
        assert!(crate::traffic_log::LogFormat::parse(&nginx(&hints)).is_ok());
    }
}
