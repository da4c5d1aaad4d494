//! What parameters are let through, beyond their styles.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use support::{Request, document, validator, with_parameter};

fn check(parameter: &Value, request: &Request, expected: &[&str]) {
    assert_eq!(request.violations(&with_parameter("3.0.4", parameter)), expected, "{parameter} {request:?}");
}

fn query(schema: &Value) -> Value {
    json!({"name": "q", "in": "query", "schema": schema})
}

#[test]
fn texts_are_values_of_the_kinds_that_the_schema_lets_through() {
    let integer = query(&json!({"type": "integer", "minimum": 1, "maximum": 100}));
    check(&integer, &Request::query("q=5"), &[]);
    check(&integer, &Request::query("q=1.0"), &[]);
    check(&integer, &Request::query("q=1e1"), &[]);
    check(&integer, &Request::query("q=0"), &["minimum /query/q"]);
    for text in ["q=5x", "q=", "q=+5", "q=007", "q=%205", "q=0x5", "q=NaN"] {
        check(&integer, &Request::query(text), &["type /query/q"]);
    }
    check(&query(&json!({"type": "boolean"})), &Request::query("q=true"), &[]);
    check(&query(&json!({"type": "boolean"})), &Request::query("q=1"), &["type /query/q"]);
    let either = query(&json!({"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 2}]}));
    check(&either, &Request::query("q=12345"), &[]);
    check(&either, &Request::query("q=ab"), &[]);
    check(&either, &Request::query("q=abc"), &["anyOf /query/q"]);
    check(&query(&json!({"maxLength": 3})), &Request::query("q=12345"), &["maxLength /query/q"]);
}

#[test]
fn null_is_a_text_only_where_it_may_be() {
    let nullable = query(&json!({"type": "integer", "nullable": true}));
    check(&nullable, &Request::query("q="), &[]);
    check(&nullable, &Request::query("q=null"), &[]);
    check(&query(&json!({"type": "integer"})), &Request::query("q=null"), &["type /query/q"]);
}

#[test]
fn text_is_decoded_once() {
    let pattern = query(&json!({"type": "string", "pattern": "^[a-z /%]+$"}));
    check(&pattern, &Request::query("%71=a%20b+c%2Fd%25"), &[]);
    check(&pattern, &Request::query("q=a%2525"), &["pattern /query/q"]);
    check(&pattern, &Request::query("q=%ff"), &["encoding /query/q"]);
    let reserved = json!({"name": "q", "in": "query", "allowReserved": true, "schema": {"type": "string", "pattern": "^[a-z:/?#@!$'()*,;=]+$"}});
    check(&reserved, &Request::query("q=a:/?@!$'()*,;=b"), &[]);
    check(&reserved, &Request::query("q=a%3A%2F"), &[]);
    let items = query(&json!({"type": "array", "items": {"type": "string", "enum": ["a,b", "c"]}}));
    let joined = json!({"name": "q", "in": "query", "explode": false, "schema": items["schema"]});
    check(&joined, &Request::query("q=a%2Cb,c"), &[]);
    check(&joined, &Request::query("q=a,b,c"), &["enum /query/q/0", "enum /query/q/1"]);
    let path = json!({"name": "p", "in": "path", "required": true, "schema": {"type": "string", "enum": ["a b+é"]}});
    check(&path, &Request::path(&["a%20b+%C3%A9"]), &[]);
}

#[test]
fn headers_and_cookies_mean_what_they_say() {
    let schema = json!({"type": "string", "enum": ["a%20b"]});
    check(&json!({"name": "X-A", "in": "header", "schema": schema}), &Request::default().header("x-a", "a%20b"), &[]);
    check(
        &json!({"name": "a", "in": "cookie", "schema": schema}),
        &Request::default().header("cookie", "b=c; a=a%20b"),
        &[],
    );
    check(
        &json!({"name": "X-A", "in": "header", "schema": schema}),
        &Request::default().header("x-a", "a b"),
        &["enum /header/X-A"],
    );
    let latin = Request::default();
    let mut latin = latin.header("x-a", "b");
    latin.headers.insert("x-a", http::HeaderValue::from_bytes(b"\xe9").unwrap());
    check(&json!({"name": "X-A", "in": "header", "schema": schema}), &latin, &["encoding /header/X-A"]);
}

#[test]
fn what_is_required_must_be_there() {
    for (place, pointer) in [("query", "/query/a"), ("header", "/header/a"), ("cookie", "/cookie/a")] {
        let parameter =
            |required: bool| json!({"name": "a", "in": place, "required": required, "schema": {"type": "string"}});
        check(&parameter(true), &Request::query("b=1"), &[&format!("required {pointer}")]);
        check(&parameter(false), &Request::query("b=1"), &[]);
    }
}

#[test]
fn a_default_stands_in_for_what_is_not_there() {
    check(&query(&json!({"type": "integer", "default": 5})), &Request::default(), &[]);
}

#[test]
fn a_parameter_that_is_no_list_stands_once() {
    check(&query(&json!({"type": "string"})), &Request::query("q=a&q=b"), &["repeated /query/q"]);
    check(&query(&json!({"type": "string"})), &Request::query("q=a&%71=a"), &["repeated /query/q"]);
    let joined =
        json!({"name": "q", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}});
    check(&joined, &Request::query("q=a&q=b"), &["repeated /query/q"]);
    let object =
        json!({"name": "q", "in": "query", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}});
    check(&object, &Request::query("a=1&a=2"), &["repeated /query/q"]);
    let header = json!({"name": "X-A", "in": "header", "schema": {"type": "string"}});
    check(&header, &Request::default().header("x-a", "1").header("x-a", "2"), &["repeated /header/X-A"]);
    let cookie = json!({"name": "c", "in": "cookie", "schema": {"type": "string"}});
    check(&cookie, &Request::default().header("cookie", "c=1").header("cookie", "c=2"), &["repeated /cookie/c"]);
    // Of what the document does not name, it says nothing.
    check(&query(&json!({"type": "string"})), &Request::query("q=a&z=1&z=2"), &[]);
}

#[test]
fn items_are_checked_each() {
    let list = query(&json!({"type": "array", "maxItems": 3, "items": {"type": "integer"}}));
    check(&list, &Request::query("q=1&q=2"), &[]);
    check(&list, &Request::query("q=1&q=x"), &["type /query/q/1"]);
    check(&list, &Request::query("q=1&q=2&q=3&q=4"), &["maxItems /query/q"]);
}

#[test]
fn an_exploded_object_takes_its_members_and_leaves_other_parameters() {
    let object = |additional: Value| {
        let schema =
            json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": additional});
        let parameters =
            json!([{"name": "q", "in": "query", "schema": schema}, {"name": "z", "in": "query", "schema": {}}]);
        validator(&document("3.0.4", "get", "/x", &json!({"parameters": parameters})))
    };
    assert_eq!(Request::query("a=1&z=x&y=w").violations(&object(json!(false))), [""; 0]);
    assert_eq!(Request::query("a=x").violations(&object(json!(false))), ["type /query/q/a"]);
    assert_eq!(Request::query("z=x&y=w").violations(&object(json!({"type": "integer"}))), ["type /query/q/*"]);
}

#[test]
fn a_parameter_may_hold_json() {
    let parameter = json!({"name": "q", "in": "query", "content": {"application/json": {
        "schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}}}});
    check(&parameter, &Request::query("q=%7B%22a%22%3A1%7D"), &[]);
    check(&parameter, &Request::query("q=%7B%22a%22%3A%22x%22%7D"), &["type /query/q/a"]);
    check(&parameter, &Request::query("q=%7B%22a%22%3A1,%22a%22%3A1%7D"), &["duplicate /query/q/a"]);
    check(&parameter, &Request::query("q=%7B"), &["syntax /query/q"]);
    let text =
        json!({"name": "q", "in": "query", "required": true, "content": {"text/csv": {"schema": {"type": "integer"}}}});
    check(&text, &Request::query("q=a"), &[]);
    check(&text, &Request::query(""), &["required /query/q"]);
}

#[test]
fn an_empty_value_may_be_allowed() {
    let parameter = json!({"name": "q", "in": "query", "allowEmptyValue": true, "schema": {"type": "integer"}});
    check(&parameter, &Request::query("q"), &[]);
    check(&parameter, &Request::query("q="), &[]);
    check(&parameter, &Request::query("q=x"), &["type /query/q"]);
}

#[test]
fn path_variables_are_told_by_their_order() {
    let parameters = json!([
        {"name": "b", "in": "path", "required": true, "schema": {"type": "string"}},
        {"name": "a", "in": "path", "required": true, "schema": {"type": "integer"}},
    ]);
    let validator = validator(&document("3.0.4", "get", "/x/{a}/y/{b}.json", &json!({"parameters": parameters})));
    assert_eq!(Request::path(&["1", "x"]).violations(&validator), [""; 0]);
    assert_eq!(Request::path(&["x", "1"]).violations(&validator), ["type /path/a"]);
}
