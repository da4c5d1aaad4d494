//! What is in the way is said in one clear sentence, with a code other than zero and without a panic.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use support::{Server, check_failure, is_root, run, stderr};

fn serve(data: &Path, args: &[&str]) -> Output {
    let data = data.to_str().unwrap();
    run(&[&["serve", "--data", data, "--listen", "127.0.0.1:0"], args].concat())
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = run(&["serve", "--data", data.to_str().unwrap(), "--listen", &address]);
    check_failure(&output, 1, &format!("cannot listen on {address}"));
    assert_eq!(stderr(&output).lines().filter(|line| line.starts_with("demilune:")).count(), 1);
    assert!(!data.join("first-token").exists());
}

#[test]
fn a_database_url_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let output = serve(&folder.path().join("data"), &["--database", "postgres://u:hunter2@h:port/x"]);
    check_failure(&output, 2, "PostgreSQL URL");
    assert!(!stderr(&output).contains("hunter2"));
}

#[test]
fn a_postgresql_server_that_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let output = serve(&folder.path().join("data"), &["--database", "postgres://u:hunter2@127.0.0.1:1/x"]);
    check_failure(&output, 1, "cannot connect to postgres://127.0.0.1:1/x");
    assert!(!stderr(&output).contains("hunter2"));
}

#[test]
fn a_database_file_that_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("demilune.db"), [0x5a; 8192]).unwrap();
    check_failure(&serve(folder.path(), &[]), 1, "is not a database, or it is damaged");
    check_failure(&run(&["zone", "list", "--data", folder.path().to_str().unwrap()]), 1, "is not a database");
    assert!(!folder.path().join("first-token").exists());
}

#[test]
fn a_database_file_that_was_damaged_in_the_middle() {
    let mut server = Server::start(&[]);
    server.stop();
    let file = server.data().join("demilune.db");
    let mut bytes = fs::read(&file).unwrap();
    let length = bytes.len();
    bytes[100..length].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let output = server.run(&["serve", "--listen", "127.0.0.1:0"]);
    check_failure(&output, 1, "demilune: ");
}

#[test]
fn a_database_in_a_folder_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("no/such/folder.db").display());
    check_failure(&serve(&folder.path().join("data"), &["--database", &database]), 1, "cannot open the database file");
}

#[test]
fn a_data_folder_that_is_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    check_failure(&serve(file.path(), &[]), 1, "is no folder");
}

#[test]
fn a_data_folder_that_may_not_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let output = as_nobody(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    check_failure(&output, 1, "the data folder cannot be written");
    let nested = data.join("deeper");
    let output = as_nobody(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--data", nested.to_str().unwrap()]);
    check_failure(&output, 1, "cannot be created");
}

#[test]
fn a_data_folder_of_somebody_else_may_not_be_managed() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::start_in(folder, &[], &[]);
    if !is_root() {
        return;
    }
    let data = server.data();
    let output = as_nobody(data.parent().unwrap(), &["zone", "list", "--data", data.to_str().unwrap()]);
    check_failure(&output, 1, "Permission denied");
}

/// Runs a copy of the binary as an unprivileged user, who may not enter the folder it was built in.
fn as_nobody(folder: &Path, args: &[&str]) -> Output {
    let binary = folder.join("demilune");
    fs::copy(env!("CARGO_BIN_EXE_demilune"), &binary).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&binary);
        command
    } else {
        Command::new(&binary)
    };
    command.args(args).output().unwrap()
}

#[test]
fn a_certificate_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let missing = missing.to_str().unwrap();
    let output = serve(&folder.path().join("data"), &["--tls-cert", missing, "--tls-key", missing]);
    check_failure(&output, 1, "the certificate file");
    assert!(!folder.path().join("data").exists());
    check_failure(&serve(&folder.path().join("data"), &["--tls-cert", missing]), 2, "--tls-key");
}

#[test]
fn a_schema_that_may_not_be_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    check_failure(&serve(&data, &["--no-migrate"]), 1, "run `demilune migrate`");
    assert!(!data.exists());
}

#[test]
fn a_server_that_does_not_answer() {
    let mut server = Server::start(&[]);
    server.signal(rustix::process::Signal::STOP);
    check_failure(&server.run(&["zone", "list"]), 1, "did not answer");
    server.signal(rustix::process::Signal::CONT);
    assert!(server.stop().success());
}
