//! Methods and targets as logs write them.

use http::Method;

use super::Defect;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The host, where the target is a whole URL.
    pub(super) host: Option<String>,
    /// The path with the query.
    pub(super) path: String,
}

impl Target {
    /// Reads a path or a URL; an empty text is none.
    pub(super) fn parse(text: &str) -> Result<Self, Defect> {
        let text = text.split_once('#').map_or(text, |(target, _)| target);
        if text.is_empty() {
            return Err(Defect::Request);
        }
        let Some((_, rest)) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
            return Ok(Self { host: None, path: text.to_owned() });
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { host: Some(host.to_owned()).filter(|host| !host.is_empty()), path: format!("{slash}{path}") })
    }
}

/// Reads a method.
pub(super) fn method(text: &str) -> Result<Method, Defect> {
    Method::from_bytes(text.as_bytes()).map_err(|_| Defect::Request)
}

/// Reads a request line, with or without its version. A target with spaces, which some servers log decoded, is kept.
pub(super) fn request_line(text: &str) -> Result<(Method, Target), Defect> {
    let (first, rest) = text.split_once(' ').ok_or(Defect::Request)?;
    let target = match rest.rsplit_once(' ') {
        Some((target, version)) if version.starts_with("HTTP/") => target,
        _ => rest,
    };
    Ok((method(first)?, Target::parse(target)?))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, Option<&str>, &str)>) {
        let read = request_line(text).ok();
        let read =
            read.as_ref().map(|(method, target)| (method.as_str(), target.host.as_deref(), target.path.as_str()));
        assert_eq!(read, expected, "{text:?}");
    }

    #[test]
    fn a_request_line_has_a_method_and_a_target() {
        check("GET /a?b=c HTTP/1.1", Some(("GET", None, "/a?b=c")));
        check("GET /a", Some(("GET", None, "/a")));
        check("GET /a b HTTP/2.0", Some(("GET", None, "/a b")));
        check("PROPFIND /a HTTP/1.1", Some(("PROPFIND", None, "/a")));
        check("OPTIONS * HTTP/1.1", Some(("OPTIONS", None, "*")));
        check("CONNECT a.example:443 HTTP/1.1", Some(("CONNECT", None, "a.example:443")));
    }

    #[test]
    fn a_url_names_its_host() {
        check("GET http://a.example:8080/b?c HTTP/1.1", Some(("GET", Some("a.example:8080"), "/b?c")));
        check("GET https://user:pw@a.example?c#d HTTP/1.1", Some(("GET", Some("a.example"), "/?c")));
        check("GET https://a.example HTTP/1.1", Some(("GET", Some("a.example"), "/")));
        check("GET /redirect?to=https://b.example/ HTTP/1.1", Some(("GET", None, "/redirect?to=https://b.example/")));
    }

    #[test]
    fn what_no_request_can_be_is_none() {
        check("", None);
        check("-", None);
        check("\u{16}\u{3}\u{1} x HTTP/1.1", None);
        check("GET  HTTP/1.1", None);
        check("GET ", None);
    }
}
