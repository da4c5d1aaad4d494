//! What is written down of requests: the access log, records and metrics.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use demilune_gateway::{AccessLog, AccessLogTarget};
use demilune_policy::rule::Unmatched;
use demilune_traffic::StatusClass;
use serde_json::Value;
use support::{Rules, TestGateway, TestOrigin, eventually, status};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn the_access_log_is_json_without_queries_and_goes_on_in_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
    let origin = TestOrigin::answering(OK);
    let rules = Rules::to(origin.address).operation("GET", "/users/{id}");
    let gateway = TestGateway::start_as(rules, |setup| {
        setup.access_log = Some(AccessLog::open(AccessLogTarget::File(path.clone())).unwrap());
    });
    gateway.ask("GET /users/%22quoted%22\"?secret=1", "X-Key: credential\r\n");
    gateway.raw("GET / HTTP/1.1\r\nHost: evil\" host\r\n\r\n");
    eventually("two lines are written", || lines(&path).len() == 2);
    let written = lines(&path);
    let members = [
        "time",
        "request_id",
        "zone",
        "operation_id",
        "endpoint",
        "method",
        "host",
        "path",
        "decision",
        "status",
        "duration_us",
        "origin_us",
        "bytes_in",
        "bytes_out",
        "session",
        "client",
    ];
    let documented = include_str!("../../../docs/gateway.md");
    for line in &written {
        assert_eq!(line.as_object().unwrap().len(), members.len(), "{line}");
        for member in members {
            assert!(line.get(member).is_some(), "{member}: {line}");
            assert!(documented.contains(&format!("`{member}`")), "docs/gateway.md lacks {member}");
        }
    }
    assert_eq!(written[0]["endpoint"], "/users/{var1}");
    assert_eq!((&written[0]["status"], &written[0]["decision"]), (&200.into(), &"forwarded".into()));
    assert_eq!((&written[1]["status"], &written[1]["decision"]), (&400.into(), &"unreadable".into()));
    fs::rename(&path, &moved).unwrap();
    gateway.gateway.reopen_access_log();
    gateway.ask("GET /users/8?secret=1", "");
    eventually("the new file has the new line", || lines(&path).len() == 1);
    assert_eq!(lines(&moved).len(), 2);
    for file in [path, moved] {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("secret") && !text.contains("credential"), "{text}");
    }
}

#[test]
fn records_count_by_operation_what_became_of_requests() {
    let origin = TestOrigin::start(|exchange, _| {
        while let Some(request) = exchange.request() {
            let answer = if request.contains("/users/missing") {
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
            } else {
                OK
            };
            exchange.send(answer);
        }
    });
    let rules = Rules::to(origin.address).operation("POST", "/users/{id}");
    let gateway = TestGateway::start(rules.settings(|settings| settings.unmatched = Unmatched::Block));
    for _ in 0..3 {
        gateway.ask("POST /users/7", "Content-Length: 5\r\n\r\nhello");
    }
    gateway.ask("POST /users/missing", "");
    gateway.ask("GET /elsewhere", "");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let changed = || gateway.gateway.records().changed(now, 100);
    let requests = || changed().iter().map(|(_, _, snapshot)| snapshot.record.requests()).sum::<u64>();
    eventually("all are counted", || requests() == 5);
    let sum = |operation: bool| {
        let changed = changed();
        let records = changed.iter().filter(|(key, ..)| key.operation.is_some() == operation);
        records.map(|(_, _, snapshot)| &snapshot.record).sum::<demilune_traffic::Record>()
    };
    let of_operation = sum(true);
    let answered = |class| of_operation.answered(class);
    assert_eq!((answered(StatusClass::Successful), answered(StatusClass::ClientError)), (3, 1));
    assert_eq!((of_operation.blocked(), of_operation.bytes_in(), of_operation.bytes_out()), (0, 15, 6));
    let unmatched = sum(false);
    assert_eq!((unmatched.blocked(), unmatched.answered(StatusClass::ClientError)), (1, 1));
}

#[test]
fn metrics_name_operations_and_never_paths_or_hosts_of_strangers() {
    let origin = TestOrigin::answering(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let gateway = TestGateway::start(Rules::to(origin.address).operation("GET", "/users/{id}"));
    assert_eq!(status(&gateway.ask("GET /users/raw-value", "")), 200);
    assert_eq!(status(&gateway.ask("GET /raw-path", "")), 200);
    assert_eq!(status(&gateway.raw("GET /raw-path HTTP/1.1\r\nHost: raw.test\r\nConnection: close\r\n\r\n")), 421);
    let counted = "gateway_requests_total{decision=\"forwarded\",status=\"2xx\"} 2";
    eventually("both are counted", || gateway.metrics().contains(counted));
    let metrics = gateway.metrics();
    let operation = "gateway_operation_requests_total{zone=\"z\",method=\"GET\",host=\"api.test\",endpoint=";
    for line in [
        format!("{operation}\"/users/{{var1}}\",status=\"2xx\"}} 1\n"),
        "endpoint=\"unmatched\",status=\"2xx\"} 1\n".to_owned(),
        "gateway_requests_total{decision=\"host_unknown\",status=\"4xx\"} 1\n".to_owned(),
        "gateway_informational_dropped_total 2\n".to_owned(),
        "gateway_ruleset_revision{zone=\"z\"} 1\n".to_owned(),
    ] {
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    assert!(!metrics.contains("raw"), "{metrics}");
}
