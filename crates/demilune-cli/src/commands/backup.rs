//! `demilune backup`: a consistent copy of the database, also while a server runs.

use std::{io, path::PathBuf, process::ExitCode};

use clap::Args;
use demilune_control::manage::{Command, Reply};

use super::{Managed, mismatch, print_one};
use crate::{config::Environment, failure::Failure};

/// Write a consistent copy of the database to a new file, while it is in use
#[derive(Args)]
pub(super) struct Backup {
    #[command(flatten)]
    managed: Managed,
    /// The file; it must not exist yet
    file: PathBuf,
}

/// Why no backup was asked for.
#[derive(Debug, thiserror::Error)]
enum BackupError {
    #[error("the path {0} cannot be used")]
    Path(PathBuf, #[source] io::Error),
    #[error("the path of a backup must be UTF-8")]
    NotUtf8,
}

impl Backup {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let to = std::path::absolute(&self.file).map_err(|error| BackupError::Path(self.file, error))?;
        if to.to_str().is_none() {
            return Err(BackupError::NotUtf8.into());
        }
        let Reply::BackedUp(file) = self.managed.call(environment, Command::Backup { to })? else { return mismatch() };
        let file = file.display().to_string();
        print_one(format, &serde_json::json!({ "file": file }), &[("file", &file)])?;
        Ok(ExitCode::SUCCESS)
    }
}
