//! What people and scripts see: results on standard output, remarks on standard error.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
};

use clap::ValueEnum;
use serde::Serialize;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// JSON for programs.
    Json,
}

/// The result could not be printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// Standard output is gone or full.
    #[error("the result cannot be written to standard output")]
    Write(#[source] io::Error),
    /// The result cannot be put as JSON.
    #[error("the result cannot be written as JSON")]
    Json(#[source] serde_json::Error),
}

/// Prints a result. A reader who has seen enough, such as `head`, is no failure.
pub(crate) fn print(text: &str) -> Result<(), OutputError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(OutputError::Write(error)),
        _ => Ok(()),
    }
}

/// Prints a result as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), OutputError> {
    let mut text = serde_json::to_string_pretty(value).map_err(OutputError::Json)?;
    text.push('\n');
    print(&text)
}

/// Makes a remark beside the result.
pub(crate) fn note(text: &str) {
    // With standard error gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "demilune: {text}");
}

/// Whether a person is looking at standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Rows under headings, or names beside values.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Begins with headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| heading.to_uppercase()).collect()] }
    }

    /// A table of names and values.
    pub(crate) fn of_members(members: &[(&str, &str)]) -> Self {
        Self { rows: members.iter().map(|(name, value)| vec![(*name).to_owned(), (*value).to_owned()]).collect() }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The lines, with two spaces between columns and none at the end.
    pub(crate) fn render(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                // Writing to a string does not fail.
                let _ = write!(line, "{cell:<width$}  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["id", "name"]);
        table.push(vec!["é1".to_owned(), "shop".to_owned()]);
        table.push(vec!["long-id".to_owned(), String::new()]);
        assert_eq!(table.render(), "ID       NAME\né1       shop\nlong-id\n");
    }
}
