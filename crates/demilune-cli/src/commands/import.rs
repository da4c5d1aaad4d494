//! `demilune import`: every operation of an OpenAPI 3 document.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use demilune_control::manage::{Command, OperationText, Outcome, Reply, ZoneView};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Managed;
use crate::{
    access::{Access, AccessError},
    config::{Environment, StoreConfig},
    document::{self, DocumentError},
    failure::Failure,
    logging,
    output::{self, Format, OutputError, Table},
    wiring,
};

/// Largest document in bytes: five times the largest that is published for a single API (GitHub's, 13 MB).
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;
/// Most operations in one command: one transaction of the store.
const CHUNK_OPERATIONS_MAX: usize = 500;
/// Most bytes of text in one command, which becomes one line of at most 8 MiB.
const CHUNK_BYTES_MAX: usize = 1 << 20;
/// Most refusals that a table shows; JSON shows all.
const REFUSED_SHOWN_MAX: usize = 50;

/// Add every operation of an OpenAPI 3 document, JSON or YAML, to a zone
///
/// Every method of every path is added at every server that applies to it, with the server's base path. A server
/// variable takes each value of its enum, or its default. Operations that are there already stay as they are. If some
/// are refused, the others are stored all the same, and the exit code is 1.
#[derive(Args)]
pub(super) struct Import {
    #[command(flatten)]
    managed: Managed,
    /// The document; - reads standard input
    file: PathBuf,
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    /// The host where the document's servers name none
    #[arg(long)]
    host: Option<String>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error("{0} cannot be read")]
    File(PathBuf, #[source] io::Error),
    #[error("{0} is larger than {DOCUMENT_BYTES_MAX} bytes")]
    TooLarge(PathBuf),
    #[error("{0} is not UTF-8")]
    NotUtf8(PathBuf),
    #[error("{0} cannot be imported")]
    Document(PathBuf, #[source] DocumentError),
}

impl Import {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        logging::start_quiet();
        let format = self.managed.output;
        let config = StoreConfig::resolve(self.managed.store, environment)?;
        let text = read_file(&self.file)?;
        let described = document::read(&text, self.host.as_deref())
            .map_err(|error| ImportError::Document(self.file.clone(), error))?;
        drop(text);

        let mut summary = wiring::runtime()?.block_on(async {
            let mut access = Access::open(&config).await?;
            let summary = add_all(&mut access, self.zone, Vec::from_iter(described.operations)).await;
            access.close().await;
            summary
        })?;
        let unusable = described.unusable.into_iter();
        summary.refused.extend(unusable.map(|part| Refused {
            method: part.method,
            host: None,
            endpoint: part.path,
            reason: part.reason,
        }));

        print(format, &summary)?;
        Ok(if summary.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn read_file(path: &Path) -> Result<String, ImportError> {
    let unreadable = |error| ImportError::File(path.to_owned(), error);
    let mut bytes = Vec::new();
    let limit = DOCUMENT_BYTES_MAX + 1;
    if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        File::open(path).map_err(unreadable)?.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
        return Err(ImportError::TooLarge(path.to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| ImportError::NotUtf8(path.to_owned()))
}

/// What an import came to.
#[derive(Debug, Serialize)]
struct Summary {
    zone: ZoneView,
    added: usize,
    already_there: usize,
    refused: Vec<Refused>,
}

/// An operation that was not stored.
#[derive(Debug, Serialize)]
struct Refused {
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    endpoint: String,
    reason: String,
}

async fn add_all(
    access: &mut Access,
    zone: Option<String>,
    mut operations: Vec<OperationText>,
) -> Result<Summary, AccessError> {
    let Reply::Zone(zone) = access.call(Command::ZoneFind { zone }).await? else { return Err(AccessError::Mismatch) };
    let mut summary = Summary { zone, added: 0, already_there: 0, refused: Vec::new() };
    let bar = progress_bar(operations.len());
    while !operations.is_empty() {
        let chunk: Vec<_> = operations.drain(..chunk_length(&operations)).collect();
        let command = Command::OperationsAdd { zone: Some(summary.zone.id.clone()), operations: chunk.clone() };
        let Reply::Operations(outcomes) = access.call(command).await? else { return Err(AccessError::Mismatch) };
        if outcomes.len() != chunk.len() {
            return Err(AccessError::Mismatch);
        }
        bar.inc(chunk.len() as u64);
        for (operation, outcome) in chunk.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Added => summary.added += 1,
                Outcome::Present => summary.already_there += 1,
                Outcome::Refused(reason) => {
                    let OperationText { method, host, endpoint } = operation;
                    summary.refused.push(Refused { method, host: Some(host), endpoint, reason });
                }
            }
        }
    }
    bar.finish_and_clear();
    Ok(summary)
}

/// How many of the first operations go into one command.
fn chunk_length(operations: &[OperationText]) -> usize {
    let mut bytes = 0;
    let fits = operations.iter().take(CHUNK_OPERATIONS_MAX).take_while(|operation| {
        bytes += operation.method.len() + operation.host.len() + operation.endpoint.len();
        bytes <= CHUNK_BYTES_MAX
    });
    // A single operation that is too long goes alone: its text is bounded by what a path may have.
    fits.count().max(1)
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(operations: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} operations, {elapsed}");
    ProgressBar::new(operations as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn print(format: Format, summary: &Summary) -> Result<(), OutputError> {
    if let Format::Json = format {
        return output::print_json(summary);
    }
    let zone = format!("{} ({})", summary.zone.name, summary.zone.id);
    let mut text = Table::of_members(&[
        ("zone", &zone),
        ("added", &summary.added.to_string()),
        ("already there", &summary.already_there.to_string()),
        ("refused", &summary.refused.len().to_string()),
    ])
    .render();
    for refused in summary.refused.iter().take(REFUSED_SHOWN_MAX) {
        let host = refused.host.as_deref().map(|host| format!("{host} ")).unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {} {host}{}: {}", refused.method, refused.endpoint, refused.reason);
    }
    if summary.refused.len() > REFUSED_SHOWN_MAX {
        let more = summary.refused.len() - REFUSED_SHOWN_MAX;
        let _ = writeln!(text, "  and {more} more, which --output json shows");
    }
    output::print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(endpoints: &[usize]) -> Vec<OperationText> {
        let operation = |length: &usize| OperationText {
            method: "GET".to_owned(),
            host: "h".to_owned(),
            endpoint: "/".repeat(*length),
        };
        endpoints.iter().map(operation).collect()
    }

    #[test]
    fn a_chunk_is_bounded_in_number_and_size() {
        assert_eq!(chunk_length(&operations(&[1; 501])), 500);
        assert_eq!(chunk_length(&operations(&[4000; 400])), CHUNK_BYTES_MAX / 4004);
        assert_eq!(chunk_length(&operations(&[CHUNK_BYTES_MAX + 1, 1])), 1);
    }
}
