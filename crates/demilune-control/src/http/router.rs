//! The whole list of routes on one page.

use axum::{
    Router,
    extract::OriginalUri,
    http::Method,
    middleware,
    routing::{any, delete, get, patch, post, put},
};

use super::{
    SharedState, analytics, configuration, discovery, docs, drift, error, events, expressions, frame, health, openapi,
    operations, origins, parameter_schemas, routes, schema_validation, schemas, settings, thresholds, tokens, trial,
    user_schemas, zones,
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
        .route("/zones/{zone_id}/api_gateway/discovery", get(discovery::documents))
        .route(
            "/zones/{zone_id}/api_gateway/discovery/operations",
            get(discovery::list).merge(patch(discovery::update_many)),
        )
        .route("/zones/{zone_id}/api_gateway/discovery/operations/{operation_id}", patch(discovery::update))
        .merge(validation())
        // Literal segments win over {operation_id} (contract 0.1), also those whose calls are still to come.
        .route("/zones/{zone_id}/api_gateway/operations/labels", any(no_route))
}

/// Those about uploaded schemas, and about requests that do not fit them.
fn validation() -> Router<SharedState> {
    use schema_validation::{actions, older, schemas, settings};
    Router::new()
        .route("/zones/{zone_id}/api_gateway/user_schemas", get(user_schemas::list).merge(post(user_schemas::add)))
        .route("/zones/{zone_id}/api_gateway/user_schemas/hosts", get(user_schemas::hosts))
        .route(
            "/zones/{zone_id}/api_gateway/user_schemas/{schema_id}",
            get(user_schemas::get).patch(user_schemas::update).delete(user_schemas::remove),
        )
        .route("/zones/{zone_id}/api_gateway/user_schemas/{schema_id}/operations", get(user_schemas::operations))
        .route("/zones/{zone_id}/api_gateway/operations/schema_validation", patch(older::actions_update))
        .route(
            "/zones/{zone_id}/api_gateway/operations/{operation_id}/schema_validation",
            get(older::action_get).merge(put(older::action_set)),
        )
        .route(
            "/zones/{zone_id}/api_gateway/operations/{operation_id}/cloudflare_learned_schema",
            put(parameter_schemas::apply),
        )
        .route(
            "/zones/{zone_id}/api_gateway/settings/schema_validation",
            get(older::settings_get).put(older::settings_replace).patch(older::settings_update),
        )
        .route("/zones/{zone_id}/schema_validation/schemas", get(schemas::list).merge(post(schemas::add)))
        .route(
            "/zones/{zone_id}/schema_validation/schemas/{schema_id}",
            get(schemas::get).patch(schemas::update).delete(schemas::remove),
        )
        .route(
            "/zones/{zone_id}/schema_validation/settings",
            get(settings::get).put(settings::replace).patch(settings::update),
        )
        .route(
            "/zones/{zone_id}/schema_validation/settings/operations",
            get(actions::list).merge(patch(actions::update_many)),
        )
        .route(
            "/zones/{zone_id}/schema_validation/settings/operations/{operation_id}",
            get(actions::get).put(actions::set).delete(actions::remove),
        )
}

/// The calls of our own, below their prefix.
fn own_api() -> Router<SharedState> {
    Router::new()
        .route("/zones/{zone_id}/origins", get(origins::list).merge(put(origins::set)))
        .route("/zones/{zone_id}/origins/{host}", delete(origins::remove))
        .route("/zones/{zone_id}/analytics", get(analytics::zone))
        .route("/zones/{zone_id}/discovery/operations/{operation_id}/explain", get(discovery::explain))
        .route("/zones/{zone_id}/drift", post(drift::find))
        .route("/zones/{zone_id}/events", get(events::list))
        .route("/zones/{zone_id}/schema_trial", get(trial::show).put(trial::begin).delete(trial::end))
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
