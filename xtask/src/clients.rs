//! Official SDKs, replayed Terraform calls, schemathesis and openapi-core against the real binary, on both backends.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use demilune_test_postgres::TestPostgres;

use crate::{
    run::{Failed, cargo, step},
    setup,
};

/// Every suite on SQLite, then on PostgreSQL.
pub(crate) fn all() -> Result<(), Failed> {
    step("build the binary", cargo().args(["build", "--locked", "--package", "demilune-cli"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let binary = fs::canonicalize(target.join("debug").join("demilune"));
    let binary = binary.map_err(|cause| Failed::Start { program: "demilune".to_owned(), cause })?;
    for (name, mut command) in suites(&binary) {
        step(&format!("{name} on SQLite"), &mut command)?;
    }
    let postgres = TestPostgres::start();
    for (number, (name, mut command)) in suites(&binary).into_iter().enumerate() {
        let database = format!("clients_{number}");
        postgres.create_database(&database);
        command.env("DEMILUNE_TEST_DATABASE", postgres.url(&database));
        step(&format!("{name} on PostgreSQL"), &mut command)?;
    }
    Ok(())
}

fn suites(binary: &Path) -> Vec<(String, Command)> {
    let python = |set: &str| {
        let program = Path::new(setup::FOLDER).join(format!("python-{set}/bin/python"));
        // Not canonical: the link is what makes it the interpreter of this environment.
        let mut command = Command::new(std::path::absolute(program).unwrap_or_default());
        command.arg("-B").env("DEMILUNE_BIN", binary);
        command
    };
    let pytest = |set: &str, folder: &str| {
        let mut command = python(set);
        command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", folder]);
        command
    };
    vec![
        ("Python SDK 4.3.1".to_owned(), pytest("4.3.1", "tests/clients/python")),
        ("Python SDK 5.9.0".to_owned(), pytest("5.9.0", "tests/clients/python")),
        ("Terraform calls".to_owned(), pytest("5.9.0", "tests/clients/replay")),
        ("TypeScript SDKs".to_owned(), typescript(binary)),
        ("schemathesis".to_owned(), pytest("schemathesis", "tests/clients/schemathesis")),
        ("openapi-core".to_owned(), pytest("conformance", "tests/clients/conformance")),
    ]
}

fn typescript(binary: &Path) -> Command {
    let mut command = Command::new("npm");
    command.args(["test", "--silent"]).current_dir("tests/clients/typescript").env("DEMILUNE_BIN", binary);
    command
}
