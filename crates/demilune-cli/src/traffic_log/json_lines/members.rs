//! Members of a JSON object as logs use them: under one of several names, numbers also as texts.

use std::borrow::Cow;

use http::{Method, header};
use serde_json::{Map, Value};

use super::super::{
    Defect, LogRecord,
    record::{self, present},
    request_line::{Target, method},
    time,
};

/// What servers write instead of a header that could be a secret. Taken for a value it would make all clients one.
const REDACTED: &str = "REDACTED";

/// The members of an object.
#[derive(Clone, Copy)]
pub(super) struct Members<'m>(&'m Map<String, Value>);

impl<'m> Members<'m> {
    pub(super) fn new(members: &'m Map<String, Value>) -> Self {
        Self(members)
    }

    /// All members.
    pub(super) fn all(self) -> impl Iterator<Item = (&'m str, &'m Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The members of a member.
    pub(super) fn inner(self, name: &str) -> Option<Self> {
        self.0.get(name).and_then(Value::as_object).map(Self)
    }

    /// The first of these that is there as a text, a number or a truth.
    pub(super) fn text(self, names: &[&str]) -> Option<Cow<'m, str>> {
        names.iter().find_map(|name| record::text(self.0.get(*name)?))
    }

    pub(super) fn owned(self, names: &[&str]) -> Option<String> {
        self.text(names).map(Cow::into_owned)
    }

    /// The first of these that is a number, or a text that is one.
    pub(super) fn number(self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| match self.0.get(*name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        })
    }

    /// The first of these that is a whole number and not negative.
    pub(super) fn count(self, names: &[&str]) -> Option<u64> {
        names.iter().find_map(|name| match self.0.get(*name)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        })
    }

    pub(super) fn status(self, names: &[&str]) -> Option<u16> {
        self.number(names).and_then(record::status)
    }

    /// The first of these that names an instant.
    pub(super) fn time(self, names: &[&str]) -> Result<i64, Defect> {
        let time = names.iter().find_map(|name| match self.0.get(*name)? {
            Value::Number(number) => number.as_f64().and_then(time::epoch),
            Value::String(text) => time::instant(text),
            _ => None,
        });
        time.ok_or(Defect::Time)
    }

    /// Method and target.
    pub(super) fn request(self, methods: &[&str], targets: &[&str]) -> Result<(Method, Target), Defect> {
        let name = self.text(methods).ok_or(Defect::Request)?;
        let target = self.text(targets).ok_or(Defect::Request)?;
        Ok((method(&name)?, Target::parse(&target)?))
    }

    /// The `Content-Type` among the members of a member, which are the header fields of an answer.
    pub(super) fn media_type(self, name: &str) -> Option<String> {
        let is_type = |name: &str| name.eq_ignore_ascii_case(header::CONTENT_TYPE.as_str());
        let (_, value) = self.inner(name)?.all().find(|(name, _)| is_type(name))?;
        let value = value.as_array().map_or(Some(value), |values| values.first())?;
        record::text(value).map(Cow::into_owned)
    }

    /// Puts the members of a member, which are header fields, into a record. Each has one value or a list.
    pub(super) fn headers_into(self, name: &str, record: &mut LogRecord) {
        for (name, value) in self.inner(name).into_iter().flat_map(Self::all) {
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                header_into(name, value, record);
            }
        }
    }
}

/// Puts a header field into a record, unless its value was taken out.
pub(super) fn header_into(name: &str, value: &Value, record: &mut LogRecord) {
    let value = value.as_str().map(Cow::Borrowed).or_else(|| record::text(value));
    if let Some(value) = value.filter(|value| value != REDACTED && present(value).is_some()) {
        record.add_header(name, &value);
    }
}
