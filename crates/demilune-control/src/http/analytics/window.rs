//! The stretch of time that a call asks about.

use demilune_inventory::Timestamp;

use crate::http::query::Query;

/// What is shown when nothing is said: a day.
const DEFAULT_SECONDS: i64 = 24 * 3_600;
/// What is kept, and a day: more makes no difference.
const SECONDS_MAX: i64 = 401 * 24 * 3_600;
const MICROS: i64 = 1_000_000;

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

/// Reads `since` and `until`; what is wrong with them is in the query's defects.
pub(super) fn read(query: &mut Query, now: Timestamp) -> Window {
    let until = query.value("until", |text| time(text, now)).unwrap_or(now);
    let day_before = shifted(until, -DEFAULT_SECONDS).unwrap_or(until);
    let since = query.value("since", |text| time(text, now)).unwrap_or(day_before);
    if since > until {
        query.reject("since", "The parameter since must not be later than until.");
    } else if until.as_micros() - since.as_micros() > SECONDS_MAX * MICROS {
        query.reject("since", "Records are kept for 400 days; ask about less.");
    }
    Window { since, until }
}

/// RFC 3339, seconds since the epoch, or a time before now such as `-90m`, `-24h` or `-7d`.
pub(crate) fn time(text: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    const ERROR: &str =
        "Write a time as 2026-11-23T10:00:00Z, as seconds since 1970, or as one before now such as -24h.";
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    if let Ok(seconds) = text.parse::<u32>() {
        return Timestamp::from_micros(i64::from(seconds) * MICROS).ok_or(ERROR);
    }
    let before = text.strip_prefix('-').ok_or(ERROR)?;
    let unit = match before.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 24 * 3_600,
        _ => return Err(ERROR),
    };
    let count: u32 = before[..before.len() - 1].parse().map_err(|_| ERROR)?;
    shifted(now, -(i64::from(count) * unit)).ok_or(ERROR)
}

fn shifted(time: Timestamp, seconds: i64) -> Option<Timestamp> {
    Timestamp::from_micros(time.as_micros().checked_add(seconds.checked_mul(MICROS)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_three_ways() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(time(text, now).ok().map(|time| time.to_string()), expected.map(ToOwned::to_owned), "{text}");
        };
        check("2026-11-22T00:00:00Z", Some("2026-11-22T00:00:00.000000Z"));
        check("1795428000", Some("2026-11-23T10:00:00.000000Z"));
        check("-90m", Some("2026-11-23T08:30:00.000000Z"));
        check("-7d", Some("2026-11-16T10:00:00.000000Z"));
        for text in ["", "-", "-h", "-1w", "yesterday", "-99999999999h", "-é"] {
            check(text, None);
        }
    }
}
