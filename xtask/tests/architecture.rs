//! Holds the map of the workspace: which crate may know which, and that every file says what it is for.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// For each crate, which of ours it may depend on.
const ARROWS: [(&str, &[&str]); 12] = [
    ("demilune-discovery", &["demilune-inventory", "demilune-traffic"]),
    ("demilune-inventory", &[]),
    ("demilune-traffic", &[]),
    ("demilune-policy", &["demilune-inventory", "demilune-schema", "demilune-traffic"]),
    ("demilune-schema", &["demilune-inventory", "demilune-traffic"]),
    ("demilune-store", &["demilune-inventory", "demilune-policy", "demilune-schema", "demilune-traffic"]),
    (
        "demilune-control",
        &[
            "demilune-discovery",
            "demilune-inventory",
            "demilune-policy",
            "demilune-schema",
            "demilune-store",
            "demilune-traffic",
        ],
    ),
    (
        "demilune-gateway",
        &["demilune-discovery", "demilune-inventory", "demilune-policy", "demilune-schema", "demilune-traffic"],
    ),
    (
        "demilune-cli",
        &[
            "demilune-control",
            "demilune-discovery",
            "demilune-gateway",
            "demilune-inventory",
            "demilune-policy",
            "demilune-schema",
            "demilune-store",
            "demilune-traffic",
        ],
    ),
    ("demilune-test-postgres", &[]),
    ("demilune-test-suite", &[]),
    ("xtask", &["demilune-test-postgres"]),
];

/// Outside frameworks, and the crates that may know them.
const FRAMEWORKS: [(&str, &[&str]); 6] = [
    ("axum", &["demilune-control"]),
    ("sqlx", &["demilune-store"]),
    ("rusqlite", &["demilune-store"]),
    ("clap", &["demilune-cli"]),
    ("tokio", &["demilune-store", "demilune-control", "demilune-gateway", "demilune-cli"]),
    ("tracing", &["demilune-store", "demilune-control", "demilune-gateway", "demilune-cli"]),
];

fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

/// What each crate of ours depends on outside of tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let dependencies = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"] != "dev").map(|dependency| text(&dependency["name"])).collect()
    };
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|package| (text(&package["name"]), dependencies(package))).collect()
}

#[test]
fn crates_know_only_those_below_them() {
    let found = dependencies();
    let names: BTreeSet<_> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ARROWS.iter().map(|(name, _)| *name).collect(), "a new crate needs its arrows here");
    for (name, allowed) in ARROWS {
        let ours: BTreeSet<_> = found[name].iter().map(String::as_str).filter(|other| names.contains(other)).collect();
        let allowed: BTreeSet<_> = allowed.iter().copied().collect();
        assert!(ours.is_subset(&allowed), "{name} depends on {ours:?}, and may on {allowed:?}");
    }
}

#[test]
fn each_framework_stays_in_its_crate() {
    for (name, dependencies) in dependencies() {
        for (framework, homes) in FRAMEWORKS {
            assert!(
                !dependencies.contains(framework) || homes.contains(&name.as_str()),
                "{name} depends on {framework}"
            );
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let mut folders = vec![root().join("crates"), root().join("xtask"), root().join("fuzz/fuzz_targets")];
    let mut silent = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !fs::read_to_string(&path).unwrap().starts_with("//! ")
            {
                silent.push(path);
            }
        }
    }
    assert!(silent.is_empty(), "these files do not open with `//! ` and a sentence: {silent:#?}");
}
