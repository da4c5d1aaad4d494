//! How a zone's gateway behaves where no operation says so.

use std::{fmt, str::FromStr};

/// What happens to requests that no operation fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unmatched {
    /// They are forwarded.
    #[default]
    Pass,
    /// They are forwarded, and each is named in the log.
    Log,
    /// They are answered with 403.
    Block,
}

/// Which form of the path the origin gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardPath {
    /// The form that was matched.
    #[default]
    Normalized,
    /// What the client sent; refused where it could name another operation than the normalized form.
    Raw,
}

/// A zone's settings of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneSettings {
    /// What happens to requests that no operation fits.
    pub unmatched: Unmatched,
    /// Which form of the path the origin gets.
    pub forward_path: ForwardPath,
    /// Whether HEAD is taken for GET where no HEAD operation fits.
    pub head_as_get: bool,
}

impl Default for ZoneSettings {
    fn default() -> Self {
        Self { unmatched: Unmatched::default(), forward_path: ForwardPath::default(), head_as_get: true }
    }
}

/// A word that is no value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no value here; write {expected}")]
pub struct SettingError {
    /// What was given.
    pub given: String,
    /// What may be given.
    pub expected: &'static str,
}

impl Unmatched {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Log => "log",
            Self::Block => "block",
        }
    }
}

impl FromStr for Unmatched {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let all = [Self::Pass, Self::Log, Self::Block];
        let found = all.into_iter().find(|value| value.as_str() == text);
        found.ok_or_else(|| SettingError { given: text.to_owned(), expected: "pass, log or block" })
    }
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ForwardPath {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normalized => "normalized",
            Self::Raw => "raw",
        }
    }
}

impl FromStr for ForwardPath {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let found = [Self::Normalized, Self::Raw].into_iter().find(|value| value.as_str() == text);
        found.ok_or_else(|| SettingError { given: text.to_owned(), expected: "normalized or raw" })
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
