//! The commands about what the gateway does in a zone: origins and settings.

use demilune_inventory::Host;
use demilune_policy::rule::{HostHeader, Origin, ZoneSettings};

use super::{ManageError, Manager, Reply, SettingsView};
use crate::clock;

impl Manager {
    pub(super) async fn origin_set(
        &self,
        zone: Option<&str>,
        host: &str,
        url: &str,
        host_header: Option<&str>,
    ) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?;
        let origin = Origin {
            host: parse_host(host)?,
            url: url.parse().map_err(|error| ManageError::OriginUrl(url.to_owned(), error))?,
            host_header: match host_header {
                Some(text) => text.parse().map_err(ManageError::HostHeader)?,
                None => HostHeader::default(),
            },
        };
        let record = self.store.origin_set(&zone.id, origin, clock::now()).await.map_err(ManageError::OriginSet)?;
        Ok(Reply::Origin((&record).into()))
    }

    pub(super) async fn origin_list(&self, zone: Option<&str>) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?;
        let origins = self.store.origin_list(&zone.id).await?.ok_or(ManageError::ZoneGone(zone.id))?;
        Ok(Reply::Origins(origins.iter().map(Into::into).collect()))
    }

    pub(super) async fn origin_delete(&self, zone: Option<&str>, host: &str) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?;
        let host = parse_host(host)?;
        if self.store.origin_delete(&zone.id, &host).await? {
            Ok(Reply::OriginDeleted(host.to_string()))
        } else {
            Err(ManageError::OriginNotFound(host.to_string()))
        }
    }

    pub(super) async fn settings_change(
        &self,
        zone: Option<&str>,
        unmatched: Option<&str>,
        forward_path: Option<&str>,
        head_as_get: Option<bool>,
    ) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        let before = self.store.zone_settings_get(&zone).await?;
        let before = before.ok_or_else(|| ManageError::ZoneGone(zone.clone()))?;
        let settings = ZoneSettings {
            unmatched: unmatched.map_or(Ok(before.unmatched), str::parse).map_err(ManageError::Setting)?,
            forward_path: forward_path.map_or(Ok(before.forward_path), str::parse).map_err(ManageError::Setting)?,
            head_as_get: head_as_get.unwrap_or(before.head_as_get),
        };
        if settings != before && !self.store.zone_settings_set(&zone, settings).await? {
            return Err(ManageError::ZoneGone(zone));
        }
        Ok(Reply::Settings(SettingsView {
            unmatched: settings.unmatched.to_string(),
            forward_path: settings.forward_path.to_string(),
            head_as_get: settings.head_as_get,
        }))
    }
}

fn parse_host(text: &str) -> Result<Host, ManageError> {
    text.parse().map_err(|error| ManageError::Host(text.to_owned(), error))
}
