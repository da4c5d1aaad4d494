//! Management commands, through the running server and straight on the store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, process::Stdio};

use support::{Server, check_failure, demilune, operation, run, run_json, run_ok, stderr};
use tempfile::TempDir;

/// A data folder with a database and no server.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        run_ok(&["migrate", "--data", &folder.data()]);
        folder
    }

    fn data(&self) -> String {
        self.0.path().join("data").to_str().unwrap().to_owned()
    }
}

#[test]
fn a_zone_is_added_listed_and_deleted_without_a_server() {
    let folder = Folder::new();
    let data = folder.data();
    let zone = run_json(&["zone", "create", "shop", "--data", &data]);
    assert_eq!(zone["id"].as_str().unwrap().len(), 32);
    assert_eq!(run_json(&["zone", "list", "--data", &data]), serde_json::json!([zone]));
    assert!(run_ok(&["zone", "delete", "shop", "--data", &data]).contains("deleted zone shop"));
    assert_eq!(run_json(&["zone", "list", "--data", &data]), serde_json::json!([]));
}

#[test]
fn a_zone_may_have_a_chosen_id() {
    let server = Server::start(&[]);
    assert_eq!(server.run_json(&["zone", "create", "shop", "--id", "shop-1"])["id"], "shop-1");
    check_failure(&server.run(&["zone", "create", "other", "--id", "shop-1"]), 1, "already a zone with this id");
    check_failure(&server.run(&["zone", "create", "shop"]), 1, "already a zone with this name");
    check_failure(&server.run(&["zone", "create", "x", "--id", "a/b"]), 1, "a zone id has 1 to 32 characters");
}

#[test]
fn what_is_not_there_cannot_be_deleted() {
    let server = Server::start(&[]);
    check_failure(&server.run(&["zone", "delete", "nowhere"]), 1, "there is no zone \"nowhere\"");
    check_failure(&server.run(&["token", "delete", "abc"]), 1, "there is no token with the id \"abc\"");
    check_failure(&server.run(&["user", "delete", "a@b.example"]), 1, "there is no user \"a@b.example\"");
}

#[test]
fn a_token_works_at_once_and_ends_at_once_through_the_socket() {
    let server = Server::start(&[]);
    let created = server.run_json(&["token", "create", "--group", "domain api gateway"]);
    let token = created["token"].as_str().unwrap();
    let path = format!("/zones/{}/api_gateway/operations", server.zone());
    assert_eq!(created["grants"][0]["group"], "Domain API Gateway");
    assert_eq!(server.call_as(token, "GET", &path, None).0, 200);
    server.run_ok(&["token", "delete", created["id"].as_str().unwrap()]);
    assert_ne!(server.call_as(token, "GET", &path, None).0, 200);
}

#[test]
fn a_read_token_of_one_zone_reads_there_and_nothing_else() {
    let server = Server::start(&[]);
    let other = server.run_json(&["zone", "create", "other"])["id"].as_str().unwrap().to_owned();
    let first = server.run_json(&["zone", "list"])[0]["id"].as_str().unwrap().to_owned();
    assert_ne!(first, other);
    let created = server.run_json(&["token", "create", "--group", "Domain API Gateway Read", "--zone", "other"]);
    let token = created["token"].as_str().unwrap();
    let operations = |zone: &str| format!("/zones/{zone}/api_gateway/operations");
    assert_eq!(server.call_as(token, "GET", &operations(&other), None).0, 200);
    assert_ne!(server.call_as(token, "GET", &operations(&first), None).0, 200);
    let body = operation("GET", "a.example.com", "/");
    let item = format!("{}/item", operations(&other));
    assert_eq!(server.call_as(token, "POST", &item, Some(&body)).0, 403);
}

#[test]
fn groups_and_zones_must_fit_together() {
    let server = Server::start(&[]);
    server.run_ok(&["zone", "create", "second"]);
    let create = |args: &[&str]| server.run(&[&["token", "create"], args].concat());
    check_failure(&create(&["--group", "Domain API Gateway"]), 1, "there are 2 zones: name one with --zone");
    check_failure(&create(&["--group", "Account API Gateway", "--zone", "second"]), 1, "leave --zone out");
    check_failure(&create(&["--group", "API Gateway Read"]), 1, "`Domain API Gateway Read`");
    check_failure(&create(&["--group", "Domain API Gateway", "--zone", "third"]), 1, "there is no zone \"third\"");
    check_failure(&create(&[]), 2, "--group");
}

#[test]
fn a_token_may_expire() {
    let server = Server::start(&[]);
    let create =
        |time: &str| server.run(&["token", "create", "--group", "Account API Gateway Read", "--expires", time]);
    check_failure(&create("2020-01-01T00:00:00Z"), 1, "has passed");
    check_failure(&create("tomorrow"), 1, "RFC 3339");
    assert!(create("2999-01-01T00:00:00Z").status.success());
    assert_eq!(server.run_json(&["token", "list"])[0]["expires_at"], "2999-01-01T00:00:00.000000Z");
}

#[test]
fn a_secret_is_shown_once() {
    let server = Server::start(&[]);
    let created = server.run_json(&["token", "create", "--group", "Account API Gateway", "--name", "ci"]);
    let secret = created["token"].as_str().unwrap();
    assert_eq!(secret.len(), 40);
    for format in ["table", "json"] {
        assert!(!server.run_ok(&["token", "list", "--output", format]).contains(secret));
    }
    assert!(server.run_ok(&["token", "create", "--group", "Account API Gateway"]).starts_with("token "));
}

#[test]
fn a_user_gets_a_global_key() {
    let server = Server::start(&[]);
    let created = server.run_json(&["user", "create", "--email", "Ops@Example.com"]);
    assert_eq!(created["email"], "ops@example.com");
    assert_eq!(created["key"].as_str().unwrap().len(), 37);
    let request = ureq::get(format!("{}/zones", server.base_url()));
    let answer =
        request.header("X-Auth-Email", "ops@example.com").header("X-Auth-Key", created["key"].as_str().unwrap());
    assert_eq!(answer.call().unwrap().status(), 200);
    check_failure(&server.run(&["user", "create", "--email", "OPS@example.com"]), 1, "already a user");
    check_failure(&server.run(&["user", "create", "--email", "ops"]), 1, "no e-mail address");
    server.run_ok(&["user", "delete", "OPS@example.com"]);
    assert_eq!(server.run_json(&["user", "list"]), serde_json::json!([]));
}

#[test]
fn a_backup_of_a_running_server_is_a_database() {
    let server = Server::start(&[]);
    let path = format!("/zones/{}/api_gateway/operations/item", server.zone());
    server.call("POST", &path, Some(&operation("GET", "a.example.com", "/x")));

    let copies = tempfile::tempdir().unwrap();
    let file = copies.path().join("copy.db");
    server.run_ok(&["backup", file.to_str().unwrap()]);
    check_failure(&server.run(&["backup", file.to_str().unwrap()]), 1, "no backup was made");

    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", file.display());
    let restored = Server::start_in(folder, &[], &["--database", &database]);
    let path = format!("/zones/{}/api_gateway/operations", server.zone());
    let (status, body) = restored.call_as(&server.token(), "GET", &path, None);
    assert_eq!((status, body["result"][0]["endpoint"].as_str()), (200, Some("/x")), "{body}");
}

#[test]
fn a_backup_may_be_named_relative_to_the_caller() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let data = server.data();
    let status = demilune()
        .args(["backup", "copy.db", "--data"])
        .arg(data)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    assert!(folder.path().join("copy.db").exists());
}

#[test]
fn env_points_clients_at_the_running_server() {
    let server = Server::start(&[]);
    let script = format!(
        "eval \"$({} env --data '{}')\" && printf '%s\\n' \"$CLOUDFLARE_BASE_URL\" \"$CLOUDFLARE_API_TOKEN\" \"$ZONE_ID\"",
        env!("CARGO_BIN_EXE_demilune"),
        server.data().display()
    );
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    let expected = format!("{}\n{}\n{}\n", server.base_url(), server.token(), server.zone());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn env_needs_a_running_server() {
    let mut server = Server::start(&[]);
    server.stop();
    check_failure(&server.run(&["env"]), 1, "no server runs on the data folder");
}

#[test]
fn commands_make_no_data_folder_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data_text = data.to_str().unwrap();
    for args in
        [&["zone", "list"][..], &["zone", "create", "x"], &["backup", "x.db"], &["migrate", "--dry-run"], &["env"]]
    {
        run(&[args, &["--data", data_text]].concat());
        assert!(!data.exists(), "{args:?}");
    }
    check_failure(&run(&["zone", "list", "--data", data_text]), 1, "there is no data folder");
    fs::create_dir(&data).unwrap();
    check_failure(&run(&["zone", "list", "--data", data_text]), 1, "there is no database");
}

#[test]
fn a_command_for_another_database_does_not_go_to_the_running_server() {
    let server = Server::start(&[]);
    check_failure(
        &server.run(&["zone", "list", "--database", "sqlite:/elsewhere.db"]),
        1,
        "not on sqlite:/elsewhere.db",
    );
}

#[test]
fn commands_work_at_the_same_time() {
    let folder = Folder::new();
    let data = folder.data();
    let names: Vec<_> = (0..6).map(|number| format!("zone-{number}")).collect();
    let children: Vec<_> = names
        .iter()
        .map(|name| demilune().args(["zone", "create", name, "--data", &data]).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(run_json(&["zone", "list", "--data", &data]).as_array().unwrap().len(), names.len());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = demilune().arg("openapi").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_dry_run_of_a_migration_prints_statements() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let printed = run_ok(&["migrate", "--dry-run", "--data", data.to_str().unwrap()]);
    assert!(printed.contains("CREATE TABLE"), "{printed}");
    run_ok(&["migrate", "--data", data.to_str().unwrap()]);
    assert_eq!(run_ok(&["migrate", "--dry-run", "--data", data.to_str().unwrap()]), "the schema is up to date\n");
}

#[test]
fn manual_pages_and_completions_come_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    run_ok(&["man", folder.path().to_str().unwrap()]);
    assert!(folder.path().join("demilune-serve.1").exists());
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run_ok(&["completions", shell]).contains("demilune"), "{shell}");
    }
}
