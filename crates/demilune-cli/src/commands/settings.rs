//! `demilune settings`: how the gateway behaves in a zone where no operation says so.

use std::process::ExitCode;

use clap::Args;
use demilune_control::manage::{Command, Reply};

use super::{Managed, mismatch, print_one};
use crate::{config::Environment, failure::Failure};

/// Show a zone's settings of the gateway, and change those that are given
#[derive(Args)]
pub(super) struct Settings {
    #[command(flatten)]
    managed: Managed,
    /// The zone's id or name [default: the only zone]
    #[arg(long)]
    zone: Option<String>,
    /// What happens to requests that no operation fits: pass, log or block
    #[arg(long, value_name = "ACTION")]
    unmatched: Option<String>,
    /// Which form of the path the origin gets: normalized or raw
    #[arg(long, value_name = "FORM")]
    forward_path: Option<String>,
    /// Whether HEAD is taken for GET where no HEAD operation fits
    #[arg(long, value_name = "true|false")]
    head_as_get: Option<bool>,
}

impl Settings {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = Command::SettingsChange {
            zone: self.zone,
            unmatched: self.unmatched,
            forward_path: self.forward_path,
            head_as_get: self.head_as_get,
        };
        let Reply::Settings(settings) = self.managed.call(environment, command)? else { return mismatch() };
        let head_as_get = settings.head_as_get.to_string();
        let members = [
            ("unmatched", settings.unmatched.as_str()),
            ("forward_path", &settings.forward_path),
            ("head_as_get", &head_as_get),
        ];
        print_one(format, &settings, &members)?;
        Ok(ExitCode::SUCCESS)
    }
}
