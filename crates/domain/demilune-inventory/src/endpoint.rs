//! A path template such as `/users/{var1}`, canonical by construction.

use std::{
    fmt::{self, Write},
    str::FromStr,
};

use crate::{
    normalize::{dots, percent, slashes},
    variable::{NameError, check_name},
};

/// A canonical endpoint (contract 2.2): a normalized path in which `{var1}`, `{var2}`, … stand for any text within one
/// segment, numbered from left to right.
///
/// ```
/// use demilune_inventory::Endpoint;
///
/// let endpoint: Endpoint = "/api//v1/./users/{user}/files/{file}.json".parse()?;
/// assert_eq!(endpoint.as_str(), "/api/v1/users/{var1}/files/{var2}.json");
/// # Ok::<(), demilune_inventory::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(Box<str>);

impl Endpoint {
    /// Longest endpoint in characters, before and after normalization (contract 2.1; 10, point 13).
    pub const CHARS_MAX: usize = 4096;

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Brings a template to its canonical form. Parsing a canonical form gives it back.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        // A text of so many bytes cannot have more characters.
        if text.len() > Self::CHARS_MAX && text.chars().count() > Self::CHARS_MAX {
            return Err(EndpointError::TooLong);
        }
        if !text.starts_with('/') {
            return Err(EndpointError::NoLeadingSlash);
        }
        let unnumbered = dots::remove(normalize(text)?);
        // Numbered only now, because a `..` may have taken variables away (contract 10, point 1).
        let canonical = number_variables(&unnumbered);
        if canonical.len() > Self::CHARS_MAX {
            return Err(EndpointError::CanonicalTooLong);
        }
        Ok(Self(canonical.into()))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no endpoint; `Display` is a sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// More than [`Endpoint::CHARS_MAX`] characters.
    #[error("the endpoint may have at most {max} characters", max = Endpoint::CHARS_MAX)]
    TooLong,
    /// More than [`Endpoint::CHARS_MAX`] characters once special characters are percent-encoded.
    #[error("the endpoint may have at most {max} characters in canonical form, where special characters take three", max = Endpoint::CHARS_MAX)]
    CanonicalTooLong,
    /// Does not start with `/`.
    #[error("the endpoint must start with /")]
    NoLeadingSlash,
    /// Holds `?` or `#`.
    #[error("the endpoint holds the character {0}; leave the query and the fragment out, an endpoint is a path")]
    QueryOrFragment(char),
    /// Holds a control character.
    #[error("the endpoint holds the control character {0:?}; take it out")]
    ControlCharacter(char),
    /// A `%` without two hex digits behind it.
    #[error("{0} is no percent-encoding; write % as %25, or two hex digits behind it")]
    BrokenTriplet(String),
    /// `{` without its `}`.
    #[error("an opening brace has no closing one; write a variable as {{id}}")]
    BraceUnclosed,
    /// `}` without its `{`.
    #[error("a closing brace has no opening one; write a variable as {{id}}")]
    BraceUnopened,
    /// `{` within braces.
    #[error("braces stand within braces; write each variable as {{id}}")]
    BraceNested,
    /// The name of a variable cannot be used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// `{a}{b}`: nothing tells where one ends and the next begins.
    #[error("two variables touch; put literal text or a slash between them")]
    VariablesAdjacent,
}

/// What a variable is written as until the variables are numbered. No literal text holds a brace by then.
const UNNUMBERED: &str = "{}";

/// Slashes and percent-encoding brought to normal form, each variable replaced by `{}`.
fn normalize(text: &str) -> Result<String, EndpointError> {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find(ends_literal) {
        push_literal(&mut normal, &rest[..end])?;
        rest = &rest[end..];
        let Some(special) = rest.chars().next() else { break };
        match special {
            '/' | '\\' => {
                slashes::push(&mut normal);
                rest = &rest[1..];
            }
            '{' => {
                let name = variable_name(&rest[1..])?;
                if normal.ends_with('}') {
                    return Err(EndpointError::VariablesAdjacent);
                }
                normal.push_str(UNNUMBERED);
                rest = &rest[name.len() + 2..];
            }
            '}' => return Err(EndpointError::BraceUnopened),
            '?' | '#' => return Err(EndpointError::QueryOrFragment(special)),
            control => return Err(EndpointError::ControlCharacter(control)),
        }
    }
    push_literal(&mut normal, rest)?;
    Ok(normal)
}

/// Whether a character is no part of literal text within a segment.
fn ends_literal(letter: char) -> bool {
    matches!(letter, '/' | '\\' | '{' | '}' | '?' | '#') || letter.is_control()
}

fn push_literal(to: &mut String, text: &str) -> Result<(), EndpointError> {
    percent::push_strict(to, text.as_bytes()).map_err(|broken| EndpointError::BrokenTriplet(broken.0))
}

/// The name at the start of `text`, which begins behind an opening brace.
fn variable_name(text: &str) -> Result<&str, EndpointError> {
    let end = text.find(['{', '}']).ok_or(EndpointError::BraceUnclosed)?;
    if text[end..].starts_with('{') {
        return Err(EndpointError::BraceNested);
    }
    let name = &text[..end];
    check_name(name)?;
    Ok(name)
}

fn number_variables(text: &str) -> String {
    let mut numbered = String::with_capacity(text.len() + 16);
    for (number, piece) in text.split(UNNUMBERED).enumerate() {
        if number > 0 {
            // Writing into a String never fails.
            let _ = write!(numbered, "{{var{number}}}");
        }
        numbered.push_str(piece);
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let endpoint: Endpoint = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(endpoint.as_str(), expected, "{text}");
        assert_eq!(expected.parse(), Ok(endpoint), "{expected} is no fixed point");
    }

    fn check_error(text: &str, expected: &EndpointError) {
        assert_eq!(text.parse::<Endpoint>().as_ref(), Err(expected), "{text}");
    }

    #[test]
    fn variables_are_numbered_from_left_to_right() {
        check("/api/v1/users/{id}", "/api/v1/users/{var1}");
        check("/foo/{fooId}/bar/{barId}/baz", "/foo/{var1}/bar/{var2}/baz");
        check("/a/{x}/b/{x}", "/a/{var1}/b/{var2}");
        check("/{var2}/{var1}", "/{var1}/{var2}");
    }

    #[test]
    fn a_canonical_endpoint_is_left_alone() {
        for text in
            ["/", "/api/resources/", "/api/GET/test", "/api/users/{var1}/posts/{var2}", "/a%2Fb", "/.well-known/x"]
        {
            check(text, text);
        }
    }

    #[test]
    fn variables_may_stand_beside_text() {
        check("/{a}-{b}", "/{var1}-{var2}");
        check("/{id}.json", "/{var1}.json");
        check("/v{n}/x", "/v{var1}/x");
        check("/{base}...{head}", "/{var1}...{var2}");
        check("/{a}%2D{b}", "/{var1}-{var2}");
    }

    #[test]
    fn variables_are_numbered_after_dot_segments_are_gone() {
        check("/a/{x}/../b/{y}", "/a/b/{var1}");
        check("/a/{x}/%2e%2E/b/{y}", "/a/b/{var1}");
    }

    #[test]
    fn a_variable_beside_dots_is_no_dot_segment() {
        check("/a/{x}../b", "/a/{var1}../b");
        check("/a/..{x}/b", "/a/..{var1}/b");
    }

    #[test]
    fn encoded_braces_are_literal_text() {
        check("/api//v1/./users/%7Bx%7D", "/api/v1/users/%7Bx%7D");
        check("/%7bid%7d/{id}", "/%7Bid%7D/{var1}");
    }

    #[test]
    fn names_may_hold_what_no_path_may() {
        check("/{a b}/{é%zz}", "/{var1}/{var2}");
    }

    #[test]
    fn literal_text_is_normalized_like_live_paths() {
        // Contract 4.2 and 4.3.
        check("/%68ello", "/hello");
        check(r"/%68ello//pa\th", "/hello/pa/th");
        check("/hello//../path", "/path");
        check(r"/hello/\../path", "/path");
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
        check("/%25", "/%25");
        check("/a%252e", "/a%252e");
        check("/..", "/");
        check("/../a", "/a");
        check("/a/b/..", "/a/");
        check("/a/.", "/a/");
        check("/a/./b/", "/a/b/");
        check("//", "/");
        check(r"/\{x}\\{y}", "/{var1}/{var2}");
    }

    #[test]
    fn a_broken_triplet_is_named() {
        check_error("/a%zz", &EndpointError::BrokenTriplet("%zz".to_owned()));
        check_error("/a%", &EndpointError::BrokenTriplet("%".to_owned()));
        check_error("/a%4/b", &EndpointError::BrokenTriplet("%4".to_owned()));
        check_error("/a%4{x}", &EndpointError::BrokenTriplet("%4".to_owned()));
    }

    #[test]
    fn an_endpoint_starts_with_a_slash() {
        for text in ["", "a", "{id}", r"\a", "https://h/a"] {
            check_error(text, &EndpointError::NoLeadingSlash);
        }
    }

    #[test]
    fn an_endpoint_has_no_query_fragment_or_control_character() {
        check_error("/a?b", &EndpointError::QueryOrFragment('?'));
        check_error("/a#b", &EndpointError::QueryOrFragment('#'));
        check_error("/a\0", &EndpointError::ControlCharacter('\0'));
        check_error("/a\u{7f}", &EndpointError::ControlCharacter('\u{7f}'));
        check_error("/a\u{80}", &EndpointError::ControlCharacter('\u{80}'));
    }

    #[test]
    fn braces_come_in_pairs_with_a_name_between() {
        check_error("/{", &EndpointError::BraceUnclosed);
        check_error("/{a/b", &EndpointError::BraceUnclosed);
        check_error("/a}", &EndpointError::BraceUnopened);
        check_error("/{a{b}}", &EndpointError::BraceNested);
        check_error("/{{a}}", &EndpointError::BraceNested);
        check_error("/{}", &EndpointError::Name(NameError::Empty));
        check_error("/{a/b}", &EndpointError::Name(NameError::Character { name: "a/b".to_owned(), illegal: '/' }));
        check_error("/{?q}", &EndpointError::Name(NameError::Operator("?q".to_owned())));
        check_error("/a{/x*}", &EndpointError::Name(NameError::Operator("/x*".to_owned())));
        check_error("/{+x}", &EndpointError::Name(NameError::Operator("+x".to_owned())));
        check_error("/{x:3}", &EndpointError::Name(NameError::Modifier("x:3".to_owned())));
        check_error("/{x\n}", &EndpointError::Name(NameError::Character { name: "x\n".to_owned(), illegal: '\n' }));
    }

    #[test]
    fn variables_do_not_touch() {
        check_error("/{a}{b}", &EndpointError::VariablesAdjacent);
        check("/{a}/{b}", "/{var1}/{var2}");
    }

    #[test]
    fn the_length_is_bounded_before_and_after() {
        let fits = format!("/{}", "a".repeat(4095));
        check(&fits, &fits);
        check_error(&format!("{fits}a"), &EndpointError::TooLong);
        check_error(&format!("/{}", "é".repeat(2000)), &EndpointError::CanonicalTooLong);
        // Two characters grow to six.
        check_error(&format!("/{}/{{x}}", "a".repeat(4090)), &EndpointError::CanonicalTooLong);
        // Four thousand characters of dot segments shrink to one.
        check(&"/.".repeat(2048), "/");
    }
}
