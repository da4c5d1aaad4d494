//! Where a document says its operations are: server URLs, their variables, and what is left after scheme and port.

use std::collections::BTreeSet;

use demilune_inventory::Host;
use serde_json::Value;

use super::{
    place::Place,
    problem::{Code, Problems},
};

/// Most URLs that the variables of one server may make.
const URLS_PER_SERVER_MAX: usize = 64;
/// Most servers in one list.
const SERVERS_MAX: usize = 256;
/// The schemes that HTTP requests come by; a WebSocket begins as a GET.
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// A host and the path before every path of the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Base {
    pub(super) host: Host,
    /// Empty, or begins with a slash; never ends with one.
    pub(super) path: String,
}

/// Reads a list of servers. An empty list is one server at `/`; `host` stands in where a URL has none.
pub(super) fn read(
    servers: Option<&Value>,
    host: Option<&Host>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> BTreeSet<Base> {
    let mut bases = BTreeSet::new();
    let mut add = |found: Result<Vec<Base>, String>, place: &Place<'_>| match found {
        Ok(found) => bases.extend(found),
        Err(sentence) => problems.add(Code::Server, place.path(), sentence),
    };
    match servers {
        None | Some(Value::Null) => add(base("/", host).map(|base| vec![base]), place),
        Some(Value::Array(list)) if list.is_empty() => add(base("/", host).map(|base| vec![base]), place),
        Some(Value::Array(list)) if list.len() <= SERVERS_MAX => {
            for (index, server) in list.iter().enumerate() {
                let found = urls(server).and_then(|urls| urls.iter().map(|url| base(url, host)).collect());
                add(found, &place.item(index));
            }
        }
        Some(_) => add(Err(format!("servers must be a list of at most {SERVERS_MAX}")), place),
    }
    bases
}

/// Every URL that a server stands for: each value of a variable's `enum`, or its default where there is none.
fn urls(server: &Value) -> Result<Vec<String>, String> {
    let template = server.get("url").and_then(Value::as_str).ok_or("the server has no url")?;
    let mut urls = vec![String::new()];
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let length = rest[start..].find('}').ok_or("an opening brace has no closing one")?;
        let name = &rest[start + 1..start + length];
        let values = server.get("variables").and_then(|variables| variables.get(name)).map(values).unwrap_or_default();
        if values.is_empty() {
            return Err(format!("the variable {name} has no default"));
        }
        if urls.len() * values.len() > URLS_PER_SERVER_MAX {
            return Err(format!("the server stands for more than {URLS_PER_SERVER_MAX} URLs"));
        }
        let literal = &rest[..start];
        urls = urls.iter().flat_map(|url| values.iter().map(move |value| format!("{url}{literal}{value}"))).collect();
        rest = &rest[start + length + 1..];
    }
    for url in &mut urls {
        url.push_str(rest);
    }
    Ok(urls)
}

/// The values of a variable, each once. A default outside the `enum` is an author's slip and counts as one more.
fn values(variable: &Value) -> BTreeSet<String> {
    let listed = variable.get("enum").and_then(Value::as_array).into_iter().flatten();
    listed.chain(variable.get("default")).filter_map(text).collect()
}

/// A scalar as the author wrote it; YAML makes numbers of ports.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Host and path of a URL. The port is dropped: operations are told apart by host alone.
fn base(url: &str, host: Option<&Host>) -> Result<Base, String> {
    if url.contains(['?', '#']) {
        return Err("the server has a query or a fragment".to_owned());
    }
    let behind_scheme = match url.split_once("://") {
        Some((scheme, rest)) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => Some(rest),
        Some((scheme, _)) => return Err(format!("the server has the scheme {scheme}, which is not HTTP")),
        None => url.strip_prefix("//"),
    };
    let Some(rest) = behind_scheme else {
        let host = host.ok_or("the server names no host; write its whole URL, or say which host is meant")?;
        return Ok(Base { host: host.clone(), path: base_path(url) });
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("the server has user information before its host".to_owned());
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.parse().map_err(|error| format!("{error}"))?;
    Ok(Base { host, path: base_path(path) })
}

/// `v1/`, `./v1` and `/v1` are `/v1`; `/` is nothing.
fn base_path(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_all(servers: &Value) -> (Vec<String>, String) {
        let mut problems = Problems::default();
        let bases = read(Some(servers), None, &Place::At("/servers"), &mut problems);
        let problems: Vec<_> = problems.into_list().iter().map(ToString::to_string).collect();
        (bases.iter().map(|base| format!("{}{}", base.host, base.path)).collect(), problems.join("\n"))
    }

    fn check(servers: &Value, expected: &[&str]) {
        let (bases, problems) = read_all(servers);
        assert_eq!((bases, problems.as_str()), (expected.iter().map(ToString::to_string).collect(), ""), "{servers}");
    }

    fn check_problem(servers: &Value, expected: &str) {
        let (_, problems) = read_all(servers);
        assert!(problems.contains(expected), "{servers}: {problems}");
    }

    #[test]
    fn scheme_and_port_are_dropped_and_the_path_stays() {
        check(&json!([{"url": "HTTPS://API.example.com:8443/v1/"}]), &["api.example.com/v1"]);
        check(&json!([{"url": "//api.example.com/"}]), &["api.example.com"]);
        check(
            &json!([{"url": "wss://a.example.com/ws"}, {"url": "http://b.example.com"}]),
            &["a.example.com/ws", "b.example.com"],
        );
    }

    #[test]
    fn variables_take_their_values() {
        let server = json!([{"url": "https://{region}.example.com:{port}/{v}", "variables": {
            "region": {"default": "eu", "enum": ["eu", "us"]}, "port": {"default": 8443}, "v": {"default": "v1"},
        }}]);
        check(&server, &["eu.example.com/v1", "us.example.com/v1"]);
    }

    #[test]
    fn servers_that_cannot_be_used_are_problems() {
        check_problem(&json!([{"url": "/v1"}]), "no host");
        check_problem(&json!([]), "no host");
        check_problem(&json!([{"url": "ftp://a.example.com"}]), "ftp");
        check_problem(&json!([{"url": "https://a:b@a.example.com"}]), "user information");
        check_problem(&json!([{"url": "https://{a}.example.com"}]), "no default");
        check_problem(&json!([{"url": "https://{a"}]), "closing");
        check_problem(&json!([{"url": "https://a.example.com/?x"}]), "query");
        check_problem(&json!([{}]), "no url");
        check_problem(&json!({}), "list");
        let values: Vec<_> = (0..9).map(|value| value.to_string()).collect();
        let variable = json!({"default": "0", "enum": values});
        check_problem(
            &json!([{"url": "https://{a}{b}.example.com", "variables": {"a": variable, "b": variable}}]),
            "more than 64",
        );
    }
}
