//! What holds for any document and any request.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;

use demilune_schema::{
    document::{Document, Options},
    validate::{Content, RequestParts},
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};
use serde_json::{Map, Value, json};
use support::{Request, document, validator};

/// A schema, and a value that fits it.
fn schema_and_value() -> impl Strategy<Value = (Value, Value)> {
    let leaf = prop_oneof![
        (-50..50_i64, 0..100_i64, 0..100_i64).prop_map(|(least, more, rest)| {
            (json!({"type": "integer", "minimum": least, "maximum": least + more + rest}), json!(least + more))
        }),
        "[a-z]{0,8}".prop_map(|text| (json!({"type": "string", "pattern": "^[a-z]*$", "maxLength": 8}), json!(text))),
        any::<bool>().prop_map(|truth| (json!({"type": "boolean"}), json!(truth))),
        Just((json!({"type": "string", "nullable": true}), Value::Null)),
        (vec("[a-zA-Z0-9 ]{1,5}", 1..4), any::<prop::sample::Index>()).prop_map(|(texts, index)| {
            let value = index.get(&texts).clone();
            (json!({"type": "string", "enum": texts}), json!(value))
        }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0..3_usize).prop_map(|((schema, value), count)| {
                (json!({"type": "array", "items": schema, "minItems": count}), Value::Array(vec![value; count]))
            }),
            btree_map("[a-z]{1,4}", (inner.clone(), any::<bool>()), 0..4).prop_map(|members| object(&members)),
            (inner.clone(), inner.clone())
                .prop_map(|((one, value), (other, _))| (json!({"anyOf": [other, one]}), value)),
            inner.prop_map(|(schema, value)| (json!({"allOf": [schema, {}]}), value)),
        ]
    })
}

fn object(members: &BTreeMap<String, ((Value, Value), bool)>) -> (Value, Value) {
    let mut properties = Map::new();
    let mut value = Map::new();
    for (name, ((schema, member), _)) in members {
        properties.insert(name.clone(), schema.clone());
        value.insert(name.clone(), member.clone());
    }
    let required: Vec<&String> =
        members.iter().filter(|(_, (_, is_required))| *is_required).map(|(name, _)| name).collect();
    (
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
        Value::Object(value),
    )
}

/// A value as the text of a query parameter of the default style, if it can be one.
fn in_query(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(percent(text)),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(text).collect(),
        other => Some(vec![text(other)?]),
    }
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z$/#{}]{0,6}".prop_map(Value::from),
        prop::sample::select(vec![
            "#/components/schemas/A",
            "string",
            "object",
            "query",
            "path",
            "form",
            "a",
            "^(a)\\1$",
            "uuid"
        ])
        .prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "type",
        "properties",
        "items",
        "allOf",
        "oneOf",
        "not",
        "$ref",
        "required",
        "enum",
        "pattern",
        "format",
        "nullable",
        "name",
        "in",
        "schema",
        "style",
        "explode",
        "content",
        "application/json",
        "application/x-www-form-urlencoded",
        "encoding",
        "a",
        "discriminator",
        "propertyName",
        "mapping",
        "additionalProperties",
        "minimum",
        "exclusiveMinimum",
        "readOnly",
        "$id",
        "$anchor",
        "patternProperties",
        "const",
        "prefixItems",
        "if",
        "then",
        "unevaluatedProperties",
        "$dynamicRef",
    ]);
    leaf.prop_recursive(6, 40, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name.clone(), inner), 0..5).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

#[test]
fn a_validator_is_shared_between_threads() {
    fn is_shared<T: Send + Sync + Clone + 'static>() {}
    is_shared::<demilune_schema::validate::Validator>();
}

proptest! {
    #[test]
    fn a_body_that_fits_is_let_through((schema, value) in schema_and_value()) {
        let body = json!({"requestBody": {"content": {"application/json": {"schema": schema}}}});
        let validator = validator(&document("3.0.4", "post", "/x", &body));
        prop_assert_eq!(Request::json(&value).violations(&validator), [""; 0]);
    }

    #[test]
    fn a_parameter_that_fits_is_let_through((schema, value) in schema_and_value()) {
        if let Some(texts) = in_query(&value) {
            let parameter = json!({"parameters": [{"name": "q", "in": "query", "required": true, "schema": schema}]});
            let validator = validator(&document("3.0.4", "get", "/x", &parameter));
            let query: Vec<_> = texts.iter().map(|text| format!("q={text}")).collect();
            prop_assert_eq!(Request::query(&query.join("&")).violations(&validator), [""; 0]);
        }
    }

    #[test]
    fn violations_hold_nothing_of_the_request((schema, _) in schema_and_value(), body in any_json()) {
        let body_of = json!({"requestBody": {"content": {"application/json": {"schema": schema}}}});
        let validator = validator(&document("3.0.4", "post", "/x", &body_of));
        // Names of six letters that no schema has.
        let text = body.to_string().replace("\"type\"", "\"secret\"").replace("\"name\"", "\"secreu\"");
        let verdict = Request::body("application/json", text).verdict(&validator);
        let said = format!("{verdict:?}");
        prop_assert!(!said.contains("secre"), "{}", said);
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Document::read(&bytes, &Options::default());
    }

    #[test]
    fn no_document_makes_reading_or_checking_panic(
        version in prop::sample::select(vec!["3.0.4", "3.1.0"]),
        parameters in any_json(), body in any_json(), schema in any_json(),
        query in option::of("[a-z=&%\\[\\],{}\"0-9+]{0,20}"), content in any_json(), path in "[a-z;,.=%]{0,8}",
    ) {
        let operation = json!({"parameters": [parameters, {"name": "q", "in": "query", "schema": schema}],
            "requestBody": {"content": {"application/json": {"schema": body}, "application/x-www-form-urlencoded": {"schema": schema}}}});
        let mut document = document(version, "post", "/x/{a}", &operation);
        document["components"] = json!({"schemas": {"A": schema}});
        let read = support::read(&document);
        prop_assert_eq!(read.document.is_none(), read.problems.iter().any(|problem| problem.severity > demilune_schema::document::Severity::Warning));
        let Some(document) = read.document else { return Ok(()) };
        let json = content.to_string();
        for (media_type, text) in [("application/json", json.as_str()), ("application/x-www-form-urlencoded", query.as_deref().unwrap_or("a=1"))] {
            let request = Request::body(media_type, text).header("cookie", "a=b");
            let _ = document.operations[0].validator.validate(&RequestParts {
                variables: &[&path], query: query.as_deref(), headers: &request.headers, content: Content::Whole(text.as_bytes()),
            });
        }
    }
}
