//! The command that compares a document with the requests of a zone.

use super::{ManageError, Manager, Reply};
use crate::{
    DiscoveryJob, clock,
    drift::{DriftError, compare},
};

impl Manager {
    /// Looks for operations that nobody saved first, so that the newest requests are there.
    pub(super) async fn drift(&self, zone: Option<&str>, source: String) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        let now = clock::now();
        DiscoveryJob::new(self.store.clone()).recompute(&zone, now).await?;
        Ok(Reply::Drift(Box::new(compare(&self.store, &zone, source, now).await?)))
    }
}

impl From<DriftError> for ManageError {
    fn from(error: DriftError) -> Self {
        match error {
            DriftError::ZoneGone(zone) => Self::ZoneGone(zone),
            DriftError::Store(failure) => failure.into(),
            DriftError::Rejected(_) => Self::Drift(error.to_string()),
        }
    }
}
