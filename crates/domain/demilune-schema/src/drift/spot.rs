//! One place of requests on its way through the keywords.

use serde_json::{Map, Value, json};

use super::{
    bounds,
    difference::{At, Difference, Kind},
    findings::Findings,
    format,
    parts::Parts,
    types, values,
};
use crate::{
    learn::{Class, Field, FieldHash, Said, Shown, Tally},
    validate::Kinds,
};

/// A place: what the document says of it, what was seen there, and what was learned of that.
pub(super) struct Spot<'c> {
    pub(super) place: &'c str,
    pub(super) parts: &'c Parts<'c>,
    pub(super) field: &'c Field,
    pub(super) written: Written,
    pub(super) learned: Learned<'c>,
}

/// How values are written in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// As JSON.
    Json,
    /// As text that stands for a value of these kinds; empty if that is let through, whatever the schema.
    Text { kinds: Kinds, allows_empty: bool },
}

/// What was learned of a place; nothing where it is not shown.
#[derive(Clone, Copy, Default)]
pub(super) struct Learned<'c> {
    pub(super) schema: Option<&'c Map<String, Value>>,
    pub(super) said: &'c [Said],
}

impl Spot<'_> {
    /// Compares everything but what is in other places.
    pub(super) fn compare(&self, findings: &mut Findings) {
        for (keyword, why) in &self.parts.unclear {
            findings.not_compared(self.place, *keyword, why);
        }
        if let Some(location) = &self.parts.nothing {
            let at = At { place: self.place, location: location.clone(), keyword: "schema" };
            let values = [json!(false), types::names(self.field.classes.iter())];
            findings.add(Difference::of(Kind::Tighter, at, values, &self.field.seen, self.field.seen.count));
        }
        types::tighter(self, findings);
        format::tighter(self, findings);
        values::tighter(self, findings);
        bounds::tighter(self, findings);
        if types::looser(self, findings) {
            return;
        }
        format::looser(self, findings);
        values::looser(self, findings);
        bounds::looser(self, findings);
    }

    pub(super) fn at(&self, keyword: &'static str, location: String) -> At<'_> {
        At { place: self.place, location, keyword }
    }

    /// How many values there were.
    pub(super) fn count(&self) -> u64 {
        self.field.classes.count()
    }

    /// Whether the values can be texts and nothing else.
    pub(super) fn is_text(&self) -> bool {
        match self.written {
            Written::Json => true,
            Written::Text { kinds, .. } => kinds.without(Kinds::NULL) == Kinds::STRING,
        }
    }

    /// Whether numbers are read as such.
    pub(super) fn is_number(&self) -> bool {
        match self.written {
            Written::Json => true,
            Written::Text { kinds, .. } => {
                kinds.has(Kinds::NUMBER) && kinds.without(Kinds::NULL | Kinds::BOOLEAN) == Kinds::NUMBER
            }
        }
    }

    /// Whether a class is let through before any schema is asked.
    pub(super) fn is_waved_through(&self, class: Class) -> bool {
        class == Class::Empty && matches!(self.written, Written::Text { allows_empty: true, .. })
    }
}

impl<'c> Learned<'c> {
    /// What was learned in a place with this schema.
    pub(super) fn at(shown: Option<&'c Shown>, at: FieldHash, schema: Option<&'c Value>) -> Self {
        let place = shown.and_then(|shown| shown.places().find(|place| place.at == at));
        Self {
            schema: schema.and_then(Value::as_object).filter(|_| place.is_some()),
            said: place.map_or(&[], |place| &place.said),
        }
    }

    /// A learned keyword, and what it rests on.
    pub(super) fn keyword(&self, keyword: &str) -> Option<(&'c Value, &'c Tally)> {
        let value = self.schema?.get(keyword)?;
        let said = self.said.iter().find(|said| said.keyword == keyword)?;
        Some((value, &said.ground))
    }

    /// The schema of something within.
    pub(super) fn within(&self, keyword: &str) -> Option<&'c Value> {
        self.schema?.get(keyword)
    }
}
