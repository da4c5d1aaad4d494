//! Our own API description, generated from the handlers.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Server,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{
    analytics, configuration, discovery, drift, events, expressions, health, operations, origins, parameter_schemas,
    router::{OWN_PREFIX, PREFIX},
    routes, schema_validation, schemas, settings, thresholds, tokens, trial, user_schemas, zones,
};

/// The calls of the contract, below its base URL.
#[derive(OpenApi)]
#[openapi(paths(
    operations::add,
    operations::add_many,
    operations::list,
    operations::get,
    operations::remove,
    operations::remove_many,
    routes::get,
    routes::set,
    routes::remove,
    configuration::get,
    configuration::replace,
    expressions::fallthrough,
    schemas::list,
    discovery::documents,
    discovery::list,
    discovery::update_many,
    discovery::update,
    user_schemas::add,
    user_schemas::list,
    user_schemas::get,
    user_schemas::update,
    user_schemas::remove,
    user_schemas::operations,
    user_schemas::hosts,
    parameter_schemas::apply,
    schema_validation::schemas::add,
    schema_validation::schemas::list,
    schema_validation::schemas::get,
    schema_validation::schemas::update,
    schema_validation::schemas::remove,
    schema_validation::settings::get,
    schema_validation::settings::replace,
    schema_validation::settings::update,
    schema_validation::actions::list,
    schema_validation::actions::get,
    schema_validation::actions::set,
    schema_validation::actions::remove,
    schema_validation::actions::update_many,
    schema_validation::older::action_get,
    schema_validation::older::action_set,
    schema_validation::older::actions_update,
    schema_validation::older::settings_get,
    schema_validation::older::settings_replace,
    schema_validation::older::settings_update,
    zones::list,
    zones::get,
    tokens::verify,
))]
struct Contract;

/// The calls of our own, below their prefix.
#[derive(OpenApi)]
#[openapi(paths(
    origins::list,
    origins::set,
    origins::remove,
    settings::get,
    settings::replace,
    settings::update,
    analytics::zone,
    analytics::operation,
    events::list,
    discovery::explain,
    drift::find,
    trial::show,
    trial::begin,
    trial::end,
    thresholds::explain,
    parameter_schemas::explain,
))]
struct Own;

/// The whole document: the contract's calls and our own.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Demilune control API",
        description = "Keeps the inventory of an organisation's API operations. The calls under /client/v4 follow the \
                       documented API of Cloudflare API Shield; Demilune is an independent project, not affiliated \
                       with, endorsed or supported by Cloudflare.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(health::live, health::ready, health::metrics),
    nest((path = "/client/v4", api = Contract), (path = "/demilune/v1", api = Own)),
    modifiers(&Security),
    tags(
        (name = "Operations", description = "The inventory: operations of a zone, each a method, a host and an endpoint."),
        (name = "Routes", description = "Where an operation's requests are sent."),
        (name = "Configuration", description = "What tells the clients of a zone apart."),
        (name = "Schemas", description = "The inventory as OpenAPI documents."),
        (name = "Discovery", description = "Operations that were found among requests that no saved one matches."),
        (name = "Validation", description = "Uploaded schemas, and what happens to requests that do not fit them."),
        (name = "Zones and tokens", description = "What the caller may see."),
        (name = "Gateway", description = "Where the traffic of a zone is sent, and what happens to it; calls of our own."),
        (name = "Service", description = "The state of this process."),
    ),
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        document.servers = Some(vec![Server::new("/")]);
        let components = document.components.get_or_insert_default();
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("api_token", SecurityScheme::Http(token));
        let email = ApiKey::Header(ApiKeyValue::new("X-Auth-Email"));
        components.add_security_scheme("api_email", SecurityScheme::ApiKey(email));
        let key = ApiKey::Header(ApiKeyValue::new("X-Auth-Key"));
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(key));
        let either = || {
            let both = utoipa::openapi::security::SecurityRequirement::new("api_email", Vec::<String>::new())
                .add("api_key", Vec::<String>::new());
            vec![utoipa::openapi::security::SecurityRequirement::new("api_token", Vec::<String>::new()), both]
        };
        for (path, item) in &mut document.paths.paths {
            if path.starts_with(PREFIX) || path.starts_with(OWN_PREFIX) {
                let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
                for operation in operations.into_iter().flatten() {
                    operation.security = Some(either());
                }
            }
        }
    }
}

/// The document as data.
pub(super) fn document_openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// The document as pretty JSON with a final newline.
pub(crate) fn document_json() -> String {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "the document has string keys and no failing Serialize")]
        let json = document_openapi().to_pretty_json().expect("the document serializes");
        json + "\n"
    });
    JSON.clone()
}

/// `GET /demilune/openapi.json`.
pub(crate) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document_json()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_one_that_was_reviewed() {
        insta::assert_snapshot!("openapi", document_json());
    }
}
