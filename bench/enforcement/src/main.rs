//! Prints what learned schemas block in their second week, and fails where that is more than may be.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::process::ExitCode;

use demilune_bench_enforcement::run::{Judged, Outcome, all};

/// Most good requests that may be blocked: of all, and of any operation.
const MEAN_MAX: f64 = 0.000_1;
const WORST_MAX: f64 = 0.001;
/// Least malformed requests that must be blocked, of all: so that the first two are not won by enforcing nothing.
const CAUGHT_MIN: f64 = 0.8;
/// How long a schema that is wrong may block where requests are frequent.
const FALLBACK_MAX_SECONDS: u64 = 60;
/// Where they are: enough of known sessions within the window of five minutes.
const FREQUENT: f64 = 10.0;

const PER_DAY: u64 = 20_000;
const SECOND_WEEK: Judged = Judged { first: 8, days: 7, per_day: PER_DAY };
/// The day on which the new value comes up and the one before, with many requests.
const FREQUENT_DAY: Judged = Judged { first: 9, days: 2, per_day: 1_000_000 };

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let seeds = if quick { 1..2 } else { 1..4 };
    let runs: Vec<Vec<Outcome>> = seeds.map(|seed| all(seed, PER_DAY, SECOND_WEEK)).collect();
    println!("| operation | good | blocked | share | malformed | blocked | fell back after |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let operations = runs.first().map_or(0, Vec::len);
    let sums: Vec<Outcome> = (0..operations).map(|place| sum(&runs, place)).collect();
    for outcome in &sums {
        println!("{}", row(outcome));
    }
    let shares: Vec<f64> = sums.iter().map(|outcome| share(outcome.good_blocked, outcome.good)).collect();
    #[expect(clippy::cast_precision_loss, reason = "few")]
    let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
    let worst = runs.iter().flatten().map(|outcome| share(outcome.good_blocked, outcome.good)).fold(0.0, f64::max);
    let (bad, caught) =
        sums.iter().fold((0, 0), |(bad, caught), outcome| (bad + outcome.bad, caught + outcome.bad_blocked));
    let caught = share(caught, bad);
    println!(
        "\nGood requests blocked: {:.4} % on average, {:.4} % of the worst operation and seed. Malformed ones: {:.1} %.",
        mean * 100.0,
        worst * 100.0,
        caught * 100.0
    );
    let mut fits = mean <= MEAN_MAX && worst <= WORST_MAX && caught >= CAUGHT_MIN;
    fits &= frequent();
    println!("{}", if fits { "Within the gates." } else { "OUT OF THE GATES." });
    if fits { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How soon schemas fall back where requests are frequent.
fn frequent() -> bool {
    let outcomes = all(1, PER_DAY, FREQUENT_DAY);
    let mut fits = true;
    for outcome in outcomes.iter().filter(|outcome| outcome.fell_back_after.is_some()) {
        let after = outcome.fell_back_after.unwrap_or_default();
        println!(
            "At {:.0} requests a second, {} only logged {after} s after its first misfit.",
            outcome.rate, outcome.name
        );
        fits &= outcome.rate < FREQUENT || after <= FALLBACK_MAX_SECONDS;
    }
    fits && outcomes.iter().any(|outcome| outcome.fell_back_after.is_some())
}

fn sum(runs: &[Vec<Outcome>], place: usize) -> Outcome {
    let mut sum = Outcome::default();
    for outcome in runs.iter().filter_map(|run| run.get(place)) {
        sum.name = outcome.name;
        sum.good += outcome.good;
        sum.good_blocked += outcome.good_blocked;
        sum.bad += outcome.bad;
        sum.bad_blocked += outcome.bad_blocked;
        sum.fell_back_after = sum.fell_back_after.max(outcome.fell_back_after);
    }
    sum
}

fn row(outcome: &Outcome) -> String {
    let Outcome { name, good, good_blocked, bad, bad_blocked, fell_back_after, .. } = outcome;
    let after = fell_back_after.map_or_else(
        || "-".to_owned(),
        |seconds| format!("{:.1} h", f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)) / 3_600.0),
    );
    let share = share(*good_blocked, *good) * 100.0;
    format!("| `{name}` | {good} | {good_blocked} | {share:.4} % | {bad} | {bad_blocked} | {after} |")
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
