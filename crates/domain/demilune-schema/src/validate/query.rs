//! The names and values of a query or a form (WHATWG URL section 5.1), with values still encoded.

use std::borrow::Cow;

use super::percent;

/// One `name=value`.
#[derive(Clone, Debug)]
pub(crate) struct Pair<'q> {
    /// Decoded. A name that is not UTF-8 is none that a document declares, and is left out.
    pub(crate) name: Cow<'q, str>,
    /// As it arrived; empty without `=`.
    pub(crate) value: &'q str,
}

/// The pairs of a query.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = Pair<'_>> {
    query.split('&').filter(|piece| !piece.is_empty()).filter_map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let name = percent::text(percent::decode_form(name.as_bytes()))?;
        Some(Pair { name, value })
    })
}
