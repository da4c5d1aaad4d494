//! Runs the real binary: servers on a free port and a folder of their own, and commands beside them.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub(crate) mod gateway;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a server may take to start or stop before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary, in an environment that holds the path, and a gateway address that no other test takes.
pub(crate) fn demilune() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demilune"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("DEMILUNE_GATEWAY_LISTEN", "127.0.0.1:0");
    command
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    demilune().args(args).stdin(Stdio::null()).output().unwrap()
}

/// What a command that must work prints.
pub(crate) fn run_ok(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that must work prints with `--output json`.
pub(crate) fn run_json(args: &[&str]) -> Value {
    serde_json::from_str(&run_ok(&[args, &["--output", "json"]].concat())).unwrap()
}

/// Checks that a command fails with a code and one clear sentence, without a panic.
pub(crate) fn check_failure(output: &Output, code: i32, sentence: &str) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(sentence), "{sentence:?} is not in {text:?}");
    assert!(!text.contains("panicked"), "{text}");
}

/// What an output has on standard error.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running server. Dropping it kills the process.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    status: Value,
    args: Vec<String>,
    variables: BTreeMap<String, String>,
}

impl Server {
    /// Starts a server on a free port, on a data folder that does not exist yet, and waits until it answers.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_with(&[], args)
    }

    /// The same with variables in its environment.
    pub(crate) fn start_with(variables: &[(&str, &str)], args: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), variables, args)
    }

    /// The same in a folder that is there: the data folder is `data` in it, the log `log`.
    pub(crate) fn start_in(folder: TempDir, variables: &[(&str, &str)], args: &[&str]) -> Self {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let child = spawn(folder.path(), &variables, &args);
        let mut server = Self { child, folder, status: Value::Null, args, variables };
        server.wait_until_it_answers();
        server
    }

    /// Starts the process again after [`Self::kill9`] or [`Self::stop`], on the same data and another port.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(self.folder.path(), &self.variables, &self.args);
        self.wait_until_it_answers();
    }

    /// `http://127.0.0.1:PORT/client/v4`.
    pub(crate) fn base_url(&self) -> String {
        format!("{}/client/v4", self.public_url())
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn public_url(&self) -> &str {
        self.status["public_url"].as_str().unwrap()
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        self.status["address"].as_str().unwrap()
    }

    /// The token that the first start left.
    pub(crate) fn token(&self) -> String {
        fs::read_to_string(self.data().join("first-token")).unwrap().trim().to_owned()
    }

    /// The id of the first zone.
    pub(crate) fn zone(&self) -> String {
        self.run_json(&["zone", "list"])[0]["id"].as_str().unwrap().to_owned()
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The process.
    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Runs a command on the data folder.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        run(&[args, &["--data", &self.data_text()]].concat())
    }

    /// What a command on the data folder prints; it must work.
    pub(crate) fn run_ok(&self, args: &[&str]) -> String {
        run_ok(&[args, &["--data", &self.data_text()]].concat())
    }

    /// The same with `--output json`.
    pub(crate) fn run_json(&self, args: &[&str]) -> Value {
        run_json(&[args, &["--data", &self.data_text()]].concat())
    }

    fn data_text(&self) -> String {
        self.data().into_os_string().into_string().unwrap()
    }

    /// One call of the API with the first token; status and body.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.call_as(&self.token(), method, path, body)
    }

    /// One call of the API with any token; status and body.
    pub(crate) fn call_as(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        call(&self.base_url(), token, method, path, body)
    }

    /// Ends the process as a crash does.
    pub(crate) fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.stop_by(Signal::TERM)
    }

    /// The same with another signal.
    pub(crate) fn stop_by(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }

    /// Waits until the process has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let give_up = Instant::now() + PATIENCE;
        while Instant::now() < give_up {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not stop: {}", self.log());
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn wait_until_it_answers(&mut self) {
        let give_up = Instant::now() + PATIENCE;
        while Instant::now() < give_up {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", self.log());
            }
            if let Some(status) = ask_status(&self.data(), self.child.id()) {
                self.status = status;
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not answer: {}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &Path, variables: &BTreeMap<String, String>, args: &[String]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = demilune();
    command.arg("serve").arg("--data").arg(folder.join("data"));
    if !args.iter().any(|arg| arg == "--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command.args(args).envs(variables).stdin(Stdio::null());
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// What the process says about itself over the management socket; none while it does not answer.
fn ask_status(data: &Path, process_id: u32) -> Option<Value> {
    let mut stream = UnixStream::connect(data.join("control.sock")).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"{\"command\":\"status\"}\n").ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    let answer: Value = serde_json::from_str(&line).ok()?;
    let status = &answer["reply"]["status"];
    (status["process_id"] == process_id).then(|| status["server"].clone())
}

/// One call of the API; status and body.
pub(crate) fn call(base_url: &str, token: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .allow_non_standard_methods(true)
        .build()
        .into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{base_url}{path}"))
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/json");
    let mut response = match body {
        Some(body) => agent.run(request.body(body.to_string()).unwrap()).unwrap(),
        None => agent.run(request.body(()).unwrap()).unwrap(),
    };
    (response.status().as_u16(), response.body_mut().read_json().unwrap())
}

/// The body that adds an operation.
pub(crate) fn operation(method: &str, host: &str, endpoint: &str) -> Value {
    json!({"method": method, "host": host, "endpoint": endpoint})
}

/// Whether this process may do everything, so that permissions have to be tried as somebody else.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
