//! The command that says what the gateway would do with a request, and why.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use demilune_policy::{
    Candidate, DestinationKind, Explanation, Facts, Ruleset, Rulesets, SessionKey, Verdict, canonical_host, explain,
    rule::{OperationRule, ZoneRules},
};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::{ManageError, Manager, Reply, RequestText};

/// What the gateway would do with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplanationView {
    /// The id of the zone that owns the host; absent where none does.
    pub zone: Option<String>,
    /// The origin's host pattern that gave the host to the zone.
    pub origin_host: Option<String>,
    /// The normalized path, which is matched.
    pub path: Option<String>,
    /// The operation that matches.
    pub operation: Option<OperationView>,
    /// The text of each variable of its endpoint: `var1` and so on.
    pub variables: Vec<(String, String)>,
    /// The request only asks whether a browser may send the one that was matched.
    pub preflight: bool,
    /// The session of the request.
    pub session: Option<SessionView>,
    /// What the zone tells sessions apart by, in the order in which it is looked for.
    pub session_identifiers: Vec<String>,
    /// Where the request would go; absent where it would be answered by the gateway.
    pub destination: Option<DestinationView>,
    /// The answer of the gateway; absent where the request would go on.
    pub refusal: Option<RefusalView>,
    /// Operations whose host and endpoint fit, the chosen one first.
    pub candidates: Vec<CandidateView>,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationView {
    /// Its id.
    pub operation_id: String,
    /// The request method.
    pub method: String,
    /// The host or host pattern.
    pub host: String,
    /// The path template.
    pub endpoint: String,
}

/// A session, without the value that it is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Which identifier it was found by.
    pub identifier: String,
    /// The keyed hash that access logs show; absent where the key is not at hand.
    pub hash: Option<String>,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationView {
    /// Server, path and query.
    pub url: String,
    /// `route` or `origin`.
    pub by: String,
}

/// An answer of the gateway itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalView {
    /// Its status.
    pub status: u16,
    /// Why, in a sentence.
    pub reason: String,
}

/// An operation that might have been meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// The operation.
    #[serde(flatten)]
    pub operation: OperationView,
    /// How it stands to the chosen one: words that complete "this operation …".
    pub standing: String,
}

impl Manager {
    pub(super) async fn explain(&self, zone: Option<&str>, requests: &[RequestText]) -> Result<Reply, ManageError> {
        let requests = requests.iter().map(ParsedRequest::parse).collect::<Result<Vec<_>, _>>()?;
        let zones = match zone {
            Some(zone) => vec![self.zone_find(Some(zone)).await?],
            None => self.store.zone_list().await?,
        };
        let mut rules = Vec::new();
        for zone in zones {
            rules.extend(self.store.zone_rules(&zone.id).await?);
        }
        let key = self.session_key.clone();
        // Rules are compiled and every operation is looked at: traffic that this process serves shall not wait for it.
        let explaining = spawn_blocking(move || explain_all(rules, &requests, key));
        Ok(Reply::Explained(explaining.await.map_err(|_| ManageError::Interrupted)?))
    }
}

fn explain_all(rules: Vec<ZoneRules>, requests: &[ParsedRequest], key: Option<SessionKey>) -> Vec<ExplanationView> {
    let rulesets = Rulesets::new(rules.into_iter().map(|rules| Arc::new(Ruleset::compile(rules))).collect());
    let hashed = key.is_some();
    let key = key.unwrap_or_else(|| SessionKey::new([0; 16]));
    let explained =
        requests.iter().map(|request| view(&explain(&rulesets, &request.facts(), &key), &request.uri, hashed));
    explained.collect()
}

/// A request as a gateway sees it.
struct ParsedRequest {
    method: Method,
    uri: Uri,
    host: String,
    headers: HeaderMap,
}

impl ParsedRequest {
    fn parse(text: &RequestText) -> Result<Self, ManageError> {
        let method = Method::from_bytes(text.method.as_bytes());
        let method = method.map_err(|_| ManageError::RequestMethod(text.method.clone()))?;
        let no_url = || ManageError::RequestUrl(text.url.clone());
        let uri: Uri = text.url.parse().map_err(|_| no_url())?;
        let host = canonical_host(uri.authority().ok_or_else(no_url)?.as_str()).into_owned();
        Ok(Self { method, uri, host, headers: header_map(&text.headers)? })
    }

    fn facts(&self) -> Facts<'_> {
        Facts { method: &self.method, host: &self.host, path: self.uri.path(), headers: &self.headers }
    }
}

fn header_map(fields: &[(String, String)]) -> Result<HeaderMap, ManageError> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::try_from(name).map_err(|_| ManageError::RequestHeader(name.clone()))?;
        let value = HeaderValue::try_from(value).map_err(|_| ManageError::RequestHeader(name.to_string()))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn view(explanation: &Explanation<'_>, uri: &Uri, hashed: bool) -> ExplanationView {
    let decision = &explanation.decision;
    let ruleset = decision.ruleset;
    let identifiers: Vec<String> = ruleset
        .map_or_else(Vec::new, |ruleset| ruleset.session_identifiers().iter().map(ToString::to_string).collect());
    let operation = ruleset.zip(decision.operation);
    let operation = operation.map(|(ruleset, found)| &ruleset.operations()[found.operation as usize]);
    let (destination, refusal) = match &decision.verdict {
        Verdict::Forward { destination, path, .. } => {
            let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
            let by = match destination.kind() {
                DestinationKind::Origin => "origin",
                DestinationKind::Route => "route",
            };
            let url = format!("{}{path}{query}", destination.server());
            (Some(DestinationView { url, by: by.to_owned() }), None)
        }
        Verdict::Refuse(refusal) => (None, Some(RefusalView { status: refusal.status(), reason: refusal.to_string() })),
    };
    ExplanationView {
        zone: ruleset.map(|ruleset| ruleset.zone().to_string()),
        origin_host: explanation.origin.map(|origin| origin.host.to_string()),
        path: explanation.path.clone(),
        operation: operation.map(OperationView::from),
        variables: variables(&explanation.variables),
        preflight: decision.preflight,
        session: decision.session.map(|session| SessionView {
            identifier: identifiers.get(session.identifier).cloned().unwrap_or_default(),
            hash: hashed.then(|| session.hash.to_string()),
        }),
        session_identifiers: identifiers,
        destination,
        refusal,
        candidates: explanation.candidates.iter().map(CandidateView::from).collect(),
    }
}

fn variables(texts: &[String]) -> Vec<(String, String)> {
    texts.iter().enumerate().map(|(index, text)| (format!("var{}", index + 1), text.clone())).collect()
}

impl From<&OperationRule> for OperationView {
    fn from(rule: &OperationRule) -> Self {
        Self {
            operation_id: rule.id.to_string(),
            method: rule.key.method.to_string(),
            host: rule.key.host.to_string(),
            endpoint: rule.key.endpoint.to_string(),
        }
    }
}

impl From<&Candidate<'_>> for CandidateView {
    fn from(candidate: &Candidate<'_>) -> Self {
        Self { operation: candidate.operation.into(), standing: candidate.standing.describe().to_owned() }
    }
}
