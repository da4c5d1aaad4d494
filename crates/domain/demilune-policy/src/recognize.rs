//! Which operation and which session of a zone a request belongs to, wherever the zone would send it.

use demilune_inventory::{Match, Method, NormalizedPath, Variables};
use http::header;

use crate::{Facts, Ruleset, Session, SessionKey, session};

/// What a request is to a zone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recognized {
    /// The operation, by its place in the ruleset.
    pub operation: Option<Match>,
    /// The request asks whether a browser may send another; that other request was matched.
    pub preflight: bool,
    /// The session, where the request carries one.
    pub session: Option<Session>,
}

/// Finds operation and session as [`decide`](crate::decide) does, whoever owns the host: for requests that were served
/// elsewhere. A request that is never passed on, and one whose target is no path, is nothing to any zone. `variables`
/// is scratch space that may be used again.
#[must_use]
pub fn recognize(ruleset: &Ruleset, facts: &Facts<'_>, key: &SessionKey, variables: &mut Variables) -> Recognized {
    match NormalizedPath::from_live(facts.path.as_bytes()) {
        Ok(path) if *facts.method != http::Method::CONNECT => recognize_path(ruleset, facts, &path, key, variables),
        _ => Recognized::default(),
    }
}

pub(crate) fn recognize_path(
    ruleset: &Ruleset,
    facts: &Facts<'_>,
    path: &NormalizedPath<'_>,
    key: &SessionKey,
    variables: &mut Variables,
) -> Recognized {
    let preflight = is_preflight(facts);
    let operation = find(ruleset, facts, preflight, path, variables);
    let session = session::identify(&ruleset.characteristics, facts.headers, key);
    Recognized { operation, preflight, session }
}

/// Whether a request is a CORS preflight (Fetch standard, "CORS-preflight request").
fn is_preflight(facts: &Facts<'_>) -> bool {
    *facts.method == http::Method::OPTIONS
        && facts.headers.contains_key(header::ORIGIN)
        && facts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// A preflight is judged by the operation that it asks about, or else as the OPTIONS request that it is.
fn find(
    ruleset: &Ruleset,
    facts: &Facts<'_>,
    preflight: bool,
    path: &NormalizedPath<'_>,
    variables: &mut Variables,
) -> Option<Match> {
    let mut by_method = |method: Option<Method>| {
        let method = method?;
        ruleset.matcher.find(Some(method), facts.host, path, variables)
    };
    let wanted = facts.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).filter(|_| preflight);
    let wanted = wanted.and_then(|method| http::Method::from_bytes(method.as_bytes()).ok());
    let asked_about = wanted.and_then(|method| by_method(live_method(&method)));
    asked_about.or_else(|| by_method(live_method(facts.method)))
}

/// One of the inventory's methods. Methods have a letter case (RFC 9110 section 9.1).
fn live_method(method: &http::Method) -> Option<Method> {
    Some(match *method {
        http::Method::GET => Method::Get,
        http::Method::POST => Method::Post,
        http::Method::PUT => Method::Put,
        http::Method::PATCH => Method::Patch,
        http::Method::DELETE => Method::Delete,
        http::Method::HEAD => Method::Head,
        http::Method::OPTIONS => Method::Options,
        http::Method::TRACE => Method::Trace,
        http::Method::CONNECT => Method::Connect,
        _ => return None,
    })
}
