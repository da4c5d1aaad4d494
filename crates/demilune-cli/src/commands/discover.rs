//! `demilune discover`: operations that nobody saved.

use std::process::ExitCode;

use clap::Args;
use demilune_control::manage::{Command, Reply};

use super::{Managed, mismatch, print_all};
use crate::{config::Environment, failure::Failure};

/// Find the operations that a zone's requests speak for and nobody saved
///
/// Looks at the requests of the last ten days that were answered with 2xx and that no saved operation matched. The server
/// does it once an hour by itself. Save one with the call that adds operations, or have it ignored with PATCH.
#[derive(Args)]
pub(super) struct Discover {
    #[command(flatten)]
    managed: Managed,
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    /// Show those in this state only: review, ignored or saved
    #[arg(long, value_parser = ["review", "ignored", "saved"])]
    state: Option<String>,
}

impl Discover {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = Command::Discover { zone: self.zone };
        let Reply::Discovered(mut found) = self.managed.call(environment, command)? else { return mismatch() };
        found.retain(|found| self.state.as_ref().is_none_or(|state| found.state == *state));
        print_all(format, &found, &["state", "requests", "method", "host", "endpoint", "origin", "id"], |found| {
            vec![
                found.state.clone(),
                found.requests.to_string(),
                found.method.clone(),
                found.host.clone(),
                found.endpoint.clone(),
                found.origin.join(","),
                found.id.clone(),
            ]
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
