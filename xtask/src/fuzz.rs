//! Runs every fuzz target for a few seconds: long enough to see that it builds and holds on what it finds first.

use std::{fs, path::Path, process::Command};

use crate::{
    run::{Failed, output, step},
    setup,
};

/// How long each target runs.
const SECONDS: u32 = 5;

/// Every target in `fuzz/fuzz_targets`.
pub(crate) fn all() -> Result<(), Failed> {
    let mut targets: Vec<_> = fs::read_dir("fuzz/fuzz_targets")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    targets.sort();
    if targets.is_empty() {
        return Err(Failed::Missing("there is no target in fuzz/fuzz_targets".to_owned()));
    }
    for target in targets {
        let limit = format!("-max_total_time={SECONDS}");
        step(&format!("fuzz {target}"), command()?.args(["run", &target, "--", &limit, "-verbosity=0"]))?;
    }
    Ok(())
}

/// Instrumentation needs a nightly compiler; where there is none, the pinned one is told to act like it.
fn command() -> Result<Command, Failed> {
    let tool = fs::canonicalize(setup::cargo_tool("cargo-fuzz"));
    let tool = tool.map_err(|cause| Failed::Start { program: "cargo-fuzz".to_owned(), cause })?;
    let toolchains = output(Command::new("rustup").args(["toolchain", "list"])).unwrap_or_default();
    let nightly = toolchains.lines().find_map(|line| line.split(' ').next().filter(|name| name.starts_with("nightly")));
    let mut command = Command::new(tool);
    command.env("CARGO_TARGET_DIR", Path::new(setup::FOLDER).join("fuzz-target"));
    // The variables that cargo set for us speak of the pinned compiler.
    command.env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN");
    match nightly {
        Some(name) => command.env("RUSTUP_TOOLCHAIN", name),
        None => command.env("RUSTC_BOOTSTRAP", "1"),
    };
    Ok(command)
}
