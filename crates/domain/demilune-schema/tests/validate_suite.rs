//! The JSON Schema Test Suite, each schema as that of a request body and each instance as a body: draft 4 in OpenAPI 3.0, 2020-12
//! in 3.1.
//!
//! The suite is read from the folder that `DEMILUNE_JSON_SCHEMA_SUITE` names, which holds `tests/draft4` and
//! `tests/draft2020-12`: `json` in the source distribution of `jsonschema` on `PyPI`. Without it, nothing is tested.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed, and this one reads files"
)]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use demilune_schema::document::{Read, Treatment};
use serde_json::{Value, json};
use support::{Request, document, read};

/// What comes of a group of tests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Every verdict is the suite's.
    Agrees,
    /// The document is refused, with these codes.
    Refused(String),
    /// Some verdict differs, and the report says that these keywords are not enforced.
    Reported(String),
    /// Some verdict differs, without a word in the report.
    Differs,
}

/// Files with groups whose verdicts differ on purpose.
const DIFFERENT: [(&str, &str); 2] = [
    // Formats are annotations in JSON Schema and restrictions here.
    ("draft2020-12", "format"),
    // 1.0 is no integer in draft 4.
    ("draft4", "zeroTerminatedFloats"),
];

fn suite(draft: &str) -> Option<Vec<PathBuf>> {
    let folder = std::env::var_os("DEMILUNE_JSON_SCHEMA_SUITE")?;
    let folder = Path::new(&folder).join("tests").join(draft);
    let mut files = Vec::new();
    for folder in [folder.clone(), folder.join("optional"), folder.join("optional/format")] {
        files.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Some(files)
}

/// References of the suite are relative to the schema; here they are relative to the document.
fn embed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let embed_member = |(name, value): (&String, &Value)| {
                let value = match value.as_str().and_then(|text| text.strip_prefix('#')) {
                    Some(rest) if name == "$ref" => format!("#/components/schemas/Root{rest}").into(),
                    // What a value must be holds no references.
                    _ if name == "enum" || name == "const" => value.clone(),
                    _ => embed(value),
                };
                (name.clone(), value)
            };
            Value::Object(members.iter().map(embed_member).collect())
        }
        Value::Array(items) => items.iter().map(embed).collect(),
        other => other.clone(),
    }
}

/// Whether a schema names itself or parts of it, so that its references are its own.
fn has_names(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(name, value)| {
            matches!(name.as_str(), "$id" | "$anchor" | "$dynamicAnchor" | "$dynamicRef") || has_names(value)
        }),
        Value::Array(items) => items.iter().any(has_names),
        _ => false,
    }
}

fn read_schema(version: &str, schema: &Value) -> Read {
    let mut root = schema.clone();
    if version == "3.1.0" && has_names(schema) {
        if let Some(members) = root.as_object_mut() {
            members.entry("$id").or_insert_with(|| "https://suite.example.com/root".into());
        }
    } else {
        root = embed(schema);
    }
    let schema = json!({"$ref": "#/components/schemas/Root"});
    let body = json!({"requestBody": {"required": true, "content": {"application/json": {"schema": schema}}}});
    let mut document = document(version, "post", "/x", &body);
    document["components"] = json!({"schemas": {"Root": root}});
    read(&document)
}

fn outcome(version: &str, group: &Value) -> Outcome {
    let read = read_schema(version, &group["schema"]);
    let Some(document) = &read.document else {
        let mut codes: Vec<_> = read.problems.iter().map(|problem| format!("{:?}", problem.code)).collect();
        codes.dedup();
        return Outcome::Refused(codes.join(", "));
    };
    let validator = &document.operations[0].validator;
    let agrees = group["tests"]
        .as_array()
        .unwrap()
        .iter()
        .all(|test| Request::json(&test["data"]).verdict(validator).is_valid() == test["valid"].as_bool().unwrap());
    if agrees {
        return Outcome::Agrees;
    }
    let told = read.keywords.uses.iter().filter(|found| found.treatment != Treatment::Enforced);
    let told: Vec<_> = told.map(|found| found.keyword.clone()).collect();
    if told.is_empty() { Outcome::Differs } else { Outcome::Reported(told.join(", ")) }
}

/// Runs a draft, prints what differs, and gives how many groups came to what.
fn run(draft: &str, version: &str) -> Option<BTreeMap<&'static str, usize>> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/validation.md")).unwrap();
    let mut counts = BTreeMap::new();
    for file in suite(draft)? {
        let groups: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        for group in groups.as_array().unwrap() {
            let description = group["description"].as_str().unwrap();
            let outcome = outcome(version, group);
            let listed = DIFFERENT.contains(&(draft, name));
            let count = match &outcome {
                Outcome::Agrees => "agrees",
                Outcome::Refused(_) => "refused",
                Outcome::Reported(_) => "reported",
                Outcome::Differs if listed => "listed",
                Outcome::Differs => "unexplained",
            };
            *counts.entry(count).or_default() += 1;
            if outcome != Outcome::Agrees {
                eprintln!("{draft}/{name} | {description} | {outcome:?}");
                let row = format!("`{draft}/{name}`");
                assert!(
                    page.contains(&row),
                    "docs/validation.md does not say why {row} differs: {description}, {outcome:?}"
                );
            }
        }
    }
    Some(counts)
}

/// As many groups came to each as `docs/validation.md` says.
fn check(draft: &str, version: &str, expected: [(&'static str, usize); 4]) {
    match run(draft, version) {
        Some(counts) => assert_eq!(counts, expected.into_iter().collect()),
        None => eprintln!("DEMILUNE_JSON_SCHEMA_SUITE names no folder: nothing was tested"),
    }
}

#[test]
fn draft_4_in_openapi_3_0() {
    check("draft4", "3.0.4", [("agrees", 136), ("listed", 1), ("refused", 44), ("reported", 17)]);
}

#[test]
fn draft_2020_12_in_openapi_3_1() {
    check("draft2020-12", "3.1.0", [("agrees", 390), ("listed", 19), ("refused", 22), ("reported", 7)]);
}
