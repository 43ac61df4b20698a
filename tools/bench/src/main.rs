//! `bench`: measures what the API costs. See `docs/benchmarks.md`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

mod chart;
mod cold_start;
mod comparison;
mod goals;
mod instructions;
mod limits;
mod machine;
mod measured;
mod pairs;
mod refusals;
mod report;
mod roots;
mod server;
mod services;
mod share;

use anyhow::Result;
use clap::Parser;

/// Measures what the API costs on this machine; no traffic leaves it.
#[derive(Debug, Parser)]
enum Command {
    /// Count the tokens that `local` mints and spends per second on one core.
    Pairs,
    /// Measure what a refused token costs, and whether its timing reveals anything.
    Refusals,
    /// Count the instructions of the built functions with valgrind.
    Instructions(instructions::Options),
    /// Compare the built functions with a function that does nothing and with other designs, and write a report.
    Report(report::Options),
    /// Measure how fast a server of the API starts and answers.
    Server(server::Options),
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Pairs => pairs::run(),
        Command::Refusals => refusals::run(),
        Command::Instructions(options) => instructions::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Server(options) => server::run(&options),
    }
}
