//! `demilune explain`: what the gateway would do with a request, and why.

use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use demilune_control::manage::{Command, ExplanationView, Reply, RequestText};
use serde::Serialize;

use super::{Managed, mismatch};
use crate::{
    access::Access,
    config::{Environment, StoreConfig},
    failure::Failure,
    logging,
    output::{self, Format, OutputError},
    wiring,
};

/// Say what the gateway would do with a request, and why
///
/// Names the operation that matches and those that might have been meant, the session, and where the request would go.
/// Sends nothing. Ends with 1 when the gateway would answer a request itself.
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
    /// A file with a request in each line, as METHOD URL, in place of one on the command line; - reads standard input.
    /// Each is answered in a line
    #[arg(long, value_name = "FILE", conflicts_with = "method")]
    requests: Option<PathBuf>,
    /// The request method
    #[arg(required_unless_present = "requests", requires = "url")]
    method: Option<String>,
    /// The URL that a client asks for, with the host that it names
    url: Option<String>,
}

/// Exit code for a request that the gateway would answer itself.
const CODE_REFUSED: u8 = 1;
/// Most requests in one command: more than enough to make the rules' compilation, once for each, cheap.
const CHUNK_REQUESTS_MAX: usize = 500;
/// Most bytes of text in one command, which becomes one line of at most 8 MiB. A request is as long as a gateway takes.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// Why requests cannot be read.
#[derive(Debug, thiserror::Error)]
enum RequestsError {
    #[error("{0} cannot be read")]
    File(PathBuf, #[source] io::Error),
    #[error("line {1} of {0} is no request: write METHOD URL")]
    Line(PathBuf, usize),
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Explain {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        logging::start_quiet();
        let format = self.managed.output;
        let config = StoreConfig::resolve(self.managed.store, environment)?;
        let print = if self.requests.is_some() { print_lines } else { print_whole };
        let requests = match (self.requests, self.method.zip(self.url)) {
            (Some(file), _) => read_requests(&file, &self.headers)?,
            (None, given) => {
                Vec::from_iter(given.map(|(method, url)| RequestText { method, url, headers: self.headers }))
            }
        };
        let refused = wiring::runtime()?.block_on(async {
            let mut access = Access::open(&config).await?;
            let refused = explain_all(&mut access, self.zone, &requests, |requests, explanations| {
                print(format, requests, explanations)
            });
            let refused = refused.await;
            access.close().await;
            refused
        })?;
        Ok(if refused { ExitCode::from(CODE_REFUSED) } else { ExitCode::SUCCESS })
    }
}

/// Asks about requests, prints what comes back, and says whether a request would be answered by the gateway.
async fn explain_all(
    access: &mut Access,
    zone: Option<String>,
    mut requests: &[RequestText],
    print: impl Fn(&[RequestText], &[ExplanationView]) -> Result<(), OutputError>,
) -> Result<bool, Failure> {
    let mut refused = false;
    while !requests.is_empty() {
        let (chunk, rest) = requests.split_at(chunk_length(requests));
        let command = Command::Explain { zone: zone.clone(), requests: chunk.to_vec() };
        let Reply::Explained(explanations) = access.call(command).await? else { return mismatch() };
        if explanations.len() != chunk.len() {
            return mismatch();
        }
        print(chunk, &explanations)?;
        refused |= explanations.iter().any(|explanation| explanation.refusal.is_some());
        requests = rest;
    }
    Ok(refused)
}

/// How many of the first requests go into one command.
fn chunk_length(requests: &[RequestText]) -> usize {
    let mut bytes = 0;
    let fits = requests.iter().take(CHUNK_REQUESTS_MAX).take_while(|request| {
        bytes += request.method.len() + request.url.len();
        bytes += request.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        bytes <= CHUNK_BYTES_MAX
    });
    // One that is too long goes alone, and is refused with a sentence.
    fits.count().max(1)
}

/// The requests of a file. Empty lines are none.
fn read_requests(file: &Path, headers: &[(String, String)]) -> Result<Vec<RequestText>, RequestsError> {
    let text = if file == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(file) };
    let text = text.map_err(|error| RequestsError::File(file.to_owned(), error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [method, url] => {
                Ok(RequestText { method: method.to_owned(), url: url.to_owned(), headers: headers.to_owned() })
            }
            _ => Err(RequestsError::Line(file.to_owned(), index + 1)),
        })
        .collect()
}

/// A request and what would become of it, in one line.
#[derive(Serialize)]
struct Line<'a> {
    method: &'a str,
    url: &'a str,
    #[serde(flatten)]
    explanation: &'a ExplanationView,
}

fn print_lines(format: Format, requests: &[RequestText], explanations: &[ExplanationView]) -> Result<(), OutputError> {
    let mut lines = String::new();
    for (RequestText { method, url, .. }, explanation) in requests.iter().zip(explanations) {
        // Writing to a string does not fail.
        let _ = match format {
            Format::Json => {
                let line = serde_json::to_string(&Line { method, url, explanation }).map_err(OutputError::Json)?;
                writeln!(lines, "{line}")
            }
            Format::Table => writeln!(lines, "{method} {url} → {}", outcome(explanation)),
        };
    }
    output::print(&lines)
}

/// What would become of a request, in a few words.
fn outcome(explanation: &ExplanationView) -> String {
    let operation = explanation.operation.as_ref().map_or_else(
        || "no operation".to_owned(),
        |operation| format!("{} {} {}", operation.method, operation.host, operation.endpoint),
    );
    match &explanation.refusal {
        Some(refusal) => format!("{operation}; answered {} by the gateway: {}", refusal.status, refusal.reason),
        None => operation,
    }
}

fn print_whole(format: Format, _: &[RequestText], explanations: &[ExplanationView]) -> Result<(), OutputError> {
    explanations.iter().try_for_each(|explanation| match format {
        Format::Json => output::print_json(explanation),
        Format::Table => output::print(&text(explanation)),
    })
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
