//! The access log of our own gateway, whose sessions are hashes already.

use super::Members;
use crate::traffic_log::{Defect, LogRecord, record::address};

/// How requests end that the policy had no word in; all else was answered by it.
const NOT_BLOCKED: [&str; 6] = ["forwarded", "client_left", "body_too_large", "body_stalled", "body_broken", "no_room"];
/// What the reasons begin with for which an origin gave no answer.
const ORIGIN: &str = "origin_";

pub(super) fn read(members: Members<'_>) -> Result<LogRecord, Defect> {
    let time_micros = members.time(&["time"])?;
    let (method, target) = members.request(&["method"], &["path"])?;
    let mut record = LogRecord::new(time_micros, method, target);
    record.host = record.host.or_else(|| members.owned(&["host"]));
    record.status = members.status(&["status"]);
    record.remote_addr = members.text(&["client"]).map(|text| address(&text));
    record.request_bytes = members.count(&["bytes_in"]);
    record.response_bytes = members.count(&["bytes_out"]);
    record.duration_us = members.count(&["duration_us"]);
    record.session = members.text(&["session"]).and_then(|text| hash(&text));
    if let Some(decision) = members.text(&["decision"]) {
        record.origin_error = decision.starts_with(ORIGIN);
        record.blocked = !record.origin_error && !NOT_BLOCKED.contains(&&*decision);
    }
    Ok(record)
}

/// A session's hash as the log shows it: eleven digits for 44 bits.
fn hash(text: &str) -> Option<u64> {
    let is_hash = text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|hash| is_hash && *hash > 0)
}

#[cfg(test)]
mod tests {
    use super::super::read;

    const LINE: &str = r#"{"time":"2026-11-23T09:30:00.250000Z","request_id":"0198f0a2-7c11-7000-8000-000000000001","zone":"z1","operation_id":null,"endpoint":null,"method":"GET","host":"api.example.com","path":"/orders/7","decision":"forwarded","status":200,"duration_us":1500,"origin_us":1200,"bytes_in":0,"bytes_out":310,"session":"00000abcdef","client":"192.0.2.7"}"#;

    #[test]
    fn a_line_is_read_back() {
        let record = read(LINE.as_bytes()).unwrap();
        assert_eq!(record.time_micros, 1_795_426_200_250_000);
        assert_eq!((record.method.as_str(), record.path.as_str()), ("GET", "/orders/7"));
        assert_eq!((record.host.as_deref(), record.status), (Some("api.example.com"), Some(200)));
        assert_eq!((record.response_bytes, record.duration_us), (Some(310), Some(1_500)));
        assert_eq!((record.session, record.remote_addr.as_deref()), (Some(0xab_cdef), Some("192.0.2.7")));
        assert_eq!((record.blocked, record.origin_error), (false, false));
    }

    #[test]
    fn how_a_request_ended_is_read_back() {
        let check = |decision: &str, expected: (bool, bool)| {
            let record = read(LINE.replace("forwarded", decision).as_bytes()).unwrap();
            assert_eq!((record.blocked, record.origin_error), expected, "{decision}");
        };
        check("client_left", (false, false));
        check("body_too_large", (false, false));
        check("unmatched", (true, false));
        check("origin_answer_timeout", (false, true));
    }

    #[test]
    fn what_is_no_hash_is_no_session() {
        for session in ["", "00000000000", "xyz", "+0000abcdef", "ffffffffffff"] {
            let record = read(LINE.replace("00000abcdef", session).as_bytes()).unwrap();
            assert_eq!(record.session, None, "{session}");
        }
    }
}
