//! How a zone's gateway behaves where no operation says so.

use std::{fmt, ops::RangeInclusive, str::FromStr};

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

/// A zone's settings of the gateway, and of the schemas that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneSettings {
    /// What happens to requests that no operation fits.
    pub unmatched: Unmatched,
    /// Which form of the path the origin gets.
    pub forward_path: ForwardPath,
    /// Whether HEAD is taken for GET where no HEAD operation fits.
    pub head_as_get: bool,
    /// Limits of validation.
    pub limits: ValidationLimits,
}

/// How much validation may take of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidationLimits {
    /// Most bytes of a body that are held to be checked; none for what the gateway itself says.
    pub validated_bytes_max: Option<u32>,
    /// Most uploaded schemas.
    pub schemas_max: u32,
    /// Most bytes of them together.
    pub schemas_bytes_max: u32,
}

impl ValidationLimits {
    /// What `validated_bytes_max` may be: such a body takes half of what a gateway holds at all, unless told otherwise.
    pub const VALIDATED_BYTES: RangeInclusive<u32> = 1..=64 << 20;
    /// What `schemas_max` may be: every gateway reads and compiles all that are enabled.
    pub const SCHEMAS: RangeInclusive<u32> = 0..=1_000;
    /// What `schemas_bytes_max` may be.
    pub const SCHEMAS_BYTES: RangeInclusive<u32> = 0..=1 << 30;
}

impl Default for ValidationLimits {
    /// 100 schemas of 32 MiB. The documented plans end at "10 or more" and "10 MB or more"; the largest published documents
    /// take 13 MB, so that two of them fit.
    fn default() -> Self {
        Self { validated_bytes_max: None, schemas_max: 100, schemas_bytes_max: 32 << 20 }
    }
}

impl Default for ZoneSettings {
    fn default() -> Self {
        Self {
            unmatched: Unmatched::default(),
            forward_path: ForwardPath::default(),
            head_as_get: true,
            limits: ValidationLimits::default(),
        }
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
