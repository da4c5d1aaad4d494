//! Twelve kinds of traffic to one operation, in numbers.

/// The traffic of one operation on a day.
#[derive(Debug)]
pub struct Scenario {
    /// Its name in every table.
    pub name: &'static str,
    /// Sessions a day.
    pub sessions: u32,
    /// Kinds of sessions; their weights make 1.
    pub components: &'static [Component],
    /// How much a session's rate changes from window to window: the deviation of its logarithm.
    pub noise: f64,
    /// The probability that a session does something in a window between its first and its last.
    pub on: f64,
    /// What every rate is multiplied by on the second day.
    pub drift: f64,
}

/// A kind of sessions.
#[derive(Debug)]
pub struct Component {
    /// The share of all sessions.
    pub weight: f64,
    /// Requests in a window.
    pub law: Law,
    /// Windows that a session lasts on average.
    pub length_mean: f64,
}

/// How the rates of sessions are distributed: requests in a window of 600 s.
#[derive(Clone, Copy, Debug)]
pub enum Law {
    /// Log-normal: the median, and the deviation of the logarithm.
    Log(f64, f64),
    /// Pareto: the least value, and the exponent.
    Pareto(f64, f64),
    /// The same for all, and requests at even intervals.
    Even(f64),
}

/// A single kind of sessions.
const fn all(law: Law, length_mean: f64) -> [Component; 1] {
    [Component { weight: 1.0, law, length_mean }]
}

const fn some(weight: f64, law: Law, length_mean: f64) -> Component {
    Component { weight, law, length_mean }
}

use Law::{Even, Log, Pareto};

/// The scenarios, in the order of every table.
pub const SCENARIOS: [Scenario; 12] = [
    Scenario {
        name: "login",
        sessions: 20_000,
        components: &[some(0.97, Log(0.9, 0.5), 1.3), some(0.03, Log(3.0, 0.5), 2.0)],
        noise: 0.3,
        on: 0.8,
        drift: 1.0,
    },
    Scenario {
        name: "search",
        sessions: 40_000,
        components: &all(Log(8.0, 0.9), 3.0),
        noise: 0.5,
        on: 0.8,
        drift: 1.0,
    },
    Scenario {
        name: "spa_poll",
        sessions: 10_000,
        components: &[
            some(0.82, Log(60.0, 0.15), 20.0),
            some(0.15, Log(120.0, 0.15), 20.0),
            some(0.03, Log(240.0, 0.25), 20.0),
        ],
        noise: 0.1,
        on: 0.95,
        drift: 1.0,
    },
    Scenario {
        name: "batch",
        sessions: 15_000,
        components: &[some(0.92, Log(5.0, 0.8), 2.0), some(0.08, Log(150.0, 0.6), 10.0)],
        noise: 0.4,
        on: 0.8,
        drift: 1.0,
    },
    Scenario {
        name: "mobile",
        sessions: 50_000,
        components: &all(Log(3.0, 1.2), 4.0),
        noise: 0.6,
        on: 0.7,
        drift: 1.0,
    },
    Scenario {
        name: "graphql",
        sessions: 30_000,
        components: &all(Log(25.0, 0.7), 5.0),
        noise: 0.4,
        on: 0.8,
        drift: 1.15,
    },
    Scenario { name: "small", sessions: 150, components: &all(Log(10.0, 0.8), 3.0), noise: 0.5, on: 0.8, drift: 1.0 },
    Scenario {
        name: "heartbeat",
        sessions: 3_000,
        components: &all(Even(2.02), 60.0),
        noise: 0.0,
        on: 1.0,
        drift: 1.0,
    },
    Scenario {
        name: "power",
        sessions: 25_000,
        components: &all(Pareto(4.0, 2.0), 3.0),
        noise: 0.4,
        on: 0.8,
        drift: 1.0,
    },
    Scenario {
        name: "checkout",
        sessions: 5_000,
        components: &all(Log(1.2, 0.6), 1.5),
        noise: 0.3,
        on: 0.8,
        drift: 1.0,
    },
    Scenario {
        name: "partners",
        sessions: 18_000,
        components: &[some(0.955, Log(4.0, 0.6), 2.0), some(0.045, Log(60.0, 0.8), 10.0)],
        noise: 0.4,
        on: 0.8,
        drift: 1.1,
    },
    Scenario {
        name: "kiosk",
        sessions: 9_000,
        components: &[some(0.97, Log(6.0, 0.5), 2.0), some(0.03, Log(70.0, 0.5), 12.0)],
        noise: 0.3,
        on: 0.8,
        drift: 1.0,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_a_scenario_make_one() {
        for scenario in &SCENARIOS {
            let sum: f64 = scenario.components.iter().map(|component| component.weight).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{}", scenario.name);
        }
    }
}
