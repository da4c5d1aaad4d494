//! `POST …/api_gateway/expression-template/fallthrough`: an expression for requests that no operation fits (contract 6.13).

use axum::extract::State;
use demilune_inventory::Host;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    SharedState,
    auth::WritableZone,
    body::JsonBody,
    envelope::{Envelope, Message},
    error::{ApiError, Defect, FailureBody},
    member::sentence,
};

/// Most hosts of one call: an expression of more would not fit where such expressions are used.
const HOSTS_MAX: usize = 100;

/// The hosts that an expression is wanted for.
#[derive(ToSchema)]
#[schema(as = FallthroughInput)]
#[expect(dead_code, reason = "describes the body; `read` names every defect in it")]
pub(crate) struct FallthroughInput {
    /// Host names or patterns.
    #[schema(min_items = 1, max_items = 100)]
    hosts: Vec<String>,
}

/// An expression in the rules language of Cloudflare.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fallthrough)]
pub(crate) struct FallthroughBody {
    title: String,
    expression: String,
}

/// The envelope around an expression, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<FallthroughBody>` prints")]
pub(crate) struct FallthroughAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: FallthroughBody,
}

/// An expression that holds for requests to these hosts that no operation fits. Stores nothing.
#[utoipa::path(post, path = "/zones/{zone_id}/api_gateway/expression-template/fallthrough", tag = "Settings", operation_id = "fallthrough",
    params(("zone_id" = String, Path, description = "The zone.", max_length = 32)),
    request_body = FallthroughInput,
    responses(
        (status = 200, description = "The expression.", body = FallthroughAnswer),
        (status = "4XX", description = "The request is at fault.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn fallthrough(
    WritableZone(zone): WritableZone,
    State(state): State<SharedState>,
    JsonBody(body): JsonBody,
) -> Result<Envelope<FallthroughBody>, ApiError> {
    let hosts = match read(&body) {
        Ok(hosts) => hosts,
        Err(defects) => return ApiError::collect(defects).and(Err(ApiError::internal())),
    };
    if state.store.zone_get(&zone).await?.is_none() {
        return Err(ApiError::zone_unknown(zone.as_str()));
    }
    let names: Vec<&str> = hosts.iter().map(Host::as_str).collect();
    let title = format!("Fallthrough Expression for [{}]", names.join(", "));
    Ok(Envelope::new(FallthroughBody { title, expression: expression(&names) }))
}

fn read(body: &Value) -> Result<Vec<Host>, Vec<Defect>> {
    let entries = body.get("hosts").and_then(Value::as_array).filter(|hosts| (1..=HOSTS_MAX).contains(&hosts.len()));
    let Some(entries) = entries else {
        let message = format!("The member hosts must be an array of 1 to {HOSTS_MAX} strings.");
        return Err(vec![Defect::at("/hosts", message)]);
    };
    let (mut hosts, mut defects) = (Vec::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        let parsed = match entry.as_str() {
            Some(text) => text.parse().map_err(|error| sentence(&error)),
            None => Err("A host must be a string.".to_owned()),
        };
        match parsed {
            Ok(host) if hosts.contains(&host) => {}
            Ok(host) => hosts.push(host),
            Err(message) => defects.push(Defect::at(format!("/hosts/{index}"), message)),
        }
    }
    if defects.is_empty() { Ok(hosts) } else { Err(defects) }
}

/// Plain hosts are a set; a pattern's variable is any one label.
fn expression(hosts: &[&str]) -> String {
    let (patterns, plain): (Vec<&str>, Vec<&str>) = hosts.iter().partition(|host| host.contains('{'));
    let mut conditions = Vec::new();
    if !plain.is_empty() {
        let quoted: Vec<String> = plain.iter().map(|host| format!("\"{host}\"")).collect();
        conditions.push(format!("http.host in {{{}}}", quoted.join(" ")));
    }
    conditions.extend(patterns.iter().map(|pattern| format!("http.host matches \"{}\"", pattern_regex(pattern))));
    let hosts = match conditions.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(" or ")),
    };
    format!("(cf.api_gateway.fallthrough_detected and {hosts})")
}

/// In a string of that language a back slash is written twice.
fn pattern_regex(pattern: &str) -> String {
    let labels: Vec<&str> =
        pattern.split('.').map(|label| if label.starts_with('{') { "[^.]+" } else { label }).collect();
    format!("^{}$", labels.join(r"\\."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_become_a_set_and_patterns_become_expressions() {
        assert_eq!(
            expression(&["a.example", "b.example"]),
            r#"(cf.api_gateway.fallthrough_detected and http.host in {"a.example" "b.example"})"#
        );
        assert_eq!(
            expression(&["{hostVar1}.a.example"]),
            r#"(cf.api_gateway.fallthrough_detected and http.host matches "^[^.]+\\.a\\.example$")"#
        );
        assert_eq!(
            expression(&["{hostVar1}.a.example", "a.example"]),
            r#"(cf.api_gateway.fallthrough_detected and (http.host in {"a.example"} or http.host matches "^[^.]+\\.a\\.example$"))"#
        );
    }
}
