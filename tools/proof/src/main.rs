//! `proof`: the promise of one use, proven. See `docs/reliability.md`.

#![expect(clippy::print_stdout, reason = "a proof prints its result")]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use clap::Parser;
use proof::{
    drill, faults, kill,
    model::{self, Design},
    peers, races, simulation, tamper, usage,
};
use tokio::runtime::Runtime;

/// Proves the promise of one use, and shows other designs breaking it.
#[derive(Debug, Parser)]
enum Arguments {
    /// Check a model of the rule exhaustively, and then designs that are known to break.
    Model,
    /// Simulate the functions in a world where everything goes wrong, once for each seed.
    Simulate {
        /// Run this one seed, and tell what happens.
        #[arg(long)]
        seed: Option<u64>,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        first: u64,
        /// How many seeds.
        #[arg(long, default_value_t = 1_000_000, conflicts_with = "seed")]
        seeds: u64,
        /// Go on for this many seconds, if the seeds are done sooner.
        #[arg(long, default_value_t = 0)]
        seconds: u64,
    },
    /// Spoil the requests of the functions: in the simulation, and with an emulator of DynamoDB on
    /// real sockets.
    Faults(Emulated),
    /// Kill the function that spends at seven moments of a spend.
    Kill(Emulated),
    /// Rotate the keys while the functions mint and spend.
    Drill {
        #[command(flatten)]
        emulated: Emulated,
        /// How many rotations.
        #[arg(long, default_value_t = 3)]
        rotations: usize,
        /// How many requests a second.
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
        rate: u32,
        /// How many seconds it goes on after each rotation.
        #[arg(long, default_value_t = 345)]
        seconds: u64,
    },
    /// Have many clients claim each token at once.
    Races {
        #[command(flatten)]
        emulator: Emulator,
        /// How many tokens.
        #[arg(long, default_value_t = 10_000)]
        tokens: usize,
        /// How many clients.
        #[arg(long, default_value_t = 64)]
        clients: usize,
    },
    /// Tamper with tokens, each time in another way.
    Tamper {
        /// How many times.
        #[arg(long, default_value_t = 100_000_000)]
        tokens: u64,
    },
    /// Count a stream whose batches are repeated, cut and die half-way.
    Usage {
        /// How many records.
        #[arg(long, default_value_t = 1_000_000)]
        records: usize,
    },
    /// Put other designs to the same trials.
    Peers {
        #[command(flatten)]
        emulator: Emulator,
        /// How many tokens in each trial.
        #[arg(long, default_value_t = 100)]
        tokens: usize,
    },
}

/// What a proof needs that uses a store outside the process.
#[derive(Debug, clap::Args)]
struct Emulator {
    /// Where an emulator of DynamoDB answers.
    #[arg(long, value_name = "URL")]
    dynamodb: String,
}

/// What a proof needs that runs the functions' binaries.
#[derive(Debug, clap::Args)]
struct Emulated {
    #[command(flatten)]
    emulator: Emulator,
    /// Where `sam build --config-env local` put the functions.
    #[arg(long, value_name = "DIR", default_value = ".aws-sam/build")]
    build: PathBuf,
}

fn main() -> Result<ExitCode> {
    let is_proven = match Arguments::parse() {
        Arguments::Model => model(),
        Arguments::Simulate { seed, first, seeds, seconds } => simulate(seed, first, seeds, seconds),
        Arguments::Faults(emulated) => faults(&emulated)?,
        Arguments::Kill(emulated) => kill(&emulated)?,
        Arguments::Drill { emulated, rotations, rate, seconds } => drill(&emulated, rotations, rate, seconds)?,
        Arguments::Races { emulator, tokens, clients } => races(&emulator.dynamodb, tokens, clients)?,
        Arguments::Tamper { tokens } => tamper(tokens)?,
        Arguments::Usage { records } => usage(records)?,
        Arguments::Peers { emulator, tokens } => peers(&emulator.dynamodb, tokens)?,
    };
    Ok(if is_proven { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what the checker finds in each design; whether it is as it should be.
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

/// Prints what came of the simulations; whether that is nothing wrong, and everything seen.
fn simulate(seed: Option<u64>, first: u64, seeds: u64, seconds: u64) -> bool {
    let outcome = match seed {
        Some(seed) => simulation::run(seed),
        None => simulation::run_many(first, seeds, Duration::from_secs(seconds)),
    };
    outcome.trace.iter().for_each(|event| println!("{event}"));
    println!("{outcome}");
    for (seed, violation) in &outcome.violations {
        println!("seed {seed}: {violation}; repeat it by `simulate --seed {seed}`");
    }
    outcome.violations.is_empty()
}

/// Prints what came of each fault; whether that is nothing wrong.
fn faults(Emulated { emulator, build }: &Emulated) -> Result<bool> {
    let cells = simulation::matrix();
    let simulated = cells.iter().flat_map(|cell| &cell.violations).count();
    println!("{} faults in the simulation, {simulated} violations", cells.len());
    for cell in cells.iter().filter(|cell| !cell.violations.is_empty()) {
        println!("{cell:?}");
    }
    let cases = Runtime::new()?.block_on(faults::run(&emulator.dynamodb, build))?;
    for case in &cases {
        println!("{case}");
        case.violations.iter().for_each(|violation| println!("  wrong: {violation}"));
    }
    let violations = cases.iter().flat_map(|case| &case.violations).count();
    println!("{} faults on real sockets, {violations} violations", cases.len());
    Ok(simulated + violations == 0)
}

/// Prints what came of each death; whether that is nothing wrong.
fn kill(Emulated { emulator, build }: &Emulated) -> Result<bool> {
    let deaths = Runtime::new()?.block_on(kill::run(&emulator.dynamodb, build))?;
    deaths.iter().for_each(|death| println!("{death}"));
    let broken = deaths.iter().filter(|death| !death.is_as_promised).count();
    println!("{} deaths, {broken} broken promises", deaths.len());
    Ok(broken == 0)
}

/// Prints what came of the rotations; whether that is nothing wrong.
fn drill(Emulated { emulator, build }: &Emulated, rotations: usize, rate: u32, seconds: u64) -> Result<bool> {
    let pause = Duration::from_secs(seconds);
    let drill = Runtime::new()?.block_on(drill::run(&emulator.dynamodb, build, rotations, rate, pause))?;
    println!("{drill}");
    drill.violations.iter().take(20).for_each(|violation| println!("{violation}"));
    Ok(drill.violations.is_empty())
}

/// Prints what came of the races; whether that is nothing wrong.
fn races(dynamodb: &str, tokens: usize, clients: usize) -> Result<bool> {
    let races = Runtime::new()?.block_on(races::run(dynamodb, tokens, clients))?;
    println!("{races}");
    races.violations.iter().for_each(|violation| println!("{violation}"));
    Ok(races.violations.is_empty())
}

/// Prints what came of the tampering; whether that is nothing.
fn tamper(tokens: u64) -> Result<bool> {
    let tampered = tamper::run(tokens)?;
    println!("{tampered}");
    tampered.violations.iter().take(20).for_each(|violation| println!("not refused: {violation}"));
    Ok(tampered.violations.is_empty() && tampered.store_calls == 0)
}

/// Prints what came of the counting; whether it is exact.
fn usage(records: usize) -> Result<bool> {
    let counted = Runtime::new()?.block_on(usage::run(records))?;
    println!("{counted}");
    Ok(counted.wrong.is_empty())
}

/// Prints what came of each design; whether only this project's passes every trial.
fn peers(dynamodb: &str, tokens: usize) -> Result<bool> {
    let trials = Runtime::new()?.block_on(peers::run(dynamodb, tokens))?;
    println!("of {tokens} tokens in each trial");
    println!("| design | doubled in a race | lost with a reply | lost with a function | doubled by a late mint |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    trials.iter().for_each(|trial| println!("{trial}"));
    let (ours, others) = trials.split_first().context("no design was tried")?;
    // A trial that every design passes proves nothing.
    let is_alive = |column: usize| others.iter().any(|trial| trial.figures()[column] > 0);
    Ok(ours.figures() == [0; 4] && (0..4).all(is_alive))
}
