//! `demilune schema trial`: a document tried on live requests, which changes nothing for them.

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, Subcommand};
use demilune_control::manage::{CandidateText, Command, Reply, TrialView};

use super::{call, report};
use crate::{
    commands::{DocumentReadError, mismatch, read_document},
    config::StoreConfig,
    failure::Failure,
    output::{self, Format},
};

/// Try a document on live requests before it is put in force: what would not fit is counted, and nothing is done about it
///
/// It takes the place of what was tried before. Gateways send what they counted every few seconds; `demilune schema trial
/// show` prints it.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Trial {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    begin: Begin,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Begin {
    /// The OpenAPI document, JSON or YAML
    #[arg(required_unless_present = "learned", conflicts_with = "learned", value_name = "FILE")]
    document: Option<PathBuf>,
    /// Try what was learned about this operation
    #[arg(long, value_name = "OPERATION_ID")]
    learned: Option<String>,
}

#[derive(Args)]
struct Common {
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

#[derive(Subcommand)]
enum Action {
    /// Print what came of the trial so far
    Show(Common),
    /// End the trial and forget what was counted
    End(Common),
}

impl Trial {
    pub(super) fn run(self, config: &StoreConfig) -> Result<(), Failure> {
        let (command, format) = match self.action {
            Some(Action::Show(Common { zone, output })) => (Command::TrialShow { zone }, output),
            Some(Action::End(Common { zone, output })) => (Command::TrialEnd { zone }, output),
            None => {
                let Common { zone, output } = self.common;
                (Command::TrialBegin { zone, candidate: self.begin.candidate()? }, output)
            }
        };
        match call(config, command)? {
            Reply::Trial(trial) => Ok(print(format, &trial)?),
            Reply::TrialEnded {} => Ok(output::print("The trial was ended.\n")?),
            _ => mismatch(),
        }
    }
}

impl Begin {
    fn candidate(self) -> Result<CandidateText, DocumentReadError> {
        if let Some(id) = self.learned {
            return Ok(CandidateText::Learned(id));
        }
        let path = self.document.unwrap_or_default();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = read_document(&path)?;
        Ok(CandidateText::Document { name, source })
    }
}

fn print(format: Format, trial: &TrialView) -> Result<(), output::OutputError> {
    if format == Format::Json {
        return output::print_json(trial);
    }
    let TrialView { name, started_at, not_saved, report, .. } = trial;
    let mut text = format!("{name}, tried since {started_at}: {}", report::text(report));
    if *not_saved > 0 {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n{not_saved} operations of the document are not in the inventory, so that their requests are not looked at; \
             `demilune import` adds them.\n"
        );
    }
    output::print(&text)
}
