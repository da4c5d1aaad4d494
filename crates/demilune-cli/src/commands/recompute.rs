//! `demilune recompute`: thresholds from what was stored, now.

use std::process::ExitCode;

use clap::Args;
use demilune_control::manage::{Command, Reply};

use super::{Managed, mismatch, print_one};
use crate::{config::Environment, failure::Failure};

/// Compute thresholds now, or as of an earlier hour
///
/// The server does it once an hour by itself. What was computed before is replaced.
#[derive(Args)]
pub(super) struct Recompute {
    #[command(flatten)]
    managed: Managed,
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    /// The end of the 24 hours to compute from, such as 2026-11-23T10:00:00Z [default: the last full hour]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl Recompute {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = Command::Recompute { zone: self.zone, at: self.at, keep_newer: false };
        let Reply::Recomputed(computed) = self.managed.call(environment, command)? else { return mismatch() };
        let (operations, with_thresholds) = (computed.operations.to_string(), computed.with_thresholds.to_string());
        let members = [
            ("zone", computed.zone.as_str()),
            ("window_end", &computed.window_end),
            ("operations", &operations),
            ("with_thresholds", &with_thresholds),
        ];
        print_one(format, &computed, &members)?;
        Ok(ExitCode::SUCCESS)
    }
}
