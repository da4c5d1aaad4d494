//! The command that looks for operations that nobody saved.

use demilune_inventory::{Timestamp, ZoneId};

use super::{DiscoveredView, ManageError, Manager, Reply};
use crate::{DiscoveryJob, clock, discovery::Discovered};

impl Manager {
    /// Finds them anew, and lists them: those with the most requests first.
    pub(super) async fn discover(&self, zone: Option<&str>) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        let found = self.rediscover(&zone, clock::now()).await?;
        let mut views: Vec<DiscoveredView> = found.into_iter().map(view).collect();
        views.sort_by(|one, other| other.requests.cmp(&one.requests).then_with(|| one.id.cmp(&other.id)));
        Ok(Reply::Discovered(views))
    }

    /// Finds a zone's operations anew.
    pub(super) async fn rediscover(&self, zone: &ZoneId, now: Timestamp) -> Result<Vec<Discovered>, ManageError> {
        DiscoveryJob::new(self.store.clone()).recompute(zone, now).await?;
        Discovered::all(&self.store, zone).await?.ok_or_else(|| ManageError::ZoneGone(zone.clone()))
    }
}

fn view(found: Discovered) -> DiscoveredView {
    let Discovered { operation, state } = found;
    DiscoveredView {
        id: operation.id.to_string(),
        method: operation.key.method.to_string(),
        host: operation.key.host.to_string(),
        endpoint: operation.key.endpoint.to_string(),
        state: state.as_str().to_owned(),
        origin: operation.origins,
        requests: operation.requests,
        period_seconds: operation.period_seconds,
    }
}
