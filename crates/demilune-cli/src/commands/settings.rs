//! `demilune settings`: how a zone's gateway behaves where no operation says so.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use demilune_control::manage::{Command, Reply, SettingsText};

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
    /// Most bytes of a body that are held to be checked against a schema; 0 for what the gateway itself says
    #[arg(long, value_name = "BYTES")]
    validated_bytes_max: Option<u32>,
    /// Most uploaded schemas of the zone
    #[arg(long, value_name = "NUMBER")]
    schemas_max: Option<u32>,
    /// Most bytes of them together
    #[arg(long, value_name = "BYTES")]
    schemas_bytes_max: Option<u32>,
}

/// What the table says of a limit that the zone does not set.
const OF_GATEWAY: &str = "(as the gateway says)";

impl From<Values> for SettingsText {
    fn from(values: Values) -> Self {
        let Values { unmatched, forward_path, head_as_get, validated_bytes_max, schemas_max, schemas_bytes_max } =
            values;
        Self { unmatched, forward_path, head_as_get, validated_bytes_max, schemas_max, schemas_bytes_max }
    }
}

impl Settings {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = match self.action {
            Action::Show { zone } => Command::SettingsShow { zone },
            Action::Set(Change { zone, values }) => Command::SettingsSet { zone, change: values.into() },
        };
        let Reply::Settings(settings) = self.managed.call(environment, command)? else { return mismatch() };
        let head_as_get = settings.head_as_get.to_string();
        let validated = settings.validated_bytes_max.map_or_else(|| OF_GATEWAY.to_owned(), |most| most.to_string());
        let (schemas, bytes) = (settings.schemas_max.to_string(), settings.schemas_bytes_max.to_string());
        let members = [
            ("unmatched", settings.unmatched.as_str()),
            ("forward_path", &settings.forward_path),
            ("head_as_get", &head_as_get),
            ("validated_bytes_max", &validated),
            ("schemas_max", &schemas),
            ("schemas_bytes_max", &bytes),
        ];
        print_one(format, &settings, &members)?;
        Ok(ExitCode::SUCCESS)
    }
}
