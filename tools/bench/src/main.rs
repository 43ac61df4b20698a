//! `bench`: measures what the API costs. See `docs/benchmarks.md`.
//!
//! | command | in |
//! | --- | --- |
//! | `pairs`, `refusals`, `server` | the module of that name |
//! | `instructions` | `instructions`, with the program `bin/operations.rs` |
//! | `report` | `report`: `comparison` starts each program again and again, with the modules below; `chart` and `goals` show the result, and `limits` fails if one is exceeded |
//!
//! A comparison measures each `cold_start` of a `program` against `services` that are AWS to it, trusting `roots`, with
//! the `share` of a CPU of its memory. `measured` has the starts, `figure` their medians, and `machine` says on what.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

mod chart;
mod cold_start;
mod comparison;
mod figure;
mod goals;
mod instructions;
mod limits;
mod machine;
mod measured;
mod pairs;
mod program;
mod refusals;
mod report;
mod roots;
mod server;
mod services;
mod share;

use anyhow::Result;
use clap::Parser;

/// Measures what the API costs on this machine. No traffic leaves it, unless `--url` or `--dynamodb` names another.
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
