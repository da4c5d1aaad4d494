//! Hosts in a body, and hosts as a condition of the rules language.

use demilune_inventory::Host;
use serde_json::Value;

use crate::http::{
    error::{ApiError, Defect},
    input::sentence,
};

/// Most hosts of one expression, which bounds how many defects one answer names.
const HOSTS_MAX: usize = 1_000;

/// The hosts that a body names, each once, in its order.
pub(super) fn read(body: &Value) -> Result<Vec<Host>, ApiError> {
    let Some(Value::Array(values)) = body.get("hosts") else {
        return Err(
            Defect::at("/hosts", "The body must be an object whose member hosts is an array of strings.").into()
        );
    };
    if values.is_empty() || values.len() > HOSTS_MAX {
        let message = format!("The array must hold 1 to {HOSTS_MAX} hosts; it holds {}.", values.len());
        return Err(Defect::at("/hosts", message).into());
    }
    let mut hosts = Vec::with_capacity(values.len());
    let mut defects = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match host(value) {
            Ok(host) if hosts.contains(&host) => {}
            Ok(host) => hosts.push(host),
            Err(message) => defects.push(Defect::at(format!("/hosts/{index}"), message)),
        }
    }
    ApiError::collect(defects)?;
    Ok(hosts)
}

fn host(value: &Value) -> Result<Host, String> {
    match value {
        Value::String(text) => text.parse().map_err(|error| sentence(&error)),
        _ => Err("A host must be a string.".to_owned()),
    }
}

/// A condition that holds for requests to any of these hosts; there is at least one.
pub(super) fn condition(hosts: &[Host]) -> String {
    let (patterns, names): (Vec<_>, Vec<_>) = hosts.iter().map(Host::as_str).partition(|host| host.contains('{'));
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let names = (!names.is_empty()).then(|| format!("http.host in {{{}}}", quoted.join(" ")));
    let patterns = patterns.iter().map(|pattern| format!("http.host matches \"{}\"", expression(pattern)));
    let alternatives: Vec<_> = names.into_iter().chain(patterns).collect();
    match alternatives.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(" or ")),
    }
}

/// A pattern as a regular expression within a string of the rules language, where a back slash is written twice.
fn expression(pattern: &str) -> String {
    // Of what a label may hold, nothing has a meaning in a regular expression.
    let label = |label: &str| if label.starts_with('{') { "[^.]+".to_owned() } else { label.to_owned() };
    let labels: Vec<_> = pattern.split('.').map(label).collect();
    format!("^{}$", labels.join(r"\\."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &[&str], expected: &str) {
        let hosts: Vec<Host> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        assert_eq!(condition(&hosts), expected);
    }

    #[test]
    fn names_are_compared_and_patterns_matched() {
        check(&["a.example"], r#"http.host in {"a.example"}"#);
        check(&["a.example", "b.example"], r#"http.host in {"a.example" "b.example"}"#);
        check(&["{x}.example.com"], r#"http.host matches "^[^.]+\\.example\\.com$""#);
        check(
            &["{x}.{y}.example", "a.example", "{z}"],
            r#"(http.host in {"a.example"} or http.host matches "^[^.]+\\.[^.]+\\.example$" or http.host matches "^[^.]+$")"#,
        );
    }
}
