//! Installs what the checks and tests need, and nothing that is there already.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use crate::run::{Failed, cargo, output, step, succeeds};

/// Everything that is installed for this repository alone lies here.
pub(crate) const FOLDER: &str = ".setup";

/// Cargo tools, at the versions that CI has run. Built without optimization: that takes a fifth of the time, and they
/// run for seconds.
const CARGO_TOOLS: [(&str, &str); 2] = [("cargo-deny", "0.20.2"), ("cargo-fuzz", "0.13.2")];

/// Every set of Python packages, each with an environment of its own.
pub(crate) const PYTHON_SETS: [&str; 4] = ["4.3.1", "5.9.0", "schemathesis", "conformance"];

/// All of it.
pub(crate) fn all() -> Result<(), Failed> {
    system_packages()?;
    // Compiling keeps the processors busy, and packages the network.
    thread::scope(|scope| {
        let compiling = scope.spawn(cargo_tools);
        let packages = python_packages().and_then(|()| json_schema_suite()).and_then(|()| node_packages());
        let compiled = compiling.join().unwrap_or_else(|_| Err(Failed::Step("cargo tools".to_owned())));
        compiled.and(packages)
    })
}

/// A PostgreSQL server for the tests to start, Python with environments, and Node.js.
pub(crate) fn system_packages() -> Result<(), Failed> {
    let mut missing = Vec::new();
    if postgres_binaries().is_none() {
        missing.push("postgresql");
    }
    if !succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        missing.extend(["python3", "python3-venv"]);
    }
    if !succeeds(Command::new("npm").arg("--version")) {
        missing.extend(["nodejs", "npm"]);
    }
    if !succeeds(Command::new("setpriv").arg("--version")) {
        missing.push("util-linux");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
    if !is_root || !succeeds(Command::new("apt-get").arg("--version")) {
        let list = missing.join(" ");
        return Err(Failed::Missing(format!("install these system packages (names as in Debian), then again: {list}")));
    }
    step("apt-get update", Command::new("apt-get").args(["update", "-q"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "-q", "-y", "--no-install-recommends"]);
    step("apt-get install", install.args(missing))
}

/// The folder of PostgreSQL's server programs.
fn postgres_binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.chain(std::env::split_paths(&path)).find(|folder| folder.join("initdb").is_file())
}

/// Tools that cargo runs.
pub(crate) fn cargo_tools() -> Result<(), Failed> {
    for (name, version) in CARGO_TOOLS {
        let program = cargo_tool(name);
        let installed = program.is_file() && output(Command::new(&program).arg("--version"))?.contains(version);
        if !installed {
            let root = Path::new(FOLDER).join("cargo");
            let mut install = cargo();
            install.args(["install", "--locked", "--debug", "--force", "--root"]).arg(root);
            // Not in the folder of the workspace: it has other settings, and would be built again after each.
            install.env("CARGO_TARGET_DIR", Path::new(FOLDER).join("cargo-target"));
            step(&format!("install {name} {version}"), install.arg(format!("{name}@{version}")))?;
        }
    }
    Ok(())
}

/// Where a cargo tool was installed.
pub(crate) fn cargo_tool(name: &str) -> PathBuf {
    Path::new(FOLDER).join("cargo").join("bin").join(name)
}

/// One virtual environment for each set of packages.
pub(crate) fn python_packages() -> Result<(), Failed> {
    for set in PYTHON_SETS {
        let requirements = format!("tests/clients/python/requirements-{set}.txt");
        let folder = Path::new(FOLDER).join(format!("python-{set}"));
        if !is_stale(&folder, &requirements) {
            continue;
        }
        step(
            &format!("Python environment {set}"),
            Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder),
        )?;
        let mut install = Command::new(folder.join("bin/pip"));
        install.args(["install", "--quiet", "--disable-pip-version-check", "--requirement", &requirements]);
        step(&format!("Python packages {set}"), &mut install)?;
        mark(&folder, &requirements);
    }
    Ok(())
}

/// What the tests of the workspace need.
pub(crate) fn unit() -> Result<(), Failed> {
    system_packages()?;
    python_packages()?;
    json_schema_suite()
}

/// The JSON Schema Test Suite: a source distribution carries it, the one with this hash.
pub(crate) fn json_schema_suite() -> Result<(), Failed> {
    let list = "tests/clients/python/requirements-json-schema-suite.txt";
    let folder = Path::new(FOLDER).join("json-schema-suite");
    if !is_stale(&folder, list) {
        return Ok(());
    }
    let mut download = Command::new(Path::new(FOLDER).join("python-conformance/bin/pip"));
    download.args(["download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    download.args(["--no-binary", "jsonschema", "--require-hashes", "--requirement", list, "--dest"]);
    step("the JSON Schema Test Suite", download.arg(&folder))?;
    let archive = folder.join("jsonschema-4.26.0.tar.gz");
    let mut unpack = Command::new("tar");
    unpack.args(["--strip-components=2", "-xzf"]).arg(archive).arg("-C").arg(&folder);
    step("unpack it", unpack.arg("jsonschema-4.26.0/json"))?;
    mark(&folder, list);
    Ok(())
}

/// The packages of the TypeScript suite.
pub(crate) fn node_packages() -> Result<(), Failed> {
    const FOLDER: &str = "tests/clients/typescript";
    let lock = format!("{FOLDER}/package-lock.json");
    let installed = Path::new(FOLDER).join("node_modules");
    if is_stale(&installed, &lock) {
        let mut install = Command::new("npm");
        step("npm ci", install.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(FOLDER))?;
        mark(&installed, &lock);
    }
    Ok(())
}

/// Whether a folder was made from another list than this one.
fn is_stale(folder: &Path, list: &str) -> bool {
    let made_from = fs::read(folder.join("made-from")).ok();
    made_from.is_none() || made_from != fs::read(list).ok()
}

fn mark(folder: &Path, list: &str) {
    // If this fails, the next set-up does the work again.
    let _ = fs::copy(list, folder.join("made-from"));
}
