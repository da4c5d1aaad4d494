//! `demilune traffic`: requests that were served elsewhere, counted as if a gateway had seen them.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand, ValueEnum};
use demilune_control::manage::{CallError, Command, Reply, TrafficRulesView};
use demilune_inventory::{Host, Timestamp};
use demilune_traffic::Hour;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;

use super::{Managed, mismatch};
use crate::{
    access::{Access, AccessError},
    config::{Environment, RawSecret, StoreConfig},
    data_folder,
    failure::Failure,
    gateway::session_key,
    logging,
    traffic_import::{
        Clock, CountError, FileCounts, FileReport, Hints, Origin, Recognizer, SessionBy, Stored, Summary,
        UNKNOWN_FORMAT, count, nothing_usable, remark, send,
    },
    traffic_log::{Format, Input, LogFormat, LogFormatError},
    wiring,
};

/// Bring in traffic that was served elsewhere
#[derive(Args)]
pub(super) struct Traffic {
    #[command(flatten)]
    managed: Managed,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Import(Box<Import>),
}

/// Count the requests of access logs, with their times, as if a gateway had seen them
///
/// Reads HAR, the Common and Combined Log Format, nginx's format strings, and the JSON access logs of Caddy, Traefik,
/// Envoy and demilune, compressed with gzip or not. Requests of the last week are matched to the zone's operations and
/// stored; then thresholds are computed, and operations are discovered by what none of the zone's matches. A file that was imported before changes nothing. Ends with 1 when a file holds
/// nothing that can be used, and says what to add to the log.
#[derive(Args)]
struct Import {
    /// The logs; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The zone, by id or name; may be left out when there is one zone
    #[arg(long)]
    zone: Option<String>,
    /// What the logs are written in [default: as their content looks]
    #[arg(long, value_enum, conflicts_with = "log_format")]
    format: Option<FormatName>,
    /// The format string that nginx wrote the logs with, such as '$msec $host "$request" $status'
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// The host of records that name none; it counts as the zone's
    #[arg(long, value_parser = parse_host)]
    host: Option<Host>,
    /// What tells sessions apart: remote_addr, remote_user, cookie:NAME, a header field, or a field of the log
    /// [default: the zone's session identifiers]
    #[arg(long, value_name = "FIELD")]
    session: Option<SessionBy>,
    #[command(flatten)]
    secret: RawSecret,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    /// HAR 1.2, as browsers and proxies export it
    Har,
    /// The Common or Combined Log Format
    Clf,
    /// A JSON object in each line
    Jsonl,
}

fn parse_host(text: &str) -> Result<Host, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// Why logs cannot be imported.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error("{0} cannot be read")]
    File(PathBuf, #[source] io::Error),
    #[error("--log-format cannot be used")]
    LogFormat(#[from] LogFormatError),
}

impl Traffic {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let Action::Import(import) = self.action;
        import.run(self.managed, environment)
    }
}

impl Import {
    fn run(self, managed: Managed, environment: &Environment) -> Result<ExitCode, Failure> {
        logging::start_quiet();
        let output = managed.output;
        let config = StoreConfig::resolve(managed.store, environment)?;
        let format = self.format()?;
        let runtime = wiring::runtime()?;
        let rules = runtime.block_on(rules(&config, self.zone.clone()))?;
        runtime.block_on(data_folder::create(&config.data))?;
        let key = session_key(self.secret.clone().file(environment).as_deref(), &config.data)?;
        let mut work = Work {
            recognizer: Recognizer::new(&rules, key, self.session.clone(), self.host.as_ref())?,
            session_by: self.session.as_ref(),
            host: self.host.as_ref(),
            clock: now(),
            summary: Summary::new(&rules.zone),
            rules: &rules,
            config: &config,
            runtime: &runtime,
        };
        // All of them before the first is stored: a name that is wrong should not leave half of the work done.
        let opened = self.files.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
        for (path, file) in self.files.iter().zip(opened) {
            let bar = progress_bar(path);
            let report = work.import(path, bar.wrap_read(file), format.as_ref())?;
            work.summary.add(report);
            bar.finish_and_clear();
        }
        work.recompute()?;
        work.summary.print(output)?;
        let all_usable = work.summary.files().all(FileReport::is_usable);
        Ok(if all_usable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn format(&self) -> Result<Option<Format>, ImportError> {
        if let Some(text) = &self.log_format {
            return Ok(Some(Format::Lines(LogFormat::parse(text)?)));
        }
        Ok(self.format.map(|name| match name {
            FormatName::Har => Format::Har,
            FormatName::Clf => Format::Clf,
            FormatName::Jsonl => Format::JsonLines,
        }))
    }
}

/// What each file needs.
struct Work<'w> {
    recognizer: Recognizer,
    session_by: Option<&'w SessionBy>,
    host: Option<&'w Host>,
    clock: Clock,
    summary: Summary,
    rules: &'w TrafficRulesView,
    config: &'w StoreConfig,
    runtime: &'w Runtime,
}

impl Work<'_> {
    /// Counts a file and stores the counts, unless nothing of it can be used.
    fn import(
        &mut self,
        path: &Path,
        file: impl Read + 'static,
        format: Option<&Format>,
    ) -> Result<FileReport, Failure> {
        let input = match Input::of(file) {
            Ok(input) => input,
            Err(error) => return Ok(FileReport::unread(path, Failure::from(CountError::Read(error)).chain())),
        };
        if input.is_empty() {
            return Ok(FileReport::unread(path, "it is empty".to_owned()));
        }
        let Some(format) = format.or(input.guessed()).cloned() else {
            return Ok(FileReport::unread(path, UNKNOWN_FORMAT.to_owned()));
        };
        let folder = self.config.data.clone();
        let file = match count(input, &format, &mut self.recognizer, self.clock, folder) {
            Ok(file) => file,
            Err(error) => return Ok(FileReport::unread(path, Failure::from(error).chain())),
        };
        let hints = Hints {
            rules: self.rules,
            session_by: self.session_by,
            host: self.host,
            format: &format,
            counts: &file.counts,
            broken: file.broken.first(),
            other_hosts: &file.other_hosts,
            unmatched: file.unmatched.as_deref(),
        };
        let problem = nothing_usable(&hints);
        let remark = problem.is_none().then(|| remark(&hints)).flatten();
        let mut report = FileReport::new(path, &format, &file, problem, remark);
        if report.is_usable() {
            self.summary.count(&file);
            let zone = &self.rules.zone.id;
            let origin = Origin::new(zone, &file.content_hash, format.name(), &self.recognizer);
            let stored = self.store(&origin, file)?;
            report.stored(stored.rows);
            self.summary.stored(stored);
        }
        Ok(report)
    }

    /// Stores what was counted of a file. A server does not wait for long between commands, and a long file takes long:
    /// the way to the store is opened anew.
    fn store(&self, origin: &Origin, file: FileCounts) -> Result<Stored, Failure> {
        self.runtime.block_on(async {
            let mut access = Access::open(self.config).await?;
            let stored = send(&mut access, origin, file, &self.recognizer).await;
            access.close().await;
            stored
        })
    }

    /// Computes thresholds at the end of the hour of the last request, and looks for operations. What is stored stays, if that does not work.
    fn recompute(&mut self) -> Result<(), Failure> {
        let Some(last) = self.summary.last_stored() else { return Ok(()) };
        // Another clock may be ahead by a little, and there is nothing to compute of an hour to come.
        let end = Hour::of(last.min(self.clock.0)).end();
        let at = i64::try_from(end).ok().and_then(|seconds| Timestamp::from_micros(seconds.saturating_mul(1_000_000)));
        let (zone, at) = (Some(self.rules.zone.id.clone()), at.map(|at| at.to_string()));
        let command = Command::Recompute { zone, at, keep_newer: true };
        let reply = self.runtime.block_on(async {
            let mut access = Access::open(self.config).await?;
            let reply = access.call(command).await;
            access.close().await;
            reply
        });
        match reply {
            Ok(Reply::Recomputed(recomputed)) => self.summary.computed(Ok(recomputed)),
            Ok(_) => return mismatch(),
            Err(AccessError::Call(CallError::Refused(sentence))) => self.summary.computed(Err(sentence)),
            Err(AccessError::Manage(error)) => self.summary.computed(Err(error.chain())),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

async fn rules(config: &StoreConfig, zone: Option<String>) -> Result<TrafficRulesView, Failure> {
    let mut access = Access::open(config).await?;
    let reply = access.call(Command::TrafficRules { zone }).await;
    access.close().await;
    let Reply::TrafficRules(rules) = reply? else { return mismatch() };
    Ok(rules)
}

fn now() -> Clock {
    Clock(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// Opens a file, or standard input.
fn open(path: &Path) -> Result<Box<dyn Read>, ImportError> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).map_err(|error| ImportError::File(path.to_owned(), error))?;
    Ok(Box::new(file))
}

fn progress_bar(path: &Path) -> ProgressBar {
    let length = fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len());
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), "{bar:40} {bytes}/{total_bytes}, {elapsed}, {msg}"),
        None => (ProgressBar::no_length(), "{spinner} {bytes}, {elapsed}, {msg}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_message(path.display().to_string())
}
