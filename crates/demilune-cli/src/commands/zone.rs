//! `demilune zone`: tenants and their ids.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use demilune_control::manage::{Command, Reply};

use super::{Managed, mismatch, print_all, print_deleted, print_one};
use crate::{config::Environment, failure::Failure};

/// Add, list and delete zones
#[derive(Args)]
pub(super) struct Zone {
    #[command(flatten)]
    managed: Managed,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add a zone and print its id
    Create {
        /// Its name, such as example.com
        name: String,
        /// Its id, 1 to 32 characters of A-Z, a-z, 0-9, - and _ [default: 32 random hex digits]
        #[arg(long)]
        id: Option<String>,
    },
    /// List every zone
    List,
    /// Delete a zone with its operations, origins and settings, and the permissions on it
    Delete {
        /// Its id or name
        zone: String,
    },
}

impl Zone {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = match self.action {
            Action::Create { name, id } => Command::ZoneCreate { name, id },
            Action::List => Command::ZoneList {},
            Action::Delete { zone } => Command::ZoneDelete { zone },
        };
        match self.managed.call(environment, command)? {
            Reply::Zone(zone) => {
                let members = [("id", zone.id.as_str()), ("name", &zone.name), ("created_at", &zone.created_at)];
                print_one(format, &zone, &members)?;
            }
            Reply::Zones(zones) => print_all(format, &zones, &["id", "name", "created_at"], |zone| {
                vec![zone.id.clone(), zone.name.clone(), zone.created_at.clone()]
            })?,
            Reply::ZoneDeleted(zone) => {
                let sentence = format!("deleted zone {} ({}) with its operations", zone.name, zone.id);
                print_deleted(format, &zone, &sentence)?;
            }
            _ => return mismatch(),
        }
        Ok(ExitCode::SUCCESS)
    }
}
