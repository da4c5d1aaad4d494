//! `demilune origin`: the servers that hosts are sent to.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use demilune_control::manage::{Command, OriginView, Reply};

use super::{Managed, mismatch, print_all, print_deleted, print_one};
use crate::{config::Environment, failure::Failure};

/// Say where the gateway sends the requests of a host
#[derive(Args)]
pub(super) struct Origin {
    #[command(flatten)]
    managed: Managed,
    /// The zone's id or name [default: the only zone]
    #[arg(long, global = true)]
    zone: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Set the origin of a host, in place of the one it had
    Set {
        /// The host, such as api.example.com, or a pattern such as {tenant}.example.com
        #[arg(long)]
        host: String,
        /// What the server gets as Host [default: what the client sent]
        #[arg(long, value_name = "HOST")]
        host_header: Option<String>,
        /// The server, such as http://10.0.0.7:8080
        url: String,
    },
    /// List every origin of the zone
    List,
    /// Take the origin of a host away; its requests are answered with 421
    Delete {
        /// The host or host pattern
        #[arg(long)]
        host: String,
    },
}

impl Origin {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let (format, zone) = (self.managed.output, self.zone);
        let command = match self.action {
            Action::Set { host, host_header, url } => Command::OriginSet { zone, host, url, host_header },
            Action::List => Command::OriginList { zone },
            Action::Delete { host } => Command::OriginDelete { zone, host },
        };
        match self.managed.call(environment, command)? {
            Reply::Origin(origin) => {
                let values = row(&origin);
                let members: Vec<(&str, &str)> = HEADINGS.into_iter().zip(values.iter().map(String::as_str)).collect();
                print_one(format, &origin, &members)?;
            }
            Reply::Origins(origins) => print_all(format, &origins, &HEADINGS, row)?,
            Reply::OriginDeleted(host) => {
                print_deleted(format, &host, &format!("{host} has no origin any more"))?;
            }
            _ => return mismatch(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

const HEADINGS: [&str; 4] = ["host", "url", "host_header", "last_updated"];

fn row(origin: &OriginView) -> Vec<String> {
    let host_header = origin.host_header.clone().unwrap_or_else(|| "(the client's)".to_owned());
    vec![origin.host.clone(), origin.url.clone(), host_header, origin.last_updated.clone()]
}
