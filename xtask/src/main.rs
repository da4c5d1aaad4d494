//! Set-up, checks, tests and benches as one command each: `cargo xtask` lists them.
#![expect(clippy::print_stdout, reason = "progress for people and for CI is what this program is for")]

mod clients;
mod fuzz;
mod run;
mod setup;
mod test;

use std::{env, path::Path, process::ExitCode};

use run::Failed;

const USAGE: &str = "\
cargo xtask COMMAND

  setup       install what the checks and tests need: system packages (as root), Python and Node packages, cargo tools
  test        set up, then run every check and every test; what CI runs
  lint        formatting, clippy, documentation, dependencies
  unit        the tests of the workspace
  rules       lints, tests and short runs of the benchmarks of the rules: of thresholds, learned schemas and discovery
  fuzz        every fuzz target for a few seconds
  clients     official SDKs, replayed Terraform calls and schemathesis against the real binary, on both backends
";

fn main() -> ExitCode {
    let outcome = at_the_root().and_then(|()| match env::args().nth(1).as_deref() {
        Some("setup") => setup::all(),
        Some("test") => test::all(),
        Some("lint") => setup::cargo_tools().and_then(|()| test::lint()),
        Some("unit") => setup::unit().and_then(|()| test::unit()),
        Some("rules") => test::rules(),
        Some("fuzz") => setup::cargo_tools().and_then(|()| fuzz::all()),
        Some("clients") => setup::all().and_then(|()| clients::all()),
        _ => Err(Failed::Usage(USAGE)),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            println!("xtask: {failed}");
            ExitCode::FAILURE
        }
    }
}

/// Every path below is relative to the repository.
fn at_the_root() -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    env::set_current_dir(&root).map_err(|cause| Failed::Start { program: "cd".to_owned(), cause })
}
