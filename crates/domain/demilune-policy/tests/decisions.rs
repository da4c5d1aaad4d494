//! Decisions and their explanations, from rules as operators write them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use demilune_inventory::{OperationKey, Variables};
use demilune_policy::{
    Facts, Refusal, Ruleset, Rulesets, SessionKey, Standing, Verdict, canonical_host, decide, explain, recognize,
    rule::{
        ForwardPath, HostHeader, OperationRule, Origin, RouteTarget, SessionIdentifier, Unmatched, ZoneRules,
        ZoneSettings,
    },
};
use http::{HeaderMap, HeaderName, Method};

fn zone(name: &str, origins: &[&str], operations: &[(&str, &str, &str)], settings: ZoneSettings) -> Arc<Ruleset> {
    let origins = origins.iter().map(|host| Origin {
        host: host.parse().unwrap(),
        url: format!("http://{name}.internal").parse().unwrap(),
        host_header: HostHeader::Client,
    });
    let operations = operations.iter().enumerate().map(|(number, (method, host, endpoint))| OperationRule {
        id: format!("00000000-0000-7000-8000-{number:012}").parse().unwrap(),
        key: OperationKey {
            method: method.parse().unwrap(),
            host: host.parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
        },
        route: None,
    });
    Arc::new(Ruleset::compile(ZoneRules {
        zone: name.parse().unwrap(),
        revision: 1,
        operations: operations.collect(),
        origins: origins.collect(),
        session_identifiers: vec![SessionIdentifier::parse("header", "X-Key").unwrap()],
        settings,
    }))
}

/// The zone, the endpoint of the operation, and where it goes or why not.
fn decided(rulesets: &Rulesets, method: &str, host: &str, path: &str) -> (String, String, String) {
    let (method, headers) = (Method::from_bytes(method.as_bytes()).unwrap(), HeaderMap::new());
    let host = canonical_host(host);
    let facts = Facts { method: &method, host: &host, path, headers: &headers };
    let decision = decide(rulesets, &facts, &SessionKey::new([0; 16]), &mut Variables::default());
    let zone = decision.ruleset.map(|ruleset| ruleset.zone().to_string()).unwrap_or_default();
    let operation = decision.ruleset.zip(decision.operation);
    let operation =
        operation.map(|(ruleset, found)| ruleset.operations()[found.operation as usize].key.endpoint.to_string());
    let verdict = match decision.verdict {
        Verdict::Forward { destination, path, .. } => format!("{}{path}", destination.server()),
        Verdict::Refuse(refusal) => format!("{refusal:?}"),
    };
    (zone, operation.unwrap_or_default(), verdict)
}

#[track_caller]
fn check(rulesets: &Rulesets, request: (&str, &str, &str), expected: (&str, &str, &str)) {
    let found = decided(rulesets, request.0, request.1, request.2);
    assert_eq!((found.0.as_str(), found.1.as_str(), found.2.as_str()), expected, "{request:?}");
}

#[test]
fn a_request_belongs_to_the_zone_with_the_most_specific_origin() {
    let rulesets = Rulesets::new(vec![
        zone("wide", &["{x}.example.com"], &[("GET", "api.example.com", "/a")], ZoneSettings::default()),
        zone("own", &["api.example.com"], &[], ZoneSettings::default()),
    ]);
    check(&rulesets, ("GET", "API.example.com:8080", "/a"), ("own", "", "http://own.internal/a"));
    check(&rulesets, ("GET", "other.example.com", "/a"), ("wide", "", "http://wide.internal/a"));
    check(&rulesets, ("GET", "example.com", "/a"), ("", "", "HostUnknown"));
}

#[test]
fn the_normalized_path_is_matched_and_forwarded() {
    let rulesets = Rulesets::new(vec![zone("z", &["h"], &[("GET", "h", "/users/{id}")], ZoneSettings::default())]);
    check(&rulesets, ("GET", "h", "//users/./7"), ("z", "/users/{var1}", "http://z.internal/users/7"));
    check(&rulesets, ("get", "h", "/users/7"), ("z", "", "http://z.internal/users/7"));
}

#[test]
fn a_path_that_is_forwarded_as_sent_must_name_the_same_operation() {
    let settings = ZoneSettings { forward_path: ForwardPath::Raw, ..ZoneSettings::default() };
    let rulesets = Rulesets::new(vec![zone("z", &["h"], &[("GET", "h", "/users/{id}")], settings)]);
    check(&rulesets, ("GET", "h", "/users/%41"), ("z", "/users/{var1}", "http://z.internal/users/%41"));
    for path in ["//users/7", "/users/./7", "/x/../users/7", r"/users\7", "/users/7/..", "/users/%2e"] {
        assert_eq!(decided(&rulesets, "GET", "h", path).2, "PathAmbiguous", "{path}");
    }
}

#[test]
fn what_no_operation_fits_is_blocked_where_the_zone_wants_it() {
    let settings = ZoneSettings { unmatched: Unmatched::Block, ..ZoneSettings::default() };
    let rulesets = Rulesets::new(vec![zone("z", &["h"], &[("GET", "h", "/a"), ("TRACE", "h", "/t")], settings)]);
    check(&rulesets, ("GET", "h", "/a"), ("z", "/a", "http://z.internal/a"));
    check(&rulesets, ("GET", "h", "/b"), ("z", "", "Unmatched"));
    check(&rulesets, ("PROPFIND", "h", "/a"), ("z", "", "Unmatched"));
    check(&rulesets, ("TRACE", "h", "/t"), ("z", "/t", "http://z.internal/t"));
    check(&rulesets, ("TRACE", "h", "/a"), ("z", "", "MethodNotAllowed"));
    check(&rulesets, ("CONNECT", "h", ""), ("", "", "MethodNotAllowed"));
    assert_eq!(Refusal::Unmatched.status(), 403);
}

#[test]
fn a_route_puts_variables_where_its_target_says() {
    let endpoint = "/{a}/{b}".parse().unwrap();
    let route = RouteTarget::parse("https://h2/x/{var2}/{var1}", &endpoint).unwrap();
    let key = OperationKey { method: "GET".parse().unwrap(), host: "h".parse().unwrap(), endpoint };
    let id = "00000000-0000-7000-8000-000000000001".parse().unwrap();
    let rulesets = Rulesets::new(vec![Arc::new(Ruleset::compile(ZoneRules {
        zone: "z".parse().unwrap(),
        revision: 1,
        operations: vec![OperationRule { id, key, route: Some(route) }],
        origins: vec![Origin {
            host: "h".parse().unwrap(),
            url: "http://o".parse().unwrap(),
            host_header: HostHeader::Client,
        }],
        session_identifiers: Vec::new(),
        settings: ZoneSettings::default(),
    }))]);
    check(&rulesets, ("GET", "h", "/1%2F2/%3F"), ("z", "/{var1}/{var2}", "https://h2/x/%3F/1%2F2"));
}

#[test]
fn an_explanation_names_what_was_meant_and_why_not() {
    let operations = [("GET", "h", "/users/{id}"), ("GET", "h", "/users/me"), ("POST", "h", "/users/me")];
    let rulesets = Rulesets::new(vec![zone("z", &["h"], &operations, ZoneSettings::default())]);
    let (method, mut headers) = (Method::HEAD, HeaderMap::new());
    headers.insert("x-key", "alice".parse().unwrap());
    let facts = Facts { method: &method, host: "h", path: "/users/me", headers: &headers };
    let explanation = explain(&rulesets, &facts, &SessionKey::new([0; 16]));
    let standings: Vec<_> = explanation
        .candidates
        .iter()
        .map(|candidate| {
            (candidate.operation.key.method.as_str(), candidate.operation.key.endpoint.as_str(), candidate.standing)
        })
        .collect();
    assert_eq!(
        standings,
        [
            ("GET", "/users/me", Standing::ChosenForHead),
            ("GET", "/users/{var1}", Standing::PathLessSpecific),
            ("POST", "/users/me", Standing::MethodDiffers),
        ]
    );
    assert!(explanation.decision.session.is_some());
}

#[test]
fn a_request_is_recognized_without_an_origin_of_its_host() {
    let operations = [("GET", "h", "/users/{id}"), ("POST", "h", "/users/{id}"), ("CONNECT", "h", "/")];
    let ruleset = zone("z", &[], &operations, ZoneSettings::default());
    let recognized = |method: &str, path: &str, fields: &[(&'static str, &str)]| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let headers = fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let headers: HeaderMap = headers.collect();
        let facts = Facts { method: &method, host: "h", path, headers: &headers };
        let found = recognize(&ruleset, &facts, &SessionKey::new([0; 16]), &mut Variables::default());
        (found.operation.map(|found| found.operation), found.preflight, found.session.is_some())
    };
    assert_eq!(recognized("GET", "//users/./7", &[("x-key", "alice")]), (Some(0), false, true));
    let asks = [("origin", "https://a"), ("access-control-request-method", "POST")];
    assert_eq!(recognized("OPTIONS", "/users/7", &asks), (Some(1), true, false));
    assert_eq!(recognized("GET", "/orders", &[]), (None, false, false));
    assert_eq!(recognized("GET", "*", &[("x-key", "alice")]), (None, false, false));
    assert_eq!(recognized("CONNECT", "/", &[]), (None, false, false));
}
