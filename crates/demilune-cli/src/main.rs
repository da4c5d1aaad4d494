//! The `demilune` binary.

mod access;
mod commands;
mod config;
mod data_folder;
mod demo;
mod document;
mod failure;
mod first_token;
mod gateway;
mod logging;
mod output;
mod schema_check;
mod stop;
mod tls;
mod traffic_import;
mod traffic_log;
mod wiring;
mod yaml;

use std::process::ExitCode;

use clap::Parser;

use crate::{commands::Cli, config::Environment};

fn main() -> ExitCode {
    let environment = Environment::read();
    let cli = Cli::parse();
    for name in environment.unknown() {
        output::note(&format!("warning: demilune knows no variable {name}; `demilune serve --help` names them"));
    }
    match cli.run(&environment) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
