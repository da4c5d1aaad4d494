//! Where something stands in a request, as a JSON Pointer (RFC 6901).

/// Which part of a request a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RequestPlace<'p> {
    /// The path variable of that name.
    Path(&'p str),
    /// The query parameter of that name.
    Query(&'p str),
    /// The header field of that name.
    Header(&'p str),
    /// The cookie of that name.
    Cookie(&'p str),
    /// The content.
    Body,
}

impl RequestPlace<'_> {
    /// Such as `/query/limit` or `/body`.
    pub(crate) fn pointer(&self) -> String {
        let (part, name) = match self {
            Self::Path(name) => ("/path", name),
            Self::Query(name) => ("/query", name),
            Self::Header(name) => ("/header", name),
            Self::Cookie(name) => ("/cookie", name),
            Self::Body => return "/body".to_owned(),
        };
        let mut pointer = part.to_owned();
        push_token(&mut pointer, name);
        pointer
    }
}

/// Appends one step to a pointer.
pub(crate) fn push_token(pointer: &mut String, name: &str) {
    pointer.push('/');
    for letter in name.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
