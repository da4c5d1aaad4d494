//! `demilune status`: who serves, and how far the learning has come.

use std::{collections::HashMap, fmt::Write, process::ExitCode};

use clap::Args;
use demilune_control::manage::{Command, LearningView, OperationView, Reply, StatusView};
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

/// Say what runs, and how far the learning of thresholds and schemas has come
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
        let LearningView { zone: view, operations, with_thresholds, with_schemas, .. } = zone;
        line(&format!(
            "\n{} ({}): {with_thresholds} of {operations} operations have thresholds, {with_schemas} have a learned \
             schema",
            view.name, view.id
        ));
        let learning = Learning::of(zone);
        for (operation, sentences) in learning.operations.iter().take(LEARNING_SHOWN_MAX) {
            line(&format!("  {} {} {}", operation.method, operation.host, operation.endpoint));
            for sentence in sentences {
                line(&format!("    {sentence}"));
            }
        }
        let hidden = learning.operations.len().saturating_sub(LEARNING_SHOWN_MAX) as u64 + learning.more;
        if hidden > 0 {
            line(&format!("  and {hidden} more"));
        }
    }
    text
}

/// What is still being learned about a zone.
struct Learning<'z> {
    /// Each operation once, with what is missing for thresholds and for a schema.
    operations: Vec<(&'z OperationView, Vec<&'z str>)>,
    /// How many more there are at least.
    more: u64,
}

impl<'z> Learning<'z> {
    fn of(zone: &'z LearningView) -> Self {
        let thresholds = zone.learning.iter().map(|seen| (&seen.operation, seen.summary.as_str()));
        let schemas = zone.learning_schemas.iter().map(|seen| (&seen.operation, seen.summary.as_str()));
        let mut operations: Vec<(&OperationView, Vec<&str>)> = Vec::new();
        let mut places = HashMap::new();
        for (operation, sentence) in thresholds.chain(schemas) {
            let place = *places.entry(&operation.operation_id).or_insert(operations.len());
            match operations.get_mut(place) {
                Some((_, sentences)) => sentences.push(sentence),
                None => operations.push((operation, vec![sentence])),
            }
        }
        Self { operations, more: zone.more.max(zone.more_schemas) }
    }
}
