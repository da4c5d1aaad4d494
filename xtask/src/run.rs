//! Runs other programs, saying which, how long they took, and what failed.

use std::{
    io,
    process::{Command, Stdio},
    time::Instant,
};

/// Why a command of ours stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// No such command.
    #[error("{0}")]
    Usage(&'static str),
    /// A program could not be started.
    #[error("cannot start {program}: {cause}")]
    Start { program: String, cause: io::Error },
    /// A program said no.
    #[error("failed: {0}")]
    Step(String),
    /// Something that nobody here can install is missing.
    #[error("{0}")]
    Missing(String),
}

/// Runs a step with its output shown, and prints its time.
pub(crate) fn step(name: &str, command: &mut Command) -> Result<(), Failed> {
    println!("\n==> {name}");
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).status();
    let status = status.map_err(|cause| Failed::Start { program: program(command), cause })?;
    println!("<== {name}: {:.1} s", started.elapsed().as_secs_f32());
    if status.success() { Ok(()) } else { Err(Failed::Step(name.to_owned())) }
}

/// Whether a program runs and says yes, quietly.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// What a program prints.
pub(crate) fn output(command: &mut Command) -> Result<String, Failed> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|cause| Failed::Start { program: program(command), cause })?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
