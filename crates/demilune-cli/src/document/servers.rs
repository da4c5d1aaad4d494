//! Where a document says its operations are: server URLs, their variables, and what is left after scheme and port.

use std::collections::BTreeSet;

use serde_json::Value;

/// Most URLs that the variables of one server may make.
const URLS_PER_SERVER_MAX: usize = 64;
/// Most servers in one list.
const SERVERS_MAX: usize = 256;
/// The schemes that HTTP requests come by; a WebSocket begins as a GET.
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// A host and the path before every path of the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Base {
    pub(super) host: String,
    /// Empty, or begins with a slash; never ends with one.
    pub(super) path: String,
}

/// What a list of servers comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bases {
    pub(super) bases: BTreeSet<Base>,
    /// Sentences about servers that cannot be used.
    pub(super) problems: BTreeSet<String>,
}

/// Reads a list of servers. An absent or empty list is one server at `/`; `host` stands in where a URL has none.
pub(super) fn read(servers: Option<&Value>, host: Option<&str>) -> Bases {
    let mut found = Bases::default();
    match servers {
        None | Some(Value::Null) => found.add("/", host),
        Some(Value::Array(list)) if list.is_empty() => found.add("/", host),
        Some(Value::Array(list)) if list.len() > SERVERS_MAX => {
            found.problem(format!("there are {} servers in one list, and at most {SERVERS_MAX} are read", list.len()));
        }
        Some(Value::Array(list)) => list.iter().for_each(|server| found.add_server(server, host)),
        Some(_) => found.problem("its servers are no list".to_owned()),
    }
    found
}

impl Bases {
    fn problem(&mut self, sentence: String) {
        self.problems.insert(sentence);
    }

    fn add_server(&mut self, server: &Value, host: Option<&str>) {
        let Some(url) = server.get("url").and_then(Value::as_str) else {
            self.problem("a server has no url".to_owned());
            return;
        };
        match expand(url, server.get("variables")) {
            Ok(urls) => urls.iter().for_each(|url| self.add(url, host)),
            Err(sentence) => self.problem(sentence),
        }
    }

    fn add(&mut self, url: &str, host: Option<&str>) {
        match base(url, host) {
            Ok(base) => {
                self.bases.insert(base);
            }
            Err(sentence) => self.problem(sentence),
        }
    }
}

/// Every URL that a template stands for: each value of a variable's `enum`, or its default where there is none.
fn expand(template: &str, variables: Option<&Value>) -> Result<Vec<String>, String> {
    let mut urls = vec![String::new()];
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let Some(length) = rest[start..].find('}') else {
            return Err(format!("the server {template} has an opening brace without a closing one"));
        };
        let name = &rest[start + 1..start + length];
        let variable = variables.and_then(|variables| variables.get(name));
        let values = variable.map(values).unwrap_or_default();
        if values.is_empty() {
            return Err(format!("the server {template} has the variable {name} without a default"));
        }
        if urls.len() * values.len() > URLS_PER_SERVER_MAX {
            return Err(format!("the server {template} stands for more than {URLS_PER_SERVER_MAX} URLs"));
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
fn base(url: &str, host: Option<&str>) -> Result<Base, String> {
    if url.contains(['?', '#']) {
        return Err(format!("the server {url} has a query or a fragment"));
    }
    let behind_scheme = match url.split_once("://") {
        Some((scheme, rest)) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => Some(rest),
        Some((scheme, _)) => return Err(format!("the server {url} has the scheme {scheme}, which is not HTTP")),
        None => url.strip_prefix("//"),
    };
    let Some(rest) = behind_scheme else {
        let Some(host) = host else {
            return Err(format!("the server {url} names no host: give one with --host"));
        };
        return Ok(Base { host: host.to_owned(), path: base_path(url) });
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("a server's URL has user information before its host".to_owned());
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    if host.is_empty() {
        return Err(format!("the server {url} has an empty host"));
    }
    Ok(Base { host: host.to_owned(), path: base_path(path) })
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

    fn check(servers: &Value, expected: &[&str]) {
        let found = read(Some(servers), None);
        assert_eq!(found.problems, BTreeSet::new(), "{servers}");
        let found: Vec<_> = found.bases.iter().map(|base| format!("{}{}", base.host, base.path)).collect();
        assert_eq!(found, expected, "{servers}");
    }

    fn check_problem(servers: &Value, expected: &str) {
        let problems = read(Some(servers), None).problems;
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{servers}: {problems:?}");
    }

    #[test]
    fn scheme_and_port_are_dropped_and_the_path_stays() {
        check(&json!([{"url": "https://api.example.com"}]), &["api.example.com"]);
        check(&json!([{"url": "HTTPS://api.example.com:8443/v1/"}]), &["api.example.com/v1"]);
        check(&json!([{"url": "//api.example.com/"}]), &["api.example.com"]);
        check(
            &json!([{"url": "wss://a.example.com/ws"}, {"url": "http://b.example.com"}]),
            &["a.example.com/ws", "b.example.com"],
        );
    }

    #[test]
    fn a_variable_takes_its_default() {
        let server = json!([{"url": "https://{tenant}.example.com:{port}/{v}", "variables": {
            "tenant": {"default": "acme"}, "port": {"default": 8443}, "v": {"default": "v2"},
        }}]);
        check(&server, &["acme.example.com/v2"]);
    }

    #[test]
    fn a_variable_with_an_enum_takes_each_value() {
        let server = json!([{"url": "https://{region}.example.com/{v}", "variables": {
            "region": {"default": "eu", "enum": ["eu", "us"]}, "v": {"default": "v1", "enum": ["v1", "v2"]},
        }}]);
        check(&server, &["eu.example.com/v1", "eu.example.com/v2", "us.example.com/v1", "us.example.com/v2"]);
    }

    #[test]
    fn variables_that_make_too_many_urls_are_refused() {
        let values: Vec<_> = (0..9).map(|value| value.to_string()).collect();
        let variable = json!({"default": "0", "enum": values});
        let server = json!([{"url": "https://{a}{b}.example.com", "variables": {"a": variable, "b": variable}}]);
        check_problem(&server, "more than 64");
    }

    #[test]
    fn a_server_that_cannot_be_used_is_said_and_the_others_are_read() {
        let found =
            read(Some(&json!([{"url": "https://{x}.example.com"}, {"url": "https://b.example.com"}, {}, 7])), None);
        assert_eq!(found.bases.len(), 1);
        assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
        check_problem(&json!([{"url": "https://h/?a=b"}]), "query");
        check_problem(&json!([{"url": "https://user:pw@h/"}]), "user information");
        check_problem(&json!([{"url": "ftp://h/"}]), "not HTTP");
        check_problem(&json!([{"url": "https:///v1"}]), "empty host");
        check_problem(&json!([{"url": "https://{a.example.com"}]), "closing");
        check_problem(&json!({"url": "https://a"}), "no list");
        check_problem(&json!([{"url": "/v1"}]), "--host");
    }

    #[test]
    fn the_host_of_the_caller_stands_in_for_a_missing_one() {
        let bases = |servers: Option<&Value>| read(servers, Some("api.example.com")).bases;
        let base = |path: &str| BTreeSet::from([Base { host: "api.example.com".to_owned(), path: path.to_owned() }]);
        assert_eq!(bases(None), base(""));
        assert_eq!(bases(Some(&json!([]))), base(""));
        for url in ["/v1", "v1/", "./v1", "/v1//"] {
            assert_eq!(bases(Some(&json!([{"url": url}]))), base("/v1"), "{url}");
        }
        let absolute = bases(Some(&json!([{"url": "https://own.example.com"}])));
        assert_eq!(absolute.first().map(|base| base.host.as_str()), Some("own.example.com"));
    }
}
