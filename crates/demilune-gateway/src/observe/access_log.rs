//! The access log: one JSON line for each request, written by a thread of its own so that no request waits for a disk.

use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use demilune_policy::{InForce, rule::MitigationAction};
use demilune_schema::validate::Verdict;

use crate::proxy::Exchange;

/// Lines that may wait to be written; more are dropped and counted. A second's worth at 8,000 requests a second.
const QUEUE_LINES: usize = 8_192;
/// What a line takes without unusual paths.
const LINE_BYTES: usize = 512;
/// Its paths name users and their things: for the owner and their group.
const FILE_MODE: u32 = 0o640;

/// Where the lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessLogTarget {
    /// Standard output.
    Stdout,
    /// A file that is appended to.
    File(PathBuf),
}

/// The access log.
pub struct AccessLog {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Line(String),
    Reopen,
}

impl AccessLog {
    /// Opens the log and starts its thread, which ends when the log is dropped.
    pub fn open(target: AccessLogTarget) -> io::Result<Self> {
        let sink = Sink::open(&target)?;
        let (queue, messages) = sync_channel(QUEUE_LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&dropped);
        thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_all(&messages, sink, &target, &lost))?;
        Ok(Self { queue, dropped })
    }

    pub(super) fn write(&self, exchange: &Exchange, code: &str, status: Option<u16>, elapsed: Duration) {
        if self.queue.try_send(Message::Line(line(exchange, code, status, elapsed))).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn write_violation(
        &self,
        exchange: &Exchange,
        in_force: &InForce,
        action: MitigationAction,
        verdict: &Verdict,
    ) {
        if self.queue.try_send(Message::Line(violation_line(exchange, in_force, action, verdict))).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Opens the file anew behind the lines that are waiting.
    pub(super) fn reopen(&self) {
        // With the queue full the disk is in trouble, and the next signal will do.
        let _ = self.queue.try_send(Message::Reopen);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

enum Sink {
    Stdout(BufWriter<io::Stdout>),
    File(BufWriter<File>),
}

impl Sink {
    fn open(target: &AccessLogTarget) -> io::Result<Self> {
        match target {
            AccessLogTarget::Stdout => Ok(Self::Stdout(BufWriter::new(io::stdout()))),
            AccessLogTarget::File(path) => open_file(path).map(BufWriter::new).map(Self::File),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(writer) => writer,
            Self::File(writer) => writer,
        }
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(FILE_MODE).open(path)
}

/// Writes until the log is dropped. Lines reach the file when none is waiting any more.
fn write_all(messages: &Receiver<Message>, mut sink: Sink, target: &AccessLogTarget, dropped: &AtomicU64) {
    while let Ok(first) = messages.recv() {
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Line(line) if sink.writer().write_all(line.as_bytes()).is_ok() => {}
                Message::Line(_) => {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
                Message::Reopen => reopen(&mut sink, target),
            }
            next = messages.try_recv().ok();
        }
        if sink.writer().flush().is_err() {
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Keeps the old file where the new one cannot be opened.
fn reopen(sink: &mut Sink, target: &AccessLogTarget) {
    let _ = sink.writer().flush();
    match Sink::open(target) {
        Ok(opened) => *sink = opened,
        Err(error) => tracing::error!(%error, ?target, "the access log cannot be opened anew; it goes on as before"),
    }
}

/// An event: where a request does not fit its schema. It holds nothing that the request held, its path neither.
fn violation_line(exchange: &Exchange, in_force: &InForce, action: MitigationAction, verdict: &Verdict) -> String {
    let mut line = String::with_capacity(LINE_BYTES);
    let matched = exchange.matched();
    line.push('{');
    text(&mut line, "event", Some("schema_violation"));
    text(&mut line, "time", Some(&exchange.arrived_at().to_string()));
    text(&mut line, "request_id", Some(&exchange.request_id.to_string()));
    text(&mut line, "zone", matched.map(|(ruleset, _)| ruleset.zone().as_str()));
    text(&mut line, "operation_id", matched.map(|(_, operation)| operation.id.to_string()).as_deref());
    text(&mut line, "action", Some(action.as_str()));
    text(&mut line, "schema_id", Some(&in_force.schema));
    text(&mut line, "session", exchange.session.map(|session| session.to_string()).as_deref());
    line.push_str("\"violations\":[");
    for violation in &verdict.violations {
        line.push('{');
        text(&mut line, "keyword", Some(&violation.keyword));
        text(&mut line, "request_place", Some(&violation.request_place));
        text(&mut line, "document_place", Some(&violation.document_place));
        line.pop();
        line.push_str("},");
    }
    if !verdict.violations.is_empty() {
        line.pop();
    }
    let _ = writeln!(line, "],\"has_more\":{}}}", verdict.has_more);
    line
}

fn line(exchange: &Exchange, code: &str, status: Option<u16>, elapsed: Duration) -> String {
    let mut line = String::with_capacity(LINE_BYTES);
    let ruleset = exchange.ruleset.as_ref();
    let operation = exchange.matched().map(|(_, operation)| operation);
    line.push('{');
    text(&mut line, "time", Some(&exchange.arrived_at().to_string()));
    text(&mut line, "request_id", Some(&exchange.request_id.to_string()));
    text(&mut line, "zone", ruleset.map(|ruleset| ruleset.zone().as_str()));
    text(&mut line, "operation_id", operation.map(|operation| operation.id.to_string()).as_deref());
    text(&mut line, "endpoint", operation.map(|operation| operation.key.endpoint.as_str()));
    text(&mut line, "method", Some(exchange.method.as_str()));
    text(&mut line, "host", Some(&exchange.host()));
    text(&mut line, "path", Some(exchange.uri.path()));
    text(&mut line, "decision", Some(code));
    number(&mut line, "status", status.map(u64::from));
    number(&mut line, "duration_us", micros_of(Some(elapsed)));
    number(&mut line, "origin_us", micros_of(exchange.origin_time()));
    number(&mut line, "bytes_in", Some(exchange.bytes_in()));
    number(&mut line, "bytes_out", Some(exchange.bytes_out));
    text(&mut line, "session", exchange.session.map(|session| session.to_string()).as_deref());
    text(&mut line, "client", Some(&exchange.client.to_string()));
    line.pop();
    line.push_str("}\n");
    line
}

fn micros_of(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

fn text(line: &mut String, name: &str, value: Option<&str>) {
    let value = value.map_or(serde_json::Value::Null, Into::into);
    // Writing to a string does not fail.
    let _ = write!(line, "\"{name}\":{value},");
}

fn number(line: &mut String, name: &str, value: Option<u64>) {
    let value = value.map_or(serde_json::Value::Null, Into::into);
    let _ = write!(line, "\"{name}\":{value},");
}
