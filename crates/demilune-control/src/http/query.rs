//! Query parameters, parsed with every defect named.

use std::borrow::Cow;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{envelope::ResultInfo, error::Defect};

/// Items on a page unless told (contract 1.6).
const PER_PAGE_DEFAULT: u64 = 20;
/// Fewest items on a page.
const PER_PAGE_MIN: u64 = 5;
/// Most items on a page.
const PER_PAGE_MAX: u64 = 50;

/// The decoded query of a request, and the defects found in it so far.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    defects: Vec<Defect>,
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Query {
    fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes()).map(|(name, value)| (name.into(), value.into()));
        Self { pairs: pairs.collect(), defects: Vec::new() }
    }

    /// Every defect found by the calls before.
    pub(crate) fn finish(self) -> Result<(), super::error::ApiError> {
        super::error::ApiError::collect(self.defects)
    }

    /// The last value of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// One value, or the default if it is absent or defective.
    pub(crate) fn value<T, E: Into<Cow<'static, str>>>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let parsed = parse(self.text(name)?);
        self.keep(name, parsed)
    }

    /// Every value of a repeatable parameter, without repetitions (contract 1.7).
    pub(crate) fn values<T: PartialEq, E: Into<Cow<'static, str>>>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let parsed: Vec<_> = self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| parse(value)).collect();
        let mut values = Vec::new();
        for outcome in parsed {
            if let Some(value) = self.keep(name, outcome)
                && !values.contains(&value)
            {
                values.push(value);
            }
        }
        values
    }

    /// Names a defect that only shows when several parameters are seen together.
    pub(crate) fn reject(&mut self, name: &str, message: impl Into<String>) {
        self.defects.push(Defect::at(format!("/{name}"), message));
    }

    /// `page` and `per_page`; numbers out of range are clamped (contract 10, point 8).
    pub(crate) fn page(&mut self) -> Page {
        let page = self.value("page", whole_number).unwrap_or(1).max(1);
        let per_page = self.value("per_page", whole_number).unwrap_or(PER_PAGE_DEFAULT);
        Page { page, per_page: per_page.clamp(PER_PAGE_MIN, PER_PAGE_MAX) }
    }

    fn keep<T, E: Into<Cow<'static, str>>>(&mut self, name: &str, parsed: Result<T, E>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(message) => {
                self.reject(name, message.into());
                None
            }
        }
    }
}

/// `true` or `false`.
pub(crate) fn boolean(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("The value must be true or false."),
    }
}

/// Whether a list is turned round.
pub(crate) fn direction(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err("The direction must be asc or desc."),
    }
}

/// A whole number of any size; what does not fit is cut to what does, since all uses clamp.
fn whole_number(text: &str) -> Result<u64, &'static str> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("The value must be a whole number.");
    }
    Ok(if negative { 0 } else { digits.parse().unwrap_or(u64::MAX) })
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    page: u64,
    per_page: u64,
}

impl Page {
    /// How many items come before it.
    pub(crate) fn offset(self) -> u64 {
        (self.page - 1).saturating_mul(self.per_page)
    }

    /// How many items it holds at most.
    pub(crate) fn limit(self) -> u32 {
        u32::try_from(self.per_page).unwrap_or(u32::MAX)
    }

    /// Where it stands in a list of `total_count` items.
    pub(crate) fn info(self, count: usize, total_count: u64) -> ResultInfo {
        let Self { page, per_page } = self;
        ResultInfo { page, per_page, count: count as u64, total_count, total_pages: total_count.div_ceil(per_page) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_clamped_into_their_range() {
        let check = |text: &str, page: u64, per_page: u64| {
            let mut query = Query::parse(text);
            assert_eq!(query.page(), Page { page, per_page }, "{text}");
            assert!(query.finish().is_ok(), "{text}");
        };
        check("", 1, 20);
        check("page=3&per_page=50", 3, 50);
        check("page=0&per_page=0", 1, 5);
        check("page=-7&per_page=5000", 1, 50);
        check("page=99999999999999999999999999", u64::MAX, 20);
    }

    #[test]
    fn what_is_not_a_number_is_a_defect() {
        for text in ["page=x", "page=", "per_page=1.5", "page=%2B1", "page=-"] {
            let mut query = Query::parse(text);
            query.page();
            assert!(query.finish().is_err(), "{text}");
        }
    }

    #[test]
    fn the_offset_of_the_last_page_there_could_be_does_not_overflow() {
        assert_eq!(Page { page: u64::MAX, per_page: 50 }.offset(), u64::MAX);
    }

    #[test]
    fn repeated_keys_make_a_list_without_repetitions() {
        let mut query = Query::parse("a=1&b=x&a=%32&a=1");
        assert_eq!(query.values("a", |text| Ok::<_, String>(text.to_owned())), ["1", "2"]);
    }

    #[test]
    fn every_defect_is_kept() {
        let mut query = Query::parse("page=x&with_schemas=yes");
        query.page();
        query.value("with_schemas", boolean);
        assert_eq!(query.defects.len(), 2);
    }
}
