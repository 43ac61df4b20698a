//! `cargo run --release -p proof -- model`: the rule of one use, checked in every order of events.

#![expect(clippy::print_stdout, reason = "a proof prints its result")]

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use proof::{
    model::{self, Design},
    simulation::{self, Rule},
};

/// Proves the promise of one use, and shows other designs breaking it.
#[derive(Debug, Parser)]
enum Arguments {
    /// Checks a model of the rule exhaustively, and then designs that are known to break.
    Model,
    /// Simulates the functions in a world where everything goes wrong, once for each seed.
    Simulate {
        /// The one seed to run, and to tell what happens.
        #[arg(long)]
        seed: Option<u64>,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        first: u64,
        /// How many seeds.
        #[arg(long, default_value_t = 1_000_000, conflicts_with = "seed")]
        seeds: u64,
        /// How many seconds to go on, if the seeds were done sooner.
        #[arg(long, default_value_t = 0)]
        seconds: u64,
    },
}

fn main() -> ExitCode {
    let is_proven = match Arguments::parse() {
        Arguments::Model => model(),
        Arguments::Simulate { seed, first, seeds, seconds } => simulate(seed, first, seeds, seconds),
    };
    if is_proven { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn model() -> bool {
    let mut is_proven = true;
    for design in Design::ALL {
        let result = model::check(design, 3);
        println!("{design:?}: {result}");
        for (property, path) in &result.counterexamples {
            println!("{property}: {path}");
        }
        is_proven &= result.counterexamples.is_empty() != design.breaks();
    }
    is_proven
}

fn simulate(seed: Option<u64>, first: u64, seeds: u64, seconds: u64) -> bool {
    let outcome = match seed {
        Some(seed) => simulation::run(seed, Rule::OF_ONE_USE),
        None => simulation::run_many(first, seeds, Duration::from_secs(seconds), Rule::OF_ONE_USE),
    };
    if seed.is_some() {
        outcome.trace.iter().for_each(|event| println!("{event}"));
    }
    println!("{outcome}");
    for (seed, violation) in &outcome.violations {
        println!("seed {seed}: {violation}; repeat it by `simulate --seed {seed}`");
    }
    outcome.violations.is_empty()
}
