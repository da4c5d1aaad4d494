//! How many sessions had which value.

use crate::{
    DecodeError,
    bytes::{Reader, write},
};

/// How many sessions reached which number of requests within 600 s: values in ascending order, each with its sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    pairs: Vec<(u32, u32)>,
    sessions: u64,
}

const VERSION: u8 = 1;

impl Distribution {
    /// Counts values.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = u32>) -> Self {
        let mut values: Vec<u32> = values.into_iter().collect();
        values.sort_unstable();
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for value in &values {
            match pairs.last_mut() {
                Some((last, sessions)) if last == value => *sessions = sessions.saturating_add(1),
                _ => pairs.push((*value, 1)),
            }
        }
        Self { pairs, sessions: values.len() as u64 }
    }

    /// Values in ascending order, each with the number of its sessions.
    #[must_use]
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (u32, u32)> {
        self.pairs.iter().copied()
    }

    /// How many sessions there are.
    #[must_use]
    pub const fn sessions(&self) -> u64 {
        self.sessions
    }

    /// The smallest value that this many sessions in a hundred do not exceed; 0 where there are none.
    #[must_use]
    pub fn percentile(&self, percent: u32) -> u32 {
        let rank = (u64::from(percent) * self.sessions).div_ceil(100).max(1);
        let mut below = 0;
        let reached = self.pairs.iter().find(|(_, sessions)| {
            below += u64::from(*sessions);
            below >= rank
        });
        reached.or(self.pairs.last()).map_or(0, |(value, _)| *value)
    }

    /// A version byte, the number of values, and for each how many lie between it and the one before, and its sessions
    /// less one, in LEB128.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        write(&mut bytes, self.pairs.len() as u64);
        let mut next = 0;
        for (value, sessions) in &self.pairs {
            write(&mut bytes, u64::from(*value) - next);
            write(&mut bytes, u64::from(*sessions) - 1);
            next = u64::from(*value) + 1;
        }
        bytes
    }

    /// Reads what [`Self::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::of_version(bytes, VERSION)?;
        let (mut next, mut total) = (0_u64, 0_u64);
        let mut pairs = Vec::new();
        for _ in 0..reader.number()? {
            let value = reader.number()?.checked_add(next).ok_or(DecodeError::Value)?;
            let sessions = reader.number()?.checked_add(1).ok_or(DecodeError::Value)?;
            let narrow = |number| u32::try_from(number).map_err(|_| DecodeError::Value);
            pairs.push((narrow(value)?, narrow(sessions)?));
            total += sessions;
            next = value + 1;
        }
        reader.finish()?;
        Ok(Self { pairs, sessions: total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_of_a_session() {
        let check = |values: std::ops::RangeInclusive<u32>, percent, expected| {
            assert_eq!(Distribution::of(values.clone()).percentile(percent), expected, "{values:?} {percent}");
        };
        check(1..=100, 50, 50);
        check(1..=100, 99, 99);
        check(1..=101, 50, 51);
        check(1..=10, 90, 9);
        check(1..=10, 99, 10);
        check(7..=7, 50, 7);
        check(1..=10, 0, 1);
        assert_eq!(Distribution::default().percentile(50), 0);
    }

    #[test]
    fn what_is_written_is_read() {
        for values in [vec![], vec![0], vec![3, 1, 3, 3, u32::MAX]] {
            let distribution = Distribution::of(values);
            assert_eq!(Distribution::decode(&distribution.encode()), Ok(distribution));
        }
    }

    #[test]
    fn version_1_stays_readable() {
        assert_eq!(Distribution::of([3, 1, 3, 300]).encode(), [1, 3, 1, 0, 1, 1, 168, 2, 0]);
    }

    #[test]
    fn other_bytes_are_no_distribution() {
        let check = |bytes: &[u8], expected| assert_eq!(Distribution::decode(bytes), Err(expected), "{bytes:?}");
        check(&[1, 1, 0], DecodeError::End);
        check(&[1, 0, 0], DecodeError::Trailing);
        check(&[1, 1, 0x80, 0x80, 0x80, 0x80, 0x10, 0], DecodeError::Value);
        check(&[1, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0], DecodeError::Value);
        check(&[1, 0xff, 0xff, 0xff, 0xff, 0x0f], DecodeError::End);
    }
}
