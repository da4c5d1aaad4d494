//! The commands about a zone's settings.

use demilune_policy::rule::{ForwardPath, Unmatched, ZoneSettings};

use super::{ManageError, Manager, Reply};

impl Manager {
    pub(super) async fn settings_show(&self, zone: Option<&str>) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        let settings = self.store.zone_settings_get(&zone).await?.ok_or(ManageError::ZoneGone(zone))?;
        Ok(Reply::Settings(settings.into()))
    }

    pub(super) async fn settings_set(
        &self,
        zone: Option<&str>,
        unmatched: Option<&str>,
        forward_path: Option<&str>,
        head_as_get: Option<bool>,
    ) -> Result<Reply, ManageError> {
        let unmatched: Option<Unmatched> =
            unmatched.map(str::parse).transpose().map_err(|error| ManageError::Setting("unmatched", error))?;
        let forward_path: Option<ForwardPath> =
            forward_path.map(str::parse).transpose().map_err(|error| ManageError::Setting("forward-path", error))?;
        let zone = self.zone_find(zone).await?.id;
        let change = move |before: ZoneSettings| ZoneSettings {
            unmatched: unmatched.unwrap_or(before.unmatched),
            forward_path: forward_path.unwrap_or(before.forward_path),
            head_as_get: head_as_get.unwrap_or(before.head_as_get),
        };
        let changed = self.store.zone_settings_change(&zone, change).await?;
        Ok(Reply::Settings(changed.ok_or(ManageError::ZoneGone(zone))?.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manage::{Command, SettingsView, testing};

    fn set(unmatched: Option<&str>, forward_path: Option<&str>, head_as_get: Option<bool>) -> Command {
        let [unmatched, forward_path] = [unmatched, forward_path].map(|text| text.map(str::to_owned));
        Command::SettingsSet { zone: None, unmatched, forward_path, head_as_get }
    }

    #[tokio::test]
    async fn what_is_not_named_stays_as_it_is() {
        let (_folder, manager) = testing::manager(10).await;
        let check = async |command: Command, unmatched: &str, forward_path: &str, head_as_get: bool| {
            let (unmatched, forward_path) = (unmatched.to_owned(), forward_path.to_owned());
            let expected = Reply::Settings(SettingsView { unmatched, forward_path, head_as_get });
            assert_eq!(manager.execute(command).await.unwrap(), expected);
            assert_eq!(manager.execute(Command::SettingsShow { zone: None }).await.unwrap(), expected);
        };
        check(set(None, None, None), "pass", "normalized", true).await;
        check(set(Some("block"), None, None), "block", "normalized", true).await;
        check(set(None, Some("raw"), None), "block", "raw", true).await;
        check(set(Some("log"), None, Some(false)), "log", "raw", false).await;
    }

    #[tokio::test]
    async fn a_word_that_is_no_value_is_answered_with_those_that_are() {
        let (_folder, manager) = testing::manager(10).await;
        let check = async |command: Command, part: &str| {
            let sentence = manager.execute(command).await.unwrap_err().chain();
            assert!(sentence.contains(part), "{sentence}");
        };
        check(set(Some("drop"), None, None), "write pass, log or block").await;
        check(set(Some("block"), Some("RAW"), None), "write normalized or raw").await;
    }
}
