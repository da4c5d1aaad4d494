//! `demilune origin`: where a zone's traffic is sent.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use demilune_control::manage::{Command, Reply};

use super::{Managed, mismatch, print_all, print_deleted, print_one};
use crate::{config::Environment, failure::Failure};

/// What stands in a table where the server gets the `Host` that the client sent.
const CLIENT_HOST: &str = "(the client's)";

/// Set, list and delete origins: the servers that the traffic of hosts is sent to
#[derive(Args)]
pub(super) struct Origin {
    #[command(flatten)]
    managed: Managed,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add an origin, or replace the one of its host
    Set {
        /// The zone, by id or name; may be left out when there is one zone
        #[arg(long)]
        zone: Option<String>,
        /// The host, such as api.example.com, or a pattern, such as {tenant}.example.com
        #[arg(long)]
        host: String,
        /// The Host that the server gets [default: what the client sent]
        #[arg(long, value_name = "TEXT")]
        host_header: Option<String>,
        /// The server, such as http://10.0.0.7:8080
        url: String,
    },
    /// List every origin of a zone
    List {
        /// The zone, by id or name; may be left out when there is one zone
        #[arg(long)]
        zone: Option<String>,
    },
    /// Delete an origin: requests for its host belong to no zone then
    Delete {
        /// The zone, by id or name; may be left out when there is one zone
        #[arg(long)]
        zone: Option<String>,
        /// The host or host pattern
        #[arg(long)]
        host: String,
    },
}

impl Origin {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = match self.action {
            Action::Set { zone, host, host_header, url } => Command::OriginSet { zone, host, url, host_header },
            Action::List { zone } => Command::OriginList { zone },
            Action::Delete { zone, host } => Command::OriginDelete { zone, host },
        };
        match self.managed.call(environment, command)? {
            Reply::Origin(origin) => {
                let members = [
                    ("host", origin.host.as_str()),
                    ("url", &origin.url),
                    ("host_header", origin.host_header.as_deref().unwrap_or(CLIENT_HOST)),
                    ("last_updated", &origin.last_updated),
                ];
                print_one(format, &origin, &members)?;
            }
            Reply::Origins(origins) => {
                print_all(format, &origins, &["host", "url", "host_header", "last_updated"], |origin| {
                    let host_header = origin.host_header.clone().unwrap_or_else(|| CLIENT_HOST.to_owned());
                    vec![origin.host.clone(), origin.url.clone(), host_header, origin.last_updated.clone()]
                })?;
            }
            Reply::OriginDeleted(origin) => {
                print_deleted(format, &origin, &format!("deleted the origin {} of {}", origin.url, origin.host))?;
            }
            _ => return mismatch(),
        }
        Ok(ExitCode::SUCCESS)
    }
}
