//! Why a request is decided as it is: the decision, and every operation that might have been meant.

use demilune_inventory::{Method, NormalizedPath, Variables, endpoint_fits, host_fits};

use crate::{
    Decision, Facts, Rulesets, SessionKey, decide,
    rule::{OperationRule, Origin},
};

/// A decision and what led to it.
#[derive(Clone, Debug)]
pub struct Explanation<'a> {
    /// The decision.
    pub decision: Decision<'a>,
    /// The origin whose pattern gave the host to its zone.
    pub origin: Option<&'a Origin>,
    /// The normalized path, which was matched.
    pub path: Option<String>,
    /// The text of each variable of the operation's endpoint, in order.
    pub variables: Vec<String>,
    /// Operations whose host and endpoint fit, the chosen one first.
    pub candidates: Vec<Candidate<'a>>,
}

/// An operation whose host and endpoint fit a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate<'a> {
    /// The operation.
    pub operation: &'a OperationRule,
    /// Whether it was chosen, or what another has before it.
    pub standing: Standing,
}

/// How a candidate compares with the one that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was chosen by its own method.
    Chosen,
    /// It is a GET operation, chosen for HEAD since no HEAD operation fits.
    ChosenForHead,
    /// Another's path says more of the segments.
    PathLessSpecific,
    /// Another's host says more of the labels.
    HostLessSpecific,
    /// It would take HEAD as GET, and another has HEAD itself.
    MethodLessSpecific,
    /// It has another method.
    MethodDiffers,
}

impl Standing {
    /// A few words that complete "this operation …".
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Chosen => "matches",
            Self::ChosenForHead => "matches: HEAD counts as GET where no HEAD operation fits",
            Self::PathLessSpecific => "fits too, but its path is less specific",
            Self::HostLessSpecific => "fits too, but its host is less specific",
            Self::MethodLessSpecific => "would take HEAD as GET, but a HEAD operation fits",
            Self::MethodDiffers => "has another method",
        }
    }
}

/// Decides as [`decide`] does, and says why. Looks at every operation: for people, not for traffic.
#[must_use]
pub fn explain<'a>(rulesets: &'a Rulesets, facts: &Facts<'a>, key: &SessionKey) -> Explanation<'a> {
    let mut variables = Variables::default();
    let decision = decide(rulesets, facts, key, &mut variables);
    let path = NormalizedPath::from_live(facts.path.as_bytes()).ok();
    let texts = path.as_ref().filter(|_| decision.operation.is_some()).map_or_else(Vec::new, |path| {
        let mut texts = Vec::new();
        while let Some(range) = variables.get(texts.len()) {
            texts.push(path.as_str()[range].to_owned());
        }
        texts
    });
    let candidates = path.as_ref().map_or_else(Vec::new, |path| candidates(&decision, facts, path));
    let origin = rulesets.owner(facts.host).map(|(_, origin, _)| origin);
    let path = path.map(|path| path.as_str().to_owned());
    Explanation { decision, origin, path, variables: texts, candidates }
}

fn candidates<'a>(decision: &Decision<'a>, facts: &Facts<'_>, path: &NormalizedPath<'_>) -> Vec<Candidate<'a>> {
    let Some(ruleset) = decision.ruleset else { return Vec::new() };
    let chosen = decision.operation.map(|found| &ruleset.operations()[found.operation as usize]);
    let as_head = decision.operation.is_some_and(|found| found.head_as_get);
    let mut candidates: Vec<_> = ruleset
        .operations()
        .iter()
        .filter(|rule| host_fits(&rule.key.host, facts.host) && endpoint_fits(&rule.key.endpoint, path))
        .map(|operation| Candidate { operation, standing: standing(operation, chosen, as_head, facts) })
        .collect();
    candidates.sort_by(|a, b| (a.standing, &a.operation.key).cmp(&(b.standing, &b.operation.key)));
    candidates
}

fn standing(rule: &OperationRule, chosen: Option<&OperationRule>, as_head: bool, facts: &Facts<'_>) -> Standing {
    let Some(chosen) = chosen else { return Standing::MethodDiffers };
    if rule.id == chosen.id {
        return if as_head { Standing::ChosenForHead } else { Standing::Chosen };
    }
    if rule.key.method != chosen.key.method {
        let head = *facts.method == http::Method::HEAD && chosen.key.method == Method::Head;
        let would = head && rule.key.method == Method::Get;
        return if would { Standing::MethodLessSpecific } else { Standing::MethodDiffers };
    }
    if rule.key.host == chosen.key.host { Standing::PathLessSpecific } else { Standing::HostLessSpecific }
}
