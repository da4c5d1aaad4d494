//! `demilune settings`: how a zone's gateway behaves where no operation says so.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use demilune_control::manage::{Command, Reply};

use super::{Managed, mismatch, print_one};
use crate::{config::Environment, failure::Failure};

/// Show and change how a zone's gateway behaves
#[derive(Args)]
pub(super) struct Settings {
    #[command(flatten)]
    managed: Managed,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show the settings of a zone
    Show {
        /// The zone, by id or name; may be left out when there is one zone
        #[arg(long)]
        zone: Option<String>,
    },
    /// Change settings of a zone; those that are left out stay as they are
    Set(Change),
}

#[derive(Args)]
struct Change {
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    #[command(flatten)]
    values: Values,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Values {
    /// What happens to requests that no operation fits: pass, log or block
    #[arg(long, value_name = "ACTION")]
    unmatched: Option<String>,
    /// Which form of the path the origin gets: normalized or raw
    #[arg(long, value_name = "FORM")]
    forward_path: Option<String>,
    /// Whether HEAD is taken for GET where no HEAD operation fits
    #[arg(long, value_name = "BOOL")]
    head_as_get: Option<bool>,
}

impl Settings {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = match self.action {
            Action::Show { zone } => Command::SettingsShow { zone },
            Action::Set(Change { zone, values: Values { unmatched, forward_path, head_as_get } }) => {
                Command::SettingsSet { zone, unmatched, forward_path, head_as_get }
            }
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
