//! `demilune schema check`: requests of files that the user has, judged by a document.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use demilune_control::manage::{Command, Reply};
use demilune_inventory::Host;

use super::{call, parse_host, report};
use crate::{
    commands::mismatch,
    config::StoreConfig,
    failure::Failure,
    output::{self, Format},
    schema_check::{CheckReport, Checker},
};

/// Some request does not fit.
const CODE_MISFIT: u8 = 1;
/// Nothing was checked.
const CODE_TROUBLE: u8 = 2;

/// Judge the requests of HAR files and access logs by a document, before it is put in force
///
/// Nothing is changed, and no server is needed. Ends with 0 if every request fits, with 1 if some do not, and with 2 if they
/// could not be checked. HAR files hold whole requests; of access logs only what they hold is looked at: path and query, and
/// header fields and bodies where they stand in a line of JSON.
#[derive(Args)]
pub(super) struct Check {
    /// The OpenAPI document, JSON or YAML
    document: PathBuf,
    /// The files with requests
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    traffic: Vec<PathBuf>,
    /// The zone whose name is the host of servers that name none, by id or name; it is asked for
    #[arg(long)]
    zone: Option<String>,
    /// The host of servers that name none
    #[arg(long, value_parser = parse_host, conflicts_with = "zone")]
    host: Option<Host>,
    /// Look only at requests that were answered with 2xx
    #[arg(long)]
    successful: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

impl Check {
    pub(super) fn run(self, config: &StoreConfig) -> ExitCode {
        match self.check(config) {
            Ok(0) => ExitCode::SUCCESS,
            Ok(_) => ExitCode::from(CODE_MISFIT),
            Err(failure) => {
                let _ = failure.report();
                ExitCode::from(CODE_TROUBLE)
            }
        }
    }

    /// How many requests do not fit.
    fn check(self, config: &StoreConfig) -> Result<u64, Failure> {
        let host = match (self.host, self.zone) {
            (Some(host), _) => Some(host),
            (None, Some(zone)) => zone_host(config, zone)?,
            (None, None) => None,
        };
        let mut checker = Checker::new(&self.document, host, self.successful)?;
        for file in &self.traffic {
            checker.check_file(file)?;
        }
        let report = checker.finish();
        match self.output {
            Format::Json => output::print_json(&report)?,
            Format::Table => output::print(&text(&report))?,
        }
        Ok(report.report.misfits)
    }
}

fn zone_host(config: &StoreConfig, zone: String) -> Result<Option<Host>, Failure> {
    let Reply::Zone(zone) = call(config, Command::ZoneFind { zone: Some(zone) })? else { return mismatch() };
    Ok(zone.name.parse().ok())
}

fn text(report: &CheckReport) -> String {
    let mut text = report::text(&report.report);
    let lines = [
        (report.unmatched, "requests to hosts of the document fit none of its operations"),
        (report.other_hosts, "requests are to other hosts, or name none"),
        (
            report.without_headers,
            "requests stand in the files without all of their header fields or body: what is missing there was not looked at",
        ),
        (report.unread, "places of the files hold no request"),
    ];
    let lines: Vec<_> =
        lines.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}.\n")).collect();
    if !lines.is_empty() {
        text.push('\n');
        text.push_str(&lines.concat());
    }
    text
}
