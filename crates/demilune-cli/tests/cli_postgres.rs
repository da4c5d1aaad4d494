//! `demilune serve` and the management commands on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use demilune_test_postgres::TestPostgres;
use support::{Server, check_failure, run, run_json, run_ok};

/// How long a revocation may take to reach other processes.
const REVOCATION_MAX: Duration = Duration::from_secs(1);

#[test]
fn nodes_share_a_database_and_each_has_a_data_folder() {
    let postgres = TestPostgres::start();
    postgres.create_database("shared");
    let url = postgres.url("shared");
    let first = Server::start(&["--database", &url]);
    let second = Server::start(&["--database", &url]);
    assert!(!second.data().join("first-token").exists());
    let (status, body) = second.call_as(&first.token(), "GET", "/zones", None);
    assert_eq!(status, 200, "{body}");
    assert_eq!(second.run_json(&["token", "list"]), first.run_json(&["token", "list"]));
}

#[test]
fn a_revoked_token_ends_at_once_here_and_soon_elsewhere() {
    let postgres = TestPostgres::start();
    postgres.create_database("shared");
    let url = postgres.url("shared");
    let here = Server::start(&["--database", &url]);
    let elsewhere = Server::start(&["--database", &url]);
    let created = here.run_json(&["token", "create", "--group", "Account API Gateway Read"]);
    let token = created["token"].as_str().unwrap();
    assert_eq!(here.call_as(token, "GET", "/zones", None).0, 200);
    assert_eq!(elsewhere.call_as(token, "GET", "/zones", None).0, 200);
    here.run_ok(&["token", "delete", created["id"].as_str().unwrap()]);
    assert_ne!(here.call_as(token, "GET", "/zones", None).0, 200);
    std::thread::sleep(REVOCATION_MAX);
    assert_ne!(elsewhere.call_as(token, "GET", "/zones", None).0, 200);
}

#[test]
fn commands_need_no_data_folder() {
    let postgres = TestPostgres::start();
    postgres.create_database("alone");
    let url = postgres.url("alone");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("none");
    let flags = ["--database", url.as_str(), "--data", data.to_str().unwrap()];
    let with_flags = |args: &[&'static str]| [args, &flags].concat();
    check_failure(&run(&with_flags(&["zone", "list"])), 1, "run `demilune migrate`");
    assert!(run_ok(&with_flags(&["migrate", "--dry-run"])).contains("CREATE TABLE"));
    assert!(run_ok(&with_flags(&["migrate"])).contains("migrated to schema 1"));
    let zone = run_json(&with_flags(&["zone", "create", "shop"]));
    assert_eq!(run_json(&with_flags(&["zone", "list"])), serde_json::json!([zone]));
    check_failure(&run(&with_flags(&["backup", "copy.db"])), 1, "pg_dump");
    assert!(!data.exists());
}

#[test]
fn a_database_that_is_not_there_is_said() {
    let postgres = TestPostgres::start();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let url = postgres.url("nowhere");
    let output = run(&["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap(), "--database", &url]);
    check_failure(&output, 1, "cannot connect to postgres://127.0.0.1:");
}
