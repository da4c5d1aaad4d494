//! How far the learning of an operation's thresholds has come.

use demilune_inventory::{OperationId, Timestamp, ZoneId};
use demilune_store::{Store, StoreFailure};
use demilune_traffic::{Hour, Source, Thresholds, WindowTotals};

use crate::{clock::unix_seconds, jobs::hourly::last_complete_hour};

/// What was seen of an operation in the last 24 hours, the one that is not over included.
#[derive(Clone, Debug)]
pub(crate) struct Learning {
    /// The operation.
    pub(crate) operation: OperationId,
    /// What was seen.
    pub(crate) totals: WindowTotals,
    /// Where it was seen.
    pub(crate) sources: Vec<Source>,
}

impl Learning {
    /// What was seen of these operations; those without a counted request are left out.
    pub(crate) async fn of(
        store: &Store,
        zone: &ZoneId,
        operations: Vec<OperationId>,
        now: Timestamp,
    ) -> Result<Vec<Self>, StoreFailure> {
        let end = Hour::of(Hour::of(unix_seconds(now)).end());
        let windows = store.session_windows(zone, operations, end).await?;
        let learning = |(operation, totals, sources)| Self { operation, totals, sources };
        Ok(windows.into_iter().map(learning).collect())
    }

    /// Sessions so far, cut to a whole number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of sessions")]
    pub(crate) fn sessions(&self) -> u64 {
        self.totals.sessions_estimated as u64
    }

    /// How many are needed.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "fifty")]
    pub(crate) const fn sessions_needed() -> u64 {
        Thresholds::SESSIONS_MIN as u64
    }

    /// What is missing, in a sentence.
    pub(crate) fn sentence(&self, identifiers_configured: bool) -> String {
        let needed = Self::sessions_needed();
        let sessions = self.sessions();
        if sessions >= needed {
            return format!("{sessions} sessions were seen, which is enough; thresholds come with the next full hour.");
        }
        let missing = format!("{sessions} of {needed} sessions were seen in the last 24 hours");
        if sessions == 0 && self.totals.requests > 0 {
            let why = if identifiers_configured {
                "none of them carried one of the zone's session identifiers"
            } else {
                "the zone has no session identifiers; set them with PUT …/api_gateway/configuration"
            };
            return format!("{missing}: there were {} requests, but {why}.", self.totals.requests);
        }
        format!("{missing}; thresholds need {} more.", needed - sessions)
    }
}

/// What is missing where not one request was counted.
pub(crate) fn nothing_seen(identifiers_configured: bool) -> String {
    let needed = Learning::sessions_needed();
    let hint = if identifiers_configured { "" } else { " The zone has no session identifiers yet." };
    format!("0 of {needed} sessions were seen in the last 24 hours: no request was answered with 2xx.{hint}")
}

/// Full hours between a day's end and the last one that is complete.
pub(crate) fn age_hours(end: Hour, now: Timestamp) -> u64 {
    last_complete_hour(now).start().saturating_sub(end.start()) / Hour::SECONDS
}
