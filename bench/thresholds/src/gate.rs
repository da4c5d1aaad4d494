//! What the rule must reach.

use std::fmt;

use crate::{
    coverage::{self, Coverage},
    sample::count,
    table::Table,
};

/// A figure, and what it may be.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// What is measured.
    pub what: &'static str,
    /// The figure.
    pub found: f64,
    /// The least that it may be.
    pub least: f64,
    /// The most that it may be.
    pub most: f64,
    /// Decimals to print.
    decimals: usize,
}

/// All gates.
#[must_use]
pub fn gates(table: &Table, coverages: &[Coverage]) -> Vec<Gate> {
    let summary = table.summary(0);
    let means = coverage::means(coverages);
    let covered = means.iter().map(|held| held.typical[1]).sum::<f64>() / count(means.len());
    let at_most = |what, found, most, decimals| Gate { what, found, least: 0.0, most, decimals };
    vec![
        at_most("false positives, mean, %", summary.false_positives * 100.0, 0.08, 3),
        at_most("false positives, worst cell, %", summary.false_positives_worst * 100.0, 0.5, 3),
        Gate { what: "recall, mean", found: summary.recall, least: 0.52, most: 1.0, decimals: 3 },
        at_most("standard deviation of ln T, mean", summary.deviation, 0.14, 3),
        Gate {
            what: "95 % intervals that cover, mean, %",
            found: covered * 100.0,
            least: 94.0,
            most: 99.5,
            decimals: 1,
        },
    ]
}

impl Gate {
    /// Whether the figure is what it may be.
    #[must_use]
    pub fn holds(&self) -> bool {
        (self.least..=self.most).contains(&self.found)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found, least, most, decimals } = self;
        let verdict = if self.holds() { "held" } else { "**failed**" };
        write!(f, "| {what} | {found:.decimals$} | {least} to {most} | {verdict} |")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_holds_between_its_bounds() {
        let check = |found, expected| {
            let gate = Gate { what: "figure", found, least: 0.1, most: 0.2, decimals: 2 };
            assert_eq!(gate.holds(), expected, "{gate}");
        };
        check(0.1, true);
        check(0.2, true);
        check(0.21, false);
        check(0.05, false);
        check(f64::NAN, false);
    }
}
