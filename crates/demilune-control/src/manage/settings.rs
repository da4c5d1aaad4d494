//! The commands about a zone's settings.

use std::ops::RangeInclusive;

use demilune_policy::rule::{ForwardPath, Unmatched, ValidationLimits, ZoneSettings};

use super::{ManageError, Manager, Reply, SettingsText};

impl Manager {
    pub(super) async fn settings_show(&self, zone: Option<&str>) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        let settings = self.store.zone_settings_get(&zone).await?.ok_or(ManageError::ZoneGone(zone))?;
        Ok(Reply::Settings(settings.into()))
    }

    pub(super) async fn settings_set(&self, zone: Option<&str>, change: SettingsText) -> Result<Reply, ManageError> {
        let change = Change::parse(change)?;
        let zone = self.zone_find(zone).await?.id;
        let changed = self.store.zone_settings_change(&zone, move |before| change.apply(before)).await?;
        Ok(Reply::Settings(changed.ok_or(ManageError::ZoneGone(zone))?.into()))
    }
}

/// Settings to change, read.
#[derive(Clone)]
struct Change {
    unmatched: Option<Unmatched>,
    forward_path: Option<ForwardPath>,
    head_as_get: Option<bool>,
    /// 0 for what the gateway itself says.
    validated_bytes_max: Option<u32>,
    schemas_max: Option<u32>,
    schemas_bytes_max: Option<u32>,
}

impl Change {
    fn parse(text: SettingsText) -> Result<Self, ManageError> {
        let unmatched = text.unmatched.map(|text| text.parse()).transpose();
        let forward_path = text.forward_path.map(|text| text.parse()).transpose();
        let validated =
            limit("validated-bytes-max", text.validated_bytes_max, 0..=*ValidationLimits::VALIDATED_BYTES.end())?;
        Ok(Self {
            unmatched: unmatched.map_err(|error| ManageError::Setting("unmatched", error))?,
            forward_path: forward_path.map_err(|error| ManageError::Setting("forward-path", error))?,
            head_as_get: text.head_as_get,
            validated_bytes_max: validated,
            schemas_max: limit("schemas-max", text.schemas_max, ValidationLimits::SCHEMAS)?,
            schemas_bytes_max: limit("schemas-bytes-max", text.schemas_bytes_max, ValidationLimits::SCHEMAS_BYTES)?,
        })
    }

    fn apply(self, before: ZoneSettings) -> ZoneSettings {
        let limits = before.limits;
        ZoneSettings {
            unmatched: self.unmatched.unwrap_or(before.unmatched),
            forward_path: self.forward_path.unwrap_or(before.forward_path),
            head_as_get: self.head_as_get.unwrap_or(before.head_as_get),
            limits: ValidationLimits {
                validated_bytes_max: self
                    .validated_bytes_max
                    .map_or(limits.validated_bytes_max, |most| Some(most).filter(|most| *most > 0)),
                schemas_max: self.schemas_max.unwrap_or(limits.schemas_max),
                schemas_bytes_max: self.schemas_bytes_max.unwrap_or(limits.schemas_bytes_max),
            },
        }
    }
}

fn limit(name: &'static str, given: Option<u32>, range: RangeInclusive<u32>) -> Result<Option<u32>, ManageError> {
    match given {
        Some(number) if !range.contains(&number) => Err(ManageError::Limit(name, number, range)),
        given => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manage::{Command, SettingsView, testing};

    fn set(unmatched: Option<&str>, forward_path: Option<&str>, head_as_get: Option<bool>) -> Command {
        let [unmatched, forward_path] = [unmatched, forward_path].map(|text| text.map(str::to_owned));
        let change = SettingsText { unmatched, forward_path, head_as_get, ..SettingsText::default() };
        Command::SettingsSet { zone: None, change }
    }

    #[tokio::test]
    async fn what_is_not_named_stays_as_it_is() {
        let (_folder, manager) = testing::manager(10).await;
        let check = async |command: Command, unmatched: &str, forward_path: &str, head_as_get: bool| {
            let (unmatched, forward_path) = (unmatched.to_owned(), forward_path.to_owned());
            let usual = SettingsView::from(ZoneSettings::default());
            let expected = Reply::Settings(SettingsView { unmatched, forward_path, head_as_get, ..usual });
            assert_eq!(manager.execute(command).await.unwrap(), expected);
            assert_eq!(manager.execute(Command::SettingsShow { zone: None }).await.unwrap(), expected);
        };
        check(set(None, None, None), "pass", "normalized", true).await;
        check(set(Some("block"), None, None), "block", "normalized", true).await;
        check(set(None, Some("raw"), None), "block", "raw", true).await;
        check(set(Some("log"), None, Some(false)), "log", "raw", false).await;
    }

    #[tokio::test]
    async fn limits_are_set_within_their_range() {
        let (_folder, manager) = testing::manager(10).await;
        let set = async |validated_bytes_max, schemas_max| {
            let change = SettingsText { validated_bytes_max, schemas_max, ..SettingsText::default() };
            manager.execute(Command::SettingsSet { zone: None, change }).await
        };
        let limits = |reply| match reply {
            Ok(Reply::Settings(SettingsView { validated_bytes_max, schemas_max, .. })) => {
                (validated_bytes_max, schemas_max)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(limits(set(Some(1 << 26), Some(3)).await), (Some(1 << 26), 3));
        assert_eq!(limits(set(Some(0), None).await), (None, 3));
        let sentence = set(None, Some(1_001)).await.unwrap_err().chain();
        assert!(sentence.contains("schemas-max") && sentence.contains("0 to 1000"), "{sentence}");
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
