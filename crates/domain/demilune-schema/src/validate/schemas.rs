//! The compiled schemas of a document, and what they say of a value.

use std::collections::{BTreeMap, HashMap, HashSet};

use jsonschema::{ValidationError, error::ValidationErrorKind};

use super::{
    json::{Format, Node, Tape},
    place::{RequestPlace, push_token},
    verdict::{Verdict, Violation},
};

/// Looks into containers that any value may take to be checked, and those for each of its entries. A schema without
/// alternatives takes about one for each entry.
const VISITS_MIN: u32 = 1_000_000;
const VISITS_PER_ENTRY: u32 = 32;
/// Errors that may be made while a misfit is explained: each holds places as text.
const ERRORS_MAX: u32 = 64;

/// The schemas of a document.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    /// By the number of the definition.
    pub(crate) compiled: BTreeMap<usize, jsonschema::Validator<Format>>,
    /// Where each definition is in the document.
    pub(crate) places: Vec<Box<str>>,
    /// What stands elsewhere in the document.
    pub(crate) moved: HashMap<String, Moved>,
    /// The names of members that schemas know.
    pub(crate) names: HashSet<Box<str>>,
}

/// A keyword that something else stands for in the compiled schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) keyword: &'static str,
    /// Where it is in the document.
    pub(crate) place: String,
}

/// One use of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaUse {
    pub(crate) definition: usize,
    /// Where this use is in the document; equal schemas in several places are one definition.
    pub(crate) place: Box<str>,
}

/// Whether a value fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Fits,
    DoesNot,
    /// Finding out takes more work than is allowed.
    TooMuchWork,
}

impl Schemas {
    /// Whether a value fits.
    pub(crate) fn fit(&self, schema: &SchemaUse, value: &Tape<'_>) -> Fit {
        let Some(compiled) = self.compiled.get(&schema.definition) else { return Fit::TooMuchWork };
        value.work().allow(visits(value), u32::MAX);
        let is_valid = compiled.is_valid(Node::root(value));
        match is_valid {
            _ if value.work().is_exhausted() => Fit::TooMuchWork,
            true => Fit::Fits,
            false => Fit::DoesNot,
        }
    }

    /// Adds to the verdict what keeps a value from fitting. `place` is where the value is in the request.
    pub(crate) fn check(&self, schema: &SchemaUse, value: &Tape<'_>, place: &RequestPlace<'_>, verdict: &mut Verdict) {
        match self.fit(schema, value) {
            Fit::Fits => {}
            Fit::DoesNot => self.explain(schema, value, place, verdict),
            Fit::TooMuchWork => verdict.add(Violation::new("work", place.pointer(), schema.place.to_string())),
        }
    }

    /// All errors if they are few, else the first, else only that it does not fit.
    fn explain(&self, schema: &SchemaUse, value: &Tape<'_>, place: &RequestPlace<'_>, verdict: &mut Verdict) {
        let Some(compiled) = self.compiled.get(&schema.definition) else { return };
        value.work().allow(visits(value), ERRORS_MAX);
        let errors = compiled.iter_errors(Node::root(value));
        if !value.work().is_exhausted() {
            let explainer = Explainer { schemas: self, schema, value, place };
            errors.for_each(|error| verdict.add(explainer.violation(&error)));
            return;
        }
        drop(errors);
        value.work().allow(visits(value), ERRORS_MAX);
        let first = compiled.validate(Node::root(value));
        // A keyword is found to fail before its error is made, so running out of errors does not touch the first.
        if let Err(error) = first
            && !value.work().is_out_of_visits()
        {
            verdict.add(Explainer { schemas: self, schema, value, place }.violation(&error));
            verdict.has_more = true;
        } else {
            verdict.add(Violation::new("schema", place.pointer(), schema.place.to_string()));
        }
    }
}

fn visits(value: &Tape<'_>) -> u32 {
    let entries = u32::try_from(value.len()).unwrap_or(u32::MAX);
    entries.saturating_mul(VISITS_PER_ENTRY).saturating_add(VISITS_MIN)
}

struct Explainer<'e> {
    schemas: &'e Schemas,
    schema: &'e SchemaUse,
    value: &'e Tape<'e>,
    place: &'e RequestPlace<'e>,
}

impl Explainer<'_> {
    fn violation(&self, error: &ValidationError<'_>) -> Violation {
        let path = error.schema_path().as_str();
        let (keyword, document_place) = match self.moved(path) {
            Some(moved) => (moved.keyword.to_owned(), moved.place.clone()),
            None => (keyword(error, path), self.document_place(error, path)),
        };
        Violation { keyword, request_place: self.request_place(error), document_place }
    }

    /// The keyword that what is at a place, or around it, stands for.
    fn moved(&self, path: &str) -> Option<&Moved> {
        if self.schemas.moved.is_empty() {
            return None;
        }
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.rev().find_map(|end| self.schemas.moved.get(&path[..end]))
    }

    fn document_place(&self, error: &ValidationError<'_>, path: &str) -> String {
        let definition = path.strip_prefix("/$defs/").and_then(|rest| {
            let (number, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            Some((number.parse::<usize>().ok()?, rest))
        });
        match definition {
            Some((number, rest)) if number == self.schema.definition => format!("{}{rest}", self.schema.place),
            Some((number, rest)) if number < self.schemas.places.len() => {
                format!("{}{rest}", self.schemas.places[number])
            }
            // Within a schema that has an identifier of its own.
            _ => error.absolute_keyword_location().map_or_else(|| path.to_owned(), ToString::to_string),
        }
    }

    fn request_place(&self, error: &ValidationError<'_>) -> String {
        let mut place = self.place.pointer();
        let mut node = Some(Node::root(self.value));
        for token in error.instance_path().as_str().split('/').skip(1) {
            if node.is_some_and(Node::is_object) {
                let name = token.replace("~1", "/").replace("~0", "~");
                self.schemas.push_name(&mut place, &name);
                node = node.and_then(|node| node.member(&name));
            } else {
                push_token(&mut place, token);
                node = node.and_then(|node| node.item(token.parse().ok()?));
            }
        }
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                self.schemas.push_name(&mut place, property.as_str().unwrap_or("*"));
            }
            ValidationErrorKind::AdditionalProperties { .. }
            | ValidationErrorKind::UnevaluatedProperties { .. }
            | ValidationErrorKind::PropertyNames { .. } => place.push_str("/*"),
            _ => {}
        }
        place
    }
}

impl Schemas {
    /// Appends the name of a member to a pointer, or `*` if no schema knows it.
    pub(crate) fn push_name(&self, pointer: &mut String, name: &str) {
        let shown = if self.names.contains(name) { name } else { "*" };
        push_token(pointer, shown);
    }
}

/// The keyword of an error: `false` has none, and counts for the keyword that holds it.
fn keyword(error: &ValidationError<'_>, path: &str) -> String {
    match error.kind() {
        ValidationErrorKind::FalseSchema => {
            let holder = path.split('/').rev().find(|token| {
                matches!(
                    *token,
                    "properties"
                        | "patternProperties"
                        | "items"
                        | "prefixItems"
                        | "allOf"
                        | "anyOf"
                        | "oneOf"
                        | "additionalProperties"
                        | "unevaluatedItems"
                        | "unevaluatedProperties"
                        | "dependentSchemas"
                        | "contains"
                        | "propertyNames"
                        | "then"
                        | "else"
                )
            });
            holder.unwrap_or("false").to_owned()
        }
        kind => kind.keyword().to_owned(),
    }
}
