//! Prints the table of the threshold rule, its coverage and what poisons it, and says whether the gates hold.
#![expect(clippy::print_stdout, reason = "a report is what this program is for")]

use std::{env, ops::Range, process::ExitCode, time::Instant};

use demilune_bench_thresholds::{
    coverage::Coverage,
    day::Traffic,
    gate::{Gate, gates},
    parallel, poisoning,
    report::{self, Abusers, Candidates, CandidatesByScenario, Covered, Floods, Giants, Scenarios},
    scenario::SCENARIOS,
    table::Table,
};

const USAGE: &str = "\
usage: demilune-bench-thresholds [--quick | --fresh]

Prints Markdown. The exit status says whether all gates hold.
  --quick   3 runs instead of 12, and 100 samples instead of 1,000: seconds instead of a minute
  --fresh   24 other runs than those of the agreed table";

/// How much is measured.
struct Effort {
    runs: Range<u64>,
    /// For coverage, of each scenario and size.
    samples: u64,
}

/// The runs of the agreed table.
const RUNS: Range<u64> = 0..12;
const FULL: Effort = Effort { runs: RUNS, samples: 1_000 };
const QUICK: Effort = Effort { runs: 0..3, samples: 100 };
const FRESH: Effort = Effort { runs: 12..36, samples: 1_000 };

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => run(FULL),
        ["--quick"] => run(QUICK),
        ["--fresh"] => run(FRESH),
        _ => {
            println!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(Effort { runs, samples }: Effort) -> ExitCode {
    let started = Instant::now();
    let scenarios: Vec<_> = SCENARIOS.iter().collect();
    let traffic = parallel::map(&scenarios, |scenario| Traffic::of(scenario));

    let table = Table::measure(&traffic, runs.clone());
    let number = runs.end - runs.start;
    println!("## By scenario: threshold / false positives % / recall, mean of {number} runs\n\n{}", Scenarios(&table));
    if runs == RUNS {
        println!("Figures that are not those in brackets, rounded: {}\n", report::differences(&table));
    }
    println!("## Rules\n\n{}", Candidates(&table));
    println!("## Rules by scenario, 0.5 % abusers\n\n{}", CandidatesByScenario(&table));

    let poisonings = poisoning::measure(&traffic);
    println!("## Floods of one request a session: T, false positives\n\n{}", Floods(&poisonings));
    println!("## Abusers: T, recall\n\n{}", Abusers(&poisonings));
    println!("## One giant session: T, mean and largest\n\n{}", Giants(&poisonings));

    let coverages = Coverage::measure(&traffic, samples);
    println!("## Coverage of 90/95/99 % intervals, % of {samples} samples\n\n{}", Covered(&coverages));

    let gates = gates(&table, &coverages);
    println!("## Gates\n\n| figure | found | wanted | |\n| --- | ---: | --- | --- |");
    for gate in &gates {
        println!("{gate}");
    }
    println!("\n{:.0} s", started.elapsed().as_secs_f32());
    if gates.iter().all(Gate::holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
