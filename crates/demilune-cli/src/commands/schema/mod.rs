//! `demilune schema`: what the inventory says, for other tools.

mod check;
mod report;
mod trial;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};
use demilune_control::manage::{Command, Reply};
use demilune_inventory::Host;
use serde_json::Value;

use super::{mismatch, print_one};
use crate::{
    access::Access,
    config::{Environment, RawStore, StoreConfig},
    failure::Failure,
    logging,
    output::{self, Format, OutputError},
    wiring, yaml,
};

/// Export what is known about operations, put it in force, and try documents on requests before they are
#[derive(Args)]
pub(super) struct Schema {
    #[command(flatten)]
    store: RawStore,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Export(Export),
    ApplyLearned(ApplyLearned),
    Trial(trial::Trial),
    Check(check::Check),
}

/// Print an OpenAPI 3.0 document of a host's operations, with the parameters and bodies that were learned
///
/// The same operations and schemas make the same bytes, so that the document can be kept under version control.
#[derive(Args)]
struct Export {
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    /// The host, or host pattern, as the operations have it
    #[arg(long, value_parser = parse_host)]
    host: Host,
    /// What to write it in
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: DocumentFormat,
    /// The file to write; - is standard output
    #[arg(long, default_value = "-", value_name = "FILE")]
    output: PathBuf,
}

/// Check an operation's requests against what was learned from those of the last seven days
///
/// It takes the place of what was applied before, and logs what it would block for its first 24 hours. What happens to
/// requests that do not fit is the action of the operation or of its zone.
#[derive(Args)]
struct ApplyLearned {
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    /// The operation's id
    #[arg(long, value_name = "ID")]
    operation: String,
    /// Block from the start, where the action is block
    #[arg(long)]
    now: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum DocumentFormat {
    #[default]
    Yaml,
    Json,
}

/// What the table says of a schema that never only logs.
const BLOCKS_NOW: &str = "(blocks from the start)";

/// The document cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{0} cannot be written")]
struct WriteError(PathBuf, #[source] io::Error);

fn parse_host(text: &str) -> Result<Host, String> {
    text.parse().map_err(|error| format!("{error}"))
}

impl Schema {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        logging::start_quiet();
        let config = StoreConfig::resolve(self.store, environment)?;
        match self.action {
            Action::Export(export) => export.run(&config)?,
            Action::ApplyLearned(apply) => apply.run(&config)?,
            Action::Trial(trial) => trial.run(&config)?,
            Action::Check(check) => return Ok(check.run(&config)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn call(config: &StoreConfig, command: Command) -> Result<Reply, Failure> {
    let reply = wiring::runtime()?.block_on(async {
        let mut access = Access::open(config).await?;
        let reply = access.call(command).await;
        access.close().await;
        reply
    });
    Ok(reply?)
}

impl Export {
    fn run(self, config: &StoreConfig) -> Result<(), Failure> {
        let command = Command::SchemaExport { zone: self.zone, host: self.host.to_string() };
        let Reply::SchemaExported(exported) = call(config, command)? else { return mismatch() };
        let text = self.format.write(&exported.document)?;
        if self.output == Path::new("-") {
            output::print(&text)?;
        } else {
            fs::write(&self.output, text).map_err(|error| WriteError(self.output, error))?;
        }
        Ok(())
    }
}

impl ApplyLearned {
    fn run(self, config: &StoreConfig) -> Result<(), Failure> {
        let command = Command::SchemaApplyLearned { zone: self.zone, operation: self.operation, now: self.now };
        let Reply::SchemaApplied(applied) = call(config, command)? else { return mismatch() };
        let members = [
            ("zone", applied.zone.as_str()),
            ("operation", &applied.operation),
            ("schema_id", &applied.schema_id),
            ("name", &applied.name),
            ("created_at", &applied.created_at),
            ("log_until", applied.log_until.as_deref().unwrap_or(BLOCKS_NOW)),
        ];
        print_one(self.output, &applied, &members)?;
        Ok(())
    }
}

impl DocumentFormat {
    fn write(self, document: &Value) -> Result<String, OutputError> {
        match self {
            Self::Yaml => Ok(yaml::text(document)),
            Self::Json => {
                let mut text = serde_json::to_string_pretty(document).map_err(OutputError::Json)?;
                text.push('\n');
                Ok(text)
            }
        }
    }
}
