//! The cookies of a request (RFC 6265 section 5.4), whose values nothing decodes.

use std::borrow::Cow;

use http::{HeaderMap, header::COOKIE};

use super::query::Pair;

/// The pairs of all `Cookie` fields: HTTP/2 clients may send several. `None` if one of them is not UTF-8.
pub(crate) fn pairs(headers: &HeaderMap) -> Option<Vec<Pair<'_>>> {
    let mut pairs = Vec::new();
    for field in headers.get_all(COOKIE) {
        let text = std::str::from_utf8(field.as_bytes()).ok()?;
        pairs.extend(text.split(';').filter_map(|piece| {
            let (name, value) = piece.trim_matches([' ', '\t']).split_once('=')?;
            Some(Pair { name: Cow::Borrowed(name), value })
        }));
    }
    Some(pairs)
}
