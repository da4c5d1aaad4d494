//! The demo, as the README's first command runs it: what it prints, and that what it prints works.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::demilune;

/// What the demo may take from its start to the last line: the promise is a minute on any machine.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);

struct Demo {
    child: Child,
    text: String,
}

impl Demo {
    fn start() -> Self {
        let begun = Instant::now();
        let mut child =
            demilune().arg("demo").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let shown: Vec<String> = lines.take_while(|line| !line.starts_with("Ctrl-C")).collect();
        assert!(begun.elapsed() < SHOWN_WITHIN);
        Self { child, text: shown.join("\n") }
    }

    /// The command that begins with this line, up to the line that does not go on.
    fn command(&self, start: &str) -> String {
        self.command_from(|line| line.trim_start().starts_with(start))
    }

    /// The command whose first line holds this.
    fn command_with(&self, part: &str) -> String {
        self.command_from(|line| line.contains(part))
    }

    fn command_from(&self, begins: impl Fn(&str) -> bool) -> String {
        let mut command = String::new();
        for line in self.text.lines().skip_while(|line| !begins(line)) {
            let goes_on = line.strip_suffix('\\');
            command.push_str(goes_on.unwrap_or(line));
            if goes_on.is_none() {
                break;
            }
        }
        command
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was learned about the parameters: the id in the path, and the language that some ask for.
fn check_parameters(features: &Value) {
    let parameters = &features["parameter_schemas"]["parameter_schemas"]["parameters"];
    let expected = [
        ("path", "var1", true, json!({ "type": "integer", "minimum": 1 })),
        ("query", "lang", false, json!({ "type": "string", "enum": ["de", "en", "fr"] })),
    ];
    assert_eq!(parameters.as_array().map(Vec::len), Some(expected.len()), "{features}");
    for (place, (kind, name, required, schema)) in expected.into_iter().enumerate() {
        let found = &parameters[place];
        assert_eq!((&found["in"], &found["name"], &found["required"]), (&json!(kind), &json!(name), &json!(required)));
        assert_eq!(found["schema"], schema);
        assert!(found["description"].as_str().unwrap().contains("high confidence"), "{found}");
    }
}

/// The document in force blocks, and there is a learned schema, too.
fn check_schema_info(info: &Value) {
    assert_eq!(info["active_schema"]["name"], "bookshop.yaml", "{info}");
    assert_eq!((&info["learned_available"], &info["mitigation_action"]), (&json!(true), &json!("block")), "{info}");
}

/// Runs a command line as somebody does who pastes it.
fn paste(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// All nine values of thresholds and all eight of confidence intervals are there, in the order that they must have.
fn check_thresholds(features: &Value) {
    let thresholds = &features["thresholds"];
    let suggested = thresholds["suggested_threshold"].as_u64().unwrap_or_else(|| panic!("{features}"));
    for member in ["auth_id_tokens", "data_points", "p50", "p90", "p99", "period_seconds", "requests"] {
        assert!(thresholds[member].as_u64().is_some_and(|number| number > 0), "{member}: {thresholds}");
    }
    let intervals = &features["confidence_intervals"];
    assert!(thresholds["last_updated"].is_string() && thresholds["last_updated"] == intervals["last_updated"]);
    let intervals = &intervals["suggested_threshold"];
    assert!(intervals["mean"].is_f64(), "{intervals}");
    for level in ["p90", "p95", "p99"] {
        let bound = |bound: &str| intervals["confidence_intervals"][level][bound].as_f64().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let suggested = suggested as f64;
        assert!(bound("lower") <= suggested && suggested <= bound("upper"), "{level}: {intervals}");
    }
}

/// A printed command of this binary.
fn ours(demo: &Demo, start: &str) -> String {
    demo.command(start).replacen("demilune", env!("CARGO_BIN_EXE_demilune"), 1)
}

#[test]
fn every_operation_of_the_sample_is_shown_with_what_it_saw() {
    let demo = Demo::start();
    for (method, endpoint) in [
        ("GET", "/books"),
        ("GET", "/books/{var1}"),
        ("GET", "/books/{var1}/reviews"),
        ("POST", "/orders"),
        ("GET", "/orders/{var1}"),
        ("DELETE", "/cart/{var1}"),
        ("GET", "/health"),
    ] {
        let row = demo.text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = row.into_iter().find(|words| words.starts_with(&[method, endpoint]));
        let requests: u64 = row.unwrap_or_else(|| panic!("{method} {endpoint}: {}", demo.text))[2].parse().unwrap();
        assert!(requests > 0, "{method} {endpoint}");
    }
    assert!(demo.text.contains("(no operation fits)"), "{}", demo.text);
}

#[test]
fn the_printed_lines_work_when_pasted() {
    let demo = Demo::start();
    let silent = |command: String| command.replacen("curl", "curl -sS --fail", 1);
    let answer: Value = serde_json::from_str(&paste(&silent(demo.command_with("/operations/item'")))).unwrap();
    assert_eq!(answer["success"], true, "{answer}");
    assert!(answer["result"]["features"]["api_routing"]["route"].is_string(), "{answer}");
    check_thresholds(&answer["result"]["features"]);
    check_parameters(&answer["result"]["features"]);
    check_schema_info(&answer["result"]["features"]["schema_info"]);
    let reasons: Value =
        serde_json::from_str(&paste(&silent(demo.command_with("/parameter_schemas/explain'")))).unwrap();
    assert_eq!(reasons["success"], true, "{reasons}");
    let document = paste(ours(&demo, "demilune schema export").trim());
    assert!(document.contains("\n  /books/{var1}:\n") && document.contains("name: lang\n"), "{document}");
    let explanation: Value = serde_json::from_str(&paste(&silent(demo.command_with("/thresholds/explain'")))).unwrap();
    assert_eq!(explanation["result"]["state"], "suggested", "{explanation}");
    let gateway = demo.text.lines().find(|line| line.trim_start().starts_with("curl") && line.contains("/books/7'"));
    let book: Value = serde_json::from_str(&paste(&silent(gateway.unwrap().trim().to_owned()))).unwrap();
    assert_eq!(book["book_id"], 7, "{book}");
    let explained = paste(ours(&demo, "demilune explain").trim());
    assert!(explained.contains("GET bookshop.example /books/{var1}") && explained.contains("(route)"), "{explained}");
}

#[test]
fn what_nobody_saved_is_found_and_one_of_it_is_saved() {
    let demo = Demo::start();
    let found = paste(ours(&demo, "demilune discover").trim());
    let row = |endpoint: &str| {
        let rows = found.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = rows.into_iter().find(|words| words.get(4) == Some(&endpoint));
        row.map_or_else(|| panic!("{endpoint}: {found}"), |words| words[..3].join(" "))
    };
    assert_eq!(row("/authors/{var1}"), "saved 600 GET");
    assert_eq!(row("/authors/{var1}/books"), "review 600 GET");
    assert!(demo.text.contains("  review  GET   /authors/{var1} "), "{}", demo.text);
    let silent = |command: String| command.replacen("curl", "curl -sS --fail", 1);
    let explained: Value = serde_json::from_str(&paste(&silent(demo.command_with("/discovery/operations/")))).unwrap();
    let segments = &explained["result"]["explanation"]["segments"];
    assert_eq!(
        (&segments[0]["segment"], &segments[0]["is_variable"]),
        (&json!("authors"), &json!(false)),
        "{explained}"
    );
    assert_eq!((&segments[1]["is_variable"], &segments[1]["shapes"][0]["shape"]), (&json!(true), &json!("integer")));
    let saved: Value = serde_json::from_str(&paste(&silent(demo.command_with("?state=saved'")))).unwrap();
    assert_eq!(saved["result"][0]["endpoint"], "/authors/{var1}", "{saved}");
    assert_eq!(saved["result_info"]["total_count"], 1, "{saved}");
}

#[test]
fn a_malformed_order_is_blocked_and_its_event_is_shown() {
    let demo = Demo::start();
    let order = demo.command_with("/orders' -H").replacen("curl", "curl -sS -w '%{http_code}' -o /dev/null", 1);
    assert_eq!(paste(&order), "403");
    let events = demo.command_with("/events?action=block'").replacen("curl", "curl -sS --fail", 1);
    let events: Value = serde_json::from_str(&paste(&events)).unwrap();
    let event = &events["result"][0];
    assert_eq!((&event["endpoint"], &event["action"]), (&json!("/orders"), &json!("block")), "{events}");
    assert_eq!(event["violations"][0]["request_place"], "/body/count", "{events}");
    for shown in ["\"code\": \"schema_violation\"", "\"request_place\": \"/body/count\""] {
        assert!(demo.text.contains(shown), "{shown}: {}", demo.text);
    }
}

#[test]
fn the_demo_ends_with_ctrl_c_and_leaves_nothing() {
    let mut demo = Demo::start();
    let explain = demo.command("demilune explain");
    let data = explain.split('\'').nth(1).unwrap().to_owned();
    assert!(Path::new(&data).is_dir(), "{data}");
    kill_process(Pid::from_child(&demo.child), Signal::INT).unwrap();
    assert!(demo.child.wait().unwrap().success());
    assert!(!Path::new(&data).exists(), "{data}");
}
