//! What a document says of its operations' requests, to be shown and compared.

use std::sync::Arc;

use demilune_inventory::{Endpoint, OperationKey};
use serde_json::{Map, Value};

use super::{Document, Options, Problem, parameter, place::path_of, text};

/// What a document says of an operation, as it is written there, with references put in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationText {
    /// The names of the variables of its path, in their order: whoever compares it with requests goes by that, since the
    /// endpoint names them otherwise.
    pub variables: Vec<String>,
    /// Parameter objects: those of the operation, and those of its path that it does not have itself.
    pub parameters: Vec<Value>,
    /// The request body object; none if it has none.
    pub request_body: Option<Value>,
}

/// Most values that references put in: beyond them, they stay as they are.
const VALUES_MAX: usize = 50_000;

/// A document, held to be asked what it says of its operations.
#[derive(Clone, Debug)]
pub struct Descriptions {
    source: Value,
    /// Ordered by key, each with where it is in the document.
    operations: Vec<(OperationKey, Arc<str>)>,
}

impl Descriptions {
    /// Reads a document from JSON or YAML: none if it cannot be used, and everything that is wrong with it.
    #[must_use]
    pub fn read(bytes: &[u8], options: &Options) -> (Option<Self>, Vec<Problem>) {
        let read = Document::read(bytes, options);
        let described = read.document.and_then(|document| {
            let operations = document.operations.into_iter();
            let operations = operations.map(|operation| (operation.key, operation.location)).collect();
            Some(Self { source: text::read(bytes, &options.limits).ok()?, operations })
        });
        (described, read.problems)
    }

    /// Its operations, in order.
    #[must_use]
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &OperationKey> {
        self.operations.iter().map(|(key, _)| key)
    }

    /// Whether it describes an operation.
    #[must_use]
    pub fn has(&self, key: &OperationKey) -> bool {
        self.location(key).is_some()
    }

    /// What it says of an operation; none if it does not describe it. References that lead back to themselves stay as they
    /// are.
    #[must_use]
    pub fn of(&self, key: &OperationKey) -> Option<OperationText> {
        let location = self.location(key)?;
        let paths = self.source.get("paths")?.as_object()?;
        // Paths that share one item by reference hold the operation at the same place.
        let candidates: Vec<_> =
            paths.iter().filter_map(|(path, item)| operation_at(&self.source, path, item, location)).collect();
        let of_endpoint = candidates.iter().find(|candidate| ends_with(&key.endpoint, candidate.path));
        let Candidate { path, item, operation } = of_endpoint.or(candidates.first())?;
        let mut inlining = Inlining { source: &self.source, left: VALUES_MAX, within: Vec::new() };
        let mut parameters = Vec::new();
        for parameter in [operation.get("parameters"), item.get("parameters")].into_iter().flatten() {
            let more: Vec<Value> = parameter.as_array()?.iter().map(|parameter| inlining.inline(parameter)).collect();
            let is_new = |one: &Value, known: &[Value]| {
                !known.iter().any(|other| other["name"] == one["name"] && other["in"] == one["in"])
            };
            let new: Vec<Value> = more.into_iter().filter(|one| is_new(one, &parameters)).collect();
            parameters.extend(new);
        }
        let request_body = operation.get("requestBody").map(|body| inlining.inline(body));
        let variables = parameter::variables(path).map(str::to_owned).collect();
        Some(OperationText { variables, parameters, request_body })
    }

    fn location(&self, key: &OperationKey) -> Option<&Arc<str>> {
        let place = self.operations.binary_search_by(|(own, _)| own.cmp(key)).ok()?;
        self.operations.get(place).map(|(_, location)| location)
    }
}

type Members = Map<String, Value>;

/// A path with an operation that may be the one.
struct Candidate<'s> {
    path: &'s str,
    item: &'s Members,
    operation: &'s Members,
}

/// Whether an endpoint is such a path, behind that of a server.
fn ends_with(endpoint: &Endpoint, path: &str) -> bool {
    path.parse::<Endpoint>().is_ok_and(|path| endpoint.as_str().ends_with(path.as_str()))
}

/// The path item and the operation, if this path holds the one that is at this place.
fn operation_at<'s>(source: &'s Value, path: &'s str, item: &'s Value, location: &str) -> Option<Candidate<'s>> {
    let own = format!("/paths/{}", path.replace('~', "~0").replace('/', "~1"));
    let (item, pointer) = match reference(item) {
        Some(pointer) => (source.pointer(pointer)?, pointer),
        None => (item, own.as_str()),
    };
    let item = item.as_object()?;
    let (_, operation) = item.iter().find(|(method, _)| path_of(&format!("{pointer}/{method}")) == *location)?;
    Some(Candidate { path, item, operation: operation.as_object()? })
}

/// The pointer of a reference within the document.
fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix('#')
}

/// Puts in what references lead to.
struct Inlining<'s> {
    source: &'s Value,
    left: usize,
    /// The references that are being put in.
    within: Vec<String>,
}

impl Inlining<'_> {
    fn inline(&mut self, value: &Value) -> Value {
        self.left = self.left.saturating_sub(1);
        if let Some(pointer) = reference(value).filter(|_| self.left > 0)
            && !self.within.iter().any(|known| known == pointer)
            && let Some(target) = self.source.pointer(pointer)
        {
            self.within.push(pointer.to_owned());
            let inlined = self.inline(target);
            self.within.pop();
            return inlined;
        }
        match value {
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), self.inline(value))).collect::<Members>().into()
            }
            Value::Array(items) => items.iter().map(|item| self.inline(item)).collect(),
            scalar => scalar.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DOCUMENT: &str = r##"
openapi: 3.0.4
servers: [{url: "https://a.example/v1"}]
paths:
  /pets/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
      - {name: q, in: query, schema: {type: string}}
    put:
      parameters:
        - {name: q, in: query, schema: {$ref: "#/components/schemas/Word"}}
      requestBody: {$ref: "#/components/requestBodies/Tree"}
components:
  requestBodies:
    Tree: {content: {application/json: {schema: {$ref: "#/components/schemas/Tree"}}}}
  schemas:
    Word: {type: string, maxLength: 9}
    Tree: {type: object, properties: {child: {$ref: "#/components/schemas/Tree"}}}
"##;

    fn describe(document: &[u8], key: &OperationKey) -> Option<OperationText> {
        Descriptions::read(document, &Options::default()).0?.of(key)
    }

    fn key(method: &str, endpoint: &str) -> OperationKey {
        OperationKey {
            method: method.parse().unwrap(),
            host: "a.example".parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
        }
    }

    #[test]
    fn an_operation_is_shown_with_what_its_references_lead_to() {
        let text = describe(DOCUMENT.as_bytes(), &key("PUT", "/v1/pets/{x}")).unwrap();
        let expected = json!([
            {"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 9}},
            {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
        ]);
        assert_eq!(json!(text.parameters), expected);
        assert_eq!(text.variables, ["id"]);
        let tree = json!({"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Tree"}}});
        assert_eq!(text.request_body, Some(json!({"content": {"application/json": {"schema": tree}}})));
    }

    #[test]
    fn of_paths_that_share_an_item_the_one_of_the_endpoint_names_the_variables() {
        let document = r##"
openapi: 3.1.0
servers: [{url: "https://a.example/v1"}]
paths:
  /a/{one}: {$ref: "#/components/pathItems/Both"}
  /b/{other}: {$ref: "#/components/pathItems/Both"}
components: {pathItems: {Both: {get: {parameters: []}}}}
"##;
        for (endpoint, name) in [("/v1/a/{x}", "one"), ("/v1/b/{x}", "other")] {
            let text = describe(document.as_bytes(), &key("GET", endpoint)).unwrap();
            assert_eq!(text.variables, [name]);
        }
    }

    #[test]
    fn what_it_does_not_describe_is_not_shown() {
        for key in [key("GET", "/v1/pets/{x}"), key("PUT", "/pets/{x}")] {
            assert_eq!(describe(DOCUMENT.as_bytes(), &key), None);
        }
        assert_eq!(describe(b"[", &key("PUT", "/v1/pets/{x}")), None);
    }
}
