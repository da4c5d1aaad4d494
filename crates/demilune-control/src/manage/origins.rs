//! The commands about origins.

use demilune_inventory::Host;
use demilune_policy::rule::{HostHeader, Origin};
use demilune_store::OriginSetError;

use super::{ManageError, Manager, Reply};
use crate::clock;

impl Manager {
    pub(super) async fn origin_set(
        &self,
        zone: Option<&str>,
        host: &str,
        url: &str,
        host_header: Option<&str>,
    ) -> Result<Reply, ManageError> {
        let origin = Origin {
            host: parse_host(host)?,
            url: url.parse().map_err(|error| ManageError::OriginUrl(url.to_owned(), error))?,
            host_header: host_header
                .map_or(Ok(HostHeader::Client), str::parse)
                .map_err(ManageError::OriginHostHeader)?,
        };
        let zone = self.zone_find(zone).await?.id;
        match self.store.origin_set(&zone, origin, clock::now()).await {
            Ok(record) => Ok(Reply::Origin((&record).into())),
            Err(OriginSetError::ZoneUnknown) => Err(ManageError::ZoneGone(zone)),
            Err(error) => Err(ManageError::OriginSet(error)),
        }
    }

    pub(super) async fn origin_list(&self, zone: Option<&str>) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        let origins = self.store.origin_list(&zone).await?.ok_or(ManageError::ZoneGone(zone))?;
        Ok(Reply::Origins(origins.iter().map(Into::into).collect()))
    }

    pub(super) async fn origin_delete(&self, zone: Option<&str>, host: &str) -> Result<Reply, ManageError> {
        let host = parse_host(host)?;
        let zone = self.zone_find(zone).await?.id;
        let origins = self.store.origin_list(&zone).await?.unwrap_or_default();
        let Some(record) = origins.iter().find(|record| record.origin.host == host) else {
            return Err(ManageError::OriginNotFound(host));
        };
        if self.store.origin_delete(&zone, &host).await? {
            Ok(Reply::OriginDeleted(record.into()))
        } else {
            Err(ManageError::OriginNotFound(host))
        }
    }
}

fn parse_host(text: &str) -> Result<Host, ManageError> {
    text.parse().map_err(|error| ManageError::OriginHost(text.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manage::{Command, testing};

    fn set(host: &str, url: &str, host_header: Option<&str>) -> Command {
        let host_header = host_header.map(str::to_owned);
        Command::OriginSet { zone: None, host: host.to_owned(), url: url.to_owned(), host_header }
    }

    #[tokio::test]
    async fn an_origin_is_set_listed_and_removed() {
        let (_folder, manager) = testing::manager(10).await;
        let Reply::Origin(origin) = manager.execute(set("{t}.Example.com", "http://h:80", None)).await.unwrap() else {
            panic!()
        };
        assert_eq!((origin.host.as_str(), origin.url.as_str()), ("{hostVar1}.example.com", "http://h"));
        let list = Command::OriginList { zone: None };
        assert_eq!(manager.execute(list.clone()).await.unwrap(), Reply::Origins(vec![origin.clone()]));
        let delete = Command::OriginDelete { zone: Some("default".to_owned()), host: "{x}.example.com".to_owned() };
        assert_eq!(manager.execute(delete.clone()).await.unwrap(), Reply::OriginDeleted(origin));
        assert!(matches!(manager.execute(delete).await, Err(ManageError::OriginNotFound(_))));
        assert_eq!(manager.execute(list).await.unwrap(), Reply::Origins(Vec::new()));
    }

    #[tokio::test]
    async fn what_cannot_be_an_origin_is_named() {
        let (_folder, manager) = testing::manager(10).await;
        let check = async |command: Command, part: &str| {
            let sentence = manager.execute(command).await.unwrap_err().chain();
            assert!(sentence.contains(part), "{sentence}");
        };
        check(set("a:80", "http://h", None), "the host has a port").await;
        check(set("a", "h", None), "start it with http:// or https://").await;
        check(set("a", "http://h/x", None), "ends behind its host and port").await;
        check(set("a", "http://h", Some("a b")), "no value of a Host field").await;
        assert_eq!(manager.execute(Command::OriginList { zone: None }).await.unwrap(), Reply::Origins(Vec::new()));
    }
}
