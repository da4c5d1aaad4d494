//! The server does what its tests rely on.

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use demilune_test_postgres::TestPostgres;

#[test]
fn what_was_committed_survives_a_crash_and_a_restart() {
    let server = TestPostgres::start();
    server.create_database("a");
    server.sql("a", "CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
    server.kill();
    server.restart();
    assert_eq!(server.query("a", "SELECT n FROM t"), "1");
    server.restart();
    assert_eq!(server.query("a", "SELECT n FROM t"), "1");
    assert_eq!(server.query("a", "SHOW fsync"), "on");
}

#[test]
fn a_dropped_server_leaves_nothing() {
    let server = TestPostgres::start();
    let folder = server.query("postgres", "SHOW data_directory");
    drop(server);
    assert!(!Path::new(&folder).exists());
}

/// Run by the test below in a process of its own, which is then killed.
#[test]
#[ignore = "waits to be killed"]
fn holds_a_server() {
    static SERVER: std::sync::OnceLock<TestPostgres> = std::sync::OnceLock::new();
    let server = SERVER.get_or_init(TestPostgres::start);
    eprintln!("\nfolder {}", server.query("postgres", "SHOW data_directory"));
    thread::sleep(Duration::from_mins(10));
}

#[test]
fn a_server_ends_with_a_killed_process() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "holds_a_server", "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    let folder = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("folder ").map(str::to_owned)).unwrap();
    assert!(Path::new(&folder).exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while Path::new(&folder).exists() {
        assert!(Instant::now() < deadline, "{folder} is still there");
        thread::sleep(Duration::from_millis(50));
    }
}
