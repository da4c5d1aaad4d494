//! What a schema shows, with what each keyword rests on, before it is written.

use serde_json::{Map, Value};

use super::{
    explain::Explained,
    object::Tree,
    parameter::{self, Parameter},
    terms::{OBSERVATIONS_MIN, Profile, Terms},
};
use crate::learn::evidence::Evidence;

/// What evidence allows to say of an operation's requests.
pub(crate) struct Shown {
    /// Those of the path in their order, then those of the query by name.
    pub(crate) parameters: Vec<Parameter>,
    pub(super) parameters_hidden: u64,
    /// The schema of bodies, if there are enough of them.
    pub(crate) body: Option<Map<String, Value>>,
    pub(crate) body_places: Vec<Explained>,
    pub(super) body_terms: Terms,
}

impl Shown {
    /// What is said of requests to an endpoint with these variables; none below so many requests.
    pub(crate) fn of(evidence: &Evidence, variables: &[&str], profile: Profile) -> Option<Self> {
        if evidence.requests() < OBSERVATIONS_MIN {
            return None;
        }
        let terms = Terms::new(evidence, evidence.requests(), profile);
        let (parameters, parameters_hidden) = parameter::all(evidence, variables, &terms);
        let body_terms = Terms::new(evidence, evidence.bodies(), profile);
        let mut tree = Tree::new(evidence, body_terms);
        let body = if evidence.bodies() < OBSERVATIONS_MIN { None } else { tree.schema(evidence) };
        Some(Self { parameters, parameters_hidden, body, body_places: tree.explained, body_terms })
    }

    /// Every place that it shows.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Explained> {
        self.parameters.iter().map(|parameter| &parameter.explained).chain(&self.body_places)
    }
}
