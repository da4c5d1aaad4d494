//! How much of a document is taken on.

use demilune_inventory::Host;

/// How a document is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The host of servers whose URL names none.
    pub host: Option<Host>,
    /// How much of it is taken on.
    pub limits: Limits,
}

/// How much of a document is taken on. A document that holds more is refused, and says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of its text. GitHub's document takes thirteen million.
    pub bytes_max: usize,
    /// Values in it, those counted again that YAML aliases repeat. GitHub's document has half a million.
    pub values_max: usize,
    /// Operations, those counted again that several servers repeat.
    pub operations_max: usize,
    /// Schemas that requests are checked against, those within others counted.
    pub schemas_max: usize,
    /// The same once compiled, each with all that it refers to: they take about a kilobyte each.
    pub compiled_max: usize,
    /// Bytes of all compiled regular expressions.
    pub pattern_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 16 * 1024 * 1024,
            values_max: 4_000_000,
            operations_max: 20_000,
            schemas_max: 500_000,
            compiled_max: 250_000,
            pattern_bytes_max: 64 * 1024 * 1024,
        }
    }
}
