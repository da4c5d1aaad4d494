//! A day of the bookshop, as an access log has it: what there was before the gateway.

use std::fmt::Write;

use demilune_inventory::Timestamp;
use serde_json::json;

use super::sample_api::BOOKS;

/// People who came that day.
const VISITORS: u64 = 1_500;
/// Seconds of the day, which ends at a full hour.
const DAY_SECONDS: u64 = 24 * 3_600;
/// Seconds that a visit takes at most, so that the last ends before the day does.
const VISIT_SECONDS_MAX: u64 = 1_800;

/// The access log of the 24 hours before a full hour, in seconds since the epoch: JSON lines in the order of time.
pub(super) fn access_log(host: &str, end: u64) -> String {
    let mut requests = Vec::new();
    for visitor in 0..VISITORS {
        visit(visitor, end - DAY_SECONDS, &mut requests);
    }
    requests.sort_unstable();
    let mut text = String::new();
    for (millis, visitor, path, status) in requests {
        let time = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_micros(millis.saturating_mul(1_000)));
        let line = json!({
            "time": time.map(|time| time.to_string()),
            "method": "GET",
            "host": host,
            "path": path,
            "status": status,
            "request_headers": { "authorization": format!("Bearer visitor-{visitor}") },
            "response_bytes": 200 + path.len() * 17,
            "duration_ms": 1 + (millis + visitor) % 23,
        });
        // Writing to a string does not fail.
        let _ = writeln!(text, "{line}");
    }
    text
}

/// One visit. Most people look at some books; one in twelve at many; one in three hundred reads out the catalogue.
fn visit(visitor: u64, start: u64, requests: &mut Vec<(u64, u64, String, u16)>) {
    let mut draws = 0;
    let mut draw = |below: u64| {
        draws += 1;
        random(visitor << 16 | draws) % below
    };
    // More come in the second half of the day.
    let arrival = draw(DAY_SECONDS - VISIT_SECONDS_MAX).max(draw(DAY_SECONDS - VISIT_SECONDS_MAX));
    let (looks, pause_ms) = match visitor {
        number if number.is_multiple_of(300) => (280 + draw(60), 1_500),
        number if number.is_multiple_of(12) => (18 + draw(30), 9_000),
        _ => (1 + draw(6) + draw(7), 14_000),
    };
    let mut millis = (start + arrival) * 1_000;
    let (sort, limit) = (one_of(["title", "author", "newest"], draw(3)), 10 + 10 * draw(5));
    requests.push((millis, visitor, format!("/books?sort={sort}&limit={limit}"), 200));
    for look in 0..looks {
        millis += 400 + draw(pause_ms);
        // Some follow links to books that are gone.
        let book = 1 + draw(BOOKS.into()) + u64::from(draw(40) == 0) * u64::from(BOOKS);
        let status = if book > u64::from(BOOKS) { 404 } else { 200 };
        let language = one_of(["", "?lang=en", "?lang=de", "?lang=fr"], draw(4));
        requests.push((millis, visitor, format!("/books/{book}{language}"), status));
        if look % 3 == 0 && status == 200 {
            millis += 200 + draw(2_000);
            requests.push((millis, visitor, format!("/books/{book}/reviews"), 200));
        }
    }
}

fn one_of<const N: usize>(texts: [&'static str; N], drawn: u64) -> &'static str {
    usize::try_from(drawn).ok().and_then(|place| texts.get(place)).copied().unwrap_or_default()
}

/// The finaliser of `SplitMix64`: a number as good as random for each number.
const fn random(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_ends_at_its_hour_and_is_the_same_every_time() {
        let end = 1_800_000_000;
        let log = access_log("bookshop.example", end);
        assert_eq!(log, access_log("bookshop.example", end));
        let time = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["time"].as_str().unwrap().parse::<Timestamp>().unwrap().as_micros() / 1_000_000
        };
        let (first, last) = (log.lines().next().unwrap(), log.lines().last().unwrap());
        assert!(time(first) >= 1_800_000_000 - 86_400 && time(last) < 1_800_000_000);
        assert!(time(last) >= 1_800_000_000 - 3_600, "thresholds are computed at the hour after the last record");
        assert!((8_000..40_000).contains(&log.lines().count()), "{}", log.lines().count());
    }
}
