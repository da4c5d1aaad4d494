//! What the rule's first implementation gave on these scenarios, mean of 12 runs, as it was written down.

/// Figures of a scenario.
#[derive(Debug)]
pub struct Reference {
    /// The oracle's threshold and recall.
    pub oracle: (f64, f64),
    /// Threshold, false positives in percent, and recall, where no abusers were there to learn from, .5 % and 2 %.
    pub cells: [(f64, f64, f64); 3],
}

/// Which of [`crate::table::SHARES`] were written down.
pub const SHARES: [usize; 3] = [0, 2, 4];

/// In the order of the scenarios.
pub const REFERENCE: [Reference; 12] = [
    row((11.0, 0.85), [(13.0, 0.042, 0.79), (16.0, 0.020, 0.72), (40.0, 0.0, 0.41)]),
    row((214.0, 0.64), [(250.0, 0.060, 0.58), (275.0, 0.042, 0.55), (552.0, 0.004, 0.32)]),
    row((456.0, 0.97), [(647.0, 0.003, 0.87), (739.0, 0.001, 0.83), (1_853.0, 0.0, 0.52)]),
    row((1_009.0, 0.29), [(1_099.0, 0.074, 0.27), (1_210.0, 0.046, 0.23), (1_639.0, 0.012, 0.13)]),
    row((218.0, 0.40), [(187.0, 0.154, 0.46), (216.0, 0.108, 0.41), (369.0, 0.030, 0.24)]),
    row((410.0, 0.74), [(448.0, 0.072, 0.71), (498.0, 0.048, 0.67), (1_165.0, 0.0, 0.39)]),
    row((265.0, 0.60), [(290.0, 0.111, 0.58), (325.0, 0.079, 0.54), (562.0, 0.005, 0.36)]),
    row((3.0, 1.0), [(10.0, 0.0, 0.98), (10.0, 0.0, 0.98), (19.0, 0.0, 0.86)]),
    row((168.0, 0.58), [(119.0, 0.216, 0.69), (162.0, 0.116, 0.60), (368.0, 0.025, 0.32)]),
    row((12.0, 0.91), [(17.0, 0.015, 0.80), (19.0, 0.010, 0.75), (45.0, 0.0, 0.45)]),
    row((549.0, 0.19), [(323.0, 0.394, 0.38), (403.0, 0.241, 0.30), (628.0, 0.074, 0.15)]),
    row((270.0, 0.45), [(252.0, 0.146, 0.47), (301.0, 0.081, 0.42), (537.0, 0.006, 0.23)]),
];

const fn row(oracle: (f64, f64), cells: [(f64, f64, f64); 3]) -> Reference {
    Reference { oracle, cells }
}

impl Reference {
    /// How many of these figures are not the written ones, rounded: oracle's threshold and recall, then threshold, false
    /// positives in percent and recall of each cell.
    #[must_use]
    pub fn differences(&self, oracle: (f64, f64), cells: [(f64, f64, f64); 3]) -> usize {
        let mut differences = differs(oracle.0, self.oracle.0, 1.0) + differs(oracle.1, self.oracle.1, 0.01);
        for (found, written) in cells.into_iter().zip(self.cells) {
            differences += differs(found.0, written.0, 1.0);
            differences += differs(found.1, written.1, 0.001);
            differences += differs(found.2, written.2, 0.01);
        }
        differences
    }
}

fn differs(found: f64, written: f64, unit: f64) -> usize {
    // A figure half-way between two may have been rounded either way.
    usize::from((found - written).abs() > unit / 2.0 + 1e-9)
}
