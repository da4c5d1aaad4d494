//! The parts of a request that are checked.

use http::HeaderMap;

/// A request, as it will be forwarded.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'r> {
    /// What the path variables of the endpoint took, `var1` first, percent-encoded as in the normalized path.
    pub variables: &'r [&'r str],
    /// The query without its `?`, as it arrived.
    pub query: Option<&'r str>,
    /// The header fields.
    pub headers: &'r HeaderMap,
    /// The content.
    pub content: Content<'r>,
}

/// The content of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'r> {
    /// There is none.
    None,
    /// All of it, with its codings taken off.
    Whole(&'r [u8]),
    /// There is some that is not at hand: its media type is checked, and nothing else of it.
    NotRead,
}
