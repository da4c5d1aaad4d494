//! The five minutes, and the hour, that a request is counted in.

/// Five minutes of UTC, named by their start. A request belongs to the bucket of its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u64);

impl Bucket {
    /// How long a bucket is: half of the 600 s that thresholds are measured over.
    pub const SECONDS: u64 = 300;

    /// The bucket that a time, in seconds since the epoch, lies in.
    #[must_use]
    pub const fn of(unix_seconds: u64) -> Self {
        Self(unix_seconds - unix_seconds % Self::SECONDS)
    }

    /// The bucket that starts then; none when none does.
    #[must_use]
    pub const fn starting_at(unix_seconds: u64) -> Option<Self> {
        if unix_seconds.is_multiple_of(Self::SECONDS) { Some(Self(unix_seconds)) } else { None }
    }

    /// The buckets that have a second in `from..until`, in order.
    pub fn between(from: u64, until: u64) -> impl Iterator<Item = Self> {
        let starts = (from / Self::SECONDS..until.div_ceil(Self::SECONDS)).map(|number| Self(number * Self::SECONDS));
        starts.filter(move |_| from < until)
    }

    /// The first second, since the epoch.
    #[must_use]
    pub const fn start(self) -> u64 {
        self.0
    }

    /// The second after the last one.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.0.saturating_add(Self::SECONDS)
    }

    /// The hour that the bucket is part of.
    #[must_use]
    pub const fn hour(self) -> Hour {
        Hour::of(self.0)
    }
}

/// An hour of UTC, named by its start: twelve buckets, whose records it is the sum of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(u64);

impl Hour {
    /// How long an hour is.
    pub const SECONDS: u64 = 3_600;

    /// The hour that a time, in seconds since the epoch, lies in.
    #[must_use]
    pub const fn of(unix_seconds: u64) -> Self {
        Self(unix_seconds - unix_seconds % Self::SECONDS)
    }

    /// The hour that starts then; none when none does.
    #[must_use]
    pub const fn starting_at(unix_seconds: u64) -> Option<Self> {
        if unix_seconds.is_multiple_of(Self::SECONDS) { Some(Self(unix_seconds)) } else { None }
    }

    /// The first second, since the epoch.
    #[must_use]
    pub const fn start(self) -> u64 {
        self.0
    }

    /// The second after the last one.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.0.saturating_add(Self::SECONDS)
    }

    /// Its buckets, in order.
    pub fn buckets(self) -> impl Iterator<Item = Bucket> {
        Bucket::between(self.start(), self.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_in_one_bucket_and_one_hour() {
        let check = |time: u64, bucket: u64, hour: u64| {
            assert_eq!((Bucket::of(time).start(), Hour::of(time).start()), (bucket, hour), "{time}");
            assert_eq!(Bucket::of(time).hour(), Hour::of(time), "{time}");
        };
        check(0, 0, 0);
        check(299, 0, 0);
        check(300, 300, 0);
        check(3_599, 3_300, 0);
        check(3_600, 3_600, 3_600);
        check(1_767_225_842, 1_767_225_600, 1_767_225_600);
        check(u64::MAX, 18_446_744_073_709_551_600, 18_446_744_073_709_551_600);
    }

    #[test]
    fn only_a_start_names_a_bucket_or_an_hour() {
        assert_eq!(Bucket::starting_at(600), Some(Bucket::of(600)));
        assert_eq!(Bucket::starting_at(601), None);
        assert_eq!(Hour::starting_at(7_200), Some(Hour::of(7_200)));
        assert_eq!(Hour::starting_at(600), None);
    }

    #[test]
    fn the_buckets_between_two_times_have_a_second_in_between() {
        let check = |from, until, expected: &[u64]| {
            let starts: Vec<u64> = Bucket::between(from, until).map(Bucket::start).collect();
            assert_eq!(starts, expected, "{from} {until}");
        };
        check(0, 0, &[]);
        check(0, 1, &[0]);
        check(0, 300, &[0]);
        check(0, 301, &[0, 300]);
        check(299, 301, &[0, 300]);
        check(450, 450, &[]);
        check(450, 400, &[]);
        check(900, 300, &[]);
        check(u64::MAX - 1, u64::MAX, &[18_446_744_073_709_551_600]);
    }

    #[test]
    fn an_hour_has_twelve_buckets() {
        let hour = Hour::of(1_767_225_842);
        assert_eq!(hour.buckets().count(), 12);
        assert!(hour.buckets().all(|bucket| bucket.hour() == hour));
        assert_eq!(
            (hour.buckets().map(Bucket::start).min(), hour.buckets().map(Bucket::end).max()),
            (Some(hour.start()), Some(hour.end()))
        );
    }
}
