//! The bytes of a record, readable by every later release.
//!
//! A version byte, then unsigned numbers in LEB128 of the shortest form: the answers from none to 5xx, blocked, origin
//! errors, bytes in, bytes out; the durations' sum and maximum, how many of their buckets are not empty, and for each of
//! those in ascending order how many empty ones lie before it and its count. A record has one encoding.

use crate::{
    DecodeError, LatencyHistogram, Record,
    bytes::{Reader, write},
};

const VERSION: u8 = 1;

impl Record {
    /// The record's bytes: some 20 for one request, some 200 for a thousand, at most 5,579.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        let counts = [self.blocked, self.origin_errors, self.bytes_in, self.bytes_out];
        let durations = [self.durations.sum_us(), self.durations.max_us(), self.durations.filled().count() as u64];
        for number in self.answers.into_iter().chain(counts).chain(durations) {
            write(&mut bytes, number);
        }
        let mut next = 0;
        for (index, count) in self.durations.filled() {
            write(&mut bytes, (index - next) as u64);
            write(&mut bytes, count);
            next = index + 1;
        }
        bytes
    }

    /// Reads what [`Self::encode`] wrote, and nothing else: what is accepted is the one encoding of counts that some
    /// requests have. Allocates nothing but the histogram's counts, 8 bytes each and at most
    /// [`LatencyHistogram::BUCKETS`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::of_version(bytes, VERSION)?;
        let answers = reader.numbers()?;
        let [blocked, origin_errors, bytes_in, bytes_out] = reader.numbers()?;
        let record = Self { answers, blocked, origin_errors, bytes_in, bytes_out, durations: durations(&mut reader)? };
        reader.finish()?;
        if record.is_possible() { Ok(record) } else { Err(DecodeError::Contradiction) }
    }
}

/// Reads the durations of a record.
fn durations(reader: &mut Reader<'_>) -> Result<LatencyHistogram, DecodeError> {
    let [sum_us, max_us, filled] = reader.numbers()?;
    let mut counts = [0; LatencyHistogram::BUCKETS];
    let mut rest = counts.iter_mut();
    for _ in 0..filled {
        let skipped = usize::try_from(reader.number()?).map_err(|_| DecodeError::DurationBucket)?;
        let count = rest.nth(skipped).ok_or(DecodeError::DurationBucket)?;
        *count = reader.number()?;
        if *count == 0 {
            return Err(DecodeError::DurationBucket);
        }
    }
    LatencyHistogram::from_parts(&counts, sum_us, max_us).ok_or(DecodeError::Contradiction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Observation;

    /// What version 1 wrote for [`sample`]; it stays readable for good.
    const SAMPLE_V1: [u8; 35] = [
        1, 1, 0, 4, 0, 1, 1, 1, 1, 220, 11, 176, 174, 21, 165, 130, 176, 14, 128, 135, 167, 14, 6, 3, 1, 22, 1, 35, 2,
        37, 1, 17, 1, 63, 1,
    ];

    fn sample() -> Record {
        let mut record = Record::default();
        let ok = Observation { status: Some(200), bytes_in: 300, bytes_out: 70_000, ..Observation::default() };
        for duration_us in [3, 900, 910, 25_000] {
            record.observe(&Observation { duration_us, ..ok });
        }
        record.observe(&Observation { status: Some(403), blocked: true, duration_us: 40, ..Observation::default() });
        record.observe(&Observation { status: Some(504), origin_error: true, duration_us: 30_000_000, ..ok });
        record.observe(&Observation { duration_us: 120_000, ..Observation::default() });
        record
    }

    /// A record's numbers up to the durations, for one request without an answer.
    const ONE: [u8; 11] = [VERSION, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    fn one(durations: &[u8]) -> Vec<u8> {
        [&ONE, durations].concat()
    }

    #[test]
    fn version_1_stays_readable() {
        assert_eq!(Record::decode(&SAMPLE_V1), Ok(sample()));
    }

    #[test]
    fn a_record_has_one_encoding() {
        assert_eq!(sample().encode(), SAMPLE_V1);
        assert_eq!(Record::default().encode(), [VERSION, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn every_defect_has_its_name() {
        let check = |bytes: &[u8], expected| assert_eq!(Record::decode(bytes), Err(expected), "{bytes:?}");
        assert!(Record::decode(&one(&[9, 9, 1, 9, 1])).is_ok());
        check(&[], DecodeError::End);
        check(&[0], DecodeError::Version(0));
        check(&[2], DecodeError::Version(2));
        check(&one(&[9, 9, 1, 9]), DecodeError::End);
        check(&one(&[9, 9, 1, 9, 1, 0]), DecodeError::Trailing);
        check(&one(&[9, 9, 1, 0x89, 0, 1]), DecodeError::Number);
        check(&one(&[9, 9, 1, 9, 0]), DecodeError::DurationBucket);
        check(&one(&[9, 9, 1, 0xf0, 3, 1]), DecodeError::DurationBucket);
        check(&one(&[9, 9, 0]), DecodeError::Contradiction);
        check(&one(&[9, 8, 1, 9, 1]), DecodeError::Contradiction);
        check(&one(&[8, 9, 1, 9, 1]), DecodeError::Contradiction);
        check(&one(&[18, 9, 1, 9, 2]), DecodeError::Contradiction);
    }

    #[test]
    fn counts_that_no_requests_have_are_refused() {
        let check = |head: [u8; 10], durations: &[u8]| {
            let bytes = [&[VERSION], &head[..], durations].concat();
            assert_eq!(Record::decode(&bytes), Err(DecodeError::Contradiction), "{bytes:?}");
        };
        // More blocked, or failed, than requested; bytes of no request.
        check([1, 0, 0, 0, 0, 0, 2, 0, 0, 0], &[9, 9, 1, 9, 1]);
        check([1, 0, 0, 0, 0, 0, 0, 2, 0, 0], &[9, 9, 1, 9, 1]);
        check([0, 0, 0, 0, 0, 0, 0, 0, 1, 0], &[0, 0, 0]);
    }

    #[test]
    fn a_shortened_record_is_refused_wherever_it_ends() {
        for length in 0..SAMPLE_V1.len() {
            assert_eq!(Record::decode(&SAMPLE_V1[..length]), Err(DecodeError::End), "{length}");
        }
    }

    #[test]
    fn the_largest_record_has_5_579_bytes() {
        let mut record = Record::default();
        let in_every_bucket = (1..61).flat_map(|octave| (8..16).map(move |eighth: u64| eighth << octave));
        for (duration_us, class) in (0..16).chain(in_every_bucket).zip((0..6).cycle()) {
            record.observe(&Observation {
                status: (class > 0).then_some(class * 100),
                blocked: true,
                origin_error: true,
                bytes_in: u64::MAX,
                bytes_out: u64::MAX,
                duration_us,
                ..Observation::default()
            });
        }
        for _ in 0..64 {
            record.merge(&record.clone());
        }
        let bytes = record.encode();
        assert_eq!(bytes.len(), 5_579);
        assert_eq!(Record::decode(&bytes), Ok(record));
    }
}
