//! `demilune recompute`: thresholds, schemas and discovered operations from what was stored, now.

use std::process::ExitCode;

use clap::Args;
use demilune_control::manage::{Command, Reply};

use super::{Managed, mismatch, print_one};
use crate::{config::Environment, failure::Failure};

/// Compute thresholds and learn schemas now, or as of an earlier hour
///
/// Operations that nobody saved are looked for as well. The server does it once an hour by itself. What was computed before is replaced; a schema stays where there is too
/// little to learn another from.
#[derive(Args)]
pub(super) struct Recompute {
    #[command(flatten)]
    managed: Managed,
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    /// The end of the hours to compute from, such as 2026-11-23T10:00:00Z [default: the last full hour]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl Recompute {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = Command::Recompute { zone: self.zone, at: self.at, keep_newer: false };
        let Reply::Recomputed(computed) = self.managed.call(environment, command)? else { return mismatch() };
        let [operations, with_thresholds, with_schemas, in_review] =
            [computed.operations, computed.with_thresholds, computed.with_schemas, computed.in_review]
                .map(|number| number.to_string());
        let members = [
            ("zone", computed.zone.as_str()),
            ("window_end", &computed.window_end),
            ("operations", &operations),
            ("with_thresholds", &with_thresholds),
            ("with_schemas", &with_schemas),
            ("in_review", &in_review),
        ];
        print_one(format, &computed, &members)?;
        Ok(ExitCode::SUCCESS)
    }
}
