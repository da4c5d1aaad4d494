//! The sessions of a day, and how many requests each made within ten minutes.

use super::{HourSessions, SessionHash, SessionSample};
use crate::{Bucket, Distribution, Hour};

/// Sums the samples of all sources over 24 hours, in whatever order they come.
#[derive(Clone, Debug)]
pub struct SessionWindow {
    start: u64,
    end: u64,
    requests: u64,
    anonymous: u64,
    limit: SessionHash,
    /// A session's hash, above the number of its bucket, and its count there. The same session and bucket may be there
    /// several times, once for each source.
    counts: Vec<(u64, u64)>,
    /// How many counts there may be until they are summed up.
    counts_max: usize,
}

/// What a day's samples tell.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowTotals {
    /// How many requests were counted.
    pub requests: u64,
    /// How many of them carried no session identifier.
    pub anonymous: u64,
    /// How many sessions there were: exact below 2,048, else estimated with a standard error of 2.2 %.
    pub sessions_estimated: f64,
    /// Of each sampled session, the most requests in two adjacent buckets: 600 seconds.
    pub maxima: Distribution,
}

/// Bits of the number of a bucket, of which a window has 288.
const BUCKET_BITS: u32 = 9;
/// Counts of one session in one bucket saturate, whether one source saw them or several.
const COUNT_MAX: u64 = super::sample::COUNT_MAX;
/// Counts that are held before they are summed up for the first time: 8 MiB.
const COUNTS_START: usize = 1 << 19;

impl SessionWindow {
    /// Length of a window.
    pub const HOURS: u64 = 24;

    /// The window of the 24 complete hours before this time.
    #[must_use]
    pub const fn ending_at(end: Hour) -> Self {
        let end = end.start();
        let start = end.saturating_sub(Self::HOURS * Hour::SECONDS);
        let (requests, anonymous, limit) = (0, 0, SessionHash::MAX);
        Self { start, end, requests, anonymous, limit, counts: Vec::new(), counts_max: COUNTS_START }
    }

    /// Adds the sample of one source and bucket; none outside of the window counts.
    pub fn add(&mut self, bucket: Bucket, sessions: &SessionSample) {
        let (limit, entries) = sessions.entries();
        self.add_entries(bucket, sessions.requests(), sessions.anonymous(), limit, &entries);
    }

    /// Adds the samples of one source and hour; none outside of the window count.
    pub fn add_hour(&mut self, hour: Hour, sessions: &HourSessions) {
        for (bucket, part) in hour.buckets().zip(&sessions.parts) {
            if let Some(part) = part {
                self.add_entries(bucket, part.requests, part.anonymous, part.limit, &part.entries);
            }
        }
    }

    /// The totals over all that was added.
    #[must_use]
    pub fn finish(mut self) -> WindowTotals {
        self.sum_up();
        let sessions: Vec<&[(u64, u64)]> = self.counts.chunk_by(|a, b| same_session(a.0, b.0)).collect();
        let maxima = Distribution::of(sessions.iter().map(|counts| most_in_two_buckets(counts)));
        let sessions_estimated = self.estimate(&sessions);
        WindowTotals { requests: self.requests, anonymous: self.anonymous, sessions_estimated, maxima }
    }

    fn add_entries(
        &mut self,
        bucket: Bucket,
        requests: u64,
        anonymous: u64,
        limit: SessionHash,
        entries: &[(SessionHash, u64)],
    ) {
        if bucket.start() < self.start || bucket.start() >= self.end {
            return;
        }
        let number = (bucket.start() - self.start) / Bucket::SECONDS;
        self.requests = self.requests.saturating_add(requests);
        self.anonymous = self.anonymous.saturating_add(anonymous);
        self.limit = self.limit.min(limit);
        let sampled = entries.iter().take_while(|(session, _)| *session <= self.limit);
        self.counts.extend(sampled.map(|(session, count)| (session.get() << BUCKET_BITS | number, *count)));
        if self.counts.len() > self.counts_max {
            self.sum_up();
            self.counts_max = self.counts_max.max(self.counts.len() * 2);
        }
    }

    /// Makes one of the counts of a session in a bucket, and leaves out sessions that are not in the sample of all.
    fn sum_up(&mut self) {
        // Each sample is in order already, and only the stable sort makes use of that.
        self.counts.sort_by_key(|(place, _)| *place);
        self.counts.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = (kept.1 + next.1).min(COUNT_MAX);
            }
            same
        });
        let sampled = self.counts.chunk_by(|a, b| same_session(a.0, b.0)).map(|counts| counts[0].0 >> BUCKET_BITS);
        let last = sampled.take(SessionSample::SESSIONS_MAX).enumerate().last();
        if let Some((place, session)) = last
            && place + 1 == SessionSample::SESSIONS_MAX
            && let Some(session) = SessionHash::numbered(session)
        {
            self.limit = self.limit.min(session);
        }
        let limit = self.limit.get();
        let kept = self.counts.partition_point(|(place, _)| place >> BUCKET_BITS <= limit);
        self.counts.truncate(kept);
    }

    /// How many sessions there are in all: those below the limit stand for as many more as the limit is a share of all
    /// hashes. With k sessions sampled it is (k - 1) / U, where U is the largest of their hashes (Bar-Yossef et al.,
    /// "Counting distinct elements in a data stream", 2002).
    #[expect(clippy::cast_precision_loss, reason = "at most 2,048")]
    fn estimate(&self, sessions: &[&[(u64, u64)]]) -> f64 {
        if self.limit == SessionHash::MAX {
            return sessions.len() as f64;
        }
        let below = sessions.partition_point(|counts| counts[0].0 >> BUCKET_BITS < self.limit.get());
        below as f64 / self.limit.fraction()
    }
}

const fn same_session(one: u64, other: u64) -> bool {
    one >> BUCKET_BITS == other >> BUCKET_BITS
}

/// The most that a session counted in two adjacent buckets. `counts` are its own, by bucket.
fn most_in_two_buckets(counts: &[(u64, u64)]) -> u32 {
    let alone = counts.iter().map(|(_, count)| *count);
    let adjacent = counts.windows(2).filter(|pair| pair[0].0 + 1 == pair[1].0).map(|pair| pair[0].1 + pair[1].1);
    // Two counts of 20 bits make 21.
    u32::try_from(alone.chain(adjacent).max().unwrap_or(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Hour = Hour::of(1_767_312_000);
    const BUCKETS: u64 = 288;

    fn session(number: u64) -> SessionHash {
        SessionHash::of(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn bucket(number: u64) -> Bucket {
        Bucket::of(END.start() - 86_400 + number * Bucket::SECONDS)
    }

    /// Sessions, with how often each makes a request.
    fn sample(sessions: &[(u64, u64)]) -> SessionSample {
        let mut sample = SessionSample::default();
        for (number, requests) in sessions {
            for _ in 0..*requests {
                sample.observe(Some(session(*number)));
            }
        }
        sample
    }

    fn totals(samples: &[(u64, &[(u64, u64)])]) -> WindowTotals {
        let mut window = SessionWindow::ending_at(END);
        for (number, sessions) in samples {
            window.add(bucket(*number), &sample(sessions));
        }
        window.finish()
    }

    #[test]
    fn a_session_counts_with_the_most_it_did_in_two_adjacent_buckets() {
        let check = |samples: &[(u64, &[(u64, u64)])], expected: &[(u32, u32)]| {
            assert_eq!(totals(samples).maxima.pairs().collect::<Vec<_>>(), expected, "{samples:?}");
        };
        check(&[], &[]);
        check(&[(0, &[(1, 3)])], &[(3, 1)]);
        check(&[(0, &[(1, 3)]), (1, &[(1, 4)]), (2, &[(1, 2)])], &[(7, 1)]);
        check(&[(0, &[(1, 3)]), (2, &[(1, 4)])], &[(4, 1)]);
        check(&[(11, &[(1, 3)]), (12, &[(1, 4)])], &[(7, 1)]);
        check(&[(287, &[(1, 3), (2, 3)]), (286, &[(1, 1)])], &[(3, 1), (4, 1)]);
    }

    #[test]
    fn the_counts_of_several_sources_add_up() {
        let totals = totals(&[(5, &[(1, 3), (2, 1)]), (5, &[(1, 4)]), (6, &[(2, 1)])]);
        assert_eq!(totals.maxima.pairs().collect::<Vec<_>>(), [(2, 1), (7, 1)]);
        assert_eq!((totals.requests, totals.sessions_estimated), (9, 2.0));
    }

    #[test]
    fn what_lies_outside_of_the_window_does_not_count() {
        let mut window = SessionWindow::ending_at(END);
        window.add(Bucket::of(END.start()), &sample(&[(1, 1)]));
        window.add(Bucket::of(END.start() - 86_401), &sample(&[(2, 1)]));
        window.add(bucket(0), &sample(&[(3, 1)]));
        window.add(bucket(BUCKETS - 1), &sample(&[(4, 1)]));
        let totals = window.finish();
        assert_eq!((totals.requests, totals.maxima.sessions()), (2, 2));
    }

    #[test]
    fn many_sessions_are_estimated_from_the_smallest_hashes() {
        let mut window = SessionWindow::ending_at(END);
        for source in 0..4 {
            let sessions: Vec<_> = (source * 10_000..source * 10_000 + 13_000).map(|number| (number, 1)).collect();
            window.add(bucket(source * 70), &sample(&sessions));
        }
        let totals = window.finish();
        assert_eq!(totals.maxima.sessions(), SessionSample::SESSIONS_MAX as u64);
        assert!((totals.sessions_estimated / 43_000.0 - 1.0).abs() < 0.07, "{}", totals.sessions_estimated);
    }

    #[test]
    fn packed_and_loose_buckets_tell_the_same() {
        let samples: Vec<_> = (0..12).map(|place| sample(&[(place, 2), (place + 1, 1), (99, 1)])).collect();
        let mut loose = SessionWindow::ending_at(END);
        let mut hour = HourSessions::default();
        for (place, sample) in (0..).zip(&samples) {
            loose.add(bucket(24 + place), sample);
            hour.put(bucket(24 + place), 1, sample);
        }
        let mut packed = SessionWindow::ending_at(END);
        packed.add_hour(bucket(24).hour(), &hour);
        assert_eq!(packed.finish(), loose.finish());
    }

    #[test]
    fn summing_up_early_changes_nothing() {
        let add_all = |window: &mut SessionWindow| {
            for number in 0..BUCKETS {
                let sessions: Vec<_> = (number * 20..number * 20 + 60).map(|number| (number, 1 + number % 3)).collect();
                window.add(bucket(number), &sample(&sessions));
            }
        };
        let (mut rarely, mut often) = (SessionWindow::ending_at(END), SessionWindow::ending_at(END));
        often.counts_max = 100;
        add_all(&mut rarely);
        add_all(&mut often);
        assert_eq!(rarely.finish(), often.finish());
    }
}
