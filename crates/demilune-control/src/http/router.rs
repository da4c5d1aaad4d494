//! The whole list of routes on one page.

use axum::{
    Router,
    extract::OriginalUri,
    http::Method,
    middleware,
    routing::{any, delete, get, post, put},
};

use super::{
    SharedState, analytics, configuration, docs, error, expressions, frame, health, openapi, operations, origins,
    parameter_schemas, routes, schemas, settings, thresholds, tokens, zones,
};

/// The path that the reference and every SDK's default end in.
pub(crate) const PREFIX: &str = "/client/v4";

/// The path of the calls that the documented API does not have.
pub(crate) const OWN_PREFIX: &str = "/demilune/v1";

/// Every route, ready to serve.
pub(crate) fn router(state: SharedState) -> Router {
    Router::new()
        .nest(PREFIX, api())
        // A base URL without the prefix is a natural slip, and harmless (contract 1.1).
        .merge(api())
        .nest(OWN_PREFIX, own_api())
        .route("/demilune/docs", get(docs::page))
        .route("/demilune/openapi.json", get(openapi::document))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(no_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(state.clone(), frame::frame))
        .with_state(state)
}

/// The calls of the contract, below the base URL.
fn api() -> Router<SharedState> {
    Router::new()
        .route("/user/tokens/verify", get(tokens::verify))
        .route("/zones", get(zones::list))
        .route("/zones/{zone_id}", get(zones::get))
        .route(
            "/zones/{zone_id}/api_gateway/operations",
            get(operations::list).post(operations::add_many).delete(operations::remove_many),
        )
        .route("/zones/{zone_id}/api_gateway/operations/item", post(operations::add))
        .route(
            "/zones/{zone_id}/api_gateway/operations/{operation_id}",
            get(operations::get).merge(delete(operations::remove)),
        )
        .route("/zones/{zone_id}/api_gateway/configuration", get(configuration::get).put(configuration::replace))
        .route(
            "/zones/{zone_id}/api_gateway/operations/{operation_id}/route",
            get(routes::get).put(routes::set).delete(routes::remove),
        )
        .route("/zones/{zone_id}/api_gateway/schemas", get(schemas::list))
        .route("/zones/{zone_id}/api_gateway/expression-template/fallthrough", post(expressions::fallthrough))
        // Literal segments win over {operation_id} (contract 0.1), also those whose calls are still to come.
        .route("/zones/{zone_id}/api_gateway/operations/schema_validation", any(no_route))
        .route("/zones/{zone_id}/api_gateway/operations/labels", any(no_route))
}

/// The calls of our own, below their prefix.
fn own_api() -> Router<SharedState> {
    Router::new()
        .route("/zones/{zone_id}/origins", get(origins::list).merge(put(origins::set)))
        .route("/zones/{zone_id}/origins/{host}", delete(origins::remove))
        .route("/zones/{zone_id}/analytics", get(analytics::zone))
        .route("/zones/{zone_id}/operations/{operation_id}/analytics", get(analytics::operation))
        .route("/zones/{zone_id}/operations/{operation_id}/thresholds/explain", get(thresholds::explain))
        .route("/zones/{zone_id}/operations/{operation_id}/parameter_schemas/explain", get(parameter_schemas::explain))
        .route("/zones/{zone_id}/settings", get(settings::get).put(settings::replace).patch(settings::update))
}

async fn no_route(OriginalUri(uri): OriginalUri) -> error::ApiError {
    error::ApiError::no_route(uri.path())
}

async fn method_not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> error::ApiError {
    let path = uri.path();
    let message = format!("{path} cannot be called with {method}; the Allow header has the methods that it takes.");
    error::Defect::new(&error::METHOD_NOT_ALLOWED, message).into()
}
