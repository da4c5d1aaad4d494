//! The table "Style Examples" of OpenAPI 3.0.4 (Parameter Object), each row read back into the value that it writes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use support::{Request, with_parameter};

/// The values of the table: `string -> "blue"`, `array -> ["blue","black","brown"]`, `object -> {"R":100,"G":200,"B":150}`.
fn schemas() -> [(&'static str, Value); 3] {
    [
        ("string", json!({"type": "string", "enum": ["blue"]})),
        ("array", json!({"type": "array", "items": {"type": "string"}, "enum": [["blue", "black", "brown"]]})),
        (
            "object",
            json!({
                "type": "object",
                "required": ["R", "G", "B"],
                "properties": {"R": {"type": "integer"}, "G": {"type": "integer"}, "B": {"type": "integer"}},
                "enum": [{"R": 100, "G": 200, "B": 150}],
            }),
        ),
    ]
}

/// The columns `style` and `explode`, the place of the parameter, and the columns `string`, `array` and `object`; the empty text
/// stands for "n/a".
const TABLE: [(&str, bool, &str, [&str; 3]); 12] = [
    ("matrix", false, "path", [";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"]),
    ("matrix", true, "path", [";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"]),
    ("label", false, "path", [".blue", ".blue,black,brown", ".R,100,G,200,B,150"]),
    ("label", true, "path", [".blue", ".blue.black.brown", ".R=100.G=200.B=150"]),
    ("simple", false, "path", ["blue", "blue,black,brown", "R,100,G,200,B,150"]),
    ("simple", true, "path", ["blue", "blue,black,brown", "R=100,G=200,B=150"]),
    ("simple", false, "header", ["blue", "blue,black,brown", "R,100,G,200,B,150"]),
    ("simple", true, "header", ["blue", "blue,black,brown", "R=100,G=200,B=150"]),
    ("form", false, "query", ["color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"]),
    ("form", true, "query", ["color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"]),
    ("spaceDelimited", false, "query", ["", "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"]),
    ("pipeDelimited", false, "query", ["", "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"]),
];

fn request(place: &str, text: &str) -> Request {
    match place {
        "path" => Request::path(&[text]),
        "query" => Request::query(text),
        "header" => Request::default().header("color", text),
        _ => Request::default().header("cookie", text),
    }
}

fn check(style: &str, explode: bool, place: &str, schema: &Value, text: &str) {
    let parameter =
        json!({"name": "color", "in": place, "required": true, "style": style, "explode": explode, "schema": schema});
    let validator = with_parameter("3.0.4", &parameter);
    assert_eq!(request(place, text).violations(&validator), [""; 0], "{style} {explode} {place} {text}");
    // The enum of each schema lets nothing else through.
    let other = request(place, &text.replace("blue", "green").replace("100", "101"));
    assert_ne!(other.violations(&validator), [""; 0], "{style} {explode} {place} {text}");
}

#[test]
fn every_example_is_read_back() {
    for (style, explode, place, texts) in TABLE {
        for ((_, schema), text) in schemas().iter().zip(texts) {
            if !text.is_empty() {
                check(style, explode, place, schema, text);
            }
        }
    }
}

#[test]
fn cookies_are_forms() {
    for (explode, texts) in [
        (false, ["color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"]),
        (true, ["color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"]),
    ] {
        for ((_, schema), text) in schemas().iter().zip(texts) {
            check("form", explode, "cookie", schema, text);
        }
    }
    let (_, array) = &schemas()[1];
    check("form", true, "cookie", array, "color=blue; color=black; a=b; color=brown");
}

#[test]
fn empty_strings_are_written_as_the_table_says() {
    // The column `empty`: `;color`, `.`, nothing at all, and `color=`.
    for (style, place, text) in
        [("matrix", "path", ";color"), ("label", "path", "."), ("form", "query", "color="), ("simple", "header", "")]
    {
        let parameter = json!({"name": "color", "in": place, "required": true, "style": style, "schema": {"type": "string", "maxLength": 0}});
        assert_eq!(request(place, text).violations(&with_parameter("3.0.4", &parameter)), [""; 0], "{style}");
    }
}

#[test]
fn styles_have_their_defaults() {
    let (_, array) = &schemas()[1];
    let check = |place: &str, text: &str| {
        let parameter = json!({"name": "color", "in": place, "required": true, "schema": array});
        assert_eq!(request(place, text).violations(&with_parameter("3.0.4", &parameter)), [""; 0], "{place}");
    };
    check("path", "blue,black,brown");
    check("header", "blue, black, brown");
    check("query", "color=blue&color=black&color=brown");
    check("cookie", "color=blue&color=black&color=brown");
}

#[test]
fn text_of_another_style_is_a_violation() {
    let (_, object) = &schemas()[2];
    let check = |style: &str, explode: bool, text: &str| {
        let parameter = json!({"name": "color", "in": "path", "required": true, "style": style, "explode": explode, "schema": object});
        assert_eq!(
            request("path", text).violations(&with_parameter("3.0.4", &parameter)),
            ["style /path/color"],
            "{text}"
        );
    };
    check("matrix", false, "R,100,G,200,B,150");
    check("matrix", true, ";R=100;G");
    check("label", true, "R=100.G=200.B=150");
    check("simple", false, "R,100,G");
    check("simple", true, "R,100,G,200");
}
