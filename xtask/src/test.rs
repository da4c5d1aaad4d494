//! Every check and every test, in the order in which they fail soonest.

use std::{env, path::Path, process::Command, time::Instant};

use crate::{
    clients, fuzz,
    run::{Failed, cargo, output, step},
    setup,
};

/// What CI runs.
pub(crate) fn all() -> Result<(), Failed> {
    let started = Instant::now();
    setup::all()?;
    lint()?;
    unit()?;
    rules()?;
    fuzz::all()?;
    clients::all()?;
    println!("\nEvery check and test passed in {:.0} s.", started.elapsed().as_secs_f32());
    Ok(())
}

/// Formatting, lints, documentation and dependencies.
pub(crate) fn lint() -> Result<(), Failed> {
    step("formatting", cargo().args(["fmt", "--all", "--check"]))?;
    step("clippy", cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    let mut document = cargo();
    document.args(["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"]);
    step("documentation", document.env("RUSTDOCFLAGS", "-D warnings"))?;
    let mut deny = Command::new(setup::cargo_tool("cargo-deny"));
    step("licences, bans and sources", deny.args(["check", "licenses", "bans", "sources"]))?;
    advisories()
}

/// Known vulnerabilities. Their list comes from GitHub, which not every network reaches: a finding fails the run, a
/// list that cannot be fetched is said aloud.
fn advisories() -> Result<(), Failed> {
    let deny = setup::cargo_tool("cargo-deny");
    let fetched = output(Command::new(&deny).args(["fetch", "db"]))?;
    let reached = !fetched.contains("failed to fetch");
    if reached {
        return step("advisories", Command::new(&deny).args(["check", "advisories"]));
    }
    println!("\n==> advisories\nNOT CHECKED: the list of known vulnerabilities could not be fetched from here.");
    Ok(())
}

/// The tests of the workspace, on SQLite and on a PostgreSQL server that they start themselves.
pub(crate) fn unit() -> Result<(), Failed> {
    let suite = std::path::absolute(Path::new(setup::FOLDER).join("json-schema-suite")).unwrap_or_default();
    let mut test = cargo();
    test.args(["test", "--workspace", "--locked", "--no-fail-fast"]).env("DEMILUNE_JSON_SCHEMA_SUITE", suite);
    step("tests", &mut test)
}

/// The benchmarks of the rules, each a workspace of its own: lints, tests where there are any, and a short run that fails when a rule gets worse.
pub(crate) fn rules() -> Result<(), Failed> {
    for folder in ["bench/thresholds", "bench/enforcement", "bench/discovery"] {
        let manifest = format!("{folder}/Cargo.toml");
        let cargo = |arguments: &[&str]| {
            let mut command = cargo();
            command.args(arguments).args(["--manifest-path", &manifest]);
            if env::var_os("CARGO_TARGET_DIR").is_none() {
                command.env("CARGO_TARGET_DIR", "target");
            }
            command
        };
        step(&format!("formatting of {folder}"), cargo(&["fmt"]).arg("--check"))?;
        let mut clippy = cargo(&["clippy", "--all-targets", "--locked"]);
        step(&format!("clippy of {folder}"), clippy.args(["--", "-D", "warnings"]))?;
        if Path::new(folder).join("tests").is_dir() {
            step(&format!("tests of {folder}"), &mut cargo(&["test", "--locked"]))?;
        }
        let mut run = cargo(&["run", "--release", "--locked"]);
        step(&format!("gates of {folder}"), run.args(["--", "--quick"]))?;
    }
    Ok(())
}
