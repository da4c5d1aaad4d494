//! A zone's rules, made ready to recognize the requests of a log.

use std::borrow::Cow;

use demilune_control::manage::{OperationView, TrafficRulesView};
use demilune_inventory::{Host, HostTable, NormalizedPath, OperationId, OperationKey, Variables};
use demilune_policy::{
    Facts, Recognized, Ruleset, SessionKey, canonical_host, recognize,
    rule::{OperationRule, SessionIdentifier, ZoneRules, ZoneSettings},
};
use demilune_schema::learn::{LearnKey, Supporter};
use demilune_traffic::SessionHash;
use sha2::{Digest, Sha256};

use super::SessionBy;
use crate::traffic_log::LogRecord;

/// A session's hash is made of a number's bits from this one on.
const HASH_SHIFT: u32 = 20;

/// Whom requests count for that do not tell who sent them.
pub(super) const NOBODY: Supporter = Supporter(0);

/// Recognizes requests.
pub(crate) struct Recognizer {
    ruleset: Ruleset,
    /// The hosts of the zone: those of its operations and origins, and the one that was given.
    hosts: HostTable<()>,
    origin_hosts: Vec<Host>,
    key: SessionKey,
    session_by: Option<SessionBy>,
    /// The host where a log names none.
    host: Option<Host>,
    variables: Variables,
}

/// Why requests cannot be recognized.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecognizerError {
    /// Sessions of the log would be others than those of live traffic.
    #[error("the running server hashes sessions with another key: name its file with --secret-file")]
    OtherKey,
    /// The server is of another version.
    #[error("the zone's rules cannot be read: use the same version for the server and this command")]
    Rules,
}

/// What a record is to the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It names no host, and none was given.
    NoHost,
    /// It is not to a host of the zone.
    OtherHost(String),
    /// It is the zone's.
    Known {
        /// The operation, by its place; none for CORS preflights too.
        operation: Option<u32>,
        /// It only asks whether a browser may send another request.
        preflight: bool,
        /// The session.
        session: Option<SessionHash>,
    },
}

impl Recognizer {
    pub(crate) fn new(
        view: &TrafficRulesView,
        key: SessionKey,
        session_by: Option<SessionBy>,
        host: Option<&Host>,
    ) -> Result<Self, RecognizerError> {
        let check = key.hash_field(TrafficRulesView::KEY_CHECK, &[]).to_string();
        if view.key_check.as_ref().is_some_and(|theirs| *theirs != check) {
            return Err(RecognizerError::OtherKey);
        }
        let rules = zone_rules(view, session_by.as_ref()).ok_or(RecognizerError::Rules)?;
        let origin_hosts = view.origin_hosts.iter().map(|host| host.parse()).collect::<Result<Vec<Host>, _>>();
        let origin_hosts = origin_hosts.map_err(|_| RecognizerError::Rules)?;
        let of_operations = rules.operations.iter().map(|operation| &operation.key.host);
        let hosts = of_operations.chain(&origin_hosts).chain(host);
        let hosts = HostTable::build(hosts.map(|host| (host.clone(), ())));
        let (ruleset, host) = (Ruleset::compile(rules), host.cloned());
        Ok(Self { ruleset, hosts, origin_hosts, key, session_by, host, variables: Variables::default() })
    }

    /// The key of what is learned, as gateways have it.
    pub(super) fn learn_key(&self) -> LearnKey {
        LearnKey::new(self.key.derived("learning"))
    }

    /// Whom a request counts for: its session, or else its client's network.
    pub(super) fn supporter(&self, record: &LogRecord, session: Option<SessionHash>) -> Supporter {
        let network = || {
            let address = record.remote_addr.as_deref()?.parse().ok()?;
            Some(self.key.hash_network(address))
        };
        session.or_else(network).map_or(NOBODY, |hash| Supporter::of(hash.get()))
    }

    /// Whether a request carries something by which its session is told. Each has an address: that says nothing.
    pub(super) fn carries_session(&self, session: Option<SessionHash>) -> bool {
        session.is_some() && self.session_by.as_ref().is_none_or(|by| !by.is_address())
    }

    /// The host of a record in canonical form: its own, or the one that was given.
    pub(super) fn host<'r>(&'r self, record: &'r LogRecord) -> Option<Cow<'r, str>> {
        host_of(record, self.host.as_ref())
    }

    /// What the variables of the operation took of the path that was recognized last.
    pub(super) fn values<'p>(&self, path: &'p NormalizedPath<'_>) -> Vec<&'p str> {
        let ranges = (0..).map_while(|place| self.variables.get(place));
        ranges.filter_map(|range| path.as_str().get(range)).collect()
    }

    /// The id of an operation, by its place.
    pub(super) fn operation(&self, place: u32) -> Option<OperationId> {
        self.ruleset.operations().get(place as usize).map(|operation| operation.id)
    }

    /// What tells sessions apart, if not the zone's session identifiers.
    pub(super) fn session_by(&self) -> Option<&SessionBy> {
        self.session_by.as_ref()
    }

    /// What the zone's rules are, as far as counts depend on them: another set counts as another source.
    pub(super) fn hash_into(&self, hasher: &mut Sha256) {
        let mut add = |text: &str| {
            hasher.update(text);
            hasher.update([0]);
        };
        for operation in self.ruleset.operations() {
            add(&operation.id.to_string());
        }
        for host in &self.origin_hosts {
            add(&format!("origin {host}"));
        }
        for identifier in self.ruleset.session_identifiers() {
            add(&identifier.to_string());
        }
        add(if self.ruleset.settings().head_as_get { "head as get" } else { "" });
        add(self.session_by.as_ref().map_or("", SessionBy::as_str));
        add(self.host.as_ref().map_or("", Host::as_str));
        add(&self.key.hash_field(TrafficRulesView::KEY_CHECK, &[]).to_string());
    }

    /// What a record is to the zone.
    pub(super) fn standing(&mut self, record: &LogRecord) -> Standing {
        let Some(host) = host_of(record, self.host.as_ref()) else { return Standing::NoHost };
        if self.hosts.find(&host).is_none() {
            return Standing::OtherHost(host.into_owned());
        }
        let facts = Facts { method: &record.method, host: &host, path: record.path_only(), headers: &record.headers };
        let Recognized { operation, preflight, session } =
            recognize(&self.ruleset, &facts, &self.key, &mut self.variables);
        let found = session.map(|session| session.hash);
        let session = match &self.session_by {
            Some(by) => by.session(record, &self.key).or(found),
            None => found.or_else(|| record.session.map(|number| SessionHash::of(number << HASH_SHIFT))),
        };
        let operation = operation.filter(|_| !preflight).map(|found| found.operation);
        Standing::Known { operation, preflight, session }
    }
}

fn host_of<'r>(record: &'r LogRecord, given: Option<&'r Host>) -> Option<Cow<'r, str>> {
    let own = record.host.as_deref().map(canonical_host);
    own.or_else(|| given.map(|host| Cow::Borrowed(host.as_str())))
}

fn zone_rules(view: &TrafficRulesView, session_by: Option<&SessionBy>) -> Option<ZoneRules> {
    let configured = view.session_identifiers.iter();
    let session_identifiers = match session_by {
        Some(by) => by.identifier().cloned().into_iter().collect(),
        None => {
            configured.map(|view| SessionIdentifier::parse(&view.kind, &view.name).ok()).collect::<Option<Vec<_>>>()?
        }
    };
    Some(ZoneRules {
        zone: view.zone.id.parse().ok()?,
        revision: 0,
        operations: view.operations.iter().map(operation_rule).collect::<Option<_>>()?,
        origins: Vec::new(),
        session_identifiers,
        settings: ZoneSettings { head_as_get: view.head_as_get, ..ZoneSettings::default() },
    })
}

fn operation_rule(view: &OperationView) -> Option<OperationRule> {
    let key = OperationKey {
        method: view.method.parse().ok()?,
        host: view.host.parse().ok()?,
        endpoint: view.endpoint.parse().ok()?,
    };
    Some(OperationRule { id: view.operation_id.parse().ok()?, key, route: None })
}

#[cfg(test)]
pub(super) mod tests {
    use std::io;

    use demilune_control::manage::{SessionIdentifierView, ZoneView};

    use super::*;
    use crate::traffic_log::{Format, read};

    pub(in crate::traffic_import) fn rules() -> TrafficRulesView {
        let operation = |number: u32, method: &str, host: &str, endpoint: &str| OperationView {
            operation_id: format!("00000000-0000-7000-8000-{number:012}"),
            method: method.to_owned(),
            host: host.to_owned(),
            endpoint: endpoint.to_owned(),
        };
        TrafficRulesView {
            zone: ZoneView { id: "z1".to_owned(), name: "shop".to_owned(), created_at: String::new() },
            operations: vec![
                operation(0, "GET", "api.example.com", "/orders/{var1}"),
                operation(1, "POST", "api.example.com", "/orders"),
            ],
            origin_hosts: Vec::new(),
            session_identifiers: vec![SessionIdentifierView {
                kind: "header".to_owned(),
                name: "X-Api-Key".to_owned(),
            }],
            head_as_get: true,
            key_check: None,
        }
    }

    pub(in crate::traffic_import) fn recognizer(session_by: Option<&str>, host: Option<&str>) -> Recognizer {
        recognizer_of(&rules(), session_by, host)
    }

    pub(in crate::traffic_import) fn recognizer_of(
        rules: &TrafficRulesView,
        session_by: Option<&str>,
        host: Option<&str>,
    ) -> Recognizer {
        let by = session_by.map(|text| text.parse().unwrap());
        let host: Option<Host> = host.map(|host| host.parse().unwrap());
        Recognizer::new(rules, SessionKey::new([7; 16]), by, host.as_ref()).unwrap()
    }

    fn record(line: &str) -> LogRecord {
        let mut found = None;
        read(line.as_bytes(), &Format::JsonLines, |_, record| {
            found = record.ok();
            Ok::<_, io::Error>(())
        })
        .unwrap();
        found.unwrap()
    }

    fn line(host: &str, rest: &str) -> LogRecord {
        record(&format!(
            r#"{{"time":1,"method":"GET","path":"/orders/7?x","host":{host},"status":200,"remote_addr":"192.0.2.7"{rest}}}"#
        ))
    }

    const API: &str = r#""API.example.com:443""#;
    const KEYED: &str = r#","request_headers":{"X-Api-Key":"k1","Cookie":"sid=k1"},"user":"k1","X-Api-Key":"k1""#;

    fn session(by: Option<&str>, record: &LogRecord) -> Option<u64> {
        match recognizer(by, None).standing(record) {
            Standing::Known { session, .. } => session.map(SessionHash::get),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_record_is_the_zones_by_its_own_host_or_the_given_one() {
        let check = |host: &str, given: Option<&str>, expected: Standing| {
            assert_eq!(recognizer(None, given).standing(&line(host, "")), expected, "{host} {given:?}");
        };
        let known = Standing::Known { operation: Some(0), preflight: false, session: None };
        let other = |host: &str| Standing::OtherHost(host.to_owned());
        check(API, None, known.clone());
        check("null", Some("Api.Example.com"), known);
        check("null", None, Standing::NoHost);
        check(r#""www.example.com""#, Some("api.example.com"), other("www.example.com"));
        let unmatched = Standing::Known { operation: None, preflight: false, session: None };
        check(r#""www.example.com""#, Some("www.example.com"), unmatched.clone());
        // The zone owns the traffic of its origins' hosts.
        let rules = TrafficRulesView {
            operations: Vec::new(),
            origin_hosts: vec!["{hostVar1}.example.com".to_owned()],
            ..rules()
        };
        let mut by_origin = recognizer_of(&rules, None, None);
        assert_eq!(by_origin.standing(&line(API, "")), unmatched);
        assert_eq!(by_origin.standing(&line(r#""example.org""#, "")), other("example.org"));
    }

    #[test]
    fn what_no_operation_fits_and_preflights_are_of_the_zone_alone() {
        let unmatched = |preflight: bool| Standing::Known { operation: None, preflight, session: None };
        let mut record = line(API, "");
        record.path = "/elsewhere".to_owned();
        assert_eq!(recognizer(None, None).standing(&record), unmatched(false));
        let asks = r#","request_headers":{"Origin":"https://a","Access-Control-Request-Method":"GET"}"#;
        let mut preflight = line(API, asks);
        preflight.method = http::Method::OPTIONS;
        assert_eq!(recognizer(None, None).standing(&preflight), unmatched(true));
    }

    #[test]
    fn sessions_are_told_apart_by_the_zones_identifiers_or_by_the_given_field() {
        let keyed = line(API, KEYED);
        let by = |text: &str| session(Some(text), &keyed).unwrap();
        let key = SessionKey::new([7; 16]);
        let zone_own = session(None, &keyed).unwrap();
        assert_eq!(by("http_x_api_key"), zone_own, "as in live traffic");
        assert_eq!(by("remote_addr"), key.hash_field("remote_addr", b"192.0.2.7").get());
        assert_eq!(by("user"), key.hash_field("user", b"k1").get());
        assert_eq!(by("X-Api-Key"), key.hash_field("X-Api-Key", b"k1").get(), "a field of the log comes first");
        assert_ne!(by("cookie:sid"), zone_own);
        assert_eq!(session(Some("remote_user"), &keyed), None);
        assert_eq!(session(Some("nothing"), &keyed), None);
    }

    #[test]
    fn an_address_is_no_session_that_a_request_carries() {
        let keyed = line(API, KEYED);
        let carries = |by: Option<&str>| recognizer(by, None).carries_session(session(by, &keyed).map(SessionHash::of));
        assert!(carries(None) && carries(Some("user")));
        assert!(!carries(Some("remote_addr")) && !carries(Some("nothing")));
    }

    #[test]
    fn a_server_with_another_key_is_noticed() {
        let with_check = |bytes: [u8; 16]| {
            let hash = SessionKey::new(bytes).hash_field(TrafficRulesView::KEY_CHECK, &[]);
            let view = TrafficRulesView { key_check: Some(hash.to_string()), ..rules() };
            Recognizer::new(&view, SessionKey::new([7; 16]), None, None).err()
        };
        assert_eq!(with_check([7; 16]), None);
        assert_eq!(with_check([8; 16]), Some(RecognizerError::OtherKey));
    }
}
