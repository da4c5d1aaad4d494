//! `demilune schema`: what the inventory says, for other tools.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};
use demilune_control::manage::{Command, Reply};
use demilune_inventory::Host;
use serde_json::Value;

use super::mismatch;
use crate::{
    access::Access,
    config::{Environment, RawStore, StoreConfig},
    failure::Failure,
    logging,
    output::{self, OutputError},
    wiring, yaml,
};

/// Export what is known about operations
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

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum DocumentFormat {
    #[default]
    Yaml,
    Json,
}

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
        let Action::Export(export) = self.action;
        let command = Command::SchemaExport { zone: export.zone, host: export.host.to_string() };
        let reply = wiring::runtime()?.block_on(async {
            let mut access = Access::open(&config).await?;
            let reply = access.call(command).await;
            access.close().await;
            reply
        });
        let Reply::SchemaExported(exported) = reply? else { return mismatch() };
        let text = export.format.write(&exported.document)?;
        if export.output == Path::new("-") {
            output::print(&text)?;
        } else {
            fs::write(&export.output, text).map_err(|error| WriteError(export.output, error))?;
        }
        Ok(ExitCode::SUCCESS)
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
