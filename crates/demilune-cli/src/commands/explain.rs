//! `demilune explain`: what the gateway would do with a request, and why.

use std::{fmt::Write, process::ExitCode};

use clap::Args;
use demilune_control::manage::{Command, ExplanationView, Reply};

use super::{Managed, mismatch};
use crate::{
    config::Environment,
    failure::Failure,
    output::{self, Format},
};

/// Say what the gateway would do with a request, and why
///
/// Names the operation that matches and those that might have been meant, the session, and where the request would go.
/// Sends nothing. Ends with 1 when the gateway would answer the request itself.
#[derive(Args)]
pub(super) struct Explain {
    #[command(flatten)]
    managed: Managed,
    /// Look at this zone alone, by its id or name [default: the zone that owns the host]
    #[arg(long)]
    zone: Option<String>,
    /// A header field of the request, such as 'Authorization: Bearer x'; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// The request method
    method: String,
    /// The URL that a client asks for, with the host that it names
    url: String,
}

/// Exit code for a request that the gateway would answer itself.
const CODE_REFUSED: u8 = 1;

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Explain {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let format = self.managed.output;
        let command = Command::Explain { zone: self.zone, method: self.method, url: self.url, headers: self.headers };
        let Reply::Explained(explanation) = self.managed.call(environment, command)? else { return mismatch() };
        match format {
            Format::Json => output::print_json(&explanation)?,
            Format::Table => output::print(&text(&explanation))?,
        }
        Ok(if explanation.refusal.is_some() { ExitCode::from(CODE_REFUSED) } else { ExitCode::SUCCESS })
    }
}

fn text(explanation: &ExplanationView) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<12} {value}");
    };
    match (&explanation.zone, &explanation.origin_host) {
        (Some(zone), Some(host)) => line("zone", &format!("{zone}, by its origin for {host}")),
        _ => line("zone", "none has an origin for this host; add one with `demilune origin set`"),
    }
    if let Some(path) = &explanation.path {
        line("path", path);
    }
    if explanation.preflight {
        line("preflight", "asks about the request that is matched here");
    }
    match &explanation.operation {
        Some(operation) => {
            line("operation", &format!("{} {} {}", operation.method, operation.host, operation.endpoint));
            line("", &operation.operation_id);
        }
        None => line("operation", "none fits"),
    }
    for (name, value) in &explanation.variables {
        line("", &format!("{name} = {value}"));
    }
    match &explanation.session {
        Some(session) => {
            let hash = session.hash.as_ref().map_or_else(String::new, |hash| format!(", hash {hash}"));
            line("session", &format!("by {}{hash}", session.identifier));
        }
        None if explanation.session_identifiers.is_empty() => line("session", "none: the zone has no identifiers"),
        None => line("session", &format!("none: the request has no {}", explanation.session_identifiers.join(", no "))),
    }
    if let Some(destination) = &explanation.destination {
        line("goes to", &format!("{} ({})", destination.url, destination.by));
    }
    if let Some(refusal) = &explanation.refusal {
        line("answered", &format!("{} by the gateway: {}", refusal.status, refusal.reason));
    }
    for candidate in &explanation.candidates {
        let operation = &candidate.operation;
        let name = format!("{} {} {}", operation.method, operation.host, operation.endpoint);
        line("candidate", &format!("{name}: {}", candidate.standing));
    }
    text
}
