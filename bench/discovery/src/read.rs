//! Requests as lines of text, and candidates as lines of JSON.

use std::io::{BufRead, Error};

use demilune_discovery::{Candidate, Sighting, Sightings};
use demilune_inventory::{Method, NormalizedPath};
use serde_json::{Value, json};

use crate::random::Random;

/// Media types that pages are made of: the gateway does not show them to discovery.
const PAGES: [&str; 7] = ["text/html", "text/css", "application/javascript", "image/", "font/", "audio/", "video/"];

/// Reads `seconds, method, host, path, caller, session, status, media type` lines, and sees what the gateway would.
pub fn sightings(lines: impl BufRead) -> Result<Sightings, Error> {
    let (mut seen, mut nonces) = (Sightings::default(), Random::new(1));
    for line in lines.lines() {
        let line = line?;
        let fields: Vec<&str> = line.split('\t').collect();
        let nonce = nonces.next();
        if observe(&mut seen, &fields, nonce).is_none() {
            return Err(Error::other(format!("not a request: {line}")));
        }
    }
    Ok(seen)
}

fn observe(seen: &mut Sightings, fields: &[&str], nonce: u64) -> Option<()> {
    let [seconds, method, host, path, caller, session, status, media] = *fields else { return None };
    let status: u16 = status.parse().ok()?;
    if !(200..300).contains(&status) || PAGES.iter().any(|page| media.starts_with(page)) {
        return Some(());
    }
    let path = NormalizedPath::from_live(path.as_bytes()).ok()?;
    seen.observe(&Sighting {
        method: method.parse::<Method>().ok()?,
        host,
        path: path.as_str(),
        caller: caller.parse().ok()?,
        has_session: session == "1",
        nonce,
        seconds: seconds.parse().ok()?,
    });
    Some(())
}

/// A candidate as one line of JSON.
#[must_use]
pub fn line(found: &Candidate) -> Value {
    let part = |part: &demilune_discovery::Part| {
        json!([part.literal, format!("{:?}", part.reason), part.requests, part.words])
    };
    json!({
        "method": found.key.method.to_string(),
        "host": found.key.host.as_str(),
        "endpoint": found.key.endpoint.as_str(),
        "requests": found.requests,
        "callers": found.callers_at_least,
        "is_estimate": found.is_estimate,
        "origins": found.origins.iter().map(|origin| origin.as_str()).collect::<Vec<_>>(),
        "parts": found.parts.iter().map(part).collect::<Vec<_>>(),
    })
}
