//! The operations of a document: every method of every path, at every server that applies to it.

use std::{collections::BTreeSet, rc::Rc};

use demilune_control::manage::OperationText;
use demilune_inventory::Endpoint;
use serde_json::{Map, Value};

use super::{
    outline::{self, OutlineError},
    servers::{self, Bases},
};

/// Most operations of one document: ten times what a zone holds by default.
const OPERATIONS_MAX: usize = 100_000;
/// Most references to follow from one path to its definition.
const REFERENCES_MAX: usize = 8;

/// What a document describes.
#[derive(Debug, Default)]
pub(crate) struct Described {
    /// Its operations, each once.
    pub(crate) operations: BTreeSet<OperationText>,
    /// Operations that it describes without saying where they are, or in a way that cannot be read, and why.
    pub(crate) unusable: Vec<Unusable>,
}

/// A part of a document that could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// The request method, or `*` for a whole path.
    pub(crate) method: String,
    /// The path as the document has it.
    pub(crate) path: String,
    /// Why.
    pub(crate) reason: String,
}

/// Why nothing could be read from a document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    /// Neither JSON nor YAML.
    #[error(transparent)]
    Outline(#[from] OutlineError),
    /// An older format.
    #[error("this is a Swagger 2.0 document: convert it to OpenAPI 3 first")]
    Swagger,
    /// Another format, or a later one.
    #[error("this is no OpenAPI 3 document: it has no member `openapi` that begins with 3.")]
    NotOpenApi,
    /// Nothing in it.
    #[error("the document describes no operation")]
    Empty,
    /// Far more than anybody's zone holds.
    #[error("the document describes more than {OPERATIONS_MAX} operations")]
    TooMany,
}

/// Reads a document. `host` stands in where its servers name none.
pub(crate) fn read(text: &str, host: Option<&str>) -> Result<Described, DocumentError> {
    let document = outline::read(text)?;
    check_version(&document)?;
    let paths = document.get("paths").and_then(Value::as_object);
    let mut reader = Reader {
        document: &document,
        host,
        servers: Rc::new(servers::read(document.get("servers"), host)),
        described: Described::default(),
    };
    for (path, item) in paths.into_iter().flatten() {
        if !path.starts_with("x-") {
            reader.path(path, item)?;
        }
    }
    let described = reader.described;
    if described.operations.is_empty() && described.unusable.is_empty() {
        return Err(DocumentError::Empty);
    }
    Ok(described)
}

/// The method that a member of a path item describes, upper-case.
pub(super) fn method(member: &str) -> Option<String> {
    /// The last has no place in an inventory (it is none of the nine) and is refused by name rather than passed over.
    const MEMBERS: [&str; 9] = ["delete", "get", "head", "options", "patch", "post", "put", "trace", "query"];
    MEMBERS.iter().any(|known| known.eq_ignore_ascii_case(member)).then(|| member.to_ascii_uppercase())
}

fn check_version(document: &Value) -> Result<(), DocumentError> {
    if document.get("swagger").is_some() {
        return Err(DocumentError::Swagger);
    }
    // YAML makes a number of an unquoted 3.0.
    let version = document.get("openapi").map(Value::to_string);
    let is_three = version.is_some_and(|version| version.trim_matches('"').starts_with("3."));
    if is_three { Ok(()) } else { Err(DocumentError::NotOpenApi) }
}

struct Reader<'document> {
    document: &'document Value,
    host: Option<&'document str>,
    /// The document's own servers.
    servers: Rc<Bases>,
    described: Described,
}

impl Reader<'_> {
    fn path(&mut self, path: &str, item: &Value) -> Result<(), DocumentError> {
        if !path.starts_with('/') {
            self.unusable("*", path, "a path must start with /");
            return Ok(());
        }
        if path.chars().count() > Endpoint::CHARS_MAX {
            let shown: String = path.chars().take(60).collect();
            self.unusable("*", &format!("{shown}…"), &format!("a path has at most {} characters", Endpoint::CHARS_MAX));
            return Ok(());
        }
        match self.resolve(item) {
            Ok(item) => self.item(path, &item),
            Err(reason) => {
                self.unusable("*", path, &reason);
                Ok(())
            }
        }
    }

    /// The members of a path item, those it refers to included; its own win.
    fn resolve(&self, item: &Value) -> Result<Map<String, Value>, String> {
        let mut members = Map::new();
        let mut next = item;
        for _ in 0..=REFERENCES_MAX {
            let Some(object) = next.as_object() else { return Err("it is no object".to_owned()) };
            for (name, value) in object {
                members.entry(name).or_insert_with(|| value.clone());
            }
            let Some(reference) = object.get("$ref").and_then(Value::as_str) else { return Ok(members) };
            let target = reference.strip_prefix('#').ok_or_else(|| {
                format!("it refers to another document ({reference}): bundle the documents into one first")
            })?;
            next =
                self.document.pointer(target).ok_or_else(|| format!("it refers to {reference}, which is not there"))?;
        }
        Err(format!("its references go on for more than {REFERENCES_MAX} steps"))
    }

    fn item(&mut self, path: &str, item: &Map<String, Value>) -> Result<(), DocumentError> {
        let servers = self.servers(item.get("servers"), &Rc::clone(&self.servers));
        for (member, operation) in item {
            if let Some(method) = method(member) {
                self.operation(&method, path, operation, &servers)?;
            }
        }
        let additional = item.get("additionalOperations").and_then(Value::as_object);
        for (method, operation) in additional.into_iter().flatten() {
            self.operation(method, path, operation, &servers)?;
        }
        Ok(())
    }

    fn operation(
        &mut self,
        method: &str,
        path: &str,
        operation: &Value,
        servers: &Rc<Bases>,
    ) -> Result<(), DocumentError> {
        let Some(members) = operation.as_object() else {
            self.unusable(method, path, "it is no object");
            return Ok(());
        };
        let servers = self.servers(members.get("servers"), servers);
        for base in &servers.bases {
            self.described.operations.insert(OperationText {
                method: method.to_owned(),
                host: base.host.clone(),
                endpoint: format!("{}{path}", base.path),
            });
        }
        for problem in &servers.problems {
            self.unusable(method, path, problem);
        }
        if self.described.operations.len() + self.described.unusable.len() > OPERATIONS_MAX {
            return Err(DocumentError::TooMany);
        }
        Ok(())
    }

    /// The servers of an inner level, or those around it when it has none of its own.
    fn servers(&self, own: Option<&Value>, outer: &Rc<Bases>) -> Rc<Bases> {
        match own {
            None | Some(Value::Null) => Rc::clone(outer),
            Some(Value::Array(list)) if list.is_empty() => Rc::clone(outer),
            Some(_) => Rc::new(servers::read(own, self.host)),
        }
    }

    fn unusable(&mut self, method: &str, path: &str, reason: &str) {
        let (method, path, reason) = (method.to_owned(), path.to_owned(), reason.to_owned());
        self.described.unusable.push(Unusable { method, path, reason });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn describe(document: &Value) -> Described {
        read(&document.to_string(), None).unwrap()
    }

    fn check(document: &Value, expected: &[&str]) {
        let described = describe(document);
        assert_eq!(described.unusable, []);
        let found: Vec<_> = described
            .operations
            .iter()
            .map(|operation| format!("{} {} {}", operation.method, operation.host, operation.endpoint))
            .collect();
        assert_eq!(found, expected);
    }

    fn check_unusable(document: &Value, method: &str, reason: &str) {
        let unusable = describe(document).unusable;
        let found = unusable.iter().any(|found| found.method == method && found.reason.contains(reason));
        assert!(found, "{unusable:?}");
    }

    fn document(paths: Value) -> Value {
        let mut document = json!({"openapi": "3.1.0", "servers": [{"url": "https://api.example.com/v1"}]});
        document["paths"] = paths;
        document
    }

    #[test]
    fn every_method_of_every_path_is_an_operation() {
        check(
            &document(
                json!({"/users/{id}": {"get": {}, "delete": {}, "parameters": [], "x-get": {}}, "/": {"post": {}}, "x-more": {"get": {}}}),
            ),
            &[
                "DELETE api.example.com /v1/users/{id}",
                "GET api.example.com /v1/users/{id}",
                "POST api.example.com /v1/",
            ],
        );
    }

    #[test]
    fn inner_servers_replace_outer_ones() {
        check(
            &document(json!({
                "/a": {"servers": [{"url": "https://a.example.com"}], "get": {}, "put": {"servers": [{"url": "https://put.example.com/x"}]}},
                "/b": {"get": {"servers": []}},
            })),
            &["GET a.example.com /a", "GET api.example.com /v1/b", "PUT put.example.com /x/a"],
        );
    }

    #[test]
    fn a_path_may_be_defined_elsewhere_in_the_document() {
        let mut document =
            document(json!({"/a": {"$ref": "#/components/pathItems/A"}, "/b": {"$ref": "#/paths/~1a", "put": {}}}));
        document["components"] = json!({"pathItems": {"A": {"get": {}}}});
        check(&document, &["GET api.example.com /v1/a", "GET api.example.com /v1/b", "PUT api.example.com /v1/b"]);
    }

    #[test]
    fn a_reference_that_cannot_be_followed_is_said() {
        check_unusable(&document(json!({"/a": {"$ref": "other.yaml#/a"}})), "*", "another document");
        check_unusable(&document(json!({"/a": {"$ref": "#/nowhere"}})), "*", "not there");
        check_unusable(&document(json!({"/a": {"$ref": "#/paths/~1a"}})), "*", "steps");
    }

    #[test]
    fn an_operation_without_a_host_is_said_and_the_host_of_the_caller_helps() {
        let document = json!({"openapi": "3.0.0", "paths": {"/a": {"get": {}}}});
        check_unusable(&document, "GET", "--host");
        let described = read(&document.to_string(), Some("api.example.com")).unwrap();
        assert_eq!(described.operations.first().map(|operation| operation.host.as_str()), Some("api.example.com"));
    }

    #[test]
    fn later_methods_are_named() {
        check(
            &document(json!({"/a": {"query": {}, "additionalOperations": {"CONNECT": {}}}})),
            &["CONNECT api.example.com /v1/a", "QUERY api.example.com /v1/a"],
        );
    }

    #[test]
    fn what_is_no_operation_is_said() {
        check_unusable(&document(json!({"/a": {"get": null}})), "GET", "no object");
        check_unusable(&document(json!({"/a": []})), "*", "no object");
        check_unusable(&document(json!({"a": {"get": {}}})), "*", "start with /");
        check_unusable(&document(json!({("/".to_owned() + &"a".repeat(5000)): {"get": {}}})), "*", "4096");
    }

    #[test]
    fn other_documents_are_refused() {
        let check = |text: &str, sentence: &str| {
            let error = read(text, None).unwrap_err().to_string();
            assert!(error.contains(sentence), "{text}: {error}");
        };
        check(r#"{"swagger": "2.0", "paths": {}}"#, "Swagger 2.0");
        check(r#"{"openapi": "4.0.0"}"#, "no OpenAPI 3");
        check(r#"{"paths": {}}"#, "no OpenAPI 3");
        check("[]", "no OpenAPI 3");
        check("openapi: 3.0\npaths: {}", "no operation");
        check("", "no OpenAPI 3");
    }
}
