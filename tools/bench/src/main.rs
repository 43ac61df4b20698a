//! `bench`: measures what the API costs. See `docs/benchmarks.md`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

mod cold_start;
mod init;
mod pairs;
mod refusals;
mod roots;

use anyhow::Result;
use clap::Parser;

/// Measures what the API costs on this machine; no traffic leaves it.
#[derive(Debug, Parser)]
enum Command {
    /// Count the tokens that `local` mints and spends per second on one core.
    Pairs,
    /// Measure what a refused token costs, and whether its timing reveals anything.
    Refusals,
    /// Measure the cold start of the built functions, compared with a function that does nothing.
    Init(init::Options),
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Pairs => pairs::run(),
        Command::Refusals => refusals::run(),
        Command::Init(options) => init::run(&options),
    }
}
