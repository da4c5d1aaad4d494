//! What happens to requests that do not fit the schema of their operation: by zone, and by operation.

mod actions;
mod info;
mod of_zone;

use std::str::FromStr;

use demilune_inventory::ZoneId;

pub use actions::{ActionChange, OperationAction, OperationActionPage};
pub(crate) use actions::{change as change_actions, get as action, list as actions};
pub(crate) use info::get as info;
pub use info::{ActiveSchema, SchemaInfo};
pub use of_zone::ZoneValidation;
pub(crate) use of_zone::get as of_zone;

use crate::{
    connection::Connection,
    error::{QueryError, StoreFailure},
    row::{Column, Row, Value, columns},
    zone,
};

/// What happens to a request that does not fit the schema of its operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MitigationAction {
    /// It is not looked at.
    #[default]
    None,
    /// It goes on, and is counted and logged.
    Log,
    /// It is refused.
    Block,
}

impl MitigationAction {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Log => "log",
            Self::Block => "block",
        }
    }
}

impl FromStr for MitigationAction {
    type Err = MitigationActionError;

    /// Accepts the words in any letter case.
    fn from_str(text: &str) -> Result<Self, MitigationActionError> {
        let all = [Self::None, Self::Log, Self::Block].into_iter();
        let found = all.into_iter().find(|action| action.as_str().eq_ignore_ascii_case(text));
        found.ok_or(MitigationActionError)
    }
}

/// None of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mitigation action is none, log or block")]
pub struct MitigationActionError;

/// What a zone says of validation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValidationSettings {
    /// The action of operations that have none of their own.
    pub default_action: MitigationAction,
    /// Whether no request of the zone is looked at, whatever the actions are: the override `none`.
    pub is_off: bool,
}

impl ValidationSettings {
    /// What happens to requests of an operation with this action of its own.
    #[must_use]
    pub fn effective(self, own: Option<MitigationAction>) -> MitigationAction {
        if self.is_off { MitigationAction::None } else { own.unwrap_or(self.default_action) }
    }
}

columns! { "validation_settings": DEFAULT_ACTION = 1 "default_action", IS_OFF = 2 "is_off" }

/// Reads both columns of settings; the defaults where they are null.
fn settings(row: &Row, default_action: Column, is_off: Column) -> Result<ValidationSettings, StoreFailure> {
    if row.is_null(default_action) {
        return Ok(ValidationSettings::default());
    }
    Ok(ValidationSettings { default_action: row.parse(default_action)?, is_off: row.flag(is_off)? })
}

/// What a zone says of validation; none if there is no such zone.
pub(crate) async fn get_settings(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
) -> Result<Option<ValidationSettings>, StoreFailure> {
    const SQL: &str = "SELECT z.zone_id, v.default_action, v.is_off FROM zones z \
                       LEFT JOIN validation_settings v ON v.zone_id = z.zone_id WHERE z.zone_id = $1";
    let rows = connection.query(SQL, vec![zone.as_str().into()]).await?;
    rows.first().map(|row| settings(row, DEFAULT_ACTION, IS_OFF)).transpose()
}

/// Changes what a zone says, in the transaction that is open; gives what it is then, and none if there is no such zone.
pub(crate) async fn change_settings(
    connection: &mut Connection<'_>,
    zone: &ZoneId,
    change: impl FnOnce(ValidationSettings) -> ValidationSettings,
) -> Result<Option<ValidationSettings>, QueryError> {
    const UPSERT: &str = "INSERT INTO validation_settings (zone_id, default_action, is_off) VALUES ($1, $2, $3) \
        ON CONFLICT (zone_id) DO UPDATE SET default_action = excluded.default_action, is_off = excluded.is_off";
    if !zone::lock(connection, zone).await? {
        return Ok(None);
    }
    let before = get_settings(connection, zone).await?.unwrap_or_default();
    let after = change(before);
    if after != before {
        let parameters =
            vec![zone.as_str().into(), after.default_action.as_str().into(), Value::Integer(after.is_off.into())];
        connection.query(UPSERT, parameters).await?;
        zone::advance(connection, zone).await?;
    }
    Ok(Some(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_in_any_letter_case() {
        let check = |text: &str, expected| assert_eq!(text.parse::<MitigationAction>().ok(), expected, "{text}");
        check("none", Some(MitigationAction::None));
        check("LOG", Some(MitigationAction::Log));
        check("Block", Some(MitigationAction::Block));
        check("disable_override", None);
        check("", None);
    }

    #[test]
    fn an_operations_own_action_comes_before_the_default_and_the_override_before_both() {
        use MitigationAction::{Block, Log, None as Nothing};
        let check = |default_action, is_off, own, expected| {
            let settings = ValidationSettings { default_action, is_off };
            assert_eq!(settings.effective(own), expected, "{settings:?} {own:?}");
        };
        check(Log, false, None, Log);
        check(Log, false, Some(Block), Block);
        check(Block, false, Some(Nothing), Nothing);
        check(Block, true, None, Nothing);
        check(Block, true, Some(Block), Nothing);
    }
}
