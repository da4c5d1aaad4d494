//! What a discovered operation rests on, in JSON.

use demilune_discovery::{Candidate, Part, Reason};
use demilune_inventory::Timestamp;
use serde_json::{Value, json};

/// The figures behind an operation, and for each segment why it is, or is not, a variable.
pub(crate) fn explanation(candidate: &Candidate) -> Value {
    let Candidate { requests, with_session, callers_at_least, first, last, is_estimate, hosts, parts, .. } = candidate;
    let segments: Vec<Value> = parts.iter().map(segment).collect();
    let example: String = parts.iter().map(example).collect();
    json!({
        "requests": requests,
        "requests_with_session": with_session,
        "callers_at_least": callers_at_least,
        "first_seen": time(*first),
        "last_seen": time(*last),
        "is_estimate": is_estimate,
        "hosts": hosts,
        "example": example,
        "segments": segments,
    })
}

fn segment(part: &Part) -> Value {
    let shapes: Vec<Value> = part
        .shapes
        .iter()
        .map(|(shape, requests)| json!({ "shape": shape.to_string(), "requests": requests }))
        .collect();
    json!({
        "segment": part.literal.clone().unwrap_or_else(|| format!("{{}}{}", part.suffix)),
        "is_variable": part.literal.is_none(),
        "reason": sentence(part),
        "requests": part.requests,
        "shapes": shapes,
        "words": part.words,
    })
}

/// A segment as most requests have it: what it says, or in the place of a value its shape.
fn example(part: &Part) -> String {
    let shape = || part.shapes.iter().max_by_key(|(_, requests)| **requests).map(|(shape, _)| shape.as_str());
    match &part.literal {
        Some(literal) => format!("/{literal}"),
        None => format!("/<{}>{}", shape().unwrap_or_default(), part.suffix),
    }
}

fn sentence(part: &Part) -> String {
    let words = part.words;
    match part.reason {
        Reason::Word => "A word that is neither rare here nor like those beside it.".to_owned(),
        Reason::OnlyValue => "It looks like a value, and is the only one that was seen here.".to_owned(),
        Reason::Ids if words == 0 => "What was seen here looks like ids.".to_owned(),
        Reason::Ids => format!("What was seen here looks like ids, and {words} words beside them are like them."),
        Reason::Tail => format!("New words go on coming: {words} were seen, and many of them only once or twice."),
        Reason::Many => format!("There are more words here than an interface has names: {words}."),
        Reason::Data => format!("Most of the {words} words here are such as people give to their things."),
        Reason::Alike => format!("What lies below the {words} words here is the same for all of them."),
    }
}

fn time(seconds: u64) -> Option<String> {
    let micros = i64::try_from(seconds).ok()?.checked_mul(1_000_000)?;
    Timestamp::from_micros(micros).map(|time| time.to_string())
}
