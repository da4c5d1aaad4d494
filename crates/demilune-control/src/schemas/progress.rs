//! How far the learning of an operation's schema has come.

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_schema::learn::Learned;
use demilune_store::{Store, StoreFailure};
use demilune_traffic::Hour;

use super::{EvidenceWindow, sum};
use crate::clock::unix_seconds;

/// What was seen of an operation so far, the hour that is not over included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Requests that were answered with 2xx.
    pub(crate) requests: u64,
    /// Bodies of them that were read.
    pub(crate) bodies: u64,
}

impl Progress {
    /// Requests that a schema needs, and bodies that one of bodies does.
    pub(crate) const NEEDED: u64 = Learned::REQUESTS_MIN;

    /// The hours that are looked at now.
    pub(crate) fn window(now: Timestamp) -> EvidenceWindow {
        EvidenceWindow::ending_at(Hour::of(Hour::of(unix_seconds(now)).end()))
    }

    /// What was seen of an operation.
    pub(crate) async fn of(
        store: &Store,
        zone: &ZoneId,
        operation: OperationId,
        now: Timestamp,
    ) -> Result<Self, StoreFailure> {
        let evidence = sum(store, zone, operation, Self::window(now)).await?;
        Ok(Self { requests: evidence.requests(), bodies: evidence.bodies() })
    }

    /// Requests that are missing.
    pub(crate) const fn missing(self) -> u64 {
        Self::NEEDED.saturating_sub(self.requests)
    }

    /// What is missing, in a sentence.
    pub(crate) fn sentence(self) -> String {
        let Self { requests, .. } = self;
        match self.missing() {
            0 => format!("{requests} requests were seen, which is enough; a schema comes with the next full hour."),
            missing => format!(
                "{requests} of {} requests were seen in the last three days; a schema needs {missing} more that are \
                 answered with 2xx.",
                Self::NEEDED
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_is_missing() {
        let check = |requests, part: &str| {
            let sentence = Progress { requests, bodies: 0 }.sentence();
            assert!(sentence.contains(part), "{sentence}");
        };
        check(0, "0 of 1000 requests");
        check(999, "needs 1 more");
        check(1_000, "comes with the next full hour");
    }
}
