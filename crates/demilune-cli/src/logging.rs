//! The log, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Starts the log of a server.
pub(crate) fn start(config: LogConfig) {
    let is_terminal = io::stderr().is_terminal();
    let by_terminal = if is_terminal { LogFormat::Human } else { LogFormat::Json };
    let builder = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(config.filter);
    // A second start, as tests have it, keeps the first log.
    let _ = match config.format.unwrap_or(by_terminal) {
        LogFormat::Human => builder.with_ansi(is_terminal).with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Starts the log of a command, which speaks only when something is wrong.
pub(crate) fn start_quiet() {
    start(LogConfig { format: Some(LogFormat::Human), filter: EnvFilter::new("warn") });
}
