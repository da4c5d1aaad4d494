//! The commands about documents that are tried on requests.

use demilune_inventory::ZoneId;

use super::{CandidateText, ManageError, Manager, Reply, TrialView};
use crate::{
    clock,
    schemas::ApplyError,
    trial::{self, Candidate, TrialError},
};

impl Manager {
    pub(super) async fn trial_begin(&self, zone: Option<&str>, candidate: CandidateText) -> Result<Reply, ManageError> {
        let candidate = match candidate {
            CandidateText::Document { name, source } => Candidate::Document { name, source },
            CandidateText::Learned(id) => {
                Candidate::Learned(id.parse().map_err(|error| ManageError::OperationId(id, error))?)
            }
        };
        let zone = self.zone_find(zone).await?.id;
        trial::begin(&self.store, &zone, candidate, clock::now()).await?;
        self.trial_of(&zone).await
    }

    pub(super) async fn trial_show(&self, zone: Option<&str>) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        self.trial_of(&zone).await
    }

    pub(super) async fn trial_end(&self, zone: Option<&str>) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        let ended = trial::end(&self.store, &zone).await?;
        if ended { Ok(Reply::TrialEnded {}) } else { Err(ManageError::TrialNone(zone)) }
    }

    async fn trial_of(&self, zone: &ZoneId) -> Result<Reply, ManageError> {
        let shown = trial::show(&self.store, zone).await?;
        let (trial, report, not_saved) = shown.ok_or_else(|| ManageError::TrialNone(zone.clone()))?;
        Ok(Reply::Trial(TrialView {
            zone: zone.to_string(),
            trial_id: trial.id.to_string(),
            name: trial.name,
            started_at: trial.started_at.to_string(),
            not_saved,
            report,
        }))
    }
}

impl From<TrialError> for ManageError {
    fn from(error: TrialError) -> Self {
        match error {
            TrialError::ZoneGone(zone) => Self::ZoneGone(zone),
            TrialError::Store(failure) => failure.into(),
            TrialError::NotLearned(error @ ApplyError::Store(_)) => error.into(),
            error => Self::Trial(error.to_string()),
        }
    }
}
