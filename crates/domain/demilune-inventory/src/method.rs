//! The nine request methods an operation may have.

use std::{fmt, str::FromStr};

/// A request method, upper-case on the wire (contract 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the methods they name")]
pub enum Method {
    Connect,
    Delete,
    Get,
    Head,
    Options,
    Patch,
    Post,
    Put,
    Trace,
}

impl Method {
    /// Every method, in alphabetical order.
    pub const ALL: [Method; 9] = [
        Method::Connect,
        Method::Delete,
        Method::Get,
        Method::Head,
        Method::Options,
        Method::Patch,
        Method::Post,
        Method::Put,
        Method::Trace,
    ];

    /// The upper-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Connect => "CONNECT",
            Method::Delete => "DELETE",
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
            Method::Patch => "PATCH",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Trace => "TRACE",
        }
    }
}

impl FromStr for Method {
    type Err = MethodError;

    /// Accepts any letter case (contract 10, point 5).
    fn from_str(text: &str) -> Result<Self, MethodError> {
        Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text)).ok_or(MethodError)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names none of the nine methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the method must be one of GET, POST, HEAD, OPTIONS, PUT, DELETE, CONNECT, PATCH and TRACE")]
pub struct MethodError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_reads_back_from_its_name_in_any_case() {
        for method in Method::ALL {
            assert_eq!(method.as_str().parse(), Ok(method));
            assert_eq!(method.as_str().to_lowercase().parse(), Ok(method));
        }
    }

    #[test]
    fn other_texts_are_no_methods() {
        for text in ["", "FETCH", "GET ", " GET", "GETS", "ＧＥＴ", "ı"] {
            assert_eq!(text.parse::<Method>(), Err(MethodError), "{text:?}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_names() {
        assert!(Method::ALL.is_sorted_by_key(|method| method.as_str()));
        assert!(Method::ALL.is_sorted());
    }
}
