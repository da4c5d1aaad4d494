//! What one operation saw in one bucket of time.

use std::iter::Sum;

use crate::{LatencyHistogram, SessionHash};

/// Counts over the requests of one operation in one bucket. All counts saturate, so that [`Self::merge`] is associative
/// and commutative without exception.
///
/// It takes some 130 bytes and its histogram: at most 4 KiB.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    pub(crate) answers: [u64; StatusClass::ALL.len()],
    pub(crate) blocked: u64,
    pub(crate) origin_errors: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) durations: LatencyHistogram,
}

/// One finished request, as far as its operation's summaries are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The status that the client was answered; none when it left first or got no answer.
    pub status: Option<u16>,
    /// The gateway's policy answered, not the origin.
    pub blocked: bool,
    /// The gateway answered 502, 503 or 504 itself, since it got no answer from the origin.
    pub origin_error: bool,
    /// Bytes of the request.
    pub bytes_in: u64,
    /// Bytes of the answer.
    pub bytes_out: u64,
    /// From the request's first byte to the answer's last, in microseconds.
    pub duration_us: u64,
    /// An operation was matched, whose sessions are of interest.
    pub matched: bool,
    /// The session that the request belongs to; none where it carries no session identifier.
    pub session: Option<SessionHash>,
}

impl Observation {
    /// Whether the request says something about how much normal clients ask for. What was refused, failed or blocked
    /// does not: anybody can make it, and a limit that rises with attacks protects nobody.
    #[must_use]
    pub fn counts_for_thresholds(&self) -> bool {
        self.matched && self.succeeded()
    }

    /// Whether it may be one of an operation that nobody wrote down: it was answered with success, and no operation
    /// matches it.
    #[must_use]
    pub fn may_be_discovered(&self) -> bool {
        !self.matched && self.succeeded()
    }

    fn succeeded(&self) -> bool {
        !self.blocked && StatusClass::of(self.status) == StatusClass::Successful
    }
}

/// The first digit of a status (RFC 9110 section 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusClass {
    /// The client left before it was answered, or there was no answer.
    NoAnswer,
    /// 1xx.
    Informational,
    /// 2xx.
    Successful,
    /// 3xx.
    Redirection,
    /// 4xx.
    ClientError,
    /// 5xx, and statuses that are in no class, which RFC 9110 section 15 has treated as 5xx.
    ServerError,
}

impl Record {
    /// Counts one request.
    pub fn observe(&mut self, observation: &Observation) {
        add(&mut self.answers[StatusClass::of(observation.status) as usize], 1);
        add(&mut self.blocked, observation.blocked.into());
        add(&mut self.origin_errors, observation.origin_error.into());
        add(&mut self.bytes_in, observation.bytes_in);
        add(&mut self.bytes_out, observation.bytes_out);
        self.durations.record(observation.duration_us);
    }

    /// Adds what the other has counted.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.answers.iter_mut().zip(other.answers) {
            add(count, more);
        }
        add(&mut self.blocked, other.blocked);
        add(&mut self.origin_errors, other.origin_errors);
        add(&mut self.bytes_in, other.bytes_in);
        add(&mut self.bytes_out, other.bytes_out);
        self.durations.merge(&other.durations);
    }

    /// True when no request was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests() == 0
    }

    /// How many requests were counted.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.answers.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How many requests got an answer of this class.
    #[must_use]
    pub const fn answered(&self, class: StatusClass) -> u64 {
        self.answers[class as usize]
    }

    /// How many requests the gateway's policy answered.
    #[must_use]
    pub const fn blocked(&self) -> u64 {
        self.blocked
    }

    /// How many requests the gateway answered 502, 503 or 504 itself, since it got no answer from the origin.
    #[must_use]
    pub const fn origin_errors(&self) -> u64 {
        self.origin_errors
    }

    /// Bytes of all requests.
    #[must_use]
    pub const fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Bytes of all answers.
    #[must_use]
    pub const fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    /// How long the requests took.
    #[must_use]
    pub const fn durations(&self) -> &LatencyHistogram {
        &self.durations
    }

    /// True when some requests have these counts. Sums keep it, saturated or not.
    pub(crate) fn is_possible(&self) -> bool {
        let requests = self.requests();
        let bytes_fit = requests > 0 || (self.bytes_in, self.bytes_out) == (0, 0);
        bytes_fit && self.durations.count() == requests && self.blocked.max(self.origin_errors) <= requests
    }
}

impl<'a> Sum<&'a Self> for Record {
    fn sum<I: Iterator<Item = &'a Self>>(records: I) -> Self {
        let mut sum = Self::default();
        for record in records {
            sum.merge(record);
        }
        sum
    }
}

impl StatusClass {
    /// Every class, in the order of the digits.
    pub const ALL: [Self; 6] = [
        Self::NoAnswer,
        Self::Informational,
        Self::Successful,
        Self::Redirection,
        Self::ClientError,
        Self::ServerError,
    ];

    /// The class of what a client was answered.
    #[must_use]
    pub const fn of(status: Option<u16>) -> Self {
        match status {
            None => Self::NoAnswer,
            Some(100..=199) => Self::Informational,
            Some(200..=299) => Self::Successful,
            Some(300..=399) => Self::Redirection,
            Some(400..=499) => Self::ClientError,
            Some(_) => Self::ServerError,
        }
    }
}

fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(observations: &[Observation]) -> Record {
        let mut record = Record::default();
        for observation in observations {
            record.observe(observation);
        }
        record
    }

    fn answered(status: u16) -> Observation {
        Observation { status: Some(status), bytes_in: 10, bytes_out: 20, duration_us: 300, ..Observation::default() }
    }

    #[test]
    fn every_status_has_a_class() {
        let check = |status: Option<u16>, expected| assert_eq!(StatusClass::of(status), expected, "{status:?}");
        check(None, StatusClass::NoAnswer);
        check(Some(101), StatusClass::Informational);
        check(Some(200), StatusClass::Successful);
        check(Some(299), StatusClass::Successful);
        check(Some(304), StatusClass::Redirection);
        check(Some(404), StatusClass::ClientError);
        check(Some(500), StatusClass::ServerError);
        check(Some(999), StatusClass::ServerError);
        check(Some(0), StatusClass::ServerError);
    }

    #[test]
    fn every_class_is_counted_in_its_own_place() {
        for (place, class) in StatusClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, place);
        }
    }

    #[test]
    fn a_request_is_counted_in_all_it_was() {
        let blocked = Observation { blocked: true, ..answered(403) };
        let failed = Observation { origin_error: true, ..answered(502) };
        let left = Observation { duration_us: 9_000, ..Observation::default() };
        let record = of(&[answered(200), answered(201), blocked, failed, left]);
        assert_eq!(record.requests(), 5);
        assert_eq!(StatusClass::ALL.map(|class| record.answered(class)), [1, 0, 2, 0, 1, 1]);
        assert_eq!((record.blocked(), record.origin_errors()), (1, 1));
        assert_eq!((record.bytes_in(), record.bytes_out()), (40, 80));
        assert_eq!((record.durations().count(), record.durations().sum_us()), (5, 10_200));
    }

    #[test]
    fn a_record_is_empty_until_it_counts() {
        assert!(Record::default().is_empty());
        assert!(!of(&[Observation::default()]).is_empty());
    }

    #[test]
    fn a_sum_is_counting_all() {
        let parts = [[answered(200), answered(404)], [answered(500), Observation::default()]];
        assert_eq!(parts.map(|part| of(&part)).iter().sum::<Record>(), of(parts.as_flattened()));
    }

    #[test]
    fn what_saturated_is_still_possible() {
        let mut record = of(&[answered(200), answered(404), Observation { blocked: true, ..answered(403) }]);
        for _ in 0..70 {
            assert!(record.is_possible());
            record.merge(&record.clone());
        }
        assert_eq!((record.requests(), record.blocked(), record.bytes_in()), (u64::MAX, u64::MAX, u64::MAX));
    }
}
