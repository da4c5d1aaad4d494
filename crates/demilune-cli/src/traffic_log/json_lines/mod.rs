//! A JSON object in each line: our own form, our gateway's access log, and those of Caddy, Traefik and Envoy.

mod caddy;
mod envoy;
mod gateway;
mod members;
mod plain;
mod traefik;

use serde_json::{Map, Value};

use super::{Defect, LogRecord, record::Fields};
use members::Members;

/// Reads a line by the dialect that its members belong to. All members stay at hand as fields.
pub(super) fn read(line: &[u8]) -> Result<LogRecord, Defect> {
    let members: Map<String, Value> = serde_json::from_slice(line).map_err(|_| Defect::Json)?;
    let mut record = dialect(&members)(Members::new(&members))?;
    record.fields = Fields::Json(members);
    Ok(record)
}

type Dialect = fn(Members<'_>) -> Result<LogRecord, Defect>;

fn dialect(members: &Map<String, Value>) -> Dialect {
    let has = |name: &str| members.contains_key(name);
    if members.get("request").is_some_and(Value::is_object) {
        caddy::read
    } else if has("RequestMethod") {
        traefik::read
    } else if has("decision") && has("duration_us") {
        gateway::read
    } else if has("response_code") {
        envoy::read
    } else {
        plain::read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_none() {
        for line in ["", "[]", "7", "{", "{} {}", "{\"a\":\"\u{1}\"}"] {
            assert_eq!(read(line.as_bytes()).unwrap_err(), Defect::Json, "{line}");
        }
        assert_eq!(read(b"{\"a\":\"\xff\"}").unwrap_err(), Defect::Json);
        assert_eq!(read(b"{}").unwrap_err(), Defect::Time);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let line = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(line.as_bytes()).unwrap_err(), Defect::Json);
    }
}
