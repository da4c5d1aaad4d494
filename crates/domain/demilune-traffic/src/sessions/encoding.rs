//! The bytes of samples of sessions, readable by every later release.
//!
//! A version byte, then unsigned numbers in LEB128 of the shortest form.
//!
//! - A [`SessionSample`]: requests, those without a session, the limit (0 when there is none), the number of sessions,
//!   and for each of them in ascending order how many hashes lie between it and the one before, and its count less one.
//! - [`HourSessions`]: which of the twelve buckets are there, as bits; for each its sequence, requests, those without a
//!   session, and limit; the number of sessions, and for each of them the hashes between, the buckets it was seen in as
//!   bits, and its counts less one.
//!
//! Equal samples have equal bytes, and no other bytes are accepted.

use super::{HourSessions, SessionHash, SessionSample, hour::Part, sample::COUNT_MAX};
use crate::{
    DecodeError,
    bytes::{Reader, write},
};

const SAMPLE_VERSION: u8 = 1;
const HOUR_VERSION: u8 = 1;

impl SessionSample {
    /// The sample's bytes: some 7 a session, some 14 KiB for a full one.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (limit, entries) = self.entries();
        let mut bytes = vec![SAMPLE_VERSION];
        for number in [self.requests(), self.anonymous(), limit_number(limit), entries.len() as u64] {
            write(&mut bytes, number);
        }
        let mut before = 0;
        for (session, count) in entries {
            write(&mut bytes, session.get() - before - 1);
            write(&mut bytes, count - 1);
            before = session.get();
        }
        bytes
    }

    /// Reads what [`Self::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::of_version(bytes, SAMPLE_VERSION)?;
        let [requests, anonymous, limit, length] = reader.numbers()?;
        let mut entries = Vec::with_capacity(length.min(Self::SESSIONS_MAX as u64).try_into().unwrap_or(0));
        let mut before = 0;
        for _ in 0..length {
            let session = next_session(&mut reader, &mut before)?;
            entries.push((session, count(&mut reader)?));
            if entries.len() > Self::SESSIONS_MAX {
                return Err(DecodeError::Session);
            }
        }
        reader.finish()?;
        let part = Part { sequence: 0, requests, anonymous, limit: read_limit(limit)?, entries };
        part.check()?;
        Ok(Self::of_parts(requests, anonymous, part.limit, &part.entries))
    }
}

impl HourSessions {
    /// The hour's bytes: some 8 a session and one or two for each bucket that it was seen in.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![HOUR_VERSION];
        write(&mut bytes, self.filled().fold(0, |mask, (place, _)| mask | 1 << place));
        for (_, part) in self.filled() {
            for number in [part.sequence, part.requests, part.anonymous, limit_number(part.limit)] {
                write(&mut bytes, number);
            }
        }
        let sessions = self.sessions();
        write(&mut bytes, sessions.len() as u64);
        let mut before = 0;
        for (session, counts) in sessions {
            write(&mut bytes, session.get() - before - 1);
            let seen = counts.iter().enumerate().filter(|(_, count)| **count > 0);
            write(&mut bytes, seen.clone().fold(0, |mask, (place, _)| mask | 1 << place));
            for (_, count) in seen {
                write(&mut bytes, count - 1);
            }
            before = session.get();
        }
        bytes
    }

    /// Reads what [`Self::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::of_version(bytes, HOUR_VERSION)?;
        let mut hour = Self::default();
        for place in places(reader.number()?)? {
            let [sequence, requests, anonymous, limit] = reader.numbers()?;
            let limit = read_limit(limit)?;
            hour.parts[place] = Some(Part { sequence, requests, anonymous, limit, entries: Vec::new() });
        }
        let length = reader.number()?;
        if length > SessionSample::SESSIONS_MAX as u64 {
            return Err(DecodeError::Session);
        }
        let mut before = 0;
        for _ in 0..length {
            let session = next_session(&mut reader, &mut before)?;
            let seen = reader.number()?;
            if seen == 0 {
                return Err(DecodeError::Session);
            }
            for place in places(seen)? {
                let part = hour.parts[place].as_mut().ok_or(DecodeError::Session)?;
                part.entries.push((session, count(&mut reader)?));
            }
        }
        reader.finish()?;
        hour.filled().try_for_each(|(_, part)| part.check())?;
        let full = length == SessionSample::SESSIONS_MAX as u64;
        if full && hour.filled().any(|(_, part)| part.limit.get() > before) {
            return Err(DecodeError::Contradiction);
        }
        Ok(hour)
    }
}

impl Part {
    /// Refuses what no requests end in.
    fn check(&self) -> Result<(), DecodeError> {
        let counted = self.entries.iter().fold(0_u64, |sum, (_, count)| sum + count);
        let last = self.entries.last().map(|(session, _)| *session);
        let full = self.entries.len() == SessionSample::SESSIONS_MAX;
        // A number of requests that saturated no longer tells how many of them had a session.
        let with_session =
            if self.requests == u64::MAX { Some(u64::MAX) } else { self.requests.checked_sub(self.anonymous) };
        let sampled = last <= Some(self.limit) && (!full || last == Some(self.limit));
        if sampled && Some(counted) <= with_session { Ok(()) } else { Err(DecodeError::Contradiction) }
    }
}

/// The limit as a number: 0 for none.
fn limit_number(limit: SessionHash) -> u64 {
    if limit == SessionHash::MAX { 0 } else { limit.get() }
}

fn read_limit(number: u64) -> Result<SessionHash, DecodeError> {
    match number {
        0 => Ok(SessionHash::MAX),
        _ => SessionHash::numbered(number).filter(|limit| *limit < SessionHash::MAX).ok_or(DecodeError::Session),
    }
}

fn next_session(reader: &mut Reader<'_>, before: &mut u64) -> Result<SessionHash, DecodeError> {
    let number = reader.number()?.checked_add(*before + 1).ok_or(DecodeError::Session)?;
    *before = number;
    SessionHash::numbered(number).ok_or(DecodeError::Session)
}

fn count(reader: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let number = reader.number()?;
    if number < COUNT_MAX { Ok(number + 1) } else { Err(DecodeError::Session) }
}

/// The buckets of an hour that a mask names.
fn places(mask: u64) -> Result<impl Iterator<Item = usize>, DecodeError> {
    if mask >> HourSessions::BUCKETS != 0 {
        return Err(DecodeError::Session);
    }
    Ok((0..HourSessions::BUCKETS).filter(move |place| mask >> place & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bucket;

    /// What version 1 wrote for [`sample`] and for [`hour`]; it stays readable for good.
    const SAMPLE_V1: [u8; 10] = [1, 5, 1, 0, 2, 4, 2, 172, 2, 0];
    const HOUR_V1: [u8; 21] = [1, 129, 16, 7, 5, 1, 0, 1, 1, 0, 0, 2, 4, 129, 16, 2, 0, 172, 2, 1, 0];

    fn session(number: u64) -> SessionHash {
        SessionHash::of(number << 20)
    }

    fn sample() -> SessionSample {
        let mut sample = SessionSample::default();
        for number in [Some(5), Some(306), Some(5), None, Some(5)] {
            sample.observe(number.map(session));
        }
        sample
    }

    fn hour() -> HourSessions {
        let mut other = SessionSample::default();
        other.observe(Some(session(5)));
        let mut hour = HourSessions::default();
        hour.put(Bucket::of(0), 7, &sample());
        hour.put(Bucket::of(3_300), 1, &other);
        hour
    }

    #[test]
    fn version_1_stays_readable() {
        assert_eq!(SessionSample::decode(&SAMPLE_V1), Ok(sample()));
        assert_eq!(HourSessions::decode(&HOUR_V1), Ok(hour()));
    }

    #[test]
    fn a_sample_has_one_encoding() {
        assert_eq!(sample().encode(), SAMPLE_V1);
        assert_eq!(hour().encode(), HOUR_V1);
        assert_eq!(SessionSample::default().encode(), [1, 0, 0, 0, 0]);
        assert_eq!(HourSessions::default().encode(), [1, 0, 0]);
    }

    #[test]
    fn what_saturated_reads_back() {
        let mut sample = sample();
        for _ in 0..70 {
            sample.merge(&sample.clone());
            assert_eq!(SessionSample::decode(&sample.encode()).as_ref(), Ok(&sample));
        }
        assert_eq!((sample.requests(), sample.anonymous()), (u64::MAX, u64::MAX));
    }

    #[test]
    fn every_defect_of_a_sample_has_its_name() {
        let check = |bytes: &[u8], expected| assert_eq!(SessionSample::decode(bytes), Err(expected), "{bytes:?}");
        check(&[], DecodeError::End);
        check(&[2, 0, 0, 0, 0], DecodeError::Version(2));
        check(&[1, 0, 0, 0, 0, 0], DecodeError::Trailing);
        check(&[1, 1, 0, 0, 2, 4, 0], DecodeError::End);
        check(&[1, 0, 1, 0, 0], DecodeError::Contradiction);
        check(&[1, 0, 0, 0, 1, 4, 0], DecodeError::Contradiction);
        check(&[1, 1, 0, 4, 1, 4, 0], DecodeError::Contradiction);
        check(&[1, 1, 0, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 8, 0], DecodeError::Session);
        check(&[1, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 8, 0], DecodeError::Session);
    }

    #[test]
    fn every_defect_of_an_hour_has_its_name() {
        let check = |bytes: &[u8], expected| assert_eq!(HourSessions::decode(bytes), Err(expected), "{bytes:?}");
        check(&[1, 0x80, 0x20, 0], DecodeError::Session);
        check(&[1, 1, 9, 1, 0, 0, 1, 4, 2, 0], DecodeError::Session);
        check(&[1, 1, 9, 1, 0, 0, 1, 4, 0], DecodeError::Session);
        check(&[1, 1, 9, 1, 0, 0, 1, 4, 1, 1], DecodeError::Contradiction);
        check(&[1, 1, 9, 1, 0, 0, 1, 4, 1, 0, 0], DecodeError::Trailing);
    }
}
