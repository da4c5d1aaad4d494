//! `POST …/expression-template/fallthrough`: the expression that catches what no operation fits (contract 6.13).

use axum::extract::State;
use demilune_inventory::Host;
use serde::Serialize;
use utoipa::ToSchema;

use super::hosts;
use crate::http::{
    SharedState,
    auth::WritableZone,
    body::JsonBody,
    envelope::{Envelope, Message},
    error::{ApiError, FailureBody},
};

/// The hosts that an expression is wanted for. Members beside this one are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body; `hosts` reads it element by element to name every defect")]
pub(crate) struct FallthroughInput {
    /// Host names, or patterns whose variables fill whole labels.
    #[schema(min_items = 1, max_items = 1000, example = json!(["www.example.com", "{zone}.example.com"]))]
    hosts: Vec<String>,
}

/// An expression for a rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fallthrough {
    /// What to call the rule.
    #[schema(example = "Fallthrough Expression for [www.example.com]")]
    title: String,
    /// In the rules language.
    #[schema(example = r#"(cf.api_gateway.fallthrough_detected and http.host in {"www.example.com"})"#)]
    expression: String,
}

/// The envelope around an expression, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<Fallthrough>` prints")]
pub(crate) struct FallthroughAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Fallthrough,
}

/// Writes the expression that catches the requests to these hosts that no operation fits. Stores nothing.
#[utoipa::path(post, path = "/zones/{zone_id}/api_gateway/expression-template/fallthrough", tag = "Configuration", operation_id = "fallthrough_expression",
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
) -> Result<Envelope<Fallthrough>, ApiError> {
    let hosts = hosts::read(&body)?;
    if state.store.zone_get(&zone).await?.is_none() {
        return Err(ApiError::zone_unknown(zone.as_str()));
    }
    let names: Vec<_> = hosts.iter().map(Host::as_str).collect();
    Ok(Envelope::new(Fallthrough {
        title: format!("Fallthrough Expression for [{}]", names.join(", ")),
        expression: format!("(cf.api_gateway.fallthrough_detected and {})", hosts::condition(&hosts)),
    }))
}
