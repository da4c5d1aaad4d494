//! `demilune status`: who serves, and how far the learning has come.

use std::{fmt::Write, process::ExitCode};

use clap::Args;
use demilune_control::manage::{Command, LearningView, Reply, StatusView};
use serde::Serialize;

use super::{Managed, mismatch};
use crate::{
    access::Access,
    config::{Environment, StoreConfig},
    failure::Failure,
    logging,
    output::{self, Format},
    wiring,
};

/// Say what runs, and how far the learning of thresholds has come
#[derive(Args)]
pub(super) struct Status {
    #[command(flatten)]
    managed: Managed,
    /// The zone, by id or name [default: every zone]
    #[arg(long)]
    zone: Option<String>,
}

/// Operations that are shown for each zone; --output json shows all.
const LEARNING_SHOWN_MAX: usize = 20;

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    status: &'a StatusView,
    zones: &'a [LearningView],
}

impl Status {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        logging::start_quiet();
        let format = self.managed.output;
        let config = StoreConfig::resolve(self.managed.store, environment)?;
        let (status, learning) = wiring::runtime()?.block_on(async {
            let mut access = Access::open(&config).await?;
            let status = access.call(Command::Status {}).await;
            let learning = access.call(Command::Learning { zone: self.zone }).await;
            access.close().await;
            Ok::<_, Failure>((status?, learning?))
        })?;
        let (Reply::Status(status), Reply::Learning(zones)) = (status, learning) else { return mismatch() };
        match format {
            Format::Json => output::print_json(&Shown { status: &status, zones: &zones })?,
            Format::Table => output::print(&text(&status, &zones))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(status: &StatusView, zones: &[LearningView]) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{line}");
    };
    let store = if status.store_answers { "the store answers" } else { "the store does not answer" };
    match &status.server {
        Some(server) => {
            line(&format!("demilune {} serves {}; {store}: {}", status.version, server.public_url, server.database));
        }
        None => line(&format!("no server runs on this data folder; {store}")),
    }
    for zone in zones {
        let LearningView { zone: view, operations, with_thresholds, learning, more } = zone;
        line(&format!("\n{} ({}): {with_thresholds} of {operations} operations have thresholds", view.name, view.id));
        for seen in learning.iter().take(LEARNING_SHOWN_MAX) {
            let operation = &seen.operation;
            let name = format!("{} {} {}", operation.method, operation.host, operation.endpoint);
            line(&format!("  {name}\n    {}", seen.summary));
        }
        let hidden = learning.len().saturating_sub(LEARNING_SHOWN_MAX) as u64 + more;
        if hidden > 0 {
            line(&format!("  and {hidden} more"));
        }
    }
    text
}
