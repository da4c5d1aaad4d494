//! What content is let through.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use support::{Request, document, validator, with_body, with_body_and};

fn check(version: &str, schema: &Value, body: &Value, expected: &[&str]) {
    assert_eq!(Request::json(body).violations(&with_body(version, schema)), expected, "{version} {schema} {body}");
}

fn media(content: &Value, required: bool) -> demilune_schema::validate::Validator {
    validator(&document("3.0.4", "post", "/x", &json!({"requestBody": {"required": required, "content": content}})))
}

#[test]
fn violations_name_the_keyword_and_both_places() {
    let schema = json!({"type": "object", "required": ["id"], "additionalProperties": false, "properties": {
        "id": {"type": "integer"}, "tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}}}});
    let validator = with_body_and("3.0.4", &schema, &json!({"schemas": {"Tag": {"type": "string", "maxLength": 3}}}));
    let body = json!({"tags": ["a", "long"], "map": {"secret": "value"}, "password": "x"});
    let verdict = Request::json(&body).verdict(&validator);
    let mut found: Vec<_> = verdict
        .violations
        .iter()
        .map(|found| (&*found.keyword, &*found.request_place, &*found.document_place))
        .collect();
    found.sort_unstable();
    let base = "/paths/~1x/post/requestBody/content/application~1json/schema";
    assert_eq!(
        found,
        [
            ("additionalProperties", "/body/*", &*format!("{base}/additionalProperties")),
            ("maxLength", "/body/tags/1", "/components/schemas/Tag/maxLength"),
            ("required", "/body/id", &*format!("{base}/required")),
            ("type", "/body/map/*", &*format!("{base}/properties/map/additionalProperties/type")),
        ]
    );
    let said = format!("{verdict:?}");
    assert!(
        !said.contains("secret") && !said.contains("value") && !said.contains("password") && !said.contains("long"),
        "{said}"
    );
}

#[test]
fn nullable_adds_null_to_the_type_beside_it() {
    let schema = json!({"type": "string", "nullable": true, "minLength": 2});
    check("3.0.4", &schema, &json!(null), &[]);
    check("3.0.4", &schema, &json!("a"), &["minLength /body"]);
    check("3.0.4", &json!({"type": "string"}), &json!(null), &["type /body"]);
    check("3.0.4", &json!({"nullable": true, "allOf": [{"type": "string"}]}), &json!(null), &["type /body"]);
    check("3.0.4", &json!({"type": "string", "nullable": true, "enum": ["a"]}), &json!(null), &["enum /body"]);
    check("3.1.0", &json!({"type": ["string", "null"]}), &json!(null), &[]);
    check("3.1.0", &json!({"type": "string", "nullable": true}), &json!(null), &["type /body"]);
}

#[test]
fn whole_numbers_are_integers_however_they_are_written() {
    for version in ["3.0.4", "3.1.0"] {
        let validator = with_body(version, &json!({"type": "integer"}));
        for text in ["1", "1.0", "1e3", "-0", "12345678901234567890123"] {
            assert_eq!(Request::body("application/json", text).violations(&validator), [""; 0], "{text}");
        }
        for text in ["1.5", "1e-1"] {
            assert_eq!(Request::body("application/json", text).violations(&validator), ["type /body"], "{text}");
        }
        assert_eq!(Request::body("application/json", "1e999").violations(&validator), ["number /body"]);
    }
}

#[test]
fn bounds_are_exclusive_in_the_form_of_either_version() {
    let check_both = |schema: &Value| {
        for version in ["3.0.4", "3.1.0"] {
            check(version, schema, &json!(6), &[]);
            check(version, schema, &json!(5), &["exclusiveMinimum /body"]);
        }
    };
    check_both(&json!({"minimum": 5, "exclusiveMinimum": true}));
    check_both(&json!({"exclusiveMinimum": 5}));
    check("3.0.4", &json!({"minimum": 5, "exclusiveMinimum": false}), &json!(5), &[]);
}

#[test]
fn formats_restrict() {
    let format = |format: &str| json!({"format": format});
    check("3.0.4", &format("date-time"), &json!("2024-02-30T00:00:00Z"), &["format /body"]);
    check("3.1.0", &format("uuid"), &json!("no"), &["format /body"]);
    check("3.0.4", &format("email"), &json!("a@example.com"), &[]);
    check("3.0.4", &json!({"type": "integer", "format": "int32"}), &json!(2_147_483_648_i64), &["format /body"]);
    check("3.0.4", &json!({"type": "integer", "format": "int64"}), &json!(u64::MAX), &["format /body"]);
    check("3.0.4", &format("byte"), &json!("YWI="), &[]);
    check("3.0.4", &format("byte"), &json!("YWI"), &["format /body"]);
    check("3.0.4", &format("our-own"), &json!("anything"), &[]);
}

#[test]
fn read_only_members_are_not_sent_and_not_missed() {
    let schema = json!({"type": "object", "required": ["id", "name"], "properties": {
        "id": {"type": "integer", "readOnly": true}, "name": {"type": "string"}}});
    for version in ["3.0.4", "3.1.0"] {
        check(version, &schema, &json!({"name": "x"}), &[]);
        check(version, &schema, &json!({"id": 1, "name": "x"}), &["readOnly /body/id"]);
    }
    let composed = json!({"allOf": [{"$ref": "#/components/schemas/Base"}, {"required": ["id"]}], "required": ["id"]});
    let components = json!({"schemas": {"Base": {"properties": {"id": {"$ref": "#/components/schemas/Id"}}}, "Id": {"type": "integer", "readOnly": true}}});
    let validator = with_body_and("3.0.4", &composed, &components);
    assert_eq!(Request::json(&json!({})).violations(&validator), [""; 0]);
    assert_eq!(Request::json(&json!({"id": 1})).violations(&validator), ["readOnly /body/id"]);
}

fn pets() -> Value {
    json!({"schemas": {
        "Cat": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}},
        "Dog": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "bark": {"type": "boolean"}}},
    }})
}

#[test]
fn a_discriminator_chooses_the_alternative() {
    let one_of = json!([{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]);
    let schema = json!({"oneOf": one_of, "discriminator": {"propertyName": "kind", "mapping": {"feline": "#/components/schemas/Cat", "canine": "Dog"}}});
    for version in ["3.0.4", "3.1.0"] {
        let validator = with_body_and(version, &schema, &pets());
        let check = |body: &Value, expected: &[&str]| {
            assert_eq!(Request::json(body).violations(&validator), expected, "{body}");
        };
        check(&json!({"kind": "feline", "lives": 9}), &[]);
        check(&json!({"kind": "Cat"}), &[]);
        check(&json!({"kind": "canine", "bark": 1}), &["type /body/bark"]);
        check(&json!({"kind": "feline", "bark": 1}), &[]);
        check(&json!({"kind": "bird"}), &["discriminator /body/kind"]);
        check(&json!({}), &["discriminator /body/kind"]);
        check(&json!([]), &["discriminator /body"]);
    }
}

#[test]
fn alternatives_for_other_values_stand_beside_a_discriminator() {
    let schema = json!({"anyOf": [{"$ref": "#/components/schemas/Cat"}, {"type": "null"}], "discriminator": {"propertyName": "kind"}});
    let validator = with_body_and("3.1.0", &schema, &pets());
    assert_eq!(Request::json(&json!(null)).violations(&validator), [""; 0]);
    assert_eq!(Request::json(&json!(1)).violations(&validator), ["discriminator /body"]);
}

#[test]
fn combinations_are_enforced() {
    check("3.0.4", &json!({"oneOf": [{"type": "integer"}, {"minimum": 5}]}), &json!(6), &["oneOf /body"]);
    check("3.0.4", &json!({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}), &json!("x"), &["anyOf /body"]);
    check("3.0.4", &json!({"allOf": [{"minimum": 5}, {"maximum": 6}]}), &json!(7), &["maximum /body"]);
    check("3.0.4", &json!({"not": {"type": "integer"}}), &json!(7), &["not /body"]);
}

#[test]
fn schemas_may_refer_to_themselves() {
    let schemas = json!({"schemas": {"Node": {"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}}}});
    let validator = with_body_and("3.0.4", &json!({"$ref": "#/components/schemas/Node"}), &schemas);
    let body = json!({"name": "a", "children": [{"name": "b", "children": [{"children": []}]}]});
    let verdict = Request::json(&body).verdict(&validator);
    assert_eq!(verdict.violations.len(), 1);
    assert_eq!(verdict.violations[0].request_place, "/body/children/0/children/0/name");
    assert_eq!(verdict.violations[0].document_place, "/components/schemas/Node/required");
}

#[test]
fn expressions_with_assertions_are_enforced_in_linear_time() {
    let schema = json!({"type": "string", "pattern": r"^(?=.*\d)(?!admin).{8,}$"});
    check("3.0.4", &schema, &json!("passw0rd"), &[]);
    check("3.0.4", &schema, &json!("password"), &["pattern /body"]);
    check("3.0.4", &schema, &json!("admin0000"), &["pattern /body"]);
    let verdict = Request::json(&json!("admin0000")).verdict(&with_body("3.0.4", &schema));
    assert!(verdict.violations[0].document_place.ends_with("/schema/pattern"), "{verdict:?}");
}

#[test]
fn the_media_type_must_be_declared() {
    let content = json!({"application/json": {"schema": {"type": "integer"}}, "text/*": {}, "application/vnd.x+json; v=2": {"schema": {"type": "string"}}});
    let validator = media(&content, false);
    let check = |media_type: &str, body: &str, expected: &[&str]| {
        assert_eq!(Request::body(media_type, body).violations(&validator), expected, "{media_type} {body}");
    };
    check("application/json", "1", &[]);
    check("Application/JSON; charset=UTF-8", "x", &["syntax /body"]);
    check("application/json;charset=utf-16", "1", &["charset /header/content-type"]);
    check("text/csv", "anything", &[]);
    check("application/vnd.x+json;v=2", "\"x\"", &[]);
    check("application/vnd.x+json;v=2", "1", &["type /body"]);
    for undeclared in [
        "application/xml",
        "application/vnd.x+json",
        "application/vnd.x+json;v=1",
        "*/*",
        "nonsense",
        "application/json, text/csv",
    ] {
        check(undeclared, "1", &["contentType /header/content-type"]);
    }
    let without = Request { body: Some(b"1".to_vec()), ..Request::default() };
    assert_eq!(without.violations(&validator), ["contentType /header/content-type"]);
}

#[test]
fn two_media_types_are_none() {
    let request = Request::json(&json!(1)).header("content-type", "application/json");
    assert_eq!(
        request.violations(&media(&json!({"application/json": {}}), false)),
        ["contentType /header/content-type"]
    );
}

#[test]
fn a_body_that_is_required_must_be_there() {
    let content = json!({"application/json": {}});
    assert_eq!(Request::default().violations(&media(&content, true)), ["required /body"]);
    assert_eq!(Request::body("application/json", "").violations(&media(&content, true)), ["required /body"]);
    assert_eq!(Request::default().violations(&media(&content, false)), [""; 0]);
}

#[test]
fn json_that_can_be_read_in_two_ways_is_a_violation() {
    let validator = media(&json!({"application/json": {"schema": {"properties": {"role": {}}}}}), true);
    let check = |body: &[u8], expected: &str| {
        assert_eq!(Request::body("application/json", body).violations(&validator), [expected], "{body:?}");
    };
    check(br#"{"role": "user", "role": "admin"}"#, "duplicate /body/role");
    check(br#"{"secret": 1, "secret": 1}"#, "duplicate /body/*");
    check(b"\"\xff\"", "encoding /body");
    check(b"\xef\xbb\xbf{}", "syntax /body");
    check(b"{} {}", "syntax /body");
    check(
        "[".repeat(100).as_bytes(),
        "depth /body/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0",
    );
}

#[test]
fn forms_are_the_objects_that_their_schemas_describe() {
    let schema = json!({"type": "object", "required": ["id"], "additionalProperties": false, "properties": {
        "id": {"type": "integer"}, "name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
        "codes": {"type": "array", "items": {"type": "integer"}}, "address": {"type": "object", "properties": {"zip": {"type": "string"}}}}});
    let content =
        json!({"application/x-www-form-urlencoded": {"schema": schema, "encoding": {"codes": {"explode": false}}}});
    let validator = media(&content, true);
    let check = |body: &str, expected: &[&str]| {
        assert_eq!(Request::body("application/x-www-form-urlencoded", body).violations(&validator), expected, "{body}");
    };
    check("id=1&name=a+b%26&tags=x&tags=y&codes=1,2&address=%7B%22zip%22%3A%221%22%7D", &[]);
    check("id=x", &["type /body/id"]);
    check("name=a", &["required /body/id"]);
    check("id=1&other=x", &["additionalProperties /body/*"]);
    check("id=1&name=a&name=b", &["repeated /body/name"]);
    check("id=1&codes=1,x", &["type /body/codes/1"]);
    check("id=1&address=%7B%22zip%22%3A1%7D", &["type /body/address/zip"]);
    check("id=1&address=%7B", &["syntax /body/address"]);
    check("id=1&name=%ff", &["encoding /body/name"]);
}

#[test]
fn content_that_no_body_is_described_for_passes() {
    let validator = validator(&document("3.0.4", "post", "/x", &json!({})));
    assert_eq!(Request::json(&json!(1)).violations(&validator), [""; 0]);
}
