//! A real PostgreSQL server for the length of a test run, started from the binaries of the system.
//!
//! The server writes through to the disk (`fsync = on`), sorts text by a dictionary unless a column says otherwise, so
//! that a forgotten collation shows, and listens on a free port of 127.0.0.1. Where the tests run as root it runs as an
//! unprivileged user, because PostgreSQL refuses root. It dies with the process that started it, however that ends.
//!
//! ```no_run
//! use demilune_test_postgres::TestPostgres;
//!
//! let server = TestPostgres::start();
//! server.create_database("inventory");
//! println!("{}", server.url("inventory"));
//! ```
#![allow(clippy::missing_panics_doc, reason = "a test helper: every failure is a panic with a sentence")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test helper")]

mod account;
mod binaries;
mod guard;

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::{account::Account, binaries::Binaries, guard::Guard};

/// How long the server may take to start, stop or clear away after a crash on a machine busy with other tests.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// The only user of the server. It needs no password.
const USER: &str = "demilune";

/// A server of its own, stopped and removed when this is dropped or the process ends.
#[derive(Debug)]
pub struct TestPostgres {
    binaries: Binaries,
    account: Option<Account>,
    folder: PathBuf,
    port: u16,
    server: Mutex<Option<Child>>,
    _guard: Guard,
}

impl TestPostgres {
    /// Makes and starts a server.
    #[must_use]
    pub fn start() -> Self {
        let binaries = Binaries::find().unwrap_or_else(|missing| panic!("{missing}"));
        let account = Account::unprivileged();
        let folder =
            tempfile::Builder::new().prefix("demilune-postgres-").tempdir().expect("a temporary folder").keep();
        let guard = Guard::start(&folder);
        if let Some(account) = &account {
            account.own(&folder);
        }
        let server = Self { binaries, account, folder, port: free_port(), server: Mutex::new(None), _guard: guard };
        server.initialize();
        server.launch(&mut server.held());
        server
    }

    /// The URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database.
    pub fn create_database(&self, name: &str) {
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\""));
    }

    /// Runs statements by `psql` and answers with their rows, columns parted by `|`.
    #[must_use = "the rows; drop them if the statements have none"]
    pub fn query(&self, database: &str, statements: &str) -> String {
        let output = self.psql(database, statements);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "psql failed on {statements}: {errors}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs statements by `psql`.
    pub fn sql(&self, database: &str, statements: &str) {
        drop(self.query(database, statements));
    }

    /// The folder of the server's programs, such as `pgbench`.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.binaries.folder
    }

    /// Stops the server in order; clients are cut off.
    pub fn stop(&self) {
        self.end(Signal::INT);
    }

    /// Kills the server as a crash would: what was not on the disk is lost.
    pub fn kill(&self) {
        self.end(Signal::KILL);
    }

    /// Starts the server again on the same port and data, stopping it first if it runs.
    pub fn restart(&self) {
        self.stop();
        self.launch(&mut self.held());
    }

    fn held(&self) -> MutexGuard<'_, Option<Child>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn initialize(&self) {
        let mut initdb = self.command("initdb");
        initdb.args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-sync"]);
        initdb.args(["--locale", "C", "--pgdata"]).arg(self.data());
        if self.binaries.major >= 15 {
            initdb.args(["--locale-provider", "icu", "--icu-locale", "en-US"]);
        }
        let output = initdb.output().expect("initdb can be run");
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn launch(&self, held: &mut Option<Child>) {
        let log = File::options().create(true).append(true).open(self.log()).expect("a log");
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.folder.display()),
            "fsync=on".to_owned(),
            "synchronous_commit=on".to_owned(),
            "shared_buffers=64MB".to_owned(),
            "max_connections=200".to_owned(),
        ];
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            let mut postgres = self.command("postgres");
            postgres.arg("-D").arg(self.data());
            for setting in &settings {
                postgres.args(["-c", setting]);
            }
            postgres.stdout(log.try_clone().expect("a log")).stderr(log.try_clone().expect("a log"));
            let mut child = postgres.spawn().expect("postgres can be run");
            while child.try_wait().expect("the server's state").is_none() {
                if self.answers() {
                    *held = Some(child);
                    return;
                }
                self.check(deadline, "start");
                thread::sleep(Duration::from_millis(20));
            }
            // After a crash the children of the old server may still hold its shared memory for a moment.
            self.check(deadline, "start");
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn end(&self, signal: Signal) {
        let Some(mut child) = self.held().take() else { return };
        let children = children_of(child.id());
        signal_process(child.id(), signal);
        if signal == Signal::KILL {
            for id in &children {
                signal_process(*id, signal);
            }
        }
        child.wait().expect("the server ends");
        let deadline = Instant::now() + WAIT_MAX;
        while children.iter().any(|id| is_alive(*id)) {
            self.check(deadline, "stop");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn answers(&self) -> bool {
        self.psql("postgres", "SELECT 1").status.success()
    }

    fn psql(&self, database: &str, statements: &str) -> Output {
        let mut psql = self.command("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        psql.args(["--dbname", &self.url(database), "--command", statements]);
        psql.output().expect("psql can be run")
    }

    /// A program of PostgreSQL, as the user that owns the folder.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.folder.join(program));
        if let Some(account) = &self.account {
            command.uid(account.user).gid(account.group);
        }
        // A process group of its own, so that Ctrl-C reaches the tests first.
        command.current_dir(&self.folder).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        command.process_group(0).stdin(Stdio::null());
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.join(guard::DATA)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn check(&self, deadline: Instant, what: &str) {
        if Instant::now() > deadline {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            panic!("PostgreSQL did not {what} in time; its log:\n{log}");
        }
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        self.end(Signal::QUIT);
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a port").port()
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(id.try_into().ok()?)
}

fn signal_process(id: u32, signal: Signal) {
    // It may have ended by itself.
    let _ = pid(id).map(|pid| kill_process(pid, signal));
}

fn is_alive(id: u32) -> bool {
    pid(id).is_some_and(|pid| test_kill_process(pid).is_ok())
}

/// The processes of one server, which outlive a killed one for a moment.
fn children_of(id: u32) -> Vec<u32> {
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().expect("ps can be run");
    let listed = String::from_utf8_lossy(&output.stdout);
    let pairs = listed.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
    let children = pairs.filter(|(_, parent)| parent.trim() == id.to_string());
    children.filter_map(|(child, _)| child.parse().ok()).collect()
}
