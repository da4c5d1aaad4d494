//! One host's operations as an OpenAPI document.

use std::collections::BTreeMap;

use demilune_inventory::{Endpoint, Host, Method, OperationKey};
use serde::Serialize;
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

use super::names;

/// The version of every document: an inventory has none.
const VERSION: &str = "1.0.0";

/// An `OpenAPI` 3.0.0 document. Everything in it is sorted, so that the same operations make the same bytes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    paths: BTreeMap<String, BTreeMap<&'static str, Box<RawValue>>>,
}

/// What is said of one operation.
pub(super) struct Described {
    pub(super) method: Method,
    pub(super) endpoint: Endpoint,
    /// `OpenAPI`'s operation object, on its own.
    pub(super) object: Box<RawValue>,
}

/// What was learned about an operation.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Parameter objects; those of the path by the names of the endpoint's variables.
    pub(super) parameters: Vec<Value>,
    pub(super) request_body: Option<Value>,
    /// Members that start with `x-`.
    pub(super) extensions: Map<String, Value>,
}

/// The document of a host.
pub(super) fn of_host(host: &Host, operations: Vec<Described>) -> Document {
    let mut paths: BTreeMap<String, BTreeMap<&'static str, Box<RawValue>>> = BTreeMap::new();
    for Described { method, endpoint, object } in operations {
        paths.entry(endpoint.to_string()).or_default().insert(member(method), object);
    }
    Document {
        openapi: "3.0.0",
        info: json!({ "title": host.as_str(), "version": VERSION }),
        servers: json!([server(host)]),
        paths,
    }
}

/// The document of an operation alone, with what was learned about it.
pub(crate) fn of_operation(key: &OperationKey, parameters: Vec<Value>, request_body: Option<Value>) -> Document {
    let OperationKey { method, host, endpoint } = key.clone();
    let object = describe(names::plain(key), key, Parts { parameters, request_body, extensions: Map::new() });
    of_host(&host, vec![Described { method, endpoint, object }])
}

/// A document for each host of operations about which nothing is known, by host.
pub(crate) fn of_keys(keys: impl IntoIterator<Item = OperationKey>) -> Vec<Document> {
    let mut hosts: BTreeMap<Host, Vec<OperationKey>> = BTreeMap::new();
    for key in keys {
        hosts.entry(key.host.clone()).or_default().push(key);
    }
    let document = |(host, mut keys): (Host, Vec<OperationKey>)| {
        keys.sort_unstable();
        let names = names::unique(&keys);
        let described = keys.into_iter().zip(names).map(|(key, name)| {
            let object = describe(name, &key, Parts::default());
            Described { method: key.method, endpoint: key.endpoint, object }
        });
        of_host(&host, described.collect())
    };
    hosts.into_iter().map(document).collect()
}

/// An operation object that is valid by itself.
pub(super) fn describe(operation_id: String, key: &OperationKey, parts: Parts) -> Box<RawValue> {
    let Parts { parameters, request_body, extensions } = parts;
    let mut object = extensions;
    object.insert("operationId".to_owned(), operation_id.into());
    let parameters = with_every_variable(&key.endpoint, parameters);
    if !parameters.is_empty() {
        object.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = request_body {
        object.insert("requestBody".to_owned(), body);
    }
    // The specification demands one, and responses are not looked at.
    object.insert("responses".to_owned(), json!({ "default": { "description": "Not described." } }));
    #[expect(clippy::expect_used, reason = "a JSON value has string keys and no failing Serialize")]
    to_raw_value(&object).expect("JSON serializes")
}

/// The names of an endpoint's variables, in order.
pub(crate) fn variables(endpoint: &Endpoint) -> Vec<&str> {
    let parts = endpoint.as_str().split('{').skip(1);
    parts.filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
}

/// Learned parameters, and for each variable of the path that has none of them a plain one.
fn with_every_variable(endpoint: &Endpoint, mut learned: Vec<Value>) -> Vec<Value> {
    let mut parameters = Vec::new();
    for name in variables(endpoint) {
        let place = learned.iter().position(|parameter| parameter["in"] == "path" && parameter["name"] == name);
        parameters.push(match place {
            Some(place) => learned.remove(place),
            None => json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
        });
    }
    // One that belongs to no variable would make the document invalid.
    learned.retain(|parameter| parameter["in"] != "path");
    parameters.append(&mut learned);
    parameters
}

/// The member of a path item for a method. `OpenAPI` has none for CONNECT.
fn member(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Head => "head",
        Method::Options => "options",
        Method::Put => "put",
        Method::Delete => "delete",
        Method::Connect => "x-demilune-connect",
        Method::Patch => "patch",
        Method::Trace => "trace",
    }
}

/// A server object. A variable of a host pattern stands for itself: nobody knows a host that would be right.
fn server(host: &Host) -> Value {
    let url = format!("https://{host}");
    let names = host.as_str().split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name);
    let variables: Map<String, Value> =
        names.map(|name| (name.to_owned(), json!({ "default": format!("{{{name}}}") }))).collect();
    if variables.is_empty() { json!({ "url": url }) } else { json!({ "url": url, "variables": variables }) }
}

#[cfg(test)]
mod tests {
    use demilune_schema::document::{Document as ReadDocument, Options};

    use super::*;

    fn key(host: &str, method: &str, endpoint: &str) -> OperationKey {
        OperationKey {
            method: method.parse().unwrap(),
            host: host.parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
        }
    }

    /// The document of one operation.
    fn document(key: OperationKey, parts: Parts) -> Value {
        let object = describe("name".to_owned(), &key, parts);
        let document = of_host(&key.host, vec![Described { method: key.method, endpoint: key.endpoint, object }]);
        serde_json::to_value(document).unwrap()
    }

    #[test]
    fn an_operation_about_which_nothing_is_known_is_valid_by_itself() {
        let document = document(key("a.example", "GET", "/users/{id}/{file}.json"), Parts::default());
        let plain = |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
        let expected = json!({
            "openapi": "3.0.0",
            "info": {"title": "a.example", "version": "1.0.0"},
            "servers": [{"url": "https://a.example"}],
            "paths": {"/users/{var1}/{var2}.json": {"get": {
                "operationId": "name",
                "parameters": [plain("var1"), plain("var2")],
                "responses": {"default": {"description": "Not described."}},
            }}},
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn learned_parameters_stand_in_for_plain_ones() {
        let number = json!({"name": "var2", "in": "path", "required": true, "schema": {"type": "integer"}});
        let query = json!({"name": "var1", "in": "query", "required": false, "schema": {"type": "string"}});
        let stale = json!({"name": "var3", "in": "path", "required": true, "schema": {"type": "string"}});
        let parts = Parts { parameters: vec![number.clone(), query.clone(), stale], ..Parts::default() };
        let document = document(key("a.example", "GET", "/{a}/{b}"), parts);
        let parameters = &document["paths"]["/{var1}/{var2}"]["get"]["parameters"];
        assert_eq!(parameters[0]["name"], "var1");
        assert_eq!(parameters.as_array().unwrap()[1..], [number, query]);
    }

    #[test]
    fn what_is_exported_can_be_read_again() {
        let check = |host: &str, method: &str, endpoint: &str| {
            let key = key(host, method, endpoint);
            let text = document(key.clone(), Parts::default()).to_string();
            let read = ReadDocument::read(text.as_bytes(), &Options::default());
            assert_eq!(read.problems, [], "{text}");
            let operations = read.document.unwrap().operations;
            assert_eq!(operations.iter().map(|operation| &operation.key).collect::<Vec<_>>(), [&key]);
        };
        check("a.example", "GET", "/");
        check("a.example", "PATCH", "/users/{id}/a%20b/{from}...{to}");
        check("{tenant}.a.example", "DELETE", "/{id}");
        check("127.0.0.1", "TRACE", "/x");
    }

    #[test]
    fn an_operation_of_a_method_that_openapi_lacks_is_an_extension() {
        let document = document(key("a.example", "CONNECT", "/tunnel"), Parts::default());
        assert_eq!(document["paths"]["/tunnel"]["x-demilune-connect"]["operationId"], "name");
    }

    #[test]
    fn variables_are_named_in_order() {
        let check = |endpoint: &str, expected: &[&str]| {
            assert_eq!(variables(&endpoint.parse().unwrap()), expected, "{endpoint}");
        };
        check("/", &[]);
        check("/a/{b}/{c}.{d}", &["var1", "var2", "var3"]);
    }
}
