//! `cargo run --release -p proof -- model`: the rule of one use, checked in every order of events.

#![expect(clippy::print_stdout, reason = "a proof prints its result")]

use std::process::ExitCode;

use clap::Parser;
use proof::model::{Design, check};

/// Proves the promise of one use, and shows other designs breaking it.
#[derive(Debug, Parser)]
enum Arguments {
    /// Checks a model of the rule exhaustively, and then designs that are known to break.
    Model,
}

fn main() -> ExitCode {
    let Arguments::Model = Arguments::parse();
    let mut is_proven = true;
    for design in Design::ALL {
        let result = check(design, 3);
        println!("{design:?}: {result}");
        for (property, path) in &result.counterexamples {
            println!("{property}: {path}");
        }
        is_proven &= result.counterexamples.is_empty() != design.breaks();
    }
    if is_proven { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
