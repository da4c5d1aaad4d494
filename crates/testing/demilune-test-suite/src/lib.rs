//! The JSON Schema Test Suite, each schema as that of a request body and each instance as a body: draft 4 in `OpenAPI` 3.0,
//! 2020-12 in 3.1.
//!
//! The suite is read from the folder that `DEMILUNE_JSON_SCHEMA_SUITE` names, which holds `tests/draft4` and
//! `tests/draft2020-12`: `json` in the source distribution of `jsonschema` on `PyPI`. Without it, nothing is tested.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and this one reads files"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

/// A draft of JSON Schema, the version of `OpenAPI` that it is tested in, and how many groups come to what.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    /// Its folder in the suite.
    pub name: &'static str,
    version: &'static str,
    expected: [(&'static str, usize); 4],
}

/// Draft 4 in `OpenAPI` 3.0.
pub const DRAFT_4: Draft = Draft {
    name: "draft4",
    version: "3.0.4",
    expected: [("agrees", 136), ("listed", 1), ("refused", 44), ("reported", 17)],
};

/// 2020-12 in `OpenAPI` 3.1.
pub const DRAFT_2020_12: Draft = Draft {
    name: "draft2020-12",
    version: "3.1.0",
    expected: [("agrees", 390), ("listed", 19), ("refused", 22), ("reported", 7)],
};

/// Files with groups whose verdicts differ on purpose.
const DIFFERENT: [(&str, &str); 2] = [
    // Formats are annotations in JSON Schema and restrictions here.
    ("draft2020-12", "format"),
    // 1.0 is no integer in draft 4.
    ("draft4", "zeroTerminatedFloats"),
];

/// The operation of the documents.
pub const OPERATION: (&str, &str, &str) = ("POST", "api.test", "/x");

/// A schema of the suite with the instances that it is tried on.
#[derive(Clone, Debug)]
pub struct Group {
    /// An `OpenAPI` document in which the schema is that of a JSON body, as JSON.
    pub document: String,
    /// Bodies.
    pub bodies: Vec<String>,
    valid: Vec<bool>,
    file: String,
    description: String,
}

/// What came of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// The document cannot be used, for these reasons.
    Refused(String),
    /// Which bodies fit, and the keywords that are said not to be enforced.
    Verdicts(Vec<bool>, Vec<String>),
}

/// Has every group judged, and holds that as many come to each outcome as `docs/validation.md` says, and that the page names
/// every file with one that differs.
pub fn check(draft: Draft, mut judge: impl FnMut(&Group) -> Judged) {
    let Some(groups) = groups(draft) else {
        eprintln!("DEMILUNE_JSON_SCHEMA_SUITE names no folder: nothing was tested");
        return;
    };
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/validation.md")).unwrap();
    let mut counts = BTreeMap::new();
    for group in &groups {
        let judged = judge(group);
        let outcome = outcome(draft, group, &judged);
        *counts.entry(outcome).or_default() += 1;
        if outcome != "agrees" {
            eprintln!("{}/{} | {} | {judged:?}", draft.name, group.file, group.description);
            let row = format!("`{}/{}`", draft.name, group.file);
            assert!(page.contains(&row), "docs/validation.md does not say why {row} differs: {}", group.description);
        }
    }
    assert_eq!(counts, draft.expected.into_iter().collect());
}

fn outcome(draft: Draft, group: &Group, judged: &Judged) -> &'static str {
    match judged {
        Judged::Refused(_) => "refused",
        Judged::Verdicts(verdicts, _) if *verdicts == group.valid => "agrees",
        Judged::Verdicts(_, told) if !told.is_empty() => "reported",
        Judged::Verdicts(..) if DIFFERENT.contains(&(draft.name, &group.file)) => "listed",
        Judged::Verdicts(..) => "unexplained",
    }
}

fn groups(draft: Draft) -> Option<Vec<Group>> {
    let mut groups = Vec::new();
    for file in files(draft)? {
        let content: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        groups.extend(content.as_array().unwrap().iter().map(|group| Group::new(draft, name, group)));
    }
    Some(groups)
}

fn files(draft: Draft) -> Option<Vec<PathBuf>> {
    let folder = std::env::var_os("DEMILUNE_JSON_SCHEMA_SUITE")?;
    let folder = Path::new(&folder).join("tests").join(draft.name);
    let mut files = Vec::new();
    for folder in [folder.clone(), folder.join("optional"), folder.join("optional/format")] {
        files.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Some(files)
}

impl Group {
    fn new(draft: Draft, file: &str, group: &Value) -> Self {
        let tests = group["tests"].as_array().unwrap();
        Self {
            document: document(draft.version, &group["schema"]).to_string(),
            bodies: tests.iter().map(|test| test["data"].to_string()).collect(),
            valid: tests.iter().map(|test| test["valid"].as_bool().unwrap()).collect(),
            file: file.to_owned(),
            description: group["description"].as_str().unwrap().to_owned(),
        }
    }
}

fn document(version: &str, schema: &Value) -> Value {
    let mut root = schema.clone();
    if version == "3.1.0" && has_names(schema) {
        if let Some(members) = root.as_object_mut() {
            members.entry("$id").or_insert_with(|| "https://suite.example.com/root".into());
        }
    } else {
        root = embed(schema);
    }
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Root"}}});
    let (_, host, path) = OPERATION;
    json!({
        "openapi": version,
        "info": {"title": "suite", "version": "1"},
        "servers": [{"url": format!("https://{host}")}],
        "paths": {path: {"post": {"requestBody": {"required": true, "content": content}}}},
        "components": {"schemas": {"Root": root}},
    })
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
