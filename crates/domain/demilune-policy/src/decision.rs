//! One request and the rules in; where it goes or why it does not, out.

use std::{borrow::Cow, fmt, sync::Arc};

use demilune_inventory::{Match, NormalizedPath, Variables};

use crate::{
    Destination, Facts, Recognized, Rulesets, Session, SessionKey,
    recognize::recognize_path,
    rule::{ForwardPath, Unmatched},
    ruleset::Ruleset,
};

/// What was decided about a request, and why.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The zone that owns the host; none where no zone does.
    pub ruleset: Option<&'a Arc<Ruleset>>,
    /// The normalized path that was matched: what variables took are ranges of it. None where nothing was matched.
    pub path: Option<NormalizedPath<'a>>,
    /// The operation, by its place in the ruleset.
    pub operation: Option<Match>,
    /// The request asks whether a browser may send another; that other request was matched.
    pub preflight: bool,
    /// The session, where the request carries one.
    pub session: Option<Session>,
    /// What happens to it.
    pub verdict: Verdict<'a>,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<'a> {
    /// It is sent on.
    Forward {
        /// Where to.
        destination: &'a Arc<Destination>,
        /// The path for the origin, without the query.
        path: Cow<'a, str>,
        /// No operation fits and the zone wants to know.
        log_unmatched: bool,
    },
    /// It is answered here.
    Refuse(Refusal),
}

/// Why a request is answered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No zone has an origin for the host: 421.
    HostUnknown,
    /// CONNECT, or TRACE that no operation names: 405.
    MethodNotAllowed,
    /// The target is no path: 400.
    PathInvalid,
    /// The path as sent could name another operation than its normalized form, and the zone forwards paths as sent: 400.
    PathAmbiguous,
    /// No operation fits, and the zone blocks such requests: 403.
    Unmatched,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostUnknown => "no zone has an origin for the host",
            Self::MethodNotAllowed => "the method is not passed on",
            Self::PathInvalid => "the target is no path",
            Self::PathAmbiguous => "the path could name another operation than its normalized form",
            Self::Unmatched => "no operation fits, and the zone blocks such requests",
        })
    }
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::PathInvalid | Self::PathAmbiguous => 400,
            Self::Unmatched => 403,
            Self::MethodNotAllowed => 405,
            Self::HostUnknown => 421,
        }
    }
}

/// Decides about a request. `variables` is scratch space that may be used again.
pub fn decide<'a>(
    rulesets: &'a Rulesets,
    facts: &Facts<'a>,
    key: &SessionKey,
    variables: &mut Variables,
) -> Decision<'a> {
    if *facts.method == http::Method::CONNECT {
        return undecided(None, Refusal::MethodNotAllowed);
    }
    let Some((ruleset, _, origin)) = rulesets.owner(facts.host) else { return undecided(None, Refusal::HostUnknown) };
    let Ok(path) = NormalizedPath::from_live(facts.path.as_bytes()) else {
        return undecided(Some(ruleset), Refusal::PathInvalid);
    };
    let Recognized { operation, preflight, session } = recognize_path(ruleset, facts, &path, key, variables);
    let verdict = match refusal(ruleset, facts, operation, &path) {
        Some(refusal) => Verdict::Refuse(refusal),
        None => forward(ruleset, origin, operation, facts.path, &path, variables),
    };
    Decision { ruleset: Some(ruleset), path: Some(path), operation, preflight, session, verdict }
}

fn undecided(ruleset: Option<&Arc<Ruleset>>, refusal: Refusal) -> Decision<'_> {
    let verdict = Verdict::Refuse(refusal);
    Decision { ruleset, path: None, operation: None, preflight: false, session: None, verdict }
}

fn refusal(
    ruleset: &Ruleset,
    facts: &Facts<'_>,
    operation: Option<Match>,
    path: &NormalizedPath<'_>,
) -> Option<Refusal> {
    let settings = ruleset.settings();
    if *facts.method == http::Method::TRACE && operation.is_none() {
        return Some(Refusal::MethodNotAllowed);
    }
    if settings.forward_path == ForwardPath::Raw && !names_the_same(facts.path, path) {
        return Some(Refusal::PathAmbiguous);
    }
    if operation.is_none() && settings.unmatched == Unmatched::Block {
        return Some(Refusal::Unmatched);
    }
    None
}

fn forward<'a>(
    ruleset: &'a Ruleset,
    origin: &'a Arc<Destination>,
    operation: Option<Match>,
    raw: &'a str,
    path: &NormalizedPath<'a>,
    variables: &Variables,
) -> Verdict<'a> {
    let routed = operation.and_then(|found| {
        let rule = &ruleset.operations()[found.operation as usize];
        rule.route.as_ref().zip(ruleset.route(found.operation))
    });
    if let Some((target, destination)) = routed {
        let variable = |index| variables.get(index).map_or("", |range| &path.as_str()[range]);
        return Verdict::Forward { destination, path: target.path(variable).into(), log_unmatched: false };
    }
    let path = match ruleset.settings().forward_path {
        ForwardPath::Normalized => path.clone().into_text(),
        ForwardPath::Raw => Cow::Borrowed(raw),
    };
    let log_unmatched = operation.is_none() && ruleset.settings().unmatched == Unmatched::Log;
    Verdict::Forward { destination: origin, path, log_unmatched }
}

/// Whether a path as sent has the segments of its normalized form, one for one: then only the percent-encoding of
/// characters within a segment can differ, which moves no boundary that templates know. A dot segment at the end
/// becomes an empty one, which is not the same.
fn names_the_same(raw: &str, normalized: &NormalizedPath<'_>) -> bool {
    if raw == normalized.as_str() {
        return true;
    }
    let mut expected = normalized.as_str().split('/');
    let same = raw.split('/').all(|segment| {
        let alone = format!("/{segment}");
        let alone = NormalizedPath::from_live(alone.as_bytes());
        let alone = alone.as_ref().ok().and_then(|alone| alone.as_str().strip_prefix('/'));
        alone.is_some_and(|alone| expected.next() == Some(alone) && alone.is_empty() == segment.is_empty())
    });
    same && expected.next().is_none()
}
