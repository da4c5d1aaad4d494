//! Values as both drivers carry them, and rows that are parsed, not trusted.

use std::str::FromStr;

use demilune_inventory::Timestamp;

use crate::error::StoreFailure;

/// A parameter of a statement, or a column of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    TextOrNull(Option<String>),
    Integer(i64),
    IntegerOrNull(Option<i64>),
    Real(f64),
    Blob(Vec<u8>),
    BlobOrNull(Option<Vec<u8>>),
    /// A null of a type that nobody asked for.
    Null,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Integer(time.as_micros())
    }
}

/// One row of an answer.
#[derive(Debug)]
pub(crate) struct Row(pub(crate) Vec<Value>);

/// Names a column, for reading it and for saying which one is damaged.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) table: &'static str,
    pub(crate) name: &'static str,
    pub(crate) index: usize,
}

impl Row {
    /// A text column, parsed.
    pub(crate) fn parse<T: FromStr>(&self, column: Column) -> Result<T, StoreFailure> {
        self.parse_with(column, str::parse)
    }

    /// A text column, parsed by a function.
    pub(crate) fn parse_with<T, E>(
        &self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoreFailure> {
        match self.0.get(column.index) {
            Some(Value::Text(text)) => parse(text).map_err(|_| self.damaged(column)),
            _ => Err(self.damaged(column)),
        }
    }

    /// A text column that may be null, parsed.
    pub(crate) fn parse_or_null<T: FromStr>(&self, column: Column) -> Result<Option<T>, StoreFailure> {
        if self.is_null(column) { Ok(None) } else { self.parse(column).map(Some) }
    }

    /// An integer column.
    pub(crate) fn integer(&self, column: Column) -> Result<i64, StoreFailure> {
        match self.0.get(column.index) {
            Some(Value::Integer(number)) => Ok(*number),
            _ => Err(self.damaged(column)),
        }
    }

    /// An integer column that counts something.
    pub(crate) fn count(&self, column: Column) -> Result<u64, StoreFailure> {
        u64::try_from(self.integer(column)?).map_err(|_| self.damaged(column))
    }

    /// A column of a floating-point number.
    pub(crate) fn real(&self, column: Column) -> Result<f64, StoreFailure> {
        match self.0.get(column.index) {
            Some(Value::Real(number)) => Ok(*number),
            _ => Err(self.damaged(column)),
        }
    }

    /// An integer column that is 0 or 1.
    pub(crate) fn flag(&self, column: Column) -> Result<bool, StoreFailure> {
        match self.integer(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damaged(column)),
        }
    }

    /// A column of microseconds since the epoch.
    pub(crate) fn time(&self, column: Column) -> Result<Timestamp, StoreFailure> {
        Timestamp::from_micros(self.integer(column)?).ok_or_else(|| self.damaged(column))
    }

    /// A column of microseconds since the epoch that may be null.
    pub(crate) fn time_or_null(&self, column: Column) -> Result<Option<Timestamp>, StoreFailure> {
        if self.is_null(column) { Ok(None) } else { self.time(column).map(Some) }
    }

    /// A column of exactly `N` bytes.
    pub(crate) fn bytes<const N: usize>(&self, column: Column) -> Result<[u8; N], StoreFailure> {
        self.blob_with(column, |bytes| bytes.try_into())
    }

    /// A column of bytes, parsed by a function.
    pub(crate) fn blob_with<T, E>(
        &self,
        column: Column,
        parse: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<T, StoreFailure> {
        parse(self.blob(column)?).map_err(|_| self.damaged(column))
    }

    /// A column of bytes.
    pub(crate) fn blob(&self, column: Column) -> Result<&[u8], StoreFailure> {
        match self.0.get(column.index) {
            Some(Value::Blob(bytes)) => Ok(bytes),
            _ => Err(self.damaged(column)),
        }
    }

    /// All that can be printed: texts and numbers.
    pub(crate) fn texts(&self) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::Text(text) => Some(format!("{text:?}")),
            Value::Integer(number) => Some(number.to_string()),
            _ => None,
        };
        self.0.iter().filter_map(text).collect()
    }

    /// Whether a column is null.
    pub(crate) fn is_null(&self, column: Column) -> bool {
        matches!(self.0.get(column.index), Some(Value::Null) | None)
    }

    fn damaged(&self, column: Column) -> StoreFailure {
        // Ids come first in the rows that hold one; secrets are blobs and never printed.
        let row = self.0.iter().find_map(|value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        });
        StoreFailure::Damaged { table: column.table, column: column.name, row: row.unwrap_or_default() }
    }
}

/// Defines the columns of a table in the order in which statements select them.
macro_rules! columns {
    ($table:literal: $($name:ident = $index:literal $text:literal),* $(,)?) => {
        $(const $name: $crate::row::Column = $crate::row::Column { table: $table, name: $text, index: $index };)*
    };
}
pub(crate) use columns;
