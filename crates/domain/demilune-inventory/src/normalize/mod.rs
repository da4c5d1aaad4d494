//! Turns a raw request path into its one normalized form (contract 4), for the inventory and for live traffic alike.
//!
//! The rules run in this order, which the documentation of the normalization fixes:
//! 1. `slashes`: back slashes become slashes, runs of slashes become one;
//! 2. `percent`: unreserved characters are decoded, what a path must not hold is encoded, hex digits are upper-cased;
//! 3. `dots`: the segments `.` and `..` are resolved.

pub(crate) mod dots;
pub(crate) mod percent;
pub(crate) mod slashes;

use std::{borrow::Cow, fmt};

/// A request path in normalized form: ASCII, starts with `/`, no empty segment but the last, no dot segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NormalizedPath<'a>(Cow<'a, str>);

impl<'a> NormalizedPath<'a> {
    /// Normalizes the path of a live request, which is everything before `?`. Refuses nothing that starts with `/`: a
    /// `%` that begins no percent triplet is taken for a literal one and encoded (contract 10, point 14), braces are
    /// encoded, and a `?` or `#` stays, being a reserved character. A path that is normal already is borrowed.
    ///
    /// ```
    /// use demilune_inventory::NormalizedPath;
    ///
    /// let path = NormalizedPath::from_live(br"/api//v1\users/./%7Ejoe/100%")?;
    /// assert_eq!(path.as_str(), "/api/v1/users/~joe/100%25");
    /// # Ok::<(), demilune_inventory::PathError>(())
    /// ```
    pub fn from_live(path: &'a [u8]) -> Result<Self, PathError> {
        if path.first() != Some(&b'/') {
            return Err(PathError);
        }
        if let Some(path) = as_normal(path) {
            return Ok(Self(Cow::Borrowed(path)));
        }
        let mut text = String::with_capacity(path.len() + 16);
        // The piece before the first slash is empty.
        for piece in path.split(|byte| slashes::is_slash(*byte)).skip(1) {
            slashes::push(&mut text);
            percent::push_lenient(&mut text, piece);
        }
        Ok(Self(Cow::Owned(dots::remove(text))))
    }

    /// The normalized text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The normalized text, borrowed where the path was normal already.
    #[must_use]
    pub fn into_text(self) -> Cow<'a, str> {
        self.0
    }
}

impl fmt::Display for NormalizedPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path does not start with `/`, so it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path must start with /")]
pub struct PathError;

/// The path as text if no rule would change it.
fn as_normal(path: &[u8]) -> Option<&str> {
    let normal = slashes::is_normal(path) && percent::is_normal(path) && dots::is_normal(path);
    if normal { std::str::from_utf8(path).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        let once = NormalizedPath::from_live(path.as_bytes()).unwrap();
        assert_eq!(once.as_str(), expected, "{path}");
        let twice = NormalizedPath::from_live(once.as_str().as_bytes()).unwrap();
        assert_eq!(twice, once, "{path} is no fixed point");
        assert!(matches!(twice.0, Cow::Borrowed(_)), "{expected} is not recognised as normal");
    }

    #[test]
    fn the_documented_examples_hold() {
        // Contract 4.2, column "Cloudflare type".
        check("/hello", "/hello");
        check("/%68ello", "/hello");
        check(r"/%68ello//pa\th", "/hello/pa/th");
        check("/hello//../path", "/path");
        check(r"/hello/\../path", "/path");
    }

    #[test]
    fn the_derived_cases_hold() {
        // Contract 4.3.
        check("/a/%2e%2e/b", "/b");
        check("/a/%2E%2E%2Fb", "/a/..%2Fb");
        check("/a%2f%2fb", "/a%2F%2Fb");
        check("/a%5cb", "/a%5Cb");
        check("/café", "/caf%C3%A9");
        check("/caf%c3%a9", "/caf%C3%A9");
        check("/a b", "/a%20b");
        check("/a|b", "/a%7Cb");
        check("/%7Euser/%41%2d", "/~user/A-");
        check("/x%3ay", "/x%3Ay");
        check("/x:y", "/x:y");
        check("/%25", "/%25");
        check("/a%252e", "/a%252e");
        check("/..", "/");
        check("/../a", "/a");
        check("/a/b/..", "/a/");
        check("/a/.", "/a/");
        check("/a/./b/", "/a/b/");
        check("//", "/");
        check("/a%zz", "/a%25zz");
        check("/a%", "/a%25");
    }

    #[test]
    fn letter_case_and_the_final_slash_are_kept() {
        check("/api/GET/test", "/api/GET/test");
        check("/api/resources/", "/api/resources/");
        check("/", "/");
    }

    #[test]
    fn braces_of_a_live_path_are_literal() {
        check("/{id}", "/%7Bid%7D");
        check("/%7bid%7d", "/%7Bid%7D");
    }

    #[test]
    fn reserved_characters_stay_as_they_are() {
        check("/:?#[]@!$&'()*+,;=", "/:?#[]@!$&'()*+,;=");
    }

    #[test]
    fn a_broken_triplet_does_not_swallow_what_follows() {
        check("/%4%41", "/%254A");
        check("/%%41", "/%25A");
        check("/%4/..", "/");
    }

    #[test]
    fn segments_that_only_start_with_dots_are_kept() {
        check("/.well-known/x", "/.well-known/x");
        check("/...", "/...");
        check("/..a/.b.", "/..a/.b.");
    }

    #[test]
    fn a_path_that_is_normal_is_borrowed() {
        for path in ["/", "/api/v1/users/42", "/caf%C3%A9/a%2Fb", "/.well-known/...", "/a/b/", "/100%25"] {
            let path = NormalizedPath::from_live(path.as_bytes()).unwrap();
            assert!(matches!(path.0, Cow::Borrowed(_)), "{path}");
        }
    }

    #[test]
    fn what_does_not_start_with_a_slash_is_no_path() {
        for path in ["", "a", "?", "*", "%2Fa", r"\a"] {
            assert_eq!(NormalizedPath::from_live(path.as_bytes()), Err(PathError), "{path:?}");
        }
    }
}
