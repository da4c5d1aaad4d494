//! Times and durations as logs write them.

use jiff::Timestamp;

/// Reads ISO 8601 with an offset, the time of the Common Log Format, or a number since the epoch; microseconds since
/// the epoch.
pub(super) fn instant(text: &str) -> Option<i64> {
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(number) = text.parse() {
        return epoch(number);
    }
    iso_8601(text).or_else(|| common_log(text))
}

/// `2026-11-23T09:30:00.123+01:00`.
pub(super) fn iso_8601(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

/// `10/Oct/2000:13:55:36 -0700`.
pub(super) fn common_log(text: &str) -> Option<i64> {
    Timestamp::strptime("%d/%b/%Y:%H:%M:%S %z", text).ok().map(Timestamp::as_microsecond)
}

/// Seconds since the epoch with a fraction, or milli-, micro- or nanoseconds: of the years 1973 to 5138 no two meet.
pub(super) fn epoch(number: f64) -> Option<i64> {
    let per_second = match number {
        number if number < 1e11 => 1.0,
        number if number < 1e14 => 1e3,
        number if number < 1e17 => 1e6,
        _ => 1e9,
    };
    micros(number / per_second).and_then(|micros| i64::try_from(micros).ok())
}

/// Seconds as whole microseconds; none for what is no duration.
pub(super) fn micros(seconds: f64) -> Option<u64> {
    let micros = (seconds * 1e6).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of both")]
    (0.0..9e18).contains(&micros).then_some(micros as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(instant(text), expected, "{text:?}");
    }

    #[test]
    fn an_instant_is_read_in_every_spelling() {
        check("10/Oct/2000:13:55:36 -0700", Some(971_211_336_000_000));
        check("2000-10-10T13:55:36-07:00", Some(971_211_336_000_000));
        check("2000-10-10T13:55:36-0700", Some(971_211_336_000_000));
        check("2000-10-10T20:55:36.123456789Z", Some(971_211_336_123_456));
        check("[2020-11-25T21:26:18.409Z]", Some(1_606_339_578_409_000));
        check("971211336", Some(971_211_336_000_000));
        check("971211336.123", Some(971_211_336_123_000));
        check("1592833155860", Some(1_592_833_155_860_000));
        check("1592833155860840", Some(1_592_833_155_860_840));
        check("1592833155860840000", Some(1_592_833_155_860_840));
    }

    #[test]
    fn what_names_no_instant_is_none() {
        for text in [
            "",
            "-",
            "nan",
            "inf",
            "-1",
            "1e300",
            "2000-10-10T13:55:36",
            "2000/10/10 13:55:36",
            "32/Oct/2000:13:55:36 +0000",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn a_duration_is_rounded_to_microseconds() {
        assert_eq!(micros(0.000_571_055), Some(571));
        assert_eq!(micros(0.0), Some(0));
        for seconds in [-0.1, f64::NAN, f64::INFINITY, 1e15] {
            assert_eq!(micros(seconds), None, "{seconds}");
        }
    }
}
