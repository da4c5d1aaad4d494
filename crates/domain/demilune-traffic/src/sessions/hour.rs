//! What one source saw in an hour, in one piece.

use super::{SessionHash, SessionSample};
use crate::Bucket;

/// The samples of one source and hour: a sample for each bucket, with the sequence of its snapshot, so that a later
/// snapshot of a bucket still replaces the earlier. Together they keep the 2,048 sessions with the smallest hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HourSessions {
    pub(super) parts: [Option<Part>; Self::BUCKETS],
}

/// One bucket of an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) sequence: u64,
    pub(super) requests: u64,
    pub(super) anonymous: u64,
    pub(super) limit: SessionHash,
    /// In ascending order, none above the limit.
    pub(super) entries: Vec<(SessionHash, u64)>,
}

impl HourSessions {
    pub(super) const BUCKETS: usize = 12;

    /// Takes a snapshot of one bucket of the hour; false when it is there already with the same or a higher sequence.
    pub fn put(&mut self, bucket: Bucket, sequence: u64, sessions: &SessionSample) -> bool {
        let part = &mut self.parts[place_of(bucket)];
        if part.as_ref().is_some_and(|part| part.sequence >= sequence) {
            return false;
        }
        let (limit, entries) = sessions.entries();
        let (requests, anonymous) = (sessions.requests(), sessions.anonymous());
        *part = Some(Part { sequence, requests, anonymous, limit, entries });
        self.trim();
        true
    }

    /// The sequence of the snapshot of a bucket; none while there is none.
    #[must_use]
    pub fn sequence(&self, bucket: Bucket) -> Option<u64> {
        self.parts[place_of(bucket)].as_ref().map(|part| part.sequence)
    }

    /// The sample of the whole hour.
    #[must_use]
    pub fn sample(&self) -> SessionSample {
        let mut sum = SessionSample::default();
        for (_, part) in self.filled() {
            let Part { requests, anonymous, limit, entries, .. } = part;
            sum.merge(&SessionSample::of_parts(*requests, *anonymous, *limit, entries));
        }
        sum
    }

    /// The buckets that are there, by their place in the hour.
    pub(super) fn filled(&self) -> impl Iterator<Item = (usize, &Part)> {
        self.parts.iter().enumerate().filter_map(|(place, part)| Some((place, part.as_ref()?)))
    }

    /// Every session in ascending order, with its counts by bucket.
    pub(super) fn sessions(&self) -> Vec<(SessionHash, [u64; Self::BUCKETS])> {
        let mut seen: Vec<(SessionHash, usize, u64)> = Vec::new();
        for (place, part) in self.filled() {
            seen.extend(part.entries.iter().map(|(session, count)| (*session, place, *count)));
        }
        // The buckets are in order already, and only the stable sort makes use of that.
        seen.sort_by_key(|(session, ..)| *session);
        let mut sessions: Vec<(SessionHash, [u64; Self::BUCKETS])> = Vec::new();
        for (session, place, count) in seen {
            if sessions.last().is_none_or(|(last, _)| *last != session) {
                sessions.push((session, [0; Self::BUCKETS]));
            }
            if let Some((_, counts)) = sessions.last_mut() {
                counts[place] = count;
            }
        }
        sessions
    }

    /// Leaves out sessions that are in no sample of the whole hour.
    fn trim(&mut self) {
        let mut sessions: Vec<SessionHash> =
            self.filled().flat_map(|(_, part)| part.entries.iter().map(|(session, _)| *session)).collect();
        if sessions.len() < SessionSample::SESSIONS_MAX {
            return;
        }
        // The buckets are in order already, and only the stable sort makes use of that.
        sessions.sort();
        sessions.dedup();
        if let Some(limit) = sessions.get(SessionSample::SESSIONS_MAX - 1) {
            for part in self.parts.iter_mut().flatten() {
                part.limit = part.limit.min(*limit);
                part.entries.retain(|(session, _)| session <= limit);
            }
        }
    }
}

const fn place_of(bucket: Bucket) -> usize {
    ((bucket.start() - bucket.hour().start()) / Bucket::SECONDS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hour;

    fn session(number: u64) -> SessionHash {
        SessionHash::of(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn sample(sessions: impl IntoIterator<Item = u64>) -> SessionSample {
        let mut sample = SessionSample::default();
        for number in sessions {
            sample.observe(Some(session(number)));
        }
        sample
    }

    fn bucket(place: u64) -> Bucket {
        Bucket::of(7_200 + place * Bucket::SECONDS)
    }

    #[test]
    fn every_bucket_of_an_hour_has_its_place() {
        for (place, bucket) in Hour::of(7_200).buckets().enumerate() {
            assert_eq!(place_of(bucket), place);
        }
    }

    #[test]
    fn a_later_snapshot_replaces_its_own_bucket_alone() {
        let mut hour = HourSessions::default();
        assert!(hour.put(bucket(3), 2, &sample([1, 2])));
        assert!(hour.put(bucket(4), 9, &sample([1])));
        assert!(!hour.put(bucket(3), 2, &sample([3])));
        assert!(!hour.put(bucket(3), 1, &sample([3])));
        assert!(hour.put(bucket(3), 3, &sample([1, 2, 1])));
        assert_eq!(
            (hour.sequence(bucket(3)), hour.sequence(bucket(4)), hour.sequence(bucket(5))),
            (Some(3), Some(9), None)
        );
        let counts: u64 = hour.sessions().iter().flat_map(|(_, counts)| counts).sum();
        assert_eq!(counts, 4);
    }

    #[test]
    fn an_hour_is_equal_in_whatever_order_its_buckets_come() {
        let samples: Vec<_> = (0..12).map(|place| (place, sample(place * 700..place * 700 + 1_500))).collect();
        let mut forward = HourSessions::default();
        for (place, sample) in &samples {
            forward.put(bucket(*place), 5, sample);
        }
        let mut backward = HourSessions::default();
        for (place, sample) in samples.iter().rev() {
            backward.put(bucket(*place), 1, &SessionSample::default());
            backward.put(bucket(*place), 5, sample);
        }
        assert_eq!(forward, backward);
        assert_eq!(forward.encode(), backward.encode());
        assert_eq!(forward.sessions().len(), SessionSample::SESSIONS_MAX);
        assert_eq!(HourSessions::decode(&forward.encode()), Ok(forward));
    }
}
