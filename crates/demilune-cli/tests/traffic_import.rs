//! `demilune traffic import`: access logs of other servers, counted beside live traffic.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fmt::Write as _,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use support::{
    Server, check_failure, demilune,
    gateway::{HOST, Origin},
    stderr,
};

/// A server with operations, and logs for it.
struct Shop {
    server: Server,
    logs: tempfile::TempDir,
}

impl Shop {
    /// A zone of which nothing is known.
    fn empty() -> Self {
        Self { server: Server::start(&[]), logs: tempfile::tempdir().unwrap() }
    }

    fn open() -> Self {
        let shop = Self::empty();
        let server = &shop.server;
        server.add("GET", "/orders/{id}");
        server.add("POST", "/orders");
        let identifiers = json!([{ "type": "header", "name": "X-Api-Key" }]);
        server.zone_call("PUT", "/configuration", &json!({ "auth_id_characteristics": identifiers }));
        shop
    }

    /// What is discovered: state, method, endpoint and requests, by endpoint.
    fn discovered(&self) -> Vec<(String, String, String, u64)> {
        let found = self.server.run_json(&["discover"]);
        let text = |found: &Value, name: &str| found[name].as_str().unwrap().to_owned();
        let row = |found: &Value| {
            assert_eq!(found["host"], HOST);
            (text(found, "state"), text(found, "method"), text(found, "endpoint"), found["requests"].as_u64().unwrap())
        };
        let mut rows: Vec<_> = found.as_array().unwrap().iter().map(row).collect();
        rows.sort_by(|one, other| one.2.cmp(&other.2));
        rows
    }

    fn log(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.logs.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn import(&self, file: &Path, args: &[&str]) -> Output {
        self.server.run(&[&["traffic", "import", file.to_str().unwrap(), "--output", "json"], args].concat())
    }

    /// The summary of an import that must work.
    fn imported(&self, file: &Path, args: &[&str]) -> Value {
        let output = self.import(file, args);
        assert!(output.status.success(), "{}", stderr(&output));
        summary(&output)
    }

    /// What the zone has records of: requests of the last week, and of these the ones that no operation fits.
    fn recorded(&self) -> (u64, u64) {
        let base = format!("{}/demilune/v1", self.server.public_url());
        let path = format!("/zones/{}/analytics?since=-200h", self.server.zone());
        let (status, body) = support::call(&base, &self.server.token(), "GET", &path, None);
        assert_eq!(status, 200, "{body}");
        let operations = body["result"]["operations"].as_array().unwrap();
        let unmatched = operations.iter().find(|operation| operation["operation_id"].is_null());
        let requests = |counts: &Value| counts["requests"].as_u64().unwrap();
        (requests(&body["result"]["totals"]), unmatched.map_or(0, |operation| requests(&operation["totals"])))
    }
}

fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Seconds since the epoch, some minutes ago.
fn minutes_ago(minutes: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - minutes * 60
}

/// Lines of our own form: orders that were looked at, each in a session of its own.
fn json_lines(minutes: u64, count: u64) -> String {
    let time = minutes_ago(minutes);
    let mut lines = String::new();
    for number in 0..count {
        let line = json!({
            "time": time, "remote_addr": "192.0.2.7", "method": "GET", "host": HOST, "path": format!("/orders/{number}?full=1"),
            "status": 200, "request_headers": { "X-Api-Key": format!("key-{number}") }, "duration_ms": 12.5,
        });
        writeln!(lines, "{line}").unwrap();
    }
    lines
}

/// Lines of nginx's combined format.
fn combined(minutes: u64, count: u64) -> String {
    let time = common_log_time(minutes_ago(minutes));
    let mut lines = String::new();
    for number in 0..count {
        writeln!(lines, "192.0.2.{} - - [{time}] \"GET /orders/7 HTTP/1.1\" 200 310 \"-\" \"curl/8\"", number % 200)
            .unwrap();
    }
    lines
}

/// What nginx writes that was told to log hosts and the types of answers.
const NGINX: &str = r#"$msec $remote_addr $http_host "$request" $status $body_bytes_sent "$sent_http_content_type""#;
const ORDERS: (&str, &str) = ("GET", "/v1/orders/{var1}");
const MESSAGES: (&str, &str) = ("POST", "/v1/users/{var1}/messages");

/// Lines of that: two operations with 2,000 requests each, pages with 1,500, and a scanner with as many.
fn nginx() -> String {
    let mut lines = String::new();
    let mut line = |minutes: u64, client: u64, request: &str, status: u16, media_type: &str| {
        let (time, client) = (minutes_ago(minutes), format!("198.51.{}.{}", client % 90, client % 7));
        writeln!(lines, r#"{time}.250 {client} {HOST} "{request} HTTP/1.1" {status} 310 "{media_type}""#).unwrap();
    };
    let json = "application/json; charset=utf-8";
    for number in 0..2_000_u64 {
        let id = 40_000 + number * 7_919 % 90_000;
        line(10, number, &format!("GET /v1/orders/{id}?full=1"), 200, json);
        let random = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let user = format!("{:08x}-{number:04x}-4{number:03x}-8abc-{:012x}", random >> 32, random & 0xFFFF_FFFF_FFFF);
        line(9, number + 3, &format!("POST /v1/users/{user}/messages"), 201, json);
        if number % 4 > 0 {
            line(9, number, &format!("GET /blog/page-{}", number % 20), 200, "text/html");
            line(8, 77, &format!("GET /wp-content/plugins/x{number}/readme.txt"), 404, "text/html");
        }
    }
    lines
}

fn in_review(found: &[(&str, &str)], requests: u64) -> Vec<(String, String, String, u64)> {
    let row = |(method, endpoint): &(&str, &str)| {
        ("review".to_owned(), (*method).to_owned(), (*endpoint).to_owned(), requests)
    };
    found.iter().map(row).collect()
}

/// A time as the Common Log Format has it.
fn common_log_time(seconds: u64) -> String {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
    time.strftime("%d/%b/%Y:%H:%M:%S %z").to_string()
}

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Checks members of a summary.
#[track_caller]
fn check(summary: &Value, expected: &[(&str, u64)]) {
    for (name, number) in expected {
        assert_eq!(summary[name], *number, "{name} in {summary:#}");
    }
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let shop = Shop::open();
    let lines = json_lines(10, 60) + "broken\n" + &json_lines(20, 5).replace("/orders/", "/elsewhere/");
    let log = shop.log("access.jsonl", &lines);
    let first = shop.imported(&log, &[]);
    let counts =
        [("lines", 66), ("broken", 1), ("with_host", 65), ("matched", 60), ("with_session", 60), ("counted", 60)];
    check(&first, &counts);
    check(&first, &[("operations", 1), ("stored", 2), ("already_there", 0)]);
    assert_eq!(first["files"][0]["broken_places"][0]["place"], "line 61");
    assert!(first["first_request"].as_str() < first["last_request"].as_str(), "{first}");
    assert_eq!(shop.recorded(), (65, 5));
    let second = shop.imported(&log, &[]);
    check(&second, &counts);
    check(&second, &[("stored", 0), ("already_there", 2), ("for_discovery", 5)]);
    assert_eq!(shop.recorded(), (65, 5));
    // Neither its name nor its compression makes another file of it.
    let compressed = shop.imported(&shop.log("rotated.gz", gzip(&lines)), &[]);
    check(&compressed, &[("stored", 0), ("already_there", 2)]);
    assert_eq!(shop.recorded(), (65, 5));
}

#[test]
fn a_log_of_enough_sessions_gives_thresholds_at_once() {
    let shop = Shop::open();
    let imported = shop.imported(&shop.log("access.jsonl", json_lines(10, 60)), &[]);
    check(&imported["thresholds"], &[("operations", 1), ("with_thresholds", 1)]);
    let path = "/operations?feature=thresholds&order=thresholds.requests";
    let operations = shop.server.zone_call("GET", path, &Value::Null);
    let thresholds = &operations[0]["features"]["thresholds"];
    check(thresholds, &[("auth_id_tokens", 60), ("data_points", 60), ("requests", 60), ("period_seconds", 600)]);
    assert_eq!(thresholds["last_updated"], imported["thresholds"]["window_end"]);
}

#[test]
fn a_client_is_one_session_in_logs_and_in_live_traffic() {
    let mut shop = Shop::open();
    shop.server.set_origin(&Origin::start("origin"));
    // A start has the rules in force at once, and an orderly end stores what was counted.
    shop.server.stop();
    shop.server.start_again();
    let mut client = shop.server.client();
    for number in 0..60 {
        let answer = client.send("GET", HOST, "/orders/1", &format!("X-Api-Key: key-{number}\r\n")).unwrap();
        assert_eq!(answer.status, 200);
    }
    shop.server.stop();
    shop.server.start_again();
    shop.imported(&shop.log("access.jsonl", json_lines(0, 60)), &[]);
    let operations =
        shop.server.zone_call("GET", "/operations?feature=thresholds&order=thresholds.requests", &Value::Null);
    check(&operations[0]["features"]["thresholds"], &[("auth_id_tokens", 60), ("requests", 120)]);
}

#[test]
fn too_few_sessions_are_no_failure() {
    let shop = Shop::open();
    let imported = shop.imported(&shop.log("access.jsonl", json_lines(10, 49)), &[]);
    check(&imported, &[("with_session", 49), ("stored", 1)]);
    check(&imported["thresholds"], &[("operations", 1), ("with_thresholds", 0)]);
}

#[test]
fn another_reading_of_the_same_file_takes_the_place_of_the_first() {
    let shop = Shop::open();
    let log = shop.log("access.jsonl", json_lines(10, 60));
    shop.imported(&log, &[]);
    let second = shop.imported(&log, &["--session", "remote_addr"]);
    check(&second, &[("with_session", 60), ("stored", 1), ("already_there", 0)]);
    assert_eq!(second["replaced"], true);
    assert_eq!(shop.recorded(), (60, 0));
    // An operation that was added since is another reading too.
    shop.server.add("GET", "/orders/7");
    check(&shop.imported(&log, &["--session", "remote_addr"]), &[("operations", 2), ("stored", 2)]);
    assert_eq!(shop.recorded(), (60, 0));
}

#[test]
fn a_log_without_hosts_needs_one() {
    let shop = Shop::open();
    let log = shop.log("access.log", combined(10, 40));
    let refused = shop.import(&log, &[]);
    check_failure(&refused, 1, "no record names a host: name it with --host");
    assert!(stderr(&refused).contains("log_format demilune '$msec $remote_addr $http_host"), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("\"$http_x_api_key\""), "{}", stderr(&refused));
    assert_eq!(shop.recorded(), (0, 0));
    let given = shop.import(&log, &["--host", HOST]);
    assert!(given.status.success());
    check(&summary(&given), &[("with_host", 40), ("matched", 40), ("with_session", 0), ("counted", 40)]);
    assert!(stderr(&given).contains("--session remote_addr"), "{}", stderr(&given));
    assert_eq!(shop.recorded(), (40, 0));
}

#[test]
fn sessions_may_be_told_apart_by_address() {
    let shop = Shop::open();
    let log = shop.log("access.log", combined(10, 40));
    let imported = shop.import(&log, &["--host", HOST, "--session", "remote_addr"]);
    assert!(imported.status.success());
    check(&summary(&imported), &[("with_session", 40), ("counted", 40)]);
    assert!(!stderr(&imported).contains("session"), "{}", stderr(&imported));
    let missing = shop.import(&log, &["--host", HOST, "--session", "account"]);
    check_failure(&missing, 1, "no request has a session by \"account\"");
    check_failure(&shop.import(&log, &["--host", "https://api.example.com/"]), 2, "invalid value");
}

#[test]
fn a_log_may_come_compressed_over_standard_input() {
    let shop = Shop::open();
    let mut child = demilune()
        .args(["traffic", "import", "-", "--output", "json", "--data"])
        .arg(shop.server.data())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&gzip(&json_lines(10, 60))).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    check(&summary(&output), &[("matched", 60), ("stored", 1)]);
    assert_eq!(shop.recorded(), (60, 0));
}

#[test]
fn a_format_string_of_nginx_tells_how_to_read() {
    let shop = Shop::open();
    let line = format!("{}.250 {HOST} \"POST /orders HTTP/1.1\" 201 0.250 \"key-1\"\n", minutes_ago(10));
    let log = shop.log("access.log", line.repeat(3));
    check_failure(&shop.import(&log, &[]), 1, "cannot be told");
    let format = "log_format api '$msec $http_host \"$request\" $status ' '$request_time \"$http_x_api_key\"';";
    check(&shop.imported(&log, &["--log-format", format]), &[("matched", 3), ("with_session", 3), ("counted", 3)]);
    check_failure(&shop.import(&log, &["--log-format", "$msec$host"]), 1, "nothing stands before $host");
}

#[test]
fn what_nothing_can_be_made_of_ends_with_1_and_says_what_to_do() {
    let shop = Shop::open();
    let failing = |name: &str, content: &str, args: &[&str], sentence: &str| {
        check_failure(&shop.import(&shop.log(name, content), args), 1, sentence);
    };
    failing("words.log", "just words\n", &[], "words.log: its format cannot be told");
    failing("empty.log", "", &[], "empty.log: it is empty");
    failing("words.log", "just words\n", &["--format", "clf"], "line 1: it does not have the form of the log");
    failing("other.jsonl", &json_lines(10, 3).replace(HOST, "www.example.org"), &[], "other hosts (www.example.org)");
    let not_found = json_lines(10, 3).replace("/orders/", "/x/").replace("200", "404");
    failing("paths.jsonl", &not_found, &[], "(the first: GET /x/0)");
    failing("old.jsonl", &json_lines(60 * 24 * 9, 3), &[], "over a week ago");
    check_failure(&shop.server.run(&["traffic", "import", "/does/not/exist"]), 1, "cannot be read");
    assert_eq!(shop.recorded(), (0, 0));
}

#[test]
fn a_file_that_can_be_used_is_stored_beside_one_that_cannot() {
    let shop = Shop::open();
    let good = shop.log("good.jsonl", json_lines(10, 60));
    let bad = shop.log("bad.jsonl", json_lines(60 * 24 * 9, 3));
    let mut cut_off = gzip(&json_lines(10, 60));
    cut_off.truncate(cut_off.len() - 9);
    let cut_off = shop.log("cut-off.gz", cut_off);
    let output = shop.import(&bad, &[cut_off.to_str().unwrap(), good.to_str().unwrap()]);
    check_failure(&output, 1, "bad.jsonl: the log's requests are over a week ago");
    check_failure(&output, 1, "cut-off.gz: it cannot be read to its end");
    check(&summary(&output), &[("lines", 63), ("too_old", 3), ("stored", 1)]);
    assert_eq!(shop.recorded(), (60, 0));
}

#[test]
fn logs_are_imported_without_a_server_too() {
    let mut shop = Shop::open();
    shop.server.stop();
    let log = shop.log("access.jsonl", json_lines(10, 60));
    check(&shop.imported(&log, &[]), &[("matched", 60), ("with_session", 60)]);
    shop.server.start_again();
    assert_eq!(shop.recorded(), (60, 0));
}

#[test]
fn sessions_are_those_of_the_servers_key() {
    let shop = Shop::open();
    let log = shop.log("access.jsonl", json_lines(10, 60));
    let key = shop.log("other.key", "0123456789abcdef0123456789abcdef");
    let refused = shop.import(&log, &["--secret-file", key.to_str().unwrap()]);
    check_failure(&refused, 1, "hashes sessions with another key");
    assert_eq!(shop.recorded(), (0, 0));
}

#[test]
fn a_har_document_is_imported() {
    let shop = Shop::open();
    let time = jiff::Timestamp::from_second(i64::try_from(minutes_ago(10)).unwrap()).unwrap();
    let entry = json!({
        "startedDateTime": time.to_string(), "time": 12.5,
        "request": { "method": "GET", "url": format!("https://{HOST}/orders/7"), "headers": [{ "name": "x-api-key", "value": "k" }] },
        "response": { "status": 200, "bodySize": 310 },
    });
    let log = shop.log("session.har", json!({ "log": { "version": "1.2", "entries": [entry, {}] } }).to_string());
    let imported = shop.imported(&log, &[]);
    check(&imported, &[("lines", 2), ("broken", 1), ("matched", 1), ("with_session", 1)]);
    assert_eq!(imported["files"][0]["format"], "har");
    assert_eq!(imported["learned"], json!({ "stored": 1, "refused_late": 0 }));
}

#[test]
fn the_operations_of_a_zone_that_has_none_are_found_in_a_log() {
    let shop = Shop::empty();
    shop.server.run_ok(&["origin", "set", "--host", HOST, "http://127.0.0.1:9"]);
    let log = shop.log("access.log", nginx());
    let args = ["--log-format", NGINX];
    let first = shop.imported(&log, &args);
    check(&first, &[("lines", 7_000), ("to_the_zone", 7_000), ("matched", 0), ("for_discovery", 4_000)]);
    check(&first, &[("discovery_with_caller", 4_000), ("in_review", 2)]);
    check(&first["sightings"], &[("refused_late", 0)]);
    assert_eq!(shop.discovered(), in_review(&[ORDERS, MESSAGES], 2_000));
    // The same again is nothing new.
    let second = shop.imported(&log, &args);
    check(&second, &[("stored", 0), ("for_discovery", 4_000), ("in_review", 2)]);
    assert_eq!(shop.discovered(), in_review(&[ORDERS, MESSAGES], 2_000));
    assert_eq!(shop.recorded(), (7_000, 7_000));
    // What is saved is matched from then on, and what was seen of it before goes.
    shop.server.add(ORDERS.0, ORDERS.1);
    let third = shop.imported(&log, &args);
    check(&third, &[("matched", 2_000), ("for_discovery", 2_000), ("in_review", 1)]);
    assert_eq!(third["replaced"], true);
    assert_eq!(shop.discovered(), in_review(&[MESSAGES], 2_000));
    assert_eq!(shop.recorded(), (7_000, 5_000));
    let printed = shop.server.run_ok(&["traffic", "import", log.to_str().unwrap(), "--log-format", NGINX]);
    for line in ["for discovery    2000", "discovered       1 operation in review; see `demilune discover`"] {
        assert!(printed.contains(line), "{line:?} is not in {printed}");
    }
}

#[test]
fn a_zone_without_operations_owns_the_host_that_is_named() {
    let shop = Shop::empty();
    let log = shop.log("access.log", nginx());
    let refused = shop.import(&log, &["--log-format", NGINX]);
    check_failure(
        &refused,
        1,
        &format!("the zone has neither operations nor origins, by which it would own the log's hosts ({HOST})"),
    );
    assert_eq!(shop.discovered(), []);
    check(
        &shop.imported(&log, &["--log-format", NGINX, "--host", HOST]),
        &[("for_discovery", 4_000), ("in_review", 2)],
    );
    assert_eq!(shop.discovered(), in_review(&[ORDERS, MESSAGES], 2_000));
    // Too few are no failure, and the summary says what it takes.
    let other = Shop::empty();
    let few = other.log("few.log", nginx().lines().take(9).collect::<Vec<_>>().join("\n"));
    let printed = ["traffic", "import", few.to_str().unwrap(), "--log-format", NGINX, "--host", HOST];
    let printed = other.server.run_ok(&printed);
    assert!(printed.contains("nothing in review: an operation takes 500 requests"), "{printed}");
}

#[test]
fn pages_of_a_har_document_are_no_operations() {
    let shop = Shop::open();
    let time = jiff::Timestamp::from_second(i64::try_from(minutes_ago(10)).unwrap()).unwrap();
    let entry = |path: &str, number: u64, media_type: &str| {
        json!({
            "startedDateTime": time.to_string(), "time": 12.5,
            "request": {
                "method": "GET", "url": format!("https://{HOST}{path}/{number}"),
                "headers": [{ "name": "x-api-key", "value": "k" }],
            },
            "response": { "status": 200, "bodySize": 310, "content": { "size": 310, "mimeType": media_type } },
        })
    };
    let entries: Vec<Value> = (0..600)
        .flat_map(|number| {
            [entry("/pages", number, "text/html; charset=utf-8"), entry("/items", number, "application/json")]
        })
        .collect();
    let log = shop.log("session.har", json!({ "log": { "version": "1.2", "entries": entries } }).to_string());
    let imported = shop.imported(&log, &[]);
    check(&imported, &[("lines", 1_200), ("matched", 0), ("for_discovery", 600), ("discovery_with_session", 600)]);
    assert_eq!(shop.discovered(), in_review(&[("GET", "/items/{var1}")], 600));
}

#[test]
fn what_nobody_is_known_to_have_sent_is_remarked_upon() {
    let shop = Shop::open();
    let lines = json_lines(10, 600).replace("/orders/", "/items/").replace("X-Api-Key", "X-Other");
    let log = shop.log("access.jsonl", lines.replace("192.0.2.7", "unix:"));
    let imported = shop.import(&log, &[]);
    assert!(imported.status.success());
    check(&summary(&imported), &[("for_discovery", 600), ("discovery_with_caller", 0), ("in_review", 0)]);
    assert!(stderr(&imported).contains("log the client's address or a session"), "{}", stderr(&imported));
}

#[test]
fn the_summary_is_a_table_for_people() {
    let shop = Shop::open();
    let log = shop.log("access.jsonl", json_lines(10, 60) + "broken\n");
    let printed = shop.server.run_ok(&["traffic", "import", log.to_str().unwrap()]);
    for line in ["matched          60", "with a session   60", "there already    0", "line 61: it is no JSON object"] {
        assert!(printed.contains(line), "{line:?} is not in {printed}");
    }
}
