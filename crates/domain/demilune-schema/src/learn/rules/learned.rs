//! A schema, with its reasons.

use serde_json::{Value, json};

use super::{
    explain::{Explained, ground, hour},
    shown::Shown,
    terms::{OBSERVATIONS_MIN, Profile, Terms},
};
use crate::learn::{Published, evidence::Evidence};

/// What an operation's requests look like, as far as enough of them, of enough callers, allow to say it. It names
/// nothing and bounds nothing that fewer than five callers sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    parameters: Vec<Value>,
    request_body: Option<Value>,
    explanation: Value,
    published: Published,
}

impl Learned {
    /// Fewest requests that a schema rests on, and fewest bodies that one of bodies does.
    pub const REQUESTS_MIN: u64 = OBSERVATIONS_MIN;

    /// What the evidence says about requests to an endpoint with these variables, by their order in the path. None below
    /// [`Self::REQUESTS_MIN`].
    #[must_use]
    pub fn of(evidence: &Evidence, variables: &[&str], profile: Profile) -> Option<Self> {
        let shown = Shown::of(evidence, variables, profile)?;
        let published = Published::of(shown.places().map(|place| place.at));
        let request_body = shown.body.map(|schema| {
            let description = confidence(&shown.body_terms);
            json!({ "description": description, "content": { "application/json": { "schema": schema } } })
        });
        let parameters = shown.parameters.into_iter().map(|one| (one.written, one.explained.into_value()));
        let (written, explained): (Vec<_>, Vec<_>) = parameters.unzip();
        let explanation = json!({
            "requests": evidence.requests(),
            "sessions_at_least": evidence.crowd.at_least(),
            "first_seen": hour(evidence.span().0),
            "last_seen": hour(evidence.span().1),
            "parameters": explained,
            "parameters_not_shown": shown.parameters_hidden,
            "parameters_whose_names_look_like_data": ground(&evidence.unnamed),
            "bodies": evidence.bodies(),
            "bodies_unreadable": evidence.unreadable_bodies(),
            "body": shown.body_places.into_iter().map(Explained::into_value).collect::<Vec<_>>(),
            "places_without_room": evidence.is_cut(),
        });
        Some(Self { parameters: written, request_body, explanation, published })
    }

    /// The operation's part of an OpenAPI 3.0 document: `parameters`, and `responses`, which is null.
    #[must_use]
    pub fn fragment(&self) -> Value {
        json!({ "parameters": self.parameters, "responses": null })
    }

    /// `OpenAPI`'s request body object; none below so many bodies.
    #[must_use]
    pub const fn request_body(&self) -> Option<&Value> {
        self.request_body.as_ref()
    }

    /// For each keyword what it rests on, and what was not said and why.
    #[must_use]
    pub const fn explanation(&self) -> &Value {
        &self.explanation
    }

    /// The places that it shows.
    #[must_use]
    pub const fn published(&self) -> &Published {
        &self.published
    }
}

/// How sure the rest is, in words that only change when that does.
pub(super) fn confidence(terms: &Terms) -> &'static str {
    if terms.is_confident {
        "Learned from traffic with high confidence: at least 10,000 requests of at least 50 sessions."
    } else {
        "Learned from traffic with low confidence: fewer than 10,000 requests or 50 sessions, so bounds and lists of \
         values are left out."
    }
}
