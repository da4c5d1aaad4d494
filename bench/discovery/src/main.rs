//! Prints what discovery finds in requests read from standard input, or, with `--quick`, how good it is on some made here.
#![expect(clippy::print_stdout, reason = "the candidates and the table are what this program is for")]

use std::process::ExitCode;

use demilune_bench_discovery::{quick, read};
use demilune_discovery::{DiscoveryOptions, candidates};

/// Of the run that the gates were set by.
const SEED: u64 = 1;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--quick"] => run_quick(SEED, false),
        ["--quick", "--wrong"] => run_quick(SEED, true),
        ["--quick", "--seed", seed] => run_quick(seed.parse().unwrap_or(SEED), false),
        [] => run_read(),
        _ => {
            eprintln!("usage: [--quick [--wrong | --seed NUMBER]]");
            ExitCode::FAILURE
        }
    }
}

fn run_quick(seed: u64, shows_wrong: bool) -> ExitCode {
    println!("| interface | operations | found | precision | recall |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let outcomes = quick::outcomes(seed);
    for outcome in &outcomes {
        let (precision, recall) = (100.0 * outcome.precision(), 100.0 * outcome.recall());
        let (truth, found) = (outcome.truth.len(), outcome.found.len());
        println!("| {} | {truth} | {found} | {precision:.1} % | {recall:.1} % |", outcome.name);
        if shows_wrong {
            outcome.truth.difference(&outcome.found).for_each(|missed| eprintln!("missed  {missed}"));
            outcome.found.difference(&outcome.truth).for_each(|made_up| eprintln!("made up {made_up}"));
        }
    }
    let fits = outcomes.iter().all(quick::Outcome::fits);
    println!("\n{}", if fits { "Within the gates." } else { "OUT OF THE GATES." });
    if fits { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_read() -> ExitCode {
    let seen = match read::sightings(std::io::stdin().lock()) {
        Ok(seen) => seen,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for found in candidates(&seen, &DiscoveryOptions::default()) {
        println!("{}", read::line(&found));
    }
    eprintln!("{} requests, {} bytes, sampled: {}", seen.requests(), seen.bytes(), seen.is_sampled());
    ExitCode::SUCCESS
}
