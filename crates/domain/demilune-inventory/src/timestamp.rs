//! An instant in UTC with microseconds, printed one way.

use std::{fmt, str::FromStr};

/// Microseconds since 1970-01-01T00:00:00Z. `Display` is RFC 3339 with six fraction digits and `Z` (contract 1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 0000-01-01T00:00:00Z.
const MICROS_MIN: i64 = -62_167_219_200_000_000;
/// 9999-12-30T22:00:00Z less a microsecond: the end of what the calendar library holds, a day short of RFC 3339's.
const MICROS_MAX: i64 = 253_402_207_199_999_999;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The last there is: never, for what ends with a time.
    pub const MAX: Self = Self(MICROS_MAX);

    /// From microseconds since the epoch; none before the year 0000 or after 9999-12-30T21:59:59.999999Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros < MICROS_MIN || micros > MICROS_MAX { None } else { Some(Self(micros)) }
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339 with any offset, and the near spellings of it that jiff reads; digits beyond microseconds are
    /// cut.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        let micros = i64::try_from(parsed.as_nanosecond().div_euclid(1000)).map_err(|_| TimestampError)?;
        Self::from_micros(micros).ok_or(TimestampError)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{instant:.6}")
    }
}

/// The text is no RFC 3339 date-time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as RFC 3339, such as 2026-01-31T09:30:00Z")]
pub struct TimestampError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_prints_with_six_digits_and_z() {
        let check =
            |micros: i64, expected: &str| assert_eq!(Timestamp::from_micros(micros).unwrap().to_string(), expected);
        check(0, "1970-01-01T00:00:00.000000Z");
        check(1, "1970-01-01T00:00:00.000001Z");
        check(1_680_624_457_575_971, "2023-04-04T16:07:37.575971Z");
        check(-1, "1969-12-31T23:59:59.999999Z");
        check(MICROS_MIN, "0000-01-01T00:00:00.000000Z");
        check(MICROS_MAX, "9999-12-30T21:59:59.999999Z");
    }

    #[test]
    fn a_printed_time_reads_back() {
        for micros in [MICROS_MIN, -1, 0, 1_680_624_457_575_971, MICROS_MAX] {
            let time = Timestamp::from_micros(micros).unwrap();
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }

    #[test]
    fn an_offset_is_taken_into_account() {
        assert_eq!("1970-01-01T01:00:00+01:00".parse(), Ok(Timestamp(0)));
    }

    #[test]
    fn digits_beyond_microseconds_are_cut() {
        let check = |text: &str, micros: i64| assert_eq!(text.parse(), Ok(Timestamp(micros)), "{text}");
        check("1970-01-01T00:00:00.0000019Z", 1);
        check("1969-12-31T23:59:59.9999999Z", -1);
        check("9999-12-30T21:59:59.9999999Z", MICROS_MAX);
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in ["", "yesterday", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T09:30:00"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_printed_is_no_time() {
        assert_eq!(Timestamp::from_micros(MICROS_MIN - 1), None);
        assert_eq!(Timestamp::from_micros(MICROS_MAX + 1), None);
    }
}
