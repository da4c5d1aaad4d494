//! What is wrong with documents, and where it is said to be.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use demilune_schema::document::{Code, Document, Options, Severity, Treatment};
use serde_json::{Value, json};
use support::{document, read};

/// One problem is found, of that code and place.
fn check(document: &Value, code: Code, location: &str) {
    let read = read(document);
    let found: Vec<_> = read.problems.iter().map(|problem| (problem.code, problem.location.as_str())).collect();
    assert_eq!(found, [(code, location)], "{:#?}", read.problems);
    assert_eq!(read.document.is_none(), code.severity() > Severity::Warning, "{document}");
    assert!(!read.problems[0].message.is_empty());
}

fn operation(operation: &Value) -> Value {
    document("3.0.4", "get", "/pets/{id}", &with_id(operation))
}

/// With a parameter for the path's variable.
fn with_id(operation: &Value) -> Value {
    let mut operation = operation.clone();
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    operation["parameters"] = parameters.into_iter().chain([id]).collect();
    operation
}

fn parameter(parameter: &Value) -> Value {
    operation(&json!({"parameters": [parameter]}))
}

fn schema(schema: &Value) -> Value {
    parameter(&json!({"name": "q", "in": "query", "schema": schema}))
}

const FIRST: &str = r#".paths["/pets/{id}"].get.parameters[0]"#;

#[test]
fn a_document_without_problems_has_none() {
    let read = read(&operation(&json!({})));
    assert_eq!(read.problems, []);
    let document = read.document.expect("is used");
    let operation = &document.operations[0];
    assert_eq!(
        (operation.key.endpoint.as_str(), &*operation.location),
        ("/pets/{var1}", r#".paths["/pets/{id}"].get"#)
    );
    assert_eq!(document.hosts().len(), 1);
}

#[test]
fn documents_of_other_formats_are_refused() {
    let check = |text: &str, code: Code| {
        let read = Document::read(text.as_bytes(), &Options::default());
        assert_eq!((read.problems[0].code, read.document.is_none()), (code, true), "{text}");
    };
    check("", Code::Version);
    check("[1, 2", Code::Unreadable);
    check("{\"openapi\": \"3.0.0\", \"openapi\": \"3.0.1\"}", Code::Unreadable);
    check(r#"{"swagger": "2.0"}"#, Code::Version);
    check(r#"{"openapi": "3.2.0"}"#, Code::Version);
    check(r#"{"openapi": "3.01"}"#, Code::Version);
    check("openapi: 3.0", Code::Empty);
    check("{}", Code::Version);
}

#[test]
fn operations_need_a_place() {
    let mut no_host = operation(&json!({}));
    no_host["servers"] = json!([{"url": "/v1"}]);
    let read = read(&no_host);
    assert_eq!(read.problems[0].code, Code::Server);
    assert_eq!(read.problems[0].location, ".servers[0]");
    let options = Options { host: Some("api.example.com".parse().unwrap()), ..Options::default() };
    let read = Document::read(no_host.to_string().as_bytes(), &options);
    assert_eq!(read.document.unwrap().operations[0].key.endpoint.as_str(), "/v1/pets/{var1}");
    let with_path = |path: &str| {
        let mut document = operation(&json!({}));
        document["paths"][path] = json!({"get": {}});
        document
    };
    check(&with_path("pets"), Code::Path, ".paths.pets");
    check(&with_path("/a/{b"), Code::Path, r#".paths["/a/{b"].get"#);
    check(&with_path("/a?b"), Code::Path, r#".paths["/a?b"].get"#);
    let mut twice = operation(&json!({}));
    twice["paths"]["/pets//{other}"] =
        json!({"get": {"parameters": [{"name": "other", "in": "path", "required": true, "schema": {}}]}});
    check(&twice, Code::Repeated, r#".paths["/pets/{id}"].get"#);
}

#[test]
fn structures_must_be_what_they_should() {
    let mut document = operation(&json!({}));
    document["paths"]["/a"] = json!([]);
    document["paths"]["/b"] = json!({"get": 1});
    document["paths"]["/c"] = json!({"$ref": "#/nowhere"});
    document["paths"]["/d"] = json!({"$ref": "https://example.com/d"});
    document["paths"]["/e"] = json!({"post": {"requestBody": {}, "parameters": {}}});
    document["paths"]["/f"] = json!({"query": {}});
    document["paths"]["/g"] = json!({"post": {"requestBody": {"content": {"json": {}}}}});
    let read = read(&document);
    let found: Vec<_> = read.problems.iter().map(|problem| (problem.code, problem.location.as_str())).collect();
    assert_eq!(
        found,
        [
            (Code::Structure, r#".paths["/a"]"#),
            (Code::Structure, r#".paths["/b"].get"#),
            (Code::Reference, r#".paths["/c"].$ref"#),
            (Code::Reference, r#".paths["/d"].$ref"#),
            (Code::Structure, r#".paths["/e"].post.parameters"#),
            (Code::Structure, r#".paths["/e"].post.requestBody"#),
            (Code::Method, r#".paths["/f"].query"#),
            (Code::MediaType, r#".paths["/g"].post.requestBody.content.json"#),
        ]
    );
}

#[test]
fn parameters_must_be_understood() {
    check(&parameter(&json!(1)), Code::Parameter, FIRST);
    check(&parameter(&json!({"in": "query", "schema": {}})), Code::Parameter, FIRST);
    check(&parameter(&json!({"name": "q", "in": "body", "schema": {}})), Code::Parameter, FIRST);
    check(&parameter(&json!({"name": "q", "in": "query"})), Code::Parameter, FIRST);
    check(&parameter(&json!({"name": "a b", "in": "header", "schema": {}})), Code::Parameter, FIRST);
    check(
        &parameter(&json!({"name": "q", "in": "query", "content": {}})),
        Code::Parameter,
        &format!("{FIRST}.content"),
    );
    check(&parameter(&json!({"$ref": "#/components/parameters/No"})), Code::Reference, &format!("{FIRST}.$ref"));
    check(&parameter(&json!({"name": "other", "in": "path", "required": true, "schema": {}})), Code::Variable, FIRST);
    for (place, style) in
        [("query", "simple"), ("path", "form"), ("header", "form"), ("cookie", "simple"), ("path", "deepObject")]
    {
        let name = if place == "path" { "id" } else { "q" };
        let parameter = parameter(&json!({"name": name, "in": place, "required": true, "style": style, "schema": {}}));
        check(&parameter, Code::Style, &format!("{FIRST}.style"));
    }
    let twice = operation(&json!({"parameters": [
        {"name": "q", "in": "query", "schema": {}}, {"name": "q", "in": "query", "schema": {}}]}));
    check(&twice, Code::RepeatedParameter, r#".paths["/pets/{id}"].get.parameters[1]"#);
    check(&document("3.0.4", "get", "/pets/{id}", &json!({})), Code::Variable, r#".paths["/pets/{id}"].get"#);
}

#[test]
fn schemas_must_be_schemas() {
    let place = |rest: &str| format!("{FIRST}.schema{rest}");
    check(&schema(&json!(1)), Code::Schema, &place(""));
    check(&schema(&json!({"type": "strin"})), Code::Schema, &place(".type"));
    check(&schema(&json!({"type": ["string"]})), Code::Schema, &place(".type"));
    check(&schema(&json!({"minLength": "3"})), Code::Schema, &place(".minLength"));
    check(&schema(&json!({"maxItems": -1})), Code::Schema, &place(".maxItems"));
    check(&schema(&json!({"multipleOf": 0})), Code::Schema, &place(".multipleOf"));
    check(&schema(&json!({"required": true})), Code::Schema, &place(".required"));
    check(&schema(&json!({"properties": []})), Code::Schema, &place(".properties"));
    check(&schema(&json!({"properties": {"a": 1}})), Code::Schema, &place(".properties.a"));
    check(&schema(&json!({"enum": "a"})), Code::Schema, &place(".enum"));
    check(&schema(&json!({"allOf": {}})), Code::Schema, &place(".allOf"));
    check(&schema(&json!({"pattern": 1})), Code::Schema, &place(".pattern"));
    check(&schema(&json!({"format": 1})), Code::Schema, &place(".format"));
    check(&schema(&json!({"nullable": "yes", "type": "string"})), Code::Schema, &place(".nullable"));
    check(&schema(&json!({"oneOf": [{}], "discriminator": {}})), Code::Schema, &place(".discriminator"));
    check(&schema(&json!({"$ref": "#/components/schemas/No"})), Code::Reference, &place(".$ref"));
    check(&schema(&json!({"items": {"$ref": "pets.yaml#/Pet"}})), Code::Reference, &place(".items.$ref"));
    check(&schema(&json!({"exclusiveMinimum": 5})), Code::Form, &place(".exclusiveMinimum"));
}

#[test]
fn circles_without_a_step_into_the_value_are_refused() {
    let with = |schemas: Value| {
        let mut document = schema(&json!({"$ref": "#/components/schemas/A"}));
        document["components"] = json!({ "schemas": schemas });
        document
    };
    check(&with(json!({"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}})), Code::Circle, ".components.schemas.A");
    check(&with(json!({"A": {"$ref": "#/components/schemas/A"}})), Code::Circle, &format!("{FIRST}.schema.$ref"));
    let through_a_step = with(json!({"A": {"properties": {"a": {"$ref": "#/components/schemas/A"}}}}));
    assert_eq!(read(&through_a_step).problems, []);
}

#[test]
fn yaml_is_read_as_json_is() {
    let yaml = r##"
openapi: 3.0.4
servers: [{url: "https://{region}.example.com/v1", variables: {region: {default: eu, enum: [eu, us]}}}]
paths:
  /pets/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
    get: {responses: {200: {description: ok}}}
    put:
      requestBody: {$ref: "#/components/requestBodies/Pet"}
components:
  requestBodies:
    Pet: {content: {application/json: {schema: {type: object}}}}
"##;
    let read = Document::read(yaml.as_bytes(), &Options::default());
    assert_eq!(read.problems, []);
    let keys = read.document.unwrap().operations;
    let keys: Vec<_> = keys
        .iter()
        .map(|operation| format!("{} {}{}", operation.key.method, operation.key.host, operation.key.endpoint))
        .collect();
    assert_eq!(
        keys,
        [
            "GET eu.example.com/v1/pets/{var1}",
            "PUT eu.example.com/v1/pets/{var1}",
            "GET us.example.com/v1/pets/{var1}",
            "PUT us.example.com/v1/pets/{var1}"
        ]
    );
}

#[test]
fn the_report_says_what_is_enforced() {
    let report = read(&operation(&json!({
        "parameters": [
            {"name": "f", "in": "query", "style": "deepObject", "schema": {"type": "object"}},
            {"name": "Accept", "in": "header", "schema": {"type": "string"}},
        ],
        "requestBody": {"content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object", "x-own": 1, "title": "t", "const": 1, "maxProperties": 3, "properties": {
                "a": {"type": "string", "format": "our-own"}, "b": {"pattern": "(a)\\1"}, "c": {"nullable": true}, "d": {"format": "uuid"}}}},
        }},
    })))
    .keywords;
    let check = |keyword: &str, treatment: Treatment, count: usize| {
        let found = report.uses.iter().find(|found| found.keyword == keyword && found.treatment == treatment);
        let found = found.unwrap_or_else(|| panic!("{keyword}: {:#?}", report.uses));
        assert_eq!((found.count, found.reason.is_empty()), (count, treatment == Treatment::Enforced), "{keyword}");
        assert_eq!(found.places.len(), count);
    };
    check("style: deepObject", Treatment::Ignored, 1);
    check("parameter", Treatment::Ignored, 1);
    check("content", Treatment::Ignored, 1);
    check("content", Treatment::Enforced, 1);
    check("const", Treatment::Ignored, 1);
    check("nullable", Treatment::Ignored, 1);
    check("format: our-own", Treatment::Ignored, 1);
    check("format: uuid", Treatment::Enforced, 1);
    check("pattern", Treatment::Approximated, 1);
    check("maxProperties", Treatment::Enforced, 1);
    check("type", Treatment::Enforced, 3);
    assert!(!report.uses.iter().any(|found| found.keyword == "title" || found.keyword == "x-own"));
}

#[test]
fn codes_have_numbers_of_their_own() {
    let mut numbers: Vec<_> = Code::ALL.iter().map(|code| code.number()).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), Code::ALL.len());
    assert!(numbers.is_sorted());
}
