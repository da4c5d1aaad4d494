//! Where the system keeps the server's programs.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The programs of one PostgreSQL.
#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) folder: PathBuf,
    pub(crate) major: u32,
}

/// No PostgreSQL server is installed.
#[derive(Debug)]
pub(crate) struct Missing;

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "these tests need the programs of a PostgreSQL server (initdb, postgres, psql), and none were found: run \
             `cargo xtask test`, which installs them",
        )
    }
}

impl Binaries {
    /// The newest that is installed.
    pub(crate) fn find() -> Result<Self, Missing> {
        let found = candidates().into_iter().filter_map(Self::in_folder);
        found.max_by_key(|binaries| binaries.major).ok_or(Missing)
    }

    fn in_folder(folder: PathBuf) -> Option<Self> {
        if !["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        let major = major(&first_line(Command::new(folder.join("postgres")).arg("--version"))?)?;
        Some(Self { folder, major })
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        first_line(Command::new("pg_config").arg("--bindir")).map(Into::into).into_iter().collect();
    // Debian and its kin; Red Hat and its kin; Homebrew on both kinds of Mac; the rest.
    for (parent, child) in
        [("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/opt/homebrew/opt", "bin"), ("/usr/local/opt", "bin")]
    {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let versions = entries.map(|entry| entry.path()).filter(|path| parent.ends_with("postgresql") || is_ours(path));
        folders.extend(versions.map(|version| version.join(child)));
    }
    folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    folders
}

fn is_ours(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with("pgsql-") || name.starts_with("postgresql"))
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.lines().next().map(str::to_owned)
}

/// From `postgres (PostgreSQL) 15.8 (Debian …)`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    let digits = number.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("postgres"), None);
    }

    #[test]
    fn the_message_names_the_way_out() {
        assert!(Missing.to_string().contains("cargo xtask test"));
    }
}
