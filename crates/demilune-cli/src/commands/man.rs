//! `demilune man`: a manual page for each command.

use std::{fs, io, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory};

use super::Cli;
use crate::failure::Failure;

/// Write a manual page for each command
#[derive(Args)]
pub(super) struct Man {
    /// The folder to write them to; made if it is not there
    dir: PathBuf,
}

/// Why no pages were written.
#[derive(Debug, thiserror::Error)]
#[error("the manual pages cannot be written to {0}")]
struct ManError(PathBuf, #[source] io::Error);

impl Man {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let written = fs::create_dir_all(&self.dir).and_then(|()| clap_mangen::generate_to(Cli::command(), &self.dir));
        written.map_err(|error| ManError(self.dir, error))?;
        Ok(ExitCode::SUCCESS)
    }
}
