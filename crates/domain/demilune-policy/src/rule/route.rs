//! The target of one operation: a server, and a path made from the operation's variables (contract 6.2).

use std::{fmt, fmt::Write, net::IpAddr};

use demilune_inventory::{Endpoint, EndpointError};

use super::{Scheme, Server, ServerError};

/// Where an operation's requests are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTarget {
    server: Server,
    path: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    /// The source's variable of this index, from 0.
    Variable(usize),
}

impl RouteTarget {
    /// Longest target in characters.
    pub const CHARS_MAX: usize = 8192;

    /// Reads a target for an operation with this endpoint: a URL whose path holds every variable of the endpoint by its
    /// name, `{var1}` and so on, in any order; or an IP address alone, which is spoken to over TLS with the
    /// operation's own path. What it prints as is read as the same target.
    pub fn parse(text: &str, source: &Endpoint) -> Result<Self, RouteTargetError> {
        if text.chars().count() > Self::CHARS_MAX {
            return Err(RouteTargetError::TooLong);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            let path = pieces(source.as_str(), source)?;
            return Ok(Self { server: Server::at(Scheme::Https, address), path });
        }
        let (server, path) = Server::parse_prefix(text)?;
        if let Some(illegal) = path.chars().find(|letter| matches!(letter, '?' | '#')) {
            return Err(RouteTargetError::QueryOrFragment(illegal));
        }
        let path = pieces(if path.is_empty() { "/" } else { path }, source)?;
        Ok(Self { server, path })
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The path for a request, from the normalized text of the source's variables in order. Always starts with `/`.
    #[must_use]
    pub fn path<'v>(&self, variable: impl Fn(usize) -> &'v str) -> String {
        let mut path = String::with_capacity(64);
        for piece in &self.path {
            path.push_str(match piece {
                Piece::Literal(text) => text,
                Piece::Variable(index) => variable(*index),
            });
        }
        path
    }
}

impl fmt::Display for RouteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.server)?;
        self.path.iter().try_for_each(|piece| match piece {
            Piece::Literal(text) => f.write_str(text),
            Piece::Variable(index) => write!(f, "{{var{}}}", index + 1),
        })
    }
}

/// Why a text is no target; `Display` is a sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteTargetError {
    /// More than [`RouteTarget::CHARS_MAX`] characters.
    #[error("the route may have at most {max} characters", max = RouteTarget::CHARS_MAX)]
    TooLong,
    /// It names no server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The path cannot be used.
    #[error("the path of the route cannot be used: {0}")]
    Path(EndpointError),
    /// Holds `?` or `#`.
    #[error("the route holds the character {0}; leave the query and the fragment out, a request keeps its own query")]
    QueryOrFragment(char),
    /// A variable of the operation is not in the path.
    #[error("the route lacks the variable {{{0}}}; every variable of the operation's endpoint must stand in its path")]
    VariableMissing(String),
    /// A variable that the operation does not have.
    #[error("the route holds the variable {{{given}}}; it may hold {known}")]
    VariableUnknown {
        /// The name as given.
        given: String,
        /// What may be given.
        known: String,
    },
}

/// The path's literal text, normalized as an endpoint's is, and its variables.
fn pieces(path: &str, source: &Endpoint) -> Result<Vec<Piece>, RouteTargetError> {
    let canonical: Endpoint = path.parse().map_err(RouteTargetError::Path)?;
    let count = names(source.as_str()).count();
    let mut variables = Vec::new();
    for name in names(path) {
        variables.push(index(name, count)?);
    }
    let mut pieces = Vec::new();
    let mut rest = canonical.as_str();
    for (position, variable) in variables.iter().enumerate() {
        let mut mark = String::new();
        // Writing to a string does not fail.
        let _ = write!(mark, "{{var{}}}", position + 1);
        // A dot segment took it out.
        let Some((before, behind)) = rest.split_once(mark.as_str()) else { break };
        if !before.is_empty() {
            pieces.push(Piece::Literal(before.into()));
        }
        pieces.push(Piece::Variable(*variable));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.into()));
    }
    let lacking = (0..count).find(|wanted| !pieces.contains(&Piece::Variable(*wanted)));
    match lacking {
        Some(index) => Err(RouteTargetError::VariableMissing(format!("var{}", index + 1))),
        None if names(canonical.as_str()).count() != variables.len() => {
            Err(RouteTargetError::VariableMissing("one that a dot segment removes".to_owned()))
        }
        None => Ok(pieces),
    }
}

/// The names between braces, in order. The text was found well-formed.
fn names(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

fn index(name: &str, count: usize) -> Result<usize, RouteTargetError> {
    let number = name.strip_prefix("var").and_then(|digits| digits.parse::<usize>().ok());
    let known = number.filter(|number| (1..=count).contains(number) && *name == format!("var{number}"));
    known.map(|number| number - 1).ok_or_else(|| RouteTargetError::VariableUnknown {
        given: name.to_owned(),
        known: match count {
            0 => "no variable, since the operation's endpoint has none".to_owned(),
            1 => "{var1}".to_owned(),
            _ => format!("{{var1}} to {{var{count}}}"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, source: &str) -> Result<RouteTarget, RouteTargetError> {
        RouteTarget::parse(text, &source.parse().unwrap())
    }

    fn check(text: &str, source: &str, expected: &str) {
        let target = parse(text, source).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(target.to_string(), expected, "{text}");
        assert_eq!(parse(expected, source), Ok(target), "{expected} is no fixed point");
    }

    fn check_error(text: &str, source: &str, expected: &RouteTargetError) {
        assert_eq!(parse(text, source).as_ref(), Err(expected), "{text}");
    }

    #[test]
    fn a_target_has_one_form() {
        check("https://API.example.com/v2/{var1}", "/users/{id}", "https://api.example.com/v2/{var1}");
        check("http://h:80/a//b/./{var1}", "/{x}", "http://h/a/b/{var1}");
        check("https://h", "/a", "https://h/");
        check("https://h/{var2}-{var1}.json", "/{a}/{b}", "https://h/{var2}-{var1}.json");
        check("https://h/{var1}/{var1}", "/{a}", "https://h/{var1}/{var1}");
    }

    #[test]
    fn an_address_alone_keeps_the_path() {
        check("192.0.2.7", "/users/{id}", "https://192.0.2.7/users/{var1}");
        check("2001:db8::7", "/a/", "https://[2001:db8::7]/a/");
    }

    #[test]
    fn variables_go_in_as_they_are_and_may_change_places() {
        let target = parse("https://h/x/{var2}/{var1}/y", "/{a}/{b}").unwrap();
        assert_eq!(target.path(|index| ["a%2Fb", "c"][index]), "/x/c/a%2Fb/y");
        assert_eq!(parse("https://h/x", "/y").unwrap().path(|_| ""), "/x");
    }

    #[test]
    fn every_variable_of_the_source_stands_in_the_target_and_no_other() {
        check_error("https://h/x", "/{a}", &RouteTargetError::VariableMissing("var1".to_owned()));
        check_error("https://h/{var1}", "/{a}/{b}", &RouteTargetError::VariableMissing("var2".to_owned()));
        check_error("https://h/{var1}/..", "/{a}", &RouteTargetError::VariableMissing("var1".to_owned()));
        assert!(parse("https://h/{var1}/../{var1}", "/{a}").is_err());
        for (text, source) in [("https://h/{id}", "/{id}"), ("https://h/{var1}", "/x"), ("https://h/{var01}", "/{x}")] {
            assert!(matches!(parse(text, source), Err(RouteTargetError::VariableUnknown { .. })), "{text}");
        }
    }

    #[test]
    fn a_target_has_no_query_fragment_or_user() {
        check_error("https://h/a?b", "/a", &RouteTargetError::QueryOrFragment('?'));
        check_error("https://h/a#b", "/a", &RouteTargetError::QueryOrFragment('#'));
        check_error("https://u@h/a", "/a", &RouteTargetError::Server(ServerError::UserInformation));
        check_error("https://{var1}.h/", "/{a}", &RouteTargetError::Server(ServerError::Variable));
        assert!(matches!(parse("https://h/{", "/a"), Err(RouteTargetError::Path(_))));
    }
}
