//! The figures as Markdown.

use std::fmt::{self, Display, Formatter};

use crate::{
    candidate::CANDIDATES,
    coverage::{self, Coverage, Held},
    poisoning::{self, Moved, Poisoning},
    reference::{self, REFERENCE},
    table::{Cell, Outcome, Table},
};

/// The product's rule by scenario, with what its first implementation gave in brackets.
#[derive(Debug)]
pub struct Scenarios<'a>(pub &'a Table);

impl Display for Scenarios<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "| scenario | best for day 2, its recall | no abusers | 0.5 % | 2 % |")?;
        writeln!(f, "| --- | --- | --- | --- | --- |")?;
        for (row, written) in self.0.rows.iter().zip(&REFERENCE) {
            let Outcome { threshold, recall, .. } = row.oracle;
            write!(f, "| {} | {threshold:.1}, {recall:.3} ", row.scenario.name)?;
            write!(f, "({}, {:.2})", written.oracle.0, written.oracle.1)?;
            for (share, cell) in reference::SHARES.into_iter().zip(written.cells) {
                write!(f, " | {} ({}/{:.3}/{:.2})", figures(&row.cells[0][share].mean), cell.0, cell.1, cell.2)?;
            }
            writeln!(f, " |")?;
        }
        Ok(())
    }
}

/// How many of the figures are not, rounded, those that the first implementation gave.
#[must_use]
pub fn differences(table: &Table) -> usize {
    let rows = table.rows.iter().zip(&REFERENCE);
    let differences = rows.map(|(row, written)| {
        let cells = reference::SHARES.map(|share| {
            let Outcome { threshold, false_positives, recall } = row.cells[0][share].mean;
            (threshold, false_positives * 100.0, recall)
        });
        written.differences((row.oracle.threshold, row.oracle.recall), cells)
    });
    differences.sum()
}

/// All rules over all cells.
#[derive(Debug)]
pub struct Candidates<'a>(pub &'a Table);

impl Display for Candidates<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "| rule | false positives, mean % | worst cell % | recall | sd of ln T |")?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: |")?;
        for (place, candidate) in CANDIDATES.iter().enumerate() {
            let summary = self.0.summary(place);
            let (mean, worst) = (summary.false_positives * 100.0, summary.false_positives_worst * 100.0);
            let (recall, deviation) = (summary.recall, summary.deviation);
            writeln!(f, "| {} | {mean:.3} | {worst:.2} | {recall:.3} | {deviation:.3} |", candidate.name)?;
        }
        Ok(())
    }
}

/// All rules by scenario, where .5 % of the sessions are abusers.
#[derive(Debug)]
pub struct CandidatesByScenario<'a>(pub &'a Table);

impl Display for CandidatesByScenario<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        header(f, CANDIDATES.iter().map(|candidate| candidate.name))?;
        for row in &self.0.rows {
            write!(f, "| {}", row.scenario.name)?;
            for cells in &row.cells {
                let Cell { mean, .. } = &cells[2];
                write!(f, " | {}", figures(mean))?;
            }
            writeln!(f, " |")?;
        }
        Ok(())
    }
}

/// How often intervals cover.
#[derive(Debug)]
pub struct Covered<'a>(pub &'a [Coverage]);

impl Display for Covered<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        header(f, coverage::SIZES.map(|sessions| format!("{sessions} sessions")))?;
        for coverage in self.0 {
            line(f, coverage.name, coverage.sizes.iter().map(levels))?;
        }
        let means = coverage::means(self.0);
        line(f, "mean", means.iter().map(levels))?;
        line(f, "of the very large sample, 95 %", means.iter().map(|held| format!("{:.1}", held.large * 100.0)))?;
        line(f, "upper bound over lower, 95 %", means.iter().map(|held| format!("{:.2}", held.width_logarithm.exp())))
    }
}

/// What floods of sessions with one request do.
#[derive(Debug)]
pub struct Floods<'a>(pub &'a [Poisoning]);

impl Display for Floods<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let shares = poisoning::FLOODS.map(|share| format!("{} %", share * 100.0));
        header(f, ["T before".to_owned()].into_iter().chain(shares))?;
        for poisoning in self.0 {
            let before = before(poisoning);
            let moved = poisoning.floods.iter().map(|moved| harm(moved, moved.false_positives));
            line(f, poisoning.name, [before].into_iter().chain(moved))?;
        }
        Ok(())
    }
}

/// What abusers do.
#[derive(Debug)]
pub struct Abusers<'a>(pub &'a [Poisoning]);

impl Display for Abusers<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let shares = poisoning::ABUSERS.map(|share| format!("{} %", share * 100.0));
        header(f, ["T before".to_owned()].into_iter().chain(shares))?;
        for poisoning in self.0 {
            let moved = poisoning.abusers.iter().map(|moved| harm(moved, moved.recall));
            line(f, poisoning.name, [before(poisoning)].into_iter().chain(moved))?;
        }
        Ok(())
    }
}

/// What one giant does.
#[derive(Debug)]
pub struct Giants<'a>(pub &'a [Poisoning]);

impl Display for Giants<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        header(f, poisoning::SIZES.map(|sessions| format!("{sessions} sessions")))?;
        for poisoning in self.0 {
            let factors = poisoning.giants.iter().map(|(mean, largest)| format!("× {mean:.2}, {largest:.2}"));
            line(f, poisoning.name, factors)?;
        }
        Ok(())
    }
}

/// Threshold, false positives in percent, and recall.
fn figures(outcome: &Outcome) -> String {
    let Outcome { threshold, false_positives, recall } = outcome;
    format!("{threshold:.1}/{:.3}/{recall:.3}", false_positives * 100.0)
}

fn levels(held: &Held) -> String {
    let [p90, p95, p99] = held.typical.map(|share| share * 100.0);
    format!("{p90:.1}/{p95:.1}/{p99:.1}")
}

fn before(poisoning: &Poisoning) -> String {
    format!("{:.1}, {:.2} %", poisoning.threshold, poisoning.false_positives * 100.0)
}

fn harm(moved: &Moved, share: f64) -> String {
    format!("× {:.2}, {:.2} %", moved.factor, share * 100.0)
}

fn header(f: &mut Formatter<'_>, columns: impl IntoIterator<Item = impl Display>) -> fmt::Result {
    let mut rule = "| ---".to_owned();
    write!(f, "| scenario")?;
    for column in columns {
        write!(f, " | {column}")?;
        rule += " | ---:";
    }
    writeln!(f, " |\n{rule} |")
}

fn line(f: &mut Formatter<'_>, name: &str, columns: impl IntoIterator<Item = impl Display>) -> fmt::Result {
    write!(f, "| {name}")?;
    for column in columns {
        write!(f, " | {column}")?;
    }
    writeln!(f, " |")
}
