//! What a person at a terminal sees of `demilune serve`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use rustix::{
    fs::{Mode, OFlags, open},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use serde_json::Value;
use support::{call, demilune};

#[test]
fn the_printed_curl_line_adds_an_operation_when_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let screen = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let mut child = demilune()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .stdin(Stdio::null())
        .stdout(screen)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();

    let lines = BufReader::new(File::from(terminal)).lines().map(Result::unwrap);
    let mut pasted = String::new();
    for line in lines.skip_while(|line| !line.trim_start().starts_with("curl ")) {
        let line = line.trim_end_matches('\r').to_owned();
        pasted.push_str(&line);
        pasted.push('\n');
        if !line.ends_with('\\') {
            break;
        }
    }
    let arguments = as_the_shell_reads_it(&pasted);
    let [url, "-H", authorization, "-H", "Content-Type: application/json", "-d", body] = arguments[..] else {
        panic!("{arguments:?}");
    };
    let token = authorization.strip_prefix("Authorization: Bearer ").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let (status, answer) = call(url, token, "POST", "", Some(&body));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["result"]["endpoint"], "/api/v1/users/{var1}");
    assert_eq!(answer["result"]["operation_id"].as_str().unwrap().len(), 36);

    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The arguments that `curl` would get.
fn as_the_shell_reads_it(pasted: &str) -> Vec<&'static str> {
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{pasted}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().leak().lines().collect()
}
