//! The commands, one file each: arguments, one call, output.
#![allow(clippy::doc_markdown, reason = "doc comments are help texts here, where backticks would show")]

mod backup;
mod completions;
mod demo;
mod discover;
mod drift;
mod env;
mod explain;
mod import;
mod man;
mod migrate;
mod openapi;
mod origin;
mod recompute;
mod schema;
mod serve;
mod settings;
mod status;
mod token;
mod traffic;
mod user;
mod zone;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use demilune_control::manage::{Command, Reply};

use crate::{
    access::{Access, AccessError},
    config::{Environment, RawStore, StoreConfig},
    failure::Failure,
    logging,
    output::{self, Format, OutputError, Table},
    wiring,
};

/// A self-hosted API shield, wire-compatible with Cloudflare's API Shield control API.
#[derive(Parser)]
#[command(name = "demilune", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Subcommand)]
enum Subcommands {
    Serve(Box<serve::Serve>),
    Demo(demo::Demo),
    Zone(zone::Zone),
    Token(token::Token),
    Origin(origin::Origin),
    Settings(settings::Settings),
    Recompute(recompute::Recompute),
    Discover(discover::Discover),
    Drift(drift::Drift),
    Schema(schema::Schema),
    Status(status::Status),
    User(user::User),
    Import(import::Import),
    Traffic(traffic::Traffic),
    Explain(explain::Explain),
    Backup(backup::Backup),
    Migrate(migrate::Migrate),
    Env(env::Env),
    Openapi(openapi::Openapi),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        match self.command {
            Subcommands::Serve(command) => command.run(environment),
            Subcommands::Demo(command) => command.run(),
            Subcommands::Zone(command) => command.run(environment),
            Subcommands::Token(command) => command.run(environment),
            Subcommands::Origin(command) => command.run(environment),
            Subcommands::Settings(command) => command.run(environment),
            Subcommands::Recompute(command) => command.run(environment),
            Subcommands::Discover(command) => command.run(environment),
            Subcommands::Drift(command) => Ok(command.run(environment)),
            Subcommands::Schema(command) => command.run(environment),
            Subcommands::Status(command) => command.run(environment),
            Subcommands::User(command) => command.run(environment),
            Subcommands::Import(command) => command.run(environment),
            Subcommands::Traffic(command) => command.run(environment),
            Subcommands::Explain(command) => command.run(environment),
            Subcommands::Backup(command) => command.run(environment),
            Subcommands::Migrate(command) => command.run(environment),
            Subcommands::Env(command) => command.run(environment),
            Subcommands::Openapi(command) => command.run(),
            Subcommands::Completions(command) => command.run(),
            Subcommands::Man(command) => command.run(),
        }
    }
}

/// Flags of every command that asks a manager.
#[derive(Args)]
struct Managed {
    #[command(flatten)]
    store: RawStore,
    /// How to print the result
    #[arg(long, value_enum, global = true, default_value_t, value_name = "FORMAT")]
    output: Format,
}

impl Managed {
    /// Executes one command.
    fn call(self, environment: &Environment, command: Command) -> Result<Reply, Failure> {
        logging::start_quiet();
        let config = StoreConfig::resolve(self.store, environment)?;
        let reply = wiring::runtime()?.block_on(async {
            let mut access = Access::open(&config).await?;
            let reply = access.call(command).await;
            access.close().await;
            reply
        });
        Ok(reply?)
    }
}

/// A document that the user names, as text.
fn read_document(path: &Path) -> Result<String, DocumentReadError> {
    fs::read_to_string(path).map_err(|error| DocumentReadError(path.to_owned(), error))
}

/// A document cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0} cannot be read as text")]
struct DocumentReadError(PathBuf, #[source] io::Error);

/// An answer that does not belong to the command.
fn mismatch<T>() -> Result<T, Failure> {
    Err(AccessError::Mismatch.into())
}

/// Prints the members of one thing: beside their names, or as one JSON object.
fn print_one(format: Format, thing: &impl serde::Serialize, members: &[(&str, &str)]) -> Result<(), OutputError> {
    match format {
        Format::Json => output::print_json(thing),
        Format::Table => output::print(&Table::of_members(members).render()),
    }
}

/// Prints a list: as rows under headings, or as one JSON array.
fn print_all<T: serde::Serialize>(
    format: Format,
    things: &[T],
    headings: &[&str],
    row: impl Fn(&T) -> Vec<String>,
) -> Result<(), OutputError> {
    match format {
        Format::Json => output::print_json(&things),
        Format::Table => {
            let mut table = Table::new(headings);
            for thing in things {
                table.push(row(thing));
            }
            output::print(&table.render())
        }
    }
}

/// Says what was deleted.
fn print_deleted(format: Format, thing: &impl serde::Serialize, sentence: &str) -> Result<(), OutputError> {
    match format {
        Format::Json => output::print_json(&serde_json::json!({ "deleted": thing })),
        Format::Table => output::print(&format!("{sentence}\n")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::config::env;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_serve_names_every_variable() {
        let mut command = Cli::command();
        let help = command.find_subcommand_mut("serve").unwrap().render_long_help().to_string();
        for variable in env::ALL {
            assert!(help.contains(variable.name), "{} is missing", variable.name);
        }
    }
}
