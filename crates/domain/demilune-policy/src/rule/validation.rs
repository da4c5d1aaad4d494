//! What happens to requests that do not fit the schema of their operation.

use std::str::FromStr;

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
